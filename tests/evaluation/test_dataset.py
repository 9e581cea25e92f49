from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from iris_folder import CSV, NPZ, REGRESSION, Bench

from p2peval.core.parts import Tensor
from p2peval.errors import EvaluationError
from p2peval.evaluation.dataset import map_inputs, map_labels


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def table(count: int = 30) -> list[str]:
    return ["id,a,b,kind", *(f"{i},{i / 4},-{i},{i % 3}" for i in range(count))]


# ── csv ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_csv_becomes_the_two_canonical_arrays(bench: Bench) -> None:
    bench.csv("\n".join(table()) + "\n")
    answer = bench.prepare()
    assert (answer.samples, answer.shape, answer.dtype, answer.per_class) == (30, (2,), "float32", (10, 10, 10))
    inputs = map_inputs(bench.out / "inputs.npy", 30, Tensor("x", "float32", (2,)))
    assert inputs[5].tolist() == [1.25, -5.0]
    assert map_labels(bench.out / "labels.npy", 30, "classification").tolist() == [i % 3 for i in range(30)]


def test_the_same_csv_gives_the_same_bytes_with_or_without_bom_and_with_either_line_end(bench: Bench) -> None:
    written = []
    for text in ("\n".join(table()), "\ufeff" + "\r\n".join(table()) + "\r\n\r\n"):
        bench.csv(text)
        bench.prepare()
        written.append((bench.out / "inputs.npy").read_bytes() + (bench.out / "labels.npy").read_bytes())
    assert written[0] == written[1]


def test_columns_are_reshaped_to_the_models_input(bench: Bench) -> None:
    bench.toml(CSV.replace('["N", 2]', '["N", 1, 2]'))
    bench.csv("\n".join(table()))
    bench.prepare()
    assert map_inputs(bench.out / "inputs.npy", 30, Tensor("x", "float32", (1, 2))).shape == (30, 1, 2)


def test_class_names_become_their_places(bench: Bench) -> None:
    bench.toml(CSV.replace("classes = 3", 'classes = ["no", "yes"]'))
    bench.csv("a,b,kind\n1,2,yes\n3,4,no\n")
    assert bench.prepare().per_class == (1, 1)
    assert map_labels(bench.out / "labels.npy", 2, "classification").tolist() == [1, 0]


def test_regression_labels_are_float64(bench: Bench) -> None:
    bench.toml(REGRESSION)
    bench.csv("a,b,kind\n1,2,0.1\n3,4,-7e3\n")
    assert bench.prepare().label_dtype == "float64"
    assert map_labels(bench.out / "labels.npy", 2, "regression").tolist() == [0.1, -7e3]


def test_integer_inputs_keep_every_digit(bench: Bench) -> None:
    bench.toml(CSV.replace('name = "x",', 'name = "x", dtype = "int64",'))
    bench.csv(f"a,b,kind\n{2**62 + 1},-3,0\n")
    bench.prepare()
    assert map_inputs(bench.out / "inputs.npy", 1, Tensor("x", "int64", (2,))).tolist() == [[2**62 + 1, -3]]


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        ("5,1,,2", "data.csv row 17, column 'b': there is no number"),
        ("5,1,two,2", "data.csv row 17, column 'b': 'two' is no number"),
        ("5,nan,1,2", "data.csv row 17, column 'a': 'nan' is no finite number"),
        ("5,inf,1,2", "data.csv row 17, column 'a': 'inf' is no finite number"),
        ("5,1e39,1,2", "data.csv row 17, column 'a': '1e39' is no finite number (float32)"),
        ("5,1_0,1,2", "data.csv row 17, column 'a': '1_0' is no finite number"),
        ("5,1,2,", "data.csv row 17, column 'kind': there is no label"),
        ("5,1,2,3", "data.csv row 17, column 'kind': '3' is no class: they are 0 to 2"),
        ("5,1,2,-1", "data.csv row 17, column 'kind': '-1' is no class"),
        ("5,1,2,1.0", "data.csv row 17, column 'kind': '1.0' is no class"),
        ("5,1,2", "data.csv row 17: 3 columns, but row 1 has 4"),
        ("5,1,2,0,9", "data.csv row 17: 5 columns, but row 1 has 4"),
    ],
)
def test_a_bad_row_17_is_named_as_an_editor_shows_it(bench: Bench, cell: str, complaint: str) -> None:
    lines = table()
    lines[16] = cell
    bench.csv("\n".join(lines))
    assert bench.error().message.startswith(complaint)


def test_rows_are_counted_by_lines_even_after_a_cell_with_line_breaks(bench: Bench) -> None:
    bench.csv('a,b,kind,note\n1,2,0,"two\nlines"\n1,2,x,\n')
    assert "row 4, column 'kind'" in bench.error().message


def test_several_problems_are_listed_at_once_up_to_a_limit(bench: Bench) -> None:
    bench.csv("a,b,kind\n" + "1,x,9\n" * 40)
    lines = bench.error().message.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 60 more"


def test_an_unknown_column_is_answered_with_the_nearest_one(bench: Bench) -> None:
    bench.csv("a,b,kin\n1,2,0\n")
    error = bench.error()
    assert "no column 'kind'" in error.message
    assert error.hint == "did you mean 'kin'?"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no column 'a'"),
        ("a,b,kind\n", "no sample"),
        ("a,a,b,kind\n1,1,1,1\n", "'a' twice"),
        ('a,b,kind\n1,"2,0\n', "not a csv file"),
        ("a,b,kind\n1,2,0\n\n1,2,0\n", "row 3 is empty"),
        ("a,b,kind\n1,2,\x000\n", "row 2, column 'kind'"),
    ],
)
def test_a_file_that_is_no_table_is_an_error(bench: Bench, text: str, complaint: str) -> None:
    bench.csv(text)
    assert complaint in bench.error().message


def test_a_csv_that_is_not_utf8_is_an_error(bench: Bench) -> None:
    bench.csv("a,b,kind\n1,2,ä\n", encoding="latin-1")
    assert "UTF-8" in bench.error().message


def test_a_missing_data_file_is_an_error(bench: Bench) -> None:
    assert "no such file" in bench.error().message


def test_a_label_outside_the_declared_range_is_an_error(bench: Bench) -> None:
    bench.toml(REGRESSION + "range = [0, 10]\n")
    bench.csv("a,b,kind\n1,2,10\n1,2,10.5\n")
    assert bench.error().message == "data.csv row 3, column 'kind': 10.5 lies outside [metrics] range, 0 to 10"


# ── npz ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "u1", "<i8", "?"])
def test_an_npz_of_any_numeric_dtype_becomes_canonical(bench: Bench, dtype: str) -> None:
    values = np.array([[0, 1], [1, 0]], dtype)
    bench.npz(a=np.asfortranarray(values), kind=np.array([2, 0], ">i4"))
    assert bench.prepare().per_class == (1, 0, 1)
    inputs = map_inputs(bench.out / "inputs.npy", 2, Tensor("x", "float32", (2,)))
    assert inputs.tolist() == [[0, 1], [1, 0]]


def test_npz_labels_may_be_names(bench: Bench) -> None:
    bench.npz(a=np.zeros((2, 2)), kind=np.array(["yes", "no"]))
    bench.toml(NPZ.replace("classes = 3", 'classes = ["no", "yes"]'))
    bench.prepare()
    assert map_labels(bench.out / "labels.npy", 2, "classification").tolist() == [1, 0]


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"b": np.zeros((2, 2)), "kind": np.zeros(2, int)}, "no array 'a'"),
        ({"a": np.zeros((2, 3)), "kind": np.zeros(2, int)}, "shape (2, 3), but benchmark.toml wants (N, 2)"),
        ({"a": np.zeros((2, 2)), "kind": np.zeros(3, int)}, "2 labels are needed"),
        ({"a": np.zeros((0, 2)), "kind": np.zeros(0, int)}, "no sample"),
        ({"a": np.array([[0, 1], [np.nan, 0]]), "kind": np.zeros(2, int)}, "'a', sample 1 (counted from 0)"),
        ({"a": np.array([[0, 1], [1e39, 0]]), "kind": np.zeros(2, int)}, "'a', sample 1 (counted from 0)"),
        ({"a": np.zeros((2, 2)), "kind": np.array([0, 7])}, "'kind', sample 1 (counted from 0): '7' is no class"),
        ({"a": np.zeros((2, 2)), "kind": np.array([0, None])}, "holds object"),
        ({"a": np.zeros((2, 2), complex), "kind": np.zeros(2, int)}, "holds complex128"),
        ({"a": np.float32(3), "kind": np.zeros(2, int)}, "not as large"),
    ],
)
def test_a_bad_array_is_named(bench: Bench, arrays: dict, complaint: str) -> None:
    bench.npz(**arrays)
    assert complaint in bench.error().message


def test_a_fraction_where_whole_numbers_are_wanted_is_an_error(bench: Bench) -> None:
    bench.npz(a=np.array([[1, 2], [3, 4.5]]), kind=np.zeros(2, int))
    bench.toml(NPZ.replace('name = "x",', 'name = "x", dtype = "int32",'))
    assert "sample 1 (counted from 0): a value is no whole number" in bench.error().message


def test_a_zip_bomb_is_refused_before_it_is_unpacked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.npz(a=np.zeros((100_000, 2)), kind=np.zeros(100_000, int))
    assert (bench.path / "data.npz").stat().st_size < 10_000
    monkeypatch.setattr("p2peval.evaluation.data_npz.MAX_DATA_BYTES", 1_000_000)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("it was opened"))
    assert "unpacks to 1600128 bytes" in bench.error().message


def test_an_array_larger_than_it_declares_is_refused(bench: Bench) -> None:
    header = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 2), }".ljust(117)
        + b"\n"
    )
    bench.toml(NPZ)
    with zipfile.ZipFile(bench.path / "data.npz", "w") as archive:
        archive.writestr("a.npy", header + bytes(64))
        archive.writestr("kind.npy", header)
    assert "not as large as its header says" in bench.error().message


def test_a_truncated_npz_is_an_error(bench: Bench) -> None:
    bench.npz(a=np.zeros((100, 2)), kind=np.zeros(100, int))
    whole = (bench.path / "data.npz").read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 5):
        (bench.path / "data.npz").write_bytes(whole[:length])
        assert "not a whole npz" in bench.error().message


def test_a_flipped_bit_in_an_npz_is_an_error_or_changes_nothing(bench: Bench) -> None:
    rng = np.random.default_rng(1)
    bench.npz(a=rng.normal(size=(50, 2)), kind=np.zeros(50, int))
    whole = bytearray((bench.path / "data.npz").read_bytes())
    bench.prepare()
    good = (bench.out / "inputs.npy").read_bytes()
    for at in range(0, len(whole), 7):
        damaged = whole.copy()
        damaged[at] ^= 0x10
        (bench.path / "data.npz").write_bytes(damaged)
        try:
            bench.prepare()
        except EvaluationError:
            assert not list(bench.out.iterdir())
        else:
            assert (bench.out / "inputs.npy").read_bytes() == good


# ── the blobs that peers exchange ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "blob",
    [
        np.zeros((3, 2), "<f8"),
        np.zeros((4, 2), "<f4"),
        np.zeros((3, 2), ">f4"),
        np.asfortranarray(np.zeros((3, 2), "<f4")),
    ],
)
def test_a_blob_that_does_not_match_its_spec_is_refused(tmp_path: Path, blob: np.ndarray) -> None:
    np.save(tmp_path / "inputs.npy", blob)
    with pytest.raises(EvaluationError) as caught:
        map_inputs(tmp_path / "inputs.npy", 3, Tensor("x", "float32", (2,)))
    assert caught.value.reason == "data_mismatch"


def test_a_blob_with_a_pickle_inside_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "inputs.npy", np.array([object]), allow_pickle=True)
    with pytest.raises(EvaluationError) as caught:
        map_inputs(tmp_path / "inputs.npy", 1, Tensor("x", "float32", ()))
    assert caught.value.reason == "data_mismatch"


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"PK\x03\x04" + bytes(30), b"garbage" * 10])
def test_a_blob_that_is_no_array_is_refused(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "inputs.npy").write_bytes(damage)
    with pytest.raises(EvaluationError) as caught:
        map_inputs(tmp_path / "inputs.npy", 1, Tensor("x", "float32", (1,)))
    assert caught.value.reason == "data_mismatch"
