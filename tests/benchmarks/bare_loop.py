"""onnxruntime and nothing of ours: the loop over batches that evaluations are held against.

``bare_loop.py MODEL INPUTS.npy SAMPLES WIDTH INPUT OUTPUT``: prints the seconds of the loop alone, in a
process as fresh as a worker's, with the recipe's options and batches and the same array to fill.
"""

from __future__ import annotations

import math
import os
import sys
import time

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime

BATCH = 32


def main(model: str, inputs: str, output_width: int, input_name: str, output_name: str) -> float:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.x64quantprecision", "1")
    with open(model, "rb") as file:
        session = onnxruntime.InferenceSession(file.read(), options, providers=["CPUExecutionProvider"])
    rows = np.asarray(np.load(inputs, mmap_mode="r"))
    batches = math.ceil(len(rows) / BATCH)
    start = time.perf_counter()
    outputs = np.empty((batches * BATCH, output_width), np.float32)
    for first in range(0, len(rows), BATCH):
        batch = rows[first : first + BATCH]
        if len(batch) < BATCH:
            batch = np.concatenate([batch, np.zeros((BATCH - len(batch), *batch.shape[1:]), batch.dtype)])
        outputs[first : first + BATCH] = session.run([output_name], {input_name: batch})[0]
    return time.perf_counter() - start


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5]))
