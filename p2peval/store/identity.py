"""The node's key at rest: the 32-byte seed of its Ed25519 key, alone in ``identity.key``.

Decides who may read it (its owner, nobody else) and that it is never replaced: a lost or overwritten key
is a lost identity, with all its reputation. Knows no libp2p; whoever signs makes a key pair of the seed.
"""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from p2peval.errors import NotFoundError, StoreError
from p2peval.store.disk import make_private, refusals, sync_directory

SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class Identity:
    """An Ed25519 seed (RFC 8032, 32 bytes) that does not show itself in a repr, and so in no log."""

    seed: bytes = field(repr=False)


def load_or_create(path: Path) -> Identity:
    """The key of this home, made on the first start. Raises StoreError."""
    return load(path) if path.exists() else create(path)


def create(path: Path, seed: bytes | None = None) -> Identity:
    """Write a new key (or an imported ``seed``). Raises StoreError when there is one already."""
    identity = Identity(_sized(seed if seed is not None else secrets.token_bytes(SEED_BYTES), path))
    make_private(path.parent)
    _check_owner_only(path.parent.stat(), path.parent, "700")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with refusals("writing", path):
        try:
            _write_synced(draft, identity.seed)
            os.link(draft, path)  # unlike rename, a link never replaces
        except FileExistsError as error:
            raise StoreError(
                f"{path} holds a key already", hint="it is this node's name; move it away first"
            ) from error
        finally:
            draft.unlink(missing_ok=True)
        sync_directory(path.parent)
    return identity


def load(path: Path) -> Identity:
    """Read the key. Raises NotFoundError, and StoreError when anybody else could have read or replaced it."""
    if not path.exists():
        raise NotFoundError(f"no key at {path}", hint="p2peval init makes one")
    _check_owner_only(path.parent.stat(), path.parent, "700")
    with refusals("reading", path):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        with open(fd, "rb") as file:
            _check_owner_only(os.fstat(fd), path, "600")  # of what was opened, not of what the name means by then
            return Identity(_sized(file.read(SEED_BYTES + 1), path))


def _write_synced(path: Path, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(fd)


def _check_owner_only(status: os.stat_result, path: Path, mode: str) -> None:
    if status.st_uid != os.geteuid():
        raise StoreError(f"{path} belongs to another user", hint=f"chown {os.geteuid()} {path}")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise StoreError(f"{path} is open to other users of this machine", hint=f"chmod {mode} {path}")


def _sized(seed: bytes, path: Path) -> bytes:
    if len(seed) != SEED_BYTES:
        raise StoreError(f"{path} is not a key: {len(seed)} bytes, not {SEED_BYTES}", hint="restore it from a backup")
    return seed
