"""A commitment opens only what it bound, and its tree is its evaluator's own."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from p2peval.core import merkle
from p2peval.core.commitment import audit_commitment, commitment_digest, opens, output_leaf, output_root
from p2peval.core.messages import Reveal
from p2peval.core.outputs import canonical
from p2peval.core.parts import Blob, Efficiency

PEER, KEY = "12D3KooWpeer", b"\x08\x01\x12\x20" + b"k" * 32
REVEAL = Reveal(
    network="test", author=PEER, task="bafktask", assignment="bafkassignment", commitment="bafkcommitment",
    equivalence_class="ort-1", samples=150, root=b"r" * 32, nonce=b"n" * 32,
    outputs=Blob("bafkoutputs", 600, b"o" * 32), efficiency=Efficiency(1, 2),
)  # fmt: skip


def digest(reveal=REVEAL, peer=PEER):
    return commitment_digest(
        reveal.task, reveal.assignment, peer, reveal.equivalence_class, reveal.samples, reveal.root, reveal.nonce
    )


def test_a_commitment_opens_to_its_own_reveal():
    assert opens(digest(), REVEAL, PEER)


@pytest.mark.parametrize(
    ("field", "value"),
    [("task", "bafkother"), ("assignment", "bafkother"), ("equivalence_class", "ort-2"), ("samples", 151),
     ("root", b"q" * 32), ("nonce", b"m" * 32)],
)  # fmt: skip
def test_a_commitment_binds_every_field(field, value):
    assert not opens(digest(), replace(REVEAL, **{field: value}), PEER)


def test_a_commitment_copied_by_another_peer_does_not_open():
    assert not opens(digest(), REVEAL, "12D3KooWother")


def test_what_moves_from_one_field_to_the_next_does_not_open():
    shifted = replace(REVEAL, task=REVEAL.task + "b", assignment=REVEAL.assignment[1:])
    assert shifted.task + shifted.assignment == REVEAL.task + REVEAL.assignment
    assert not opens(digest(), shifted, PEER)


@pytest.mark.parametrize("wrong", [b"", b"\0" * 32, digest()[:-1]])
def test_a_digest_that_is_none_does_not_open(wrong):
    assert not opens(wrong, REVEAL, PEER)


def test_the_digest_is_as_published():
    parts = (b"p2peval/commitment-digest/v1", b"bafktask", b"bafkassignment", PEER.encode(), b"ort-1",
             (150).to_bytes(8, "big"), b"r" * 32, b"n" * 32)  # fmt: skip
    assert digest() == sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


def test_an_audit_nonce_opens_its_own_commitment_only():
    assert audit_commitment(b"n" * 32) == audit_commitment(b"n" * 32)
    assert len({audit_commitment(b"n" * 32), audit_commitment(b"m" * 32), sha256(b"n" * 32).digest()}) == 3


# ── the tree ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (5, 3), (8, 2), (4, 0)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_root_is_that_of_the_leaves_one_by_one(shape, dtype):
    outputs = canonical(np.arange(np.prod(shape)).reshape(shape), dtype)
    leaves = [output_leaf(KEY, index, row.tobytes()) for index, row in enumerate(outputs)]
    assert output_root(outputs, KEY) == merkle.root(leaves)


def test_the_root_of_rows_that_are_no_block_of_memory_is_that_of_their_copy():
    outputs = canonical(np.arange(24.0).reshape(6, 4), "float64")
    for view in (outputs[::2], outputs[:, :2], outputs.T, outputs[:1]):
        assert output_root(view, KEY) == output_root(np.ascontiguousarray(view), KEY)


def test_two_peers_with_the_same_outputs_have_different_roots():
    outputs = canonical(np.zeros((4, 2)), "float32")
    assert output_root(outputs, KEY) != output_root(outputs, KEY[:-1] + b"x")


def test_equal_rows_at_different_places_have_different_leaves():
    assert output_leaf(KEY, 0, b"row") != output_leaf(KEY, 1, b"row")


def test_a_leaf_can_be_opened_from_the_root_alone():
    outputs = canonical(np.arange(14.0).reshape(7, 2), "float32")
    leaves = [output_leaf(KEY, index, row.tobytes()) for index, row in enumerate(outputs)]
    siblings = merkle.path(leaves, 6)
    assert merkle.opens(output_root(outputs, KEY), output_leaf(KEY, 6, outputs[6].tobytes()), 6, 7, siblings)
