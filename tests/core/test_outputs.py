"""Canonical bytes, and when two outputs are the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from p2peval.core.outputs import canonical, differing, from_bytes, row_bytes, slack
from p2peval.core.parts import Tolerance
from p2peval.core.types import from_nano
from p2peval.errors import LocalProtocolError, RemoteProtocolError

EXACT = Tolerance(0, 0)
USUAL = Tolerance(10_000, 10_000)
INF, NAN = np.inf, np.nan

anything = npst.arrays(np.float32, st.tuples(st.integers(0, 5), st.integers(0, 4)), elements=st.floats(width=32))
finite = st.floats(-1e6, 1e6)


def rows(*values, dtype="float64"):
    return np.array(values, dtype).reshape(len(values), -1)


# ── canonical bytes ───────────────────────────────────────────────────────────────────────────────


@given(anything)
def test_layout_and_byte_order_do_not_change_the_canonical_bytes(array):
    expected = canonical(array, "float32").tobytes()
    assert canonical(np.asfortranarray(array), "float32").tobytes() == expected
    assert canonical(array.astype(">f4"), "float32").tobytes() == expected
    assert canonical(canonical(array, "float32"), "float32").tobytes() == expected


def test_every_nan_becomes_the_one_quiet_nan():
    patterns = np.array([0x7FC00000, 0xFFC00000, 0x7F800001, 0xFFFFFFFF], "<u4").view("<f4")
    assert canonical(patterns, "float32").tobytes().hex() == "0000c07f" * 4
    assert canonical(patterns, "float64").tobytes().hex() == "000000000000f87f" * 4


def test_negative_zero_stays_and_the_argument_is_not_changed():
    given_rows = np.array([-0.0, NAN], np.float32)
    before = given_rows.tobytes()
    assert canonical(given_rows, "float32")[0].tobytes().hex() == "00000080"
    assert given_rows.tobytes() == before


@pytest.mark.parametrize(
    ("shape", "expected"), [((3,), (3, 1)), ((3, 2), (3, 2)), ((3, 2, 2), (3, 4)), ((0, 5), (0, 5))]
)
def test_everything_of_a_sample_becomes_one_row(shape, expected):
    assert canonical(np.zeros(shape), "float64").shape == expected


@pytest.mark.parametrize("dtype", ["float16", "int64", "object", ">f4"])
def test_other_element_types_are_refused(dtype):
    with pytest.raises(LocalProtocolError):
        canonical(np.zeros((2, 2)), dtype)


def test_a_number_without_samples_is_refused():
    with pytest.raises(LocalProtocolError):
        canonical(np.array(1.0), "float32")


@given(anything)
def test_rows_survive_their_bytes(array):
    outputs = canonical(array, "float32")
    again = from_bytes(outputs.tobytes(), *outputs.shape, "float32")
    assert again.tobytes() == outputs.tobytes()
    assert again.shape == outputs.shape
    assert not again.flags.writeable


@pytest.mark.parametrize("size", [0, 23, 25, 48])
def test_bytes_of_another_size_are_refused(size):
    with pytest.raises(RemoteProtocolError) as caught:
        from_bytes(bytes(size), 3, 2, "float32")
    assert caught.value.reason == "outputs_size"
    assert row_bytes(2, "float32") * 3 == 24


# ── comparison ────────────────────────────────────────────────────────────────────────────────────


@given(anything)
def test_outputs_equal_themselves_under_no_tolerance(array):
    assert not differing(array, array.copy(), EXACT).any()


@pytest.mark.parametrize(
    ("claimed", "rerun"),
    [(INF, -INF), (INF, 1.0), (1.0, INF), (NAN, 1.0), (1.0, NAN), (NAN, INF), (INF, 1.7e308), (1.7e308, -1.7e308)],
)
@pytest.mark.filterwarnings("error")
def test_what_is_not_finite_matches_only_itself(claimed, rerun):
    widest = Tolerance(10**6, 10**6)
    assert differing(rows([claimed, 0.0]), rows([rerun, 0.0]), widest).tolist() == [True]
    assert differing(rows([claimed]), rows([claimed]), EXACT).tolist() == [False]


@pytest.mark.parametrize("huge", [INF, NAN, 1e300])
def test_a_huge_column_excuses_no_other(huge):
    assert differing(rows([huge, 1.0]), rows([huge, 2.0]), USUAL).tolist() == [True]


def test_each_row_is_judged_alone():
    claimed, rerun = rows([1.0, 2.0], [1.0, 2.0], [1.0, 2.0]), rows([1.0, 2.0], [1.0, 2.1], [1.0, 2.00001])
    assert differing(claimed, rerun, USUAL).tolist() == [False, True, False]


def test_the_relative_part_measures_by_the_rerun_and_not_by_the_claim():
    tenth = Tolerance(0, 100_000_000)
    assert differing(rows([90.0]), rows([100.0]), tenth).tolist() == [False]
    assert differing(rows([100.0]), rows([90.0]), tenth).tolist() == [True]


def test_zero_and_negative_zero_agree():
    assert differing(rows([0.0]), rows([-0.0]), EXACT).tolist() == [False]


def test_outputs_of_other_shapes_are_our_own_mistake():
    with pytest.raises(LocalProtocolError):
        differing(rows([1.0, 2.0]), rows([1.0]), USUAL)


@given(finite, finite, st.integers(0, 10**6), st.integers(0, 10**6))
def test_slack_reaches_every_truth_that_passes_and_little_beyond(claim, truth, atol, rtol):
    tolerance = Tolerance(atol, rtol)
    reach = slack(rows([claim]), tolerance)[0, 0]
    if not differing(rows([claim]), rows([truth]), tolerance)[0]:
        assert abs(claim - truth) <= reach
    assert reach <= (from_nano(atol) + from_nano(rtol) * abs(claim)) * 1.01


def test_what_is_not_finite_has_no_slack():
    assert slack(rows([INF, NAN, -INF]), USUAL).tolist() == [[0.0, 0.0, 0.0]]
