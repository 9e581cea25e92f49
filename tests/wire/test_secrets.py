from __future__ import annotations

from p2peval.core.ports import Secrets
from p2peval.wire.secrets import NodeSecrets

SEED = bytes(range(32))


def test_nonce_is_the_same_after_a_restart() -> None:
    before: Secrets = NodeSecrets(SEED)
    assert before.nonce("commit", "task", 3) == NodeSecrets(SEED).nonce("commit", "task", 3)


def test_nonce_is_pinned_for_ever() -> None:
    # A change of derivation would make a node commit twice, differently, after an upgrade.
    assert NodeSecrets(SEED).nonce("commit", "task", 3).hex() == PINNED


def test_every_part_counts_and_none_runs_into_the_next() -> None:
    nonce = NodeSecrets(SEED).nonce
    different = [
        nonce("commit"), nonce("audit"), nonce("commit", ""), nonce("commit", "", ""), nonce("commit", "ab", "c"),
        nonce("commit", "a", "bc"), nonce("commit", "abc"), nonce("commita", "bc"), nonce("commit", 1),
        nonce("commit", "1"), nonce("commit", -1), nonce("commit", 11), nonce("commit", 1, 1), nonce("commit", "é"),
        NodeSecrets(SEED[::-1]).nonce("commit"),
    ]  # fmt: skip
    assert len(set(different)) == len(different)
    assert {len(each) for each in different} == {32}


def test_secret_shows_in_no_repr() -> None:
    secrets = NodeSecrets(b"this is a secret seed of 32 byte")
    assert "secret seed" not in repr(secrets)
    assert not hasattr(secrets, "__dict__")


PINNED = "dcf1b08a119d2fe71b2f49908d0b1dd1dcd73cf1fa96d9c48235cb2e9c5ed8d2"
