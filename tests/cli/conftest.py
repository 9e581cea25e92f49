from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from p2peval.cli.main import cli
from tests.cli.scripted import Scripted, home, serving


@dataclass
class Shell:
    """Runs commands in this process against one home."""

    folder: Path

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(cli, ["--home", str(self.folder), *words])

    def json(self, *words: str) -> Any:
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home")


@pytest.fixture
def service(shell: Shell) -> Iterator[Scripted]:
    scripted = Scripted()
    with serving(scripted, home(shell.folder)):
        yield scripted
