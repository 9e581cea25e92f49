from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from data_folder import DataFolder

CSV = 'file = "data.csv"\ninput = ["a", "b"]\nlabel = "kind"\ngroups = "where"'
NPZ = 'file = "data.npz"\ninput = "a"\nlabel = "kind"\ngroups = "where"'


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.toml(CSV)
    return folder


def write(folder: DataFolder, *rows: str) -> None:
    (folder.path / "data.csv").write_text("\n".join(["a,b,kind,where", *rows]))


def test_groups_are_numbered_by_name_whatever_the_samples_order(folder: DataFolder) -> None:
    write(folder, "1,2,0,west", "1,2,0, east ", "1,2,0,west", "1,2,0,north")
    assert folder.prepare().group_names == ("east", "north", "west")
    assert folder.answer.per_group == (1, 1, 2)
    blob = np.load(folder.out / "groups.npy")
    assert (blob.tolist(), blob.dtype.str) == ([2, 0, 2, 1], "<i8")


@pytest.mark.parametrize("names", [["b", "a", "b"], [7, 10, 7]])
def test_an_array_of_an_npz_may_name_groups(folder: DataFolder, names: list) -> None:
    folder.toml(NPZ)
    np.savez(folder.path / "data.npz", a=np.zeros((3, 2)), kind=np.zeros(3, int), where=np.array(names))
    folder.prepare()
    assert folder.groups() == [str(name) for name in names]


def test_without_groups_there_is_no_such_file(folder: DataFolder) -> None:
    folder.toml(CSV.replace('\ngroups = "where"', ""))
    write(folder, "1,2,0,west")
    assert folder.prepare().group_names == ()
    assert not (folder.out / "groups.npy").exists()


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        ("", "data.csv row 3, column 'where': there is no group"),
        ("x" * 65, "row 3, column 'where': 'xxx"),
        ("a\x07b", "row 3, column 'where': 'a\\x07b' is no group"),
    ],
)
def test_a_bad_group_is_named(folder: DataFolder, cell: str, complaint: str) -> None:
    write(folder, "1,2,0,west", f"1,2,0,{cell}")
    assert complaint in folder.error().message


def test_there_are_at_most_64_groups(folder: DataFolder) -> None:
    write(folder, *(f"1,2,0,g{i}" for i in range(65)))
    assert folder.error().message == "data.csv row 66, column 'where': 'g64' would be group 65, and 64 is the most"


def test_groups_for_fewer_samples_are_an_error(folder: DataFolder) -> None:
    folder.toml(NPZ)
    np.savez(folder.path / "data.npz", a=np.zeros((3, 2)), kind=np.zeros(3, int), where=np.zeros(2, int))
    assert "array 'where' has the shape (2,); 3 groups are needed" in folder.error().message
