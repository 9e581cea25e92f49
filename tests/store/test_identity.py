from __future__ import annotations

import logging
from pathlib import Path

import pytest

from p2peval.errors import NotFoundError, StoreError
from p2peval.store.identity import create, load, load_or_create


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "identity.key"


def test_key_is_made_once_and_stays(path: Path) -> None:
    first = load_or_create(path)
    assert len(first.seed) == 32
    assert load_or_create(path) == load(path) == first


def test_key_is_readable_by_its_owner_only(path: Path) -> None:
    create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["identity.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_key_that_others_may_read_is_refused_with_the_remedy(path: Path, mode: int) -> None:
    create(path)
    path.chmod(mode)
    with pytest.raises(StoreError, match=str(path)) as refusal:
        load_or_create(path)
    assert refusal.value.hint == f"chmod 600 {path}"


def test_folder_that_others_may_enter_is_refused_with_the_remedy(path: Path) -> None:
    create(path)
    path.parent.chmod(0o755)
    with pytest.raises(StoreError) as refusal:
        load(path)
    assert refusal.value.hint == f"chmod 700 {path.parent}"


def test_existing_key_is_never_replaced(path: Path) -> None:
    first = create(path)
    with pytest.raises(StoreError, match="holds a key already"):
        create(path, b"\1" * 32)
    assert load(path) == first
    assert [each.name for each in path.parent.iterdir()] == ["identity.key"]


def test_imported_seed_is_kept(path: Path) -> None:
    create(path, bytes(range(32)))
    assert load(path).seed == bytes(range(32))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_file_that_is_no_key_is_refused(path: Path, size: int) -> None:
    create(path)
    path.write_bytes(b"k" * size)
    with pytest.raises(StoreError, match="not a key"):
        load(path)


def test_link_in_place_of_the_key_is_refused(path: Path) -> None:
    elsewhere = create(path)
    path.rename(path.with_name("other"))
    path.symlink_to(path.with_name("other"))
    with pytest.raises(StoreError):
        load(path)
    assert load(path.with_name("other")) == elsewhere


def test_missing_key_is_not_found(path: Path) -> None:
    with pytest.raises(NotFoundError, match=str(path)):
        load(path)


def test_seed_shows_in_no_repr_and_no_log(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    identity = create(path, b"this is a secret seed of 32 byte")
    with caplog.at_level(logging.DEBUG):
        logging.getLogger().debug("%r %s", identity, identity)
    assert "secret" not in caplog.text
