"""A task told in lines: what a person reads at each of its states."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from p2peval.daemon.story import audit, percent
from p2peval.daemon.views import IntervalView, PeerName, StoryLine, TaskView
from tests.cli.scripted import ACCURACY, ANN, BOB, replica, task

NEWCOMER = {"evaluator": PeerName(peer=BOB), "reputation": None}


def told(view: TaskView) -> list[str]:
    return [f"{line.step:<9} {line.text}{'' if line.done else ' *'}" for line in view.story]


def test_whole_story_of_an_accepted_task() -> None:
    both = (replica("agrees"), replica("agrees", **NEWCOMER))
    assert told(task("accepted", replicas=both)) == [
        "task      bafk…asq3  announced to 6 peers in digits",
        "offers    4   assigned 2 (ann …Kq9f reputation 0.87, …t1aZ newcomer)",
        "committed 2/2   revealed 2/2",
        "audited   404/1797 samples of ann …Kq9f, 0 differ",
        "audited   404/1797 samples of …t1aZ, 0 differ",
        "accepted  accuracy 0.9417   audit ±0.010 (99 %, certified)   sampling 0.930–0.952 (95 %)   me",
        "report    /home/bob/reports/bafkreirecord.json",
    ]


@pytest.mark.parametrize(
    ("share", "digits", "text"),
    [
        (0.995, 4, "99.5 %"),
        (0.5893, 4, "58.93 %"),
        (0.999997, 4, "99.9997 %"),
        (0.996, 2, "99.6 %"),
        (1.0, 4, "100 %"),
        (1.0, 2, "100 %"),
        (0.0, 4, "0 %"),
    ],
)
def test_what_falls_short_of_certainty_never_reads_as_a_hundred_percent(share: float, digits: int, text: str) -> None:
    assert percent(share, digits) == text


def test_task_that_nobody_offers_for_says_what_it_waits_for() -> None:
    assert told(task(offers=0))[1:] == ["offers    0   waiting for a member of digits who is online and free *"]
    assert told(task(offers=2))[1:] == ["offers    2 *"]


def test_task_whose_evaluators_are_all_busy_says_until_when() -> None:
    said = told(task(offers=0, busy_until=81_065.0))
    assert said[1:] == ["offers    0   everybody is busy until 22:31:05 UTC *"]


def test_liar_is_named_and_told_apart_from_who_fell_silent() -> None:
    replicas = (
        replica("differs", **NEWCOMER, attempt=1, differing=(3, 5), reason="audit"),
        replica("silent", attempt=1),
        replica("agrees", attempt=2),
    )
    lines = told(task("accepted", attempt=2, replicas=replicas))
    assert "committed 1/2   revealed 1/2   (ann …Kq9f silent)" in lines
    assert "audited   404/1797 samples of …t1aZ, 2 differ: not counted (audit)" in lines
    assert "offers    attempt 2   assigned 1 (ann …Kq9f reputation 0.87)" in lines


def test_doubtful_replica_is_not_counted_and_says_why() -> None:
    reason = "not the same, but by too little to blame anybody"
    replicas = (replica("doubtful", audited=404, differing=(3,), reason=reason), replica("agrees", attempt=2))
    lines = told(task("accepted", attempt=2, replicas=replicas))
    assert f"audited   404/1797 samples of ann …Kq9f, 1 differ: not counted ({reason})" in lines


def test_done_lines_never_change_while_a_task_goes_on() -> None:
    life = [
        task("announced"),
        task("assigned", replicas=(replica("assigned"), replica("assigned", **NEWCOMER))),
        task("assigned", replicas=(replica("committed"), replica("assigned", **NEWCOMER))),
        task("revealing", replicas=(replica("committed"), replica("silent", **NEWCOMER))),
        task("auditing", replicas=(replica("fetched"), replica("silent", **NEWCOMER))),
        task("announced", attempt=2, replicas=(replica("differs", differing=(1,)), replica("silent", **NEWCOMER))),
        task("assigned", attempt=2, replicas=(
            replica("differs", differing=(1,)), replica("silent", **NEWCOMER), replica("assigned", attempt=2),
        )),
    ]  # fmt: skip
    seen: list[StoryLine] = []
    for view in life:
        done = [line for line in view.story if line.done]
        assert [line for line in done[: len(seen)] if line.step != "offers"] == [
            line for line in seen if line.step != "offers"
        ]
        assert list(view.story[: len(done)]) == done, "an open line stands before a done one"
        seen = done


def test_failed_and_cancelled_tasks_say_why() -> None:
    assert told(task("failed", reason="no evaluator"))[-1] == "failed    no evaluator"
    assert told(task("cancelled"))[-1] == "cancelled no reason given"


def test_second_metric_stands_below_the_first_without_repeating_the_standing() -> None:
    lines = told(task("accepted", metrics=(ACCURACY, replace(ACCURACY, name="brier", audit=None))))
    assert lines[-2] == "          brier 0.9417      audit none                       sampling 0.930–0.952 (95 %)"


def test_lopsided_audit_interval_is_given_by_its_ends() -> None:
    assert audit(replace(ACCURACY, audit=IntervalView(low=0.9, high=0.95))) == "0.900–0.950"
    assert audit(replace(ACCURACY, status="undefined", value=None)) == "none"


def test_task_without_labels_is_accepted_and_not_scored_yet() -> None:
    text = "not scored yet: the labels are the author's until it reveals them   me"
    assert f"accepted  {text}" in told(task("accepted", metrics=()))


def test_no_full_peer_id_reaches_a_person() -> None:
    assert not any(ANN in line or BOB in line for line in told(task("accepted")))
