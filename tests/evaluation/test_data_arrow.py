from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data_folder import DataFolder

COLUMNS = 'file = "data.{format}"\ninput = ["a", "b"]\nlabel = "kind"'
LIST = 'file = "data.{format}"\ninput = "a"\nlabel = "kind"'


@pytest.fixture(params=["parquet", "arrow", "stream"])
def write(request: pytest.FixtureRequest, tmp_path: Path):
    """Writes a table as the format under test; ``write.format``: what [data] calls it."""

    def save(table: pa.Table, rows: int = 7) -> None:
        if request.param == "parquet":
            pq.write_table(table, tmp_path / "data.parquet", row_group_size=rows)
        elif request.param == "arrow":
            with pa.ipc.new_file(tmp_path / "data.arrow", table.schema) as writer:
                writer.write_table(table, rows)
        else:
            with pa.ipc.new_stream(tmp_path / "data.arrow", table.schema) as writer:
                writer.write_table(table, rows)

    save.format = "parquet" if request.param == "parquet" else "arrow"
    return save


@pytest.fixture
def folder(tmp_path: Path, write) -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.toml(COLUMNS.format(format=write.format))
    return folder


def table(**columns: object) -> pa.Table:
    given = {"a": np.arange(20) / 4, "b": -np.arange(20), "kind": np.arange(20) % 3, "other": ["x"] * 20}
    return pa.table({**given, **columns})


def test_columns_of_any_numeric_type_become_inputs(folder: DataFolder, write) -> None:
    write(table(b=pa.array(-np.arange(20), pa.int16())))
    assert folder.prepare().per_class == (7, 7, 6)
    assert folder.inputs()[5].tolist() == [1.25, -5.0]
    assert folder.labels() == [i % 3 for i in range(20)]


def test_it_is_read_a_few_rows_at_a_time_to_the_same_bytes(
    folder: DataFolder, write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(table())
    folder.prepare()
    whole = (folder.out / "inputs.npy").read_bytes()
    monkeypatch.setattr("p2peval.evaluation.data_rows.DATA_STEP", 3 * 8)
    folder.prepare()
    assert (folder.out / "inputs.npy").read_bytes() == whole


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.float32(), 4), pa.list_(pa.float64()), pa.large_list(pa.int8()), pa.list_(pa.list_(pa.int32()))],
)
def test_a_column_of_lists_holds_a_whole_sample(
    folder: DataFolder, write, kind: pa.DataType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("p2peval.evaluation.data_rows.DATA_STEP", 3 * 16)
    folder.toml(LIST.format(format=write.format), shape=(2, 2))
    flat = [[i, i + 1, i + 2, i + 3] for i in range(20)]
    nested = [[row[:1], row[1:]] for row in flat]
    write(table(a=pa.array(nested if pa.types.is_list(kind.value_type) else flat, kind)))
    folder.prepare()
    assert folder.inputs()[13].tolist() == [[13, 14], [15, 16]]
    assert len(folder.inputs()) == 20


def test_labels_and_groups_may_be_dictionaries(folder: DataFolder, write) -> None:
    text = COLUMNS.format(format=write.format) + '\ngroups = "where"'
    folder.toml(text, classes='classes = ["no", "yes"]')
    kinds = pa.array(["yes", "no"] * 10).dictionary_encode()
    write(table(kind=kinds, where=pa.array(["west", "east", "west", "north"] * 5)))
    assert folder.prepare().group_names == ("east", "north", "west")
    assert folder.answer.per_group == (5, 5, 10)
    assert folder.groups()[:4] == ["west", "east", "west", "north"]
    assert folder.labels()[:2] == [1, 0]


def test_integers_keep_every_digit(folder: DataFolder, write) -> None:
    folder.toml(COLUMNS.format(format=write.format), dtype="int64")
    write(table(a=np.full(20, 2**62 + 1)))
    folder.prepare()
    assert folder.inputs()[0].tolist() == [2**62 + 1, 0]


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"a": [1.0] * 16 + [None] * 4}, "column 'a', sample 16 (counted from 0): there is no number"),
        ({"a": [1.0] * 16 + [np.inf] * 4}, "column 'a', sample 16 (counted from 0): a value is no finite number"),
        ({"a": ["1"] * 20}, "column 'a' holds string, not numbers"),
        ({"kind": [0] * 16 + [None] * 4}, "column 'kind', sample 16 (counted from 0): there is no label"),
        ({"kind": [0] * 16 + [3] * 4}, "column 'kind', sample 16 (counted from 0): '3' is no class"),
        ({"kind": [b"0"] * 20}, "column 'kind' holds binary, neither numbers nor names"),
    ],
)
def test_a_bad_cell_is_named(folder: DataFolder, write, columns: dict, complaint: str) -> None:
    write(table(**columns))
    lines = folder.error().message.splitlines()
    assert complaint in lines[0]
    assert lines[0].startswith(f"data.{write.format}")
    assert len(lines) in (1, 4)


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ([[1, 2]] * 8 + [[1, 2, 3]] + [[1, 2]] * 11, "column 'a', sample 8 (counted from 0): 3 numbers, but [model]"),
        ([[1, 2]] * 8 + [None] + [[1, 2]] * 11, "column 'a', sample 8 (counted from 0): there is no number"),
        ([[1, 2]] * 8 + [[1, None]] + [[1, 2]] * 11, "column 'a', sample 8 (counted from 0): there is no number"),
    ],
)
def test_a_bad_list_is_named(folder: DataFolder, write, cells: list, complaint: str) -> None:
    folder.toml(LIST.format(format=write.format))
    write(table(a=pa.array(cells, pa.list_(pa.float32()))))
    assert complaint in folder.error().message


def test_an_unknown_column_is_answered_with_the_nearest_one(folder: DataFolder, write) -> None:
    write(table().rename_columns(["a", "b", "kin", "other"]))
    error = folder.error()
    assert "there is no column 'kind'" in error.message
    assert error.hint == "did you mean 'kin'?"


def test_a_table_without_rows_is_an_error(folder: DataFolder, write) -> None:
    write(table().slice(0, 0))
    assert "there is no sample" in folder.error().message


def test_a_truncated_file_is_an_error(folder: DataFolder, write) -> None:
    write(table())
    path = folder.path / f"data.{write.format}"
    whole = path.read_bytes()
    for length in (0, 3, len(whole) // 2):
        path.write_bytes(whole[:length])
        assert f"not a whole {write.format} file" in folder.error().message
