"""Every key of a TOML text is found on the line on which it stands."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from p2peval.sim import toml_text
from p2peval.sim.toml_lines import lines

TEXT = '''\
# a comment with = and [brackets]
title = "not # a comment, nor = a key"   # one
"quoted key" = 1
long = """
[no.table]
no = "key"
""" # ends on line 7
lists = [
  1, # one
  [2, 3],
  {inner = "x", "dotted"."key" = true},
]
inline = {a = 1, b = {c = [4]}}

[network.latency]
kind = 'literal # text'
[[network.partitions]]
start_s = 1_000.5e3
when = 1979-05-27 07:32:00Z
[[network.partitions]]
start_s = 2

[[adversaries]]
count = 1
[adversaries.deep]
x = 1
[[adversaries.more]]
y = 1
[[adversaries.more]]
y = 2
[[adversaries]]
[[adversaries.more]]
y = 3
a.b.c = "x"'''


def test_each_key_stands_on_its_line() -> None:
    found = lines(TEXT)
    assert found[("title",)] == 2
    assert found[("quoted key",)] == 3
    assert found[("long",)] == 4
    assert found[("lists",)] == 8
    assert found[("lists", "0")] == 9
    assert found[("lists", "1", "1")] == 10
    assert found[("lists", "2", "inner")] == 11
    assert found[("lists", "2", "dotted", "key")] == 11
    assert found[("inline", "b", "c")] == 13
    assert found[("network", "latency")] == 15
    assert found[("network", "latency", "kind")] == 16
    assert found[("network", "partitions", "0", "start_s")] == 18
    assert found[("network", "partitions", "1")] == 20
    assert found[("network", "partitions", "1", "start_s")] == 21
    assert found[("adversaries", "0", "deep", "x")] == 26
    assert found[("adversaries", "0", "more", "1", "y")] == 30
    assert found[("adversaries", "1")] == 31
    assert found[("adversaries", "1", "more", "0", "y")] == 33
    assert found[("adversaries", "1", "more", "0", "a", "b", "c")] == 34


def test_nothing_is_found_that_is_not_there() -> None:
    document = tomllib.loads(TEXT)
    for path in lines(TEXT):
        inner: Any = document
        for key in path:
            inner = inner[int(key)] if isinstance(inner, list) else inner[key]


def test_windows_line_ends_count_as_one() -> None:
    assert lines("a = 1\r\n\r\n[b]\r\nc = 2\r\n")[("b", "c")] == 4


SINGLE = st.one_of(
    st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20)
)
VALUES = st.recursive(SINGLE, lambda inner: st.lists(inner, max_size=4), max_leaves=6)
TABLES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(st.text(max_size=6), VALUES, max_size=4),
    lambda inner: st.dictionaries(
        st.text(max_size=6), st.one_of(VALUES, inner, st.lists(inner, min_size=1, max_size=3)), max_size=4
    ),
    max_leaves=8,
)


@given(TABLES)
def test_what_is_written_reads_back_and_every_key_has_a_line(document: dict[str, Any]) -> None:
    text = toml_text.dumps(document)
    assert tomllib.loads(text) == document
    found = lines(text)
    assert {(key,) for key, value in document.items() if value != {}} <= set(found)
