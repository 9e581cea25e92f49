"""Lets the tests of a folder below find the helpers that lie here, such as onnx_models."""
