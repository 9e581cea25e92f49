"""The benchmark and the models: scikit-learn's handwritten digits, three classifiers, exported to ONNX.

Trains on every second sample and is evaluated on all of them, so the figures flatter the models; the demo
is about who says so, not about how good they are. ``plainly`` is the yardstick: onnxruntime as anybody
would call it, without a line of p2peval.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from p2peval.errors import P2pevalError

TOPIC = "digits"
SAMPLES = 1797
AUDITED = (404, 457, 486, 507, 523, 535, 546, 555)
"""Samples that ε = δ = 0.01 ask for among 1797 of each of 1, 2, … 8 evaluators, to certify: they share ε."""

BY_RECORD = (405, 351, 319)
"""Those that the rule asks for of an evaluator of whom 0, 1, 2 results were accepted in a row before."""

SEED = 0

BENCHMARK = """\
name = "digits"
title = "Handwritten digits, 8×8"
description = "The test set of the UCI Optical Recognition of Handwritten Digits data, as scikit-learn ships it."
license = "CC-BY-4.0"

[data]
file = "digits.npz"
input = "images"
label = "digits"

[model]
task = "classification"
classes = 10
inputs = [{ name = "input", dtype = "float32", shape = ["N", 64] }]
output = { name = "probabilities" }

[metrics]
primary = "accuracy"
others = ["macro_f1", "brier"]

[verification]
epsilon = 0.01
delta = 0.01
"""


def require() -> None:
    """Raises P2pevalError where what the demo trains with is not installed."""
    missing = [
        name for name, module in (("scikit-learn", "sklearn"), ("skl2onnx", "skl2onnx")) if not find_spec(module)
    ]
    if missing:
        message = f"the demo trains its models with {' and '.join(missing)}, not installed here"
        raise P2pevalError(message, hint="pip install 'p2peval[demo]'")


def write_benchmark(folder: Path) -> None:
    """``folder``/benchmark.toml and digits.npz: 1797 × 64 float32 from 0 to 16, and as many labels."""
    import numpy as np

    images, digits = _digits()
    folder.mkdir(parents=True)
    np.savez(folder / "digits.npz", images=images, digits=digits)
    (folder / "benchmark.toml").write_text(BENCHMARK, encoding="utf-8")


def train(folder: Path) -> Iterator[Path]:
    """Write and name one .onnx file after another: the very same bytes at every call."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    images, digits = _digits()
    folder.mkdir(parents=True)
    for name, model in _classifiers().items():
        model.fit(images[::2], digits[::2])
        exported = to_onnx(
            model,
            initial_types=[("input", FloatTensorType([None, 64]))],
            options={id(model): {"zipmap": False}},
            target_opset=17,
        )
        path = folder / f"{name}.onnx"
        path.write_bytes(exported.SerializeToString())
        yield path


def plainly(model: Path, data: Path) -> int:
    """How many of the digits in ``data`` (digits.npz) ``model`` gets right."""
    import numpy as np
    import onnxruntime

    with np.load(data) as arrays:
        images, digits = arrays["images"], arrays["digits"]
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    (probabilities,) = session.run(["probabilities"], {"input": images})
    return int((probabilities.argmax(axis=1) == digits).sum())


def _digits() -> tuple[Any, Any]:
    import numpy as np
    from sklearn.datasets import load_digits

    images, digits = load_digits(return_X_y=True)
    return images.astype(np.float32), digits.astype(np.int64)


def _classifiers() -> dict[str, Any]:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    return {
        "logistic-regression": LogisticRegression(C=0.01, max_iter=300, random_state=SEED),
        "random-forest": RandomForestClassifier(n_estimators=50, max_depth=8, random_state=SEED),
        "neural-net": MLPClassifier(hidden_layer_sizes=(32,), max_iter=300, tol=1e-3, random_state=SEED),
    }
