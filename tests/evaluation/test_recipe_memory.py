"""Inputs that are mapped from a file are let go of on the way, and read again where they are asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper
from onnx_models import constant, model, value

from p2peval.core.parts import Limits, Tensor
from p2peval.evaluation import jobs
from p2peval.evaluation.recipe import open_model
from p2peval.evaluation.sandbox import Sandbox

WIDTH, SAMPLES = 1 << 16, 1024
INPUT, OUTPUT = Tensor("x", "float32", (WIDTH,)), Tensor("y", "float32", (2,))
FILE_MB = WIDTH * SAMPLES * 4 >> 20


async def test_a_worker_reads_more_inputs_than_it_keeps_and_says_the_same(tmp_path: Path) -> None:
    weights = np.random.default_rng(1).normal(size=(WIDTH, 2)).astype(np.float32)
    onnx = model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        inputs=[value("x", ["N", WIDTH])],
        outputs=[helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 2])],
        initialisers=[constant("w", weights)],
    )
    inputs = np.random.default_rng(2).random((SAMPLES, WIDTH), np.float32)
    np.save(tmp_path / "inputs.npy", inputs)
    (tmp_path / "model.onnx").write_bytes(onnx)
    run = jobs.Run(
        str(tmp_path / "model.onnx"), str(tmp_path / "inputs.npy"), SAMPLES, INPUT, OUTPUT, Limits(60, 1024, 64)
    )
    job = jobs.Evaluate(run, bytes(32), str(tmp_path / "outputs"))
    answer = await Sandbox(1).run(job, deadline=60)
    assert (tmp_path / "outputs").read_bytes() == open_model(onnx, INPUT, OUTPUT).run_all(inputs).tobytes()
    assert FILE_MB == 256
    assert answer.peak_memory_mb < 220
