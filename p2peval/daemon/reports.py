"""Report files: an accepted task as one JSON file that stands alone, written once the record is on disk."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import msgspec

from p2peval.core.messages import ResultRecord
from p2peval.store.disk import make_private, refusals, sync_directory
from p2peval.wire.envelope import open_envelope

SCHEMA = "p2peval.report/1"


def write(directory: Path, envelope: bytes, network: str) -> Path | None:
    """Write ``directory``/<record id>.json; None for an object that is no ResultRecord. Raises StoreError.

    ``envelope`` in the file is the signed record itself, base64: all else there can be derived from it.
    """
    sealed = open_envelope(envelope, network)
    if not isinstance(sealed.payload, ResultRecord):
        return None
    make_private(directory)
    path = directory / f"{sealed.id}.json"
    report = {
        "schema": SCHEMA,
        "network": network,
        "record": sealed.id,
        "signer": sealed.signer,
        "envelope": base64.b64encode(envelope).decode(),
        "decoded": msgspec.to_builtins(sealed.payload, enc_hook=lambda value: value.name.lower()),
    }
    draft = path.with_suffix(".tmp")
    with refusals("writing", path):
        with draft.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(report), indent=1))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_directory(directory)
    return path
