"""Campaigns: what was played stays played, whatever interrupts them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from p2peval.errors import ConfigError, NotFoundError
from p2peval.sim import campaign, report
from p2peval.sim.campaign import OUTCOMES, Job, Named, kept, run
from p2peval.sim.claims import parse
from p2peval.sim.measures import MEASURES
from p2peval.sim.play import Outcome
from p2peval.sim.results import summed_up
from p2peval.sim.scenario import Network, Population, Scenario, Workload
from p2peval.sim.sweep import Point

TINY = Scenario(
    "tiny",
    seeds=(0, 1, 2),
    hours=0.1,
    population=Population(honest=3, requesters=1),
    workload=Workload(tasks=1, tasks_per_hour=10.0, samples=400),
    network=Network(degree=2),
)
POINT = Named("", Point((), TINY))


def counting(played: list[int]) -> campaign.Player:
    """Plays here, and says which seeds it played."""

    def player(do: Callable[[Job], Outcome], work: Sequence[Job]) -> Iterator[tuple[int, Outcome]]:
        for place, job in enumerate(work):
            played.append(job.seed)
            yield place, do(job)

    return player


def quiet(done: int, of: int) -> None:
    assert 0 <= done <= of


def test_what_was_played_is_not_played_again(tmp_path: Path) -> None:
    played: list[int] = []
    first = run([POINT], tmp_path, counting(played), quiet)
    again = run([POINT], tmp_path, counting(played), quiet)
    assert played == [0, 1, 2]
    assert again == first == kept(tmp_path)


def test_a_campaign_that_was_interrupted_goes_on(tmp_path: Path) -> None:
    played: list[int] = []

    def stopped(do: Callable[[Job], Outcome], work: Sequence[Job]) -> Iterator[tuple[int, Outcome]]:
        yield 0, do(work[0])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([POINT], tmp_path, stopped, quiet)
    with pytest.raises(NotFoundError, match="2 of 3 worlds"):
        kept(tmp_path)
    with (tmp_path / OUTCOMES).open("a") as file:
        file.write('{"config": "torn')
    (done,) = run([POINT], tmp_path, counting(played), quiet)
    assert played == [1, 2]
    assert [outcome.seed for outcome in done.outcomes] == [0, 1, 2]


def test_another_configuration_is_played_anew_and_another_claim_is_not(tmp_path: Path) -> None:
    played: list[int] = []
    run([POINT], tmp_path, counting(played), quiet)
    claimed = replace(TINY, claims=(parse("accepted.mean >= 0.5", MEASURES),))
    run([Named("", Point((), claimed))], tmp_path, counting(played), quiet)
    assert played == [0, 1, 2]
    slower = replace(TINY, workload=replace(TINY.workload, model_seconds=3.0))
    run([Named("", Point((), slower))], tmp_path, counting(played), quiet)
    assert played == [0, 1, 2, 0, 1, 2]


def test_a_folder_that_holds_something_else_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / OUTCOMES).write_text("{}\n")
    with pytest.raises(ConfigError, match=f"{OUTCOMES}:1: not an outcome"):
        run([POINT], tmp_path, counting([]), quiet)


def test_processes_find_what_one_process_finds(tmp_path: Path) -> None:
    (here,) = run([POINT], tmp_path / "here", campaign.locally(1), quiet)
    (there,) = run([POINT], tmp_path / "there", campaign.locally(2), quiet)
    assert here == there


def test_a_summary_has_every_measure_that_was_measured_and_judges_the_claims(tmp_path: Path) -> None:
    claims = (parse("accepted.mean >= 0.5", MEASURES), parse("captured.mean <= 0.5", MEASURES))
    (played,) = run([Named("", Point((), replace(TINY, claims=claims)))], tmp_path, campaign.locally(1), quiet)
    summary = summed_up(played)
    assert summary.found["accepted"].mean == 1.0
    assert [verdict.held for verdict in summary.verdicts] == [True, False]  # nobody is there who could capture anything
    assert summary.verdicts[1].value is None


def test_a_world_in_which_nothing_happened_has_a_page_all_the_same(tmp_path: Path) -> None:
    silent = replace(TINY, population=Population(honest=2, requesters=0), workload=replace(TINY.workload, tasks=0))
    played = run([Named("", Point((), silent))], tmp_path, campaign.locally(1), quiet)
    files, note = report.write(silent, played, [summed_up(played[0])], tmp_path, "a test")
    assert (all(file.is_file() for file in files), note) == (True, "")
