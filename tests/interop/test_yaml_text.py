"""Golden texts: no YAML library is among the dependencies. PyYAML 6.0 reads each of them back as given."""

from __future__ import annotations

from typing import Any

import pytest

from p2peval.interop.yaml_text import dump


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}\n"),
        ([], "[]\n"),
        ({"a": "no", "b": "1.10", "c": ""}, 'a: "no"\nb: "1.10"\nc: ""\n'),
        ({"a": [1, True, None]}, "a:\n  - 1\n  - true\n  - null\n"),
        ({"a": [{"b": 1, "c": {"d": 2}}]}, "a:\n  - b: 1\n    c:\n      d: 2\n"),
        ([[1, [2]], []], "- - 1\n  - - 2\n- []\n"),
        ({"a": {}, "b": []}, "a: {}\nb: []\n"),
        ({"a": 1e-9, "b": 9.5e-05, "c": 0.5}, "a: 1.0e-09\nb: 9.5e-05\nc: 0.5\n"),  # YAML 1.1 wants the point
    ],
)
def test_block_style_is_as_yaml_has_it(value: Any, text: str) -> None:
    assert dump(value) == text


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("é: - #", '"é: - #"'),
        ('"\\', '"\\"\\\\"'),
        ("a\nb\t\x00", '"a\\nb\\t\\x00"'),
        ("\u2028\U0001f600", '"\\u2028\\U0001f600"'),
        ("--- x\n...", '"--- x\\n..."'),
    ],
)
def test_no_string_can_leave_its_quotes(text: str, quoted: str) -> None:
    assert dump(text) == quoted + "\n"


def test_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        dump(float("nan"))
