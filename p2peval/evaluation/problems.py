"""What is wrong with a dataset, collected so that an author sees more than the first mistake."""

from __future__ import annotations

from p2peval.core.text import one_line
from p2peval.defaults import MAX_DATA_PROBLEMS, MAX_PROBLEM_BYTES
from p2peval.errors import EvaluationError


class Problems:
    """Problems of one file, each naming row or sample; the first MAX_DATA_PROBLEMS are kept."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._kept: list[str] = []
        self._count = 0

    def add(self, problem: str) -> None:
        self._count += 1
        if len(self._kept) < MAX_DATA_PROBLEMS:
            self._kept.append(one_line(f"{self._file} {problem}", MAX_PROBLEM_BYTES))

    def check(self) -> None:
        """Raises EvaluationError bad_data, one problem a line, if there was any."""
        if self._count:
            more = self._count - len(self._kept)
            raise EvaluationError("bad_data", "\n".join([*self._kept, f"and {more} more"] if more else self._kept))

    def fatal(self, problem: str, hint: str = "") -> EvaluationError:
        """The error to raise where reading on makes no sense."""
        return EvaluationError("bad_data", f"{self._file}: {problem}", hint=hint)
