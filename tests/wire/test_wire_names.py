"""Topics, keys, invitations, and the published vectors that hold all of it in place."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_examples import BENCHMARK, INVITATION, ME, OTHER, TASK, vectors

from p2peval.errors import ConfigError, LocalProtocolError, RemoteProtocolError, UsageError
from p2peval.wire import p2peval_pb2
from p2peval.wire.ids import digest_of
from p2peval.wire.invitation import PREFIX, decode_invitation, encode_invitation, is_invitation
from p2peval.wire.topics import benchmark_topic, blob_key, check_name, directory_topic, members_key
from p2peval.wire.varint import joined, uvarint

PROTO = Path(__file__).parents[2] / "proto"
STRING = encode_invitation(INVITATION)


def test_published_vectors_are_what_this_version_writes() -> None:
    assert json.loads((PROTO / "vectors.json").read_text()) == vectors()


def test_generated_code_is_that_of_the_published_contract(tmp_path: Path) -> None:
    protoc = pytest.importorskip("grpc_tools.protoc")
    assert protoc.main(["protoc", f"--proto_path={PROTO}", f"--python_out={tmp_path}", "p2peval.proto"]) == 0
    fresh, ours = (tmp_path / "p2peval_pb2.py").read_text(), Path(p2peval_pb2.__file__).read_text()
    (schema,) = (line for line in fresh.splitlines() if "AddSerializedFile" in line)
    assert schema in ours.splitlines()


@pytest.mark.parametrize("name", ["ab", "plant-leaves-2", "a" * 40, "--"])
def test_topic_name_within_the_rule_is_taken(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "a", "a" * 41, "Digits", "a_b", "a b", "digits\n", "é-é", "a/b"])
def test_topic_name_outside_the_rule_is_refused_with_a_hint(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_name(name)
    assert "a-z" in caught.value.hint


def test_topics_and_keys_differ_in_everything_they_bind() -> None:
    names = [
        directory_topic(),
        directory_topic("other"),
        benchmark_topic(ME, "digits"),
        benchmark_topic(OTHER, "digits"),
        benchmark_topic(ME, "digits-2"),
        benchmark_topic(ME, "digits", "other"),
    ]
    keys = [members_key(BENCHMARK), members_key(BENCHMARK, "other"), blob_key(TASK.model.cid)]
    assert all(a != b for a, b in combinations(names, 2))
    assert all(a != b for a, b in combinations(keys, 2))
    assert all(len(key) == 34 and key.startswith(b"\x12\x20") for key in keys)


def test_blob_key_is_the_multihash_that_other_libp2ps_provide() -> None:
    assert blob_key(TASK.model.cid) == b"\x12\x20" + digest_of(TASK.model.cid)
    with pytest.raises(RemoteProtocolError):
        blob_key("bafy")


@given(st.lists(st.binary(max_size=200), max_size=4), st.lists(st.binary(max_size=200), max_size=4))
def test_two_lists_of_parts_never_join_to_the_same_bytes(a: list[bytes], b: list[bytes]) -> None:
    assert (joined(*a) == joined(*b)) == (a == b)


@pytest.mark.parametrize(("number", "data"), [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (65536, "808004")])
def test_varints_are_those_of_multiformats(number: int, data: str) -> None:
    assert uvarint(number).hex() == data


def test_invitation_arrives_as_it_was_sent() -> None:
    assert decode_invitation(STRING) == INVITATION
    private = replace(INVITATION, network_key=bytes(range(32)), seed_peer="", addresses=())
    assert decode_invitation(encode_invitation(private)) == private
    assert is_invitation(STRING)
    assert not is_invitation("digits")


def test_invitation_survives_wrapping_and_capitals() -> None:
    wrapped = "  \n> ".join([STRING[i : i + 60] for i in range(0, len(STRING), 60)]).replace("> ", "")
    assert decode_invitation(f"\t{wrapped}\n") == INVITATION
    assert decode_invitation(STRING.upper()) == INVITATION


def test_invitation_cut_anywhere_says_that_it_was_cut() -> None:
    for left in range(len(PREFIX), len(STRING)):
        with pytest.raises(UsageError, match="cut short") as caught:
            decode_invitation(STRING[:left])
        assert "whole line" in caught.value.hint


def test_invitation_with_one_wrong_character_says_that_it_is_damaged() -> None:
    middle = len(STRING) // 2
    wrong = "b" if STRING[middle] != "b" else "c"
    with pytest.raises(UsageError, match="damaged"):
        decode_invitation(STRING[:middle] + wrong + STRING[middle + 1 :])
    with pytest.raises(UsageError, match="damaged"):
        decode_invitation(STRING + "a")


@pytest.mark.parametrize("text", ["", "digits", "p2peval-join", "https://example.org/"])
def test_text_that_is_no_invitation_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError, match=PREFIX) as caught:
        decode_invitation(text)
    assert caught.value.hint


def test_invitation_with_a_character_outside_base32_says_so() -> None:
    for bad in ("1", "é", ".", "="):
        with pytest.raises(UsageError, match="does not belong"):
            decode_invitation(STRING[:40] + bad + STRING[41:])


def test_invitation_to_another_network_names_both() -> None:
    with pytest.raises(UsageError, match=r"'p2peval-1'.*'other'") as caught:
        decode_invitation(STRING, "other")
    assert caught.value.exit_code == 2


def test_invitation_with_a_malformed_field_is_not_made() -> None:
    with pytest.raises(LocalProtocolError):
        encode_invitation(replace(INVITATION, addresses=("127.0.0.1:4001",)))
