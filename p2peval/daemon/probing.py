"""Known-answer tasks: the model of an accepted task of ours in other clothes, asked for as if it were new.

Nothing about the announcement says that the answer is known: its model shares no bytes and no names with the first
(evaluation/disguise.py), and it is called what any model might be called.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from p2peval.core.events import StartTask
from p2peval.core.rows import ReplicaState, TaskRow
from p2peval.core.state import State
from p2peval.daemon.workshop import Workshop
from p2peval.errors import NotFoundError


async def probe(task: TaskRow, state: State, workshop: Workshop) -> Callable[[str], StartTask]:
    """What asks for ``task`` again, disguised, given an id to reply to.

    Raises NotFoundError where its answer is not known or not here any more, EvaluationError (not_disguisable), and what
    else a worker may end with.
    """
    accepted = (row for row in state.replicas.of(task.id) if row.state is ReplicaState.AGREES)
    outputs = next((row.outputs for row in accepted if row.outputs is not None), None)
    if outputs is None:
        raise NotFoundError(
            f"nobody's answer to task {task.id} was accepted: it is {task.state.value}", hint="p2peval eval ls"
        )
    await workshop.held(outputs)
    spec = state.benchmarks[task.benchmark].spec
    model = await workshop.disguised(spec, task.model, secrets.token_bytes(32))
    name = f"model-{secrets.token_hex(3)}"
    return lambda reply_id: StartTask(
        reply_id, task.benchmark, model, name, task.epsilon_nano, task.delta_nano, task.replicas, known=task.id
    )
