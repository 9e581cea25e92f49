"""The one way to run a model, so that another peer gets the same bytes.

Decides how a session is opened and fed: one thread, batches of 32 in dataset order, the last one padded
with zero rows, from bytes, the optimisation level named. Must not know who asks, or what outputs mean.
The only importer of onnxruntime; its exceptions end here. Source: evaluation.md, Determinism (measured).
"""

from __future__ import annotations

import math
import mmap
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from p2peval.core.benchmark import PROFILES
from p2peval.core.parts import Tensor
from p2peval.defaults import BATCH, INPUTS_RESIDENT, PROFILE
from p2peval.errors import EvaluationError
from p2peval.evaluation import processor

Array = np.ndarray[Any, np.dtype[Any]]

_ONNX_TYPES = {
    "float32": "tensor(float)",
    "float64": "tensor(double)",
    "int64": "tensor(int64)",
    "int32": "tensor(int32)",
}
_DTYPES = {onnx: dtype for dtype, onnx in _ONNX_TYPES.items()}

_LEVELS = {"all": "ORT_ENABLE_ALL", "canonical": "ORT_DISABLE_ALL"}
"""Profile -> onnxruntime's graph optimisation level."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides bytes and may be chosen, the same for who evaluates and who audits.

    ``profile``: "all" optimisations, or "canonical" without any, which makes AVX2 and AVX512 agree for models that
    are no transformers, at up to twice the time. Batch, padding, threads and precision are every recipe's.
    """

    profile: str = PROFILE

    def __post_init__(self) -> None:
        """Raises EvaluationError: profile, for one that this version does not know."""
        if self.profile not in PROFILES:
            detail = f"the benchmark asks for the recipe {self.profile!r}; known here: {', '.join(PROFILES)}"
            raise EvaluationError("profile", detail, hint="a newer p2peval may know it")

    @property
    def other(self) -> Recipe:
        """The recipe that differs in optimisation alone."""
        return Recipe(next(profile for profile in PROFILES if profile != self.profile))


def equivalence_class(recipe: Recipe = Recipe()) -> str:
    """Peers of one class get the same bytes.

    It names version, optimisation, architecture, ISA tier, provider, batch and padding.
    """
    level = "none" if recipe.profile == "canonical" else recipe.profile
    parts = (f"ort-{version('onnxruntime')}", f"opt-{level}", platform.machine().lower(), processor.tier())
    return "/".join((*parts, "cpu", f"b{BATCH}", "zeropad"))


@dataclass(frozen=True, slots=True)
class Model:
    """An open session that fits a benchmark's input and output."""

    input: Tensor
    output: Tensor
    _infer: Callable[[Array], Any]

    def run(self, inputs: Array, batches: Sequence[int]) -> Array:
        """Outputs of whole batches, in the order given: (BATCH·len(batches), *output shape).

        ``inputs``: (N, *input shape), C-contiguous; rows past N are zero. Raises EvaluationError.
        """
        outputs = np.empty((BATCH * len(batches), *self.output.shape), self.output.dtype)
        shape = (BATCH, *self.output.shape)
        infer = self._infer
        window = max(1, INPUTS_RESIDENT // max(1, inputs[:BATCH].nbytes))
        with _translated("model_run"):
            for place, batch in enumerate(batches):
                rows = inputs[batch * BATCH : (batch + 1) * BATCH]
                answer = infer(rows if len(rows) == BATCH else _padded(rows))
                if getattr(answer, "shape", None) != shape or answer.dtype != outputs.dtype:
                    raise self._lied(answer)
                outputs[place * BATCH : (place + 1) * BATCH] = answer
                if place % window == window - 1:
                    _let_go(inputs)
        return outputs

    def run_all(self, inputs: Array) -> Array:
        """Outputs of every sample: (N, *output shape)."""
        return self.run(inputs, range(math.ceil(len(inputs) / BATCH)))[: len(inputs)]

    def run_at(self, inputs: Array, indices: Sequence[int]) -> Array:
        """Outputs of some samples, from the very batches they stand in: (len(indices), *output shape)."""
        batches = sorted({index // BATCH for index in indices})
        place = {batch: at * BATCH for at, batch in enumerate(batches)}
        outputs = self.run(inputs, batches)
        return outputs[[place[index // BATCH] + index % BATCH for index in indices]]

    def query(self, sample: Array) -> Array:
        """The output for one sample alone, in a batch of one: for its latency, for nothing that is compared.

        Raises EvaluationError: model_run, where the model takes whole batches only.
        """
        with _translated("model_run"):
            answer: Array = self._infer(sample[None])
        return answer

    def _lied(self, answer: Any) -> EvaluationError:
        got = f"{answer.dtype}{list(answer.shape)}" if isinstance(answer, np.ndarray) else type(answer).__name__
        want = f"{self.output.dtype}{[BATCH, *self.output.shape]}"
        return EvaluationError("output_shape", f"output {self.output.name!r} is {got} for a batch, not {want}")


def open_model(data: bytes, input: Tensor, output: Tensor, recipe: Recipe = Recipe()) -> Model:
    """Open a scanned model. Raises EvaluationError naming what the model has and what the benchmark wants."""
    session = _session(data, recipe)
    _fit_input(session.get_inputs(), input)
    _fit_output(session.get_outputs(), output)
    names, name, run = [output.name], input.name, session.run
    return Model(input, output, lambda rows: run(names, {name: rows})[0])


def output_dtypes(data: bytes) -> dict[str, str]:
    """The dtypes of a model's outputs, as onnxruntime works them out where the model does not say.

    Left out: outputs that are no tensors of a dtype that benchmarks know, or of half precision. Raises
    EvaluationError.
    """
    known = {**_DTYPES, "tensor(float16)": "float16"}
    found = {arg.name: known.get(arg.type) for arg in _session(data, Recipe("canonical")).get_outputs()}
    return {name: dtype for name, dtype in found.items() if dtype is not None}


def _session(data: bytes, recipe: Recipe) -> Any:
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, _LEVELS[recipe.profile])
    options.log_severity_level = 4
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.add_session_config_entry("session.disable_prepacking", "0")
    # Else a file that is ONNX to the scan could be read as onnxruntime's own format here.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    with _translated("model_load"):
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _onnxruntime() -> Any:
    """The Linux wheel reports home unless told before it is imported."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    return onnxruntime


@contextmanager
def _translated(reason: str) -> Iterator[None]:
    """onnxruntime's exceptions share no base below Exception: name each."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    try:
        yield
    except (
        state.EngineError,
        state.EPFail,
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.ModelLoaded,
        state.NoModel,
        state.NoSuchFile,
        state.NotImplemented,
        state.RuntimeException,
        RuntimeError,
        ValueError,
    ) as error:
        text = str(error).removeprefix("[ONNXRuntimeError] : ")
        if "allocate memory" in text or "bad_alloc" in text:
            raise EvaluationError("out_of_memory", f"the model asks for too much memory: {text}") from None
        raise EvaluationError(reason, f"onnxruntime: {text}", hint="does it run in onnxruntime alone?") from None


def _let_go(inputs: Array) -> None:
    """Give mapped pages back to the system: a dataset read once from end to end need not stay in memory."""
    base: object = inputs
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)


def _padded(rows: Array) -> Array:
    """A batch of fewer rows picks another kernel, and with it other results: fill up with zeros."""
    batch = np.zeros((BATCH, *rows.shape[1:]), rows.dtype)
    batch[: len(rows)] = rows
    return batch


def _fit_input(found: Sequence[Any], want: Tensor) -> None:
    has = ", ".join(_described(arg) for arg in found) or "no input"
    both = f"the model has {has}; the benchmark feeds {_wanted(want)}"
    if [arg.name for arg in found] != [want.name]:
        raise EvaluationError("input_name", both, hint=f"export it with the one input {want.name!r}")
    arg = found[0]
    if arg.type != _ONNX_TYPES[want.dtype]:
        raise EvaluationError("input_dtype", both, hint=f"export it for {want.dtype}")
    if not _fits(arg.shape, want.shape):
        raise EvaluationError("input_shape", both)
    _check_batch(arg)


def _fit_output(found: Sequence[Any], want: Tensor) -> None:
    has = ", ".join(_described(arg) for arg in found)
    both = f"the model has the output {has}; the benchmark wants {_wanted(want)}"
    arg = next((arg for arg in found if arg.name == want.name), None)
    if arg is None:
        raise EvaluationError("output_name", both, hint=f"export it with an output {want.name!r}")
    if arg.type != _ONNX_TYPES[want.dtype]:
        hint = "with skl2onnx: options={'zipmap': False}" if "map(" in arg.type else f"export it for {want.dtype}"
        raise EvaluationError("output_dtype", both, hint=hint)
    if not _fits(arg.shape, want.shape):
        raise EvaluationError("output_shape", both)


def _check_batch(arg: Any) -> None:
    if arg.shape and isinstance(arg.shape[0], int) and arg.shape[0] != BATCH:
        detail = f"input {arg.name!r} takes exactly {arg.shape[0]} samples at a time; evaluation feeds {BATCH}"
        raise EvaluationError("fixed_batch", detail, hint="export it with a dynamic first dimension")


def _fits(found: Sequence[Any], want: tuple[int, ...]) -> bool:
    """Unknown rank and symbolic sides fit anything: the first batch will tell."""
    if not found:
        return True
    if len(found) != 1 + len(want):
        return False
    return all(side == wanted for side, wanted in zip(found[1:], want, strict=True) if isinstance(side, int))


def _described(arg: Any) -> str:
    sides = [str(side or "?") for side in arg.shape]
    if sides and not isinstance(arg.shape[0], int):
        sides[0] = "N"
    return f"{arg.name!r} ({_DTYPES.get(arg.type, arg.type)}, {'×'.join(sides) or 'any shape'})"


def _wanted(tensor: Tensor) -> str:
    return f"{tensor.name!r} ({tensor.dtype}, {'×'.join(['N', *map(str, tensor.shape)])})"
