"""The benchmark.toml that `bench init` writes: every section, with what it means and what is usual."""

from __future__ import annotations

from p2peval import defaults

_TEMPLATE = f"""\
# A benchmark: data, metrics and rules that peers evaluate models by.
# Check it with `p2peval bench validate`, then `p2peval bench publish`.

name = "NAME"                  # the topic people join by: a-z, 0-9 and -
title = ""
description = ""
license = ""                   # of the data, as an SPDX id: "CC-BY-4.0"
version = 1                    # published once and never changed: raise it to publish a change
# parent = "bafkrei…"          # the whole id of the version that this one replaces

[data]
file = "data.csv"              # in this directory: csv with a header line, parquet, arrow, npz, or a folder of images
input = ["x1", "x2"]           # tables: the columns in order, or one that holds lists; npz: the key of the array
label = "label"                # a column, or the key of an array
# labels = "committed"         # hold the labels back: you alone score, until `p2peval bench reveal`
# groups = "region"            # a column or array too: results are told for each group, and how far they lie apart
# a folder of PNG or JPEG files, all of one size: no input, but how to read them, and where their labels are
# file = "photos"
# mode = "RGB"                 # "L", "RGB" or "RGBA"; fed as channels, height, width or height, width, channels
# pixels = "unit"              # 0 to 1, or "byte": 0 to 255
# label = "folders"            # photos/cat/1.png is a cat; or "labels.csv": a list in the folder, file,label

[model]                        # what every model in this benchmark takes and gives, names included
task = "classification"        # or "regression", and then without classes
classes = 2                    # labels are 0, 1, …; or their names: ["cat", "dog"]
inputs = [{{ name = "input", dtype = "float32", shape = ["N", 2] }}]   # "N": any number of samples
output = {{ name = "output" }}   # classification: one number per class; regression: shape ["N", 1]

[metrics]
primary = "accuracy"           # what the board sorts by; regression: mae or rmse
others = ["macro_f1", "brier"]
# range = [0.0, 100.0]         # regression: where the labels lie; without it no metric is certified

# [[perturbations]]            # all samples once more, disturbed, for how well a model bears it; as many as you like
# name = "noise 0.1"
# kind = "gaussian_noise"      # uniform_noise, scale, shift, dropout; token_dropout for whole numbers
# level = 0.1                  # standard deviation, ±, ×(1 + level), +, share of values set to 0
# seed = 1

[tolerance]                    # between processors; per element |a-b| <= atol + rtol*|b|
atol = {defaults.ATOL}
rtol = {defaults.RTOL}

[limits]                       # for one evaluation of a model
seconds = {defaults.LIMIT_SECONDS}
memory_mb = {defaults.LIMIT_MEMORY_MB}
model_mb = {defaults.LIMIT_MODEL_MB}

[verification]                 # a lie on more than delta of the outputs escapes with at most epsilon
epsilon = {defaults.EPSILON}
delta = {defaults.DELTA}
replicas = 1                   # evaluators that run each model
profile = "{defaults.PROFILE}"                # "canonical": the same bytes on more processors, up to 2x slower
"""


def template(name: str) -> str:
    """The text of a benchmark.toml to fill in; it passes ``load`` as it stands."""
    return _TEMPLATE.replace("NAME", name)
