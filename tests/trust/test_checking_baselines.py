"""Others' rules for how much to check, each on cases worked out by hand from its source."""

from __future__ import annotations

from dataclasses import replace

import pytest

from p2peval.defaults import CHECKINGS as NAMES
from p2peval.defaults import SARMENTA_FAULTY, SARMENTA_SPOT_CHECKS
from p2peval.trust.checking import Answer, Asked, Do, Finding, Means, Record, Step
from p2peval.trust.checkings import CHECKINGS, settled
from p2peval.trust.sarmenta import credibilities, credibility

TASK = Asked(1797, 5_000_000, 20_000_000)
MEANS = Means(most_answers=4)
NEVER, ALWAYS = 1.0 - 2**-53, 0.0


def said(*words, streak=0, agreed=0):
    return [Answer(i, word, Record(streak, agreed), 0.5) for i, word in enumerate(words)]


def step(name, answers, draw=NEVER, means=MEANS):
    return CHECKINGS[name](TASK, answers, means, lambda: draw)


def done(step):
    return step.do, step.count, step.why


def test_every_name_in_the_config_has_its_rule():
    assert tuple(CHECKINGS) == NAMES


# ── quorum ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        ("none", "", (Do.ASK, 1, "first")),
        ("none", "a", (Do.ACCEPT, 0, "quorum")),
        ("quorum-2", "", (Do.ASK, 2, "first")),
        ("quorum-2", "ab", (Do.ASK, 1, "no_quorum")),
        ("quorum-2", "abb", (Do.ACCEPT, 1, "quorum")),
        ("quorum-2", "abcd", (Do.GIVE_UP, 0, "most_answers")),
        ("quorum-3", "aa", (Do.ASK, 1, "no_quorum")),
        ("quorum-3", "aba", (Do.ASK, 1, "no_quorum")),
        ("quorum-3", "abc", (Do.ASK, 1, "no_quorum")),  # two are missing, but four in all is the most
        ("quorum-3", "abaa", (Do.ACCEPT, 0, "quorum")),
    ],
)
def test_quorum_asks_for_what_is_missing_until_so_many_agree(name, words, expected):
    assert done(step(name, said(*words))) == expected


# ── BOINC ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("streak", "draw", "expected"),
    [
        (9, NEVER, (Do.ASK, 1, "not_trusted")),
        (10, 0.10, (Do.ASK, 1, "replicated_by_chance")),  # trusted where the draw is above 1/10
        (10, 0.11, (Do.ACCEPT, 0, "trusted")),
        (50, 0.019, (Do.ASK, 1, "replicated_by_chance")),
        (50, 0.021, (Do.ACCEPT, 0, "trusted")),
    ],
)
def test_boinc_trusts_after_ten_confirmed_in_a_row_and_then_replicates_one_in_as_many(streak, draw, expected):
    assert done(step("boinc", said("a", streak=streak), draw)) == expected


def test_boinc_replicates_by_quorum_2():
    assert done(step("boinc", [])) == (Do.ASK, 1, "first")
    assert done(step("boinc", said("a", "b", streak=99))) == (Do.ASK, 1, "no_quorum")
    assert done(step("boinc", said("a", "b", "b"))) == (Do.ACCEPT, 1, "quorum")


# ── Sarmenta ──────────────────────────────────────────────────────────────────────────────────────


def test_a_worker_is_credible_by_the_spot_checks_it_survived():
    assert credibility(Record()) == credibility(Record(agreed=1)) == 1 - SARMENTA_FAULTY == 0.8
    assert credibility(Record(agreed=10)) == pytest.approx(0.98)
    assert credibility(Record(streak=99)) == 0.8  # agreement with others is no spot-check
    assert credibility(Record(agreed=10, caught=True)) == 0.0


def test_groups_are_weighed_by_bayes():
    # a: two newcomers, b: one. right(a) = .8² · .2, right(b) = .8 · .2², nobody right = .2³
    weighed = credibilities(said("a", "b", "a"))
    assert weighed == {0: pytest.approx(0.128 / 0.168), 1: pytest.approx(0.032 / 0.168)}


def test_a_group_is_accepted_at_the_threshold():
    assert [done(step("sarmenta", said(*"aaaa"[:n])))[0] for n in range(5)] == [Do.ASK] * 4 + [Do.ACCEPT]
    # .8ⁿ / (.8ⁿ + .2ⁿ) = .8, .941, .985, .9961 against θ = .995
    assert done(step("sarmenta", said("a", agreed=39))) == (Do.ASK, 1, "not_credible")
    assert done(step("sarmenta", said("a", agreed=41))) == (Do.ACCEPT, 0, "credible")  # 1 − .2/41 > .995
    assert done(step("sarmenta", said(*"abca"))) == (Do.GIVE_UP, 0, "most_answers")


def test_a_spot_check_re_runs_the_newest_answer_in_full():
    checked = step("sarmenta", said("a", "b"), SARMENTA_SPOT_CHECKS - 0.001)
    assert (checked.do, checked.samples, checked.why) == (Do.AUDIT, (0, 1797), "spot_check")
    assert step("sarmenta", said("a", "b"), SARMENTA_SPOT_CHECKS).do is Do.ASK
    assert step("sarmenta", said("a"), ALWAYS, Means(computes=False)).do is Do.ASK


def test_what_a_spot_check_showed_settles_the_task_or_silences_the_liar():
    truth, lie, other = said("a", "b", "a", agreed=41)
    held = step("sarmenta", [lie, replace(truth, finding=Finding.HELD)], ALWAYS)
    assert done(held) == (Do.ACCEPT, 1, "held")
    answers = [replace(lie, finding=Finding.DIFFERED), replace(lie, record=Record(agreed=99, caught=True)), other]
    assert done(step("sarmenta", answers)) == (Do.ACCEPT, 2, "credible")


# ── records once a task is over ───────────────────────────────────────────────────────────────────


def test_own_checks_count_for_every_rule_and_agreement_unseen_for_the_streak_alone():
    a, b, c = said("a", "b", "a", streak=4, agreed=2)
    assert settled([a, b, c], 0) == (Record(5, 2), Record(0, 2), Record(5, 2))
    assert settled([a, b], None) == (Record(4, 2), Record(4, 2))
    assert settled([a], 0) == (Record(4, 2),)  # accepted alone and unseen
    held, differed = replace(a, finding=Finding.HELD), replace(b, finding=Finding.DIFFERED)
    assert settled([differed, held], 1) == (Record(0, 2, 1, True), Record(5, 3, 1))


def test_reasons_come_with_their_numbers():
    assert step("quorum-2", said("a", "b")) == Step(
        Do.ASK, 1, why="no_quorum", numbers=(("agreeing", 1), ("answers", 2), ("wanted", 2))
    )
    assert dict(step("sarmenta", said("a")).numbers) == {"credibility": 0.8, "threshold": 0.995, "answers": 1}
    assert step("boinc", said("a", streak=3)).numbers == (("streak", 3),)
