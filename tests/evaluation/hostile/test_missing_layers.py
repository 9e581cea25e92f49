"""A kernel without one layer: work goes on, and the result says which layers it had."""

from __future__ import annotations

import sys
from pathlib import Path

import attack_models
import pytest

from p2peval.errors import EvaluationError
from p2peval.evaluation import bwrap, layers, seccomp
from p2peval.evaluation.sandbox import Sandbox
from p2peval.evaluation.workers import Sight

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are confined by Linux's means")

SWITCH = {
    "landlock": "layers.landlock_missing = lambda: 'switched off'",
    "seccomp": "seccomp.missing = lambda: 'switched off'",
    "bubblewrap": "",
}
ZYGOTE = """
from p2peval.evaluation import layers, runner, seccomp, zygote
{switches}
zygote.preload()
zygote.serve()
runner.main()
"""

READ_KEY = """
runner.perform = lambda job: open("{}").read()
runner.main()
"""


def here() -> list[str]:
    """The layers that this machine has."""
    tries = {"landlock": layers.landlock_missing(), "seccomp": seccomp.missing(), "bubblewrap": bwrap.missing()}
    return ["rlimits", *(layer for layer, why in tries.items() if not why)]


def without(*lacking: str) -> Sandbox:
    script = ZYGOTE.format(switches="\n".join(SWITCH[layer] for layer in lacking))
    return Sandbox(1, command=(sys.executable, "-c", script), bubblewrap="bubblewrap" not in lacking)


@pytest.mark.parametrize("lacking", [(), ("landlock",), ("seccomp",), ("bubblewrap",), tuple(SWITCH)])
async def test_a_result_lacks_the_layer_that_the_machine_lacks_and_is_the_same(
    tmp_path: Path, lacking: tuple[str, ...]
) -> None:
    job = attack_models.of(attack_models.matmul)(tmp_path)
    answer = await without(*lacking).run(job, deadline=30)
    assert list(answer.layers) == [layer for layer in here() if layer not in lacking]
    assert answer.size == 40 * 3 * 4


@pytest.mark.parametrize("lacking", ["landlock", "seccomp", "bubblewrap"])
async def test_the_layers_that_are_left_keep_the_key(tmp_path: Path, lacking: str) -> None:
    """Landlock and bubblewrap each hide files; seccomp is not needed for it."""
    if {"landlock", "bubblewrap"} - {lacking} - set(here()):
        pytest.skip(f"this machine has only {', '.join(here())}")
    (tmp_path / "identity.key").write_text("secret")
    (tmp_path / "work").mkdir()
    job = attack_models.of(attack_models.matmul)(tmp_path / "work")
    script = ZYGOTE.format(switches=SWITCH[lacking]).replace(
        "runner.main()", READ_KEY.format(tmp_path / "identity.key")
    )
    sandbox = Sandbox(1, command=(sys.executable, "-c", script), bubblewrap=lacking != "bubblewrap", sight=Sight())
    with pytest.raises(EvaluationError) as caught:
        await sandbox.run(job, deadline=30)
    assert caught.value.reason == "file"
    assert "identity.key" in caught.value.message
