from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from iris_folder import CSV, REGRESSION, Bench

from p2peval.core.parts import Range, Tensor, Tolerance, Verification
from p2peval.errors import ConfigError
from p2peval.evaluation.benchmark_file import load
from p2peval.evaluation.benchmark_template import template
from p2peval.wire.ids import cid_of

PARENT = cid_of(b"the version before")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_full_file_says_all_that_a_spec_needs(bench: Bench) -> None:
    extra = """others = ["rmse", "mae"]
range = [-1, 2.5]
[tolerance]
atol = 1e-6
[limits]
seconds = 5
[verification]
epsilon = 0.02
replicas = 2
profile = "canonical"
"""
    bench.toml(f'title = "T"\nlicense = "MIT"\nversion = 3\nparent = "{PARENT}"\n{REGRESSION}' + extra)
    file = load(bench.path)
    assert (file.name, file.title, file.version, file.parent) == ("iris", "T", 3, PARENT)
    assert file.model_input == Tensor("x", "float32", (2,))
    assert file.model_output == Tensor("y", "float32", (1,))
    assert file.metrics == ("mae", "rmse")
    assert file.range == Range(-1_000_000_000, 2_500_000_000)
    assert file.tolerance == Tolerance(1_000, 10_000)
    assert (file.limits.seconds, file.limits.memory_mb) == (5, 2048)
    assert file.verification == Verification(20_000_000, 20_000_000, 2, 3)
    assert file.profile == "canonical"
    assert file.data.file == bench.path / "data.csv"


def test_the_template_is_a_benchmark_as_it_stands(bench: Bench) -> None:
    bench.toml(template("my-bench"))
    assert load(bench.path).name == "my-bench"
    bench.csv("x1,x2,label\n1,2,0\n3,4,1\n")
    assert bench.prepare().samples == 2


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('name = "iris"', 'name = "Iris!"', "name: 'Iris!' must be 2 to 40"),
        ('name = "iris"', "", "name: is missing"),
        (
            'name = "iris"',
            'name = "iris"\ntitel = "x"',
            "titel: is no key that p2peval knows here; did you mean 'title'?",
        ),
        ('name = "iris"', 'name = "iris"\ntitle = "\\u202e"', "title: must be 0 to 256 bytes of proper text"),
        ('name = "iris"', 'name = "iris"\nparent = "bafy"', "parent: 'bafy' is no whole id"),
        ("[metrics]", "[metric]", "metric: is no key that p2peval knows here; did you mean 'metrics'?"),
        ('name = "x"', 'name = ""', "[model.inputs] name: must be 1 to 256 bytes"),
        ("label =", "lable =", "[data] label: is missing, but there is 'lable'"),
        ('"data.csv"', '"/etc/passwd"', "[data] file: '/etc/passwd' must lie inside"),
        ('"data.csv"', '"../data.csv"', "[data] file"),
        ('"data.csv"', '"data.xls"', "[data] format: 'xls' is none of arrow, csv, images, npz, parquet"),
        ('["a", "b"]', '["a", "a"]', "[data] input: names a column twice"),
        ('["a", "b"]', '["a", "kind"]', "[data] input: names a column twice, or the label"),
        ("classes = 3", "classes = 1", "[model] classes"),
        ("classes = 3", 'classes = ["a", "a"]', "[model] classes: names a class twice"),
        ("classes = 3", "klasses = 3", "[model] classes: is missing, but there is 'klasses'"),
        ('task = "classification"', 'task = "clasification"', "did you mean 'classification'?"),
        ('["N", 2]', "[2]", '[model.inputs] shape: must start with "N"'),
        ('["N", 2]', '["N", true]', "[model.inputs] shape"),
        ('["N", 2]', '["N", 3]', "[data] input: names 2 columns, but [model] inputs has 3 numbers per sample"),
        ('name = "x",', 'name = "x", typ = 1,', "[model.inputs] typ: is no key"),
        ('output = { name = "y" }', "output = 1", "[model] output: must be a table, not 1"),
        ('{ name = "y" }', '{ name = "y", shape = ["N", 7] }', '[model] output: shape must be ["N", 3]'),
        ('"accuracy"', '"acuracy"', "[metrics] primary: 'acuracy' is none of"),
        ('"accuracy"', '"accuracy"\nothers = ["mae"]', "[metrics] others: 'mae' is no metric of a classification"),
        ('"accuracy"', '"accuracy"\nrange = [0, 1]', "[metrics] range: only a regression"),
        (
            '"accuracy"',
            '"accuracy"\n[tolerance]\natol = 1',
            "[tolerance] atol: must be a number from 0 to 0.001, not 1",
        ),
        ('"accuracy"', '"accuracy"\n[limits]\nseconds = 1.5', "[limits] seconds: must be a whole number, not 1.5"),
        ('"accuracy"', '"accuracy"\n[limits]\nseconds = 0', "[limits] seconds: must be a whole number from 1"),
        (
            '"accuracy"',
            '"accuracy"\n[verificaton]\n',
            "verificaton: is no key that p2peval knows here; did you mean 'verif",
        ),
        ("[data]", "[data", "benchmark.toml: Expected"),
    ],
)
def test_every_mistake_names_file_section_and_key(bench: Bench, old: str, new: str, complaint: str) -> None:
    assert old in CSV
    message = bench.config_error(CSV.replace(old, new, 1))
    assert complaint in message
    assert str(bench.path / "benchmark.toml") in message


def test_a_directory_without_the_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert "bench init" in caught.value.hint


def test_the_template_explains_every_section(bench: Bench) -> None:
    assert set(tomllib.loads(template("ab"))) >= {"data", "model", "metrics", "tolerance", "limits", "verification"}
