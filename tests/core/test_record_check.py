"""What an honest record passes and a bent one does not, where a task took several attempts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from small_world import Host, World

from p2peval.core import audit
from p2peval.core.messages import BenchmarkSpec, ResultRecord
from p2peval.core.record_check import STEPS, Contents, examine
from p2peval.defaults import NETWORK_ID
from p2peval.errors import RemoteProtocolError
from p2peval.wire.envelope import open_envelope

opened = partial(open_envelope, network=NETWORK_ID)


@pytest.fixture(scope="module")
def second_look() -> tuple[BenchmarkSpec, ResultRecord]:
    """A record whose first evaluator was caught lying and whose second was not."""
    for seed in range(20):
        world = World(4, seed=seed)
        author, requester, liar = world.all[0], world.all[1], world.all[2]
        liar.lies = True
        benchmark = world.publish(author)
        world.everybody_joins(benchmark, author)
        task = world.start(requester, benchmark)
        world.run_until(partial(over, requester, task))
        row = requester.node.state.tasks[task]
        if row.record and row.looks == 2:
            record = requester.sealer.open(requester.disk.envelopes[row.record]).payload
            assert isinstance(record, ResultRecord)
            return requester.node.state.benchmarks[benchmark].spec, record
    raise AssertionError("the liar was never asked first")


def over(host: Host, task: Any) -> bool:
    return host.node.state.tasks[task].state.name in ("ACCEPTED", "FAILED")


def test_every_step_passes_in_order_without_any_node(second_look: tuple[BenchmarkSpec, ResultRecord]) -> None:
    contents = Contents(*second_look, opened)
    for step in STEPS.values():
        step(contents)
    assert len(contents.record.checks) == 2
    assert contents.accepted is not None


def test_look_that_is_kept_quiet_about_is_found(second_look: tuple[BenchmarkSpec, ResultRecord]) -> None:
    """Its ε would be understated: the certificate as of one look, with samples enough for one."""
    spec, record = second_look
    assert record.certificate is not None
    epsilon = audit.spent_epsilon(spec.verification.epsilon_nano, 1)
    quiet = replace(record, certificate=replace(record.certificate, attempts=1, epsilon_nano=epsilon))
    with pytest.raises(RemoteProtocolError, match="certificate_is_wrong"):
        examine(spec, quiet, opened)


def test_step_that_relies_on_one_that_was_not_taken_raises_no_other_error(
    second_look: tuple[BenchmarkSpec, ResultRecord],
) -> None:
    with pytest.raises(RemoteProtocolError):
        STEPS["certificate"](Contents(*second_look, opened))
