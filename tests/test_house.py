"""The house rules that no linter knows (architecture: Who may import whom, Habits).

Import contracts in pyproject.toml cover the layers; this reads the source for the rest.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "p2peval"
MAX_LINES = 400
MAX_FUNCTION_LINES = 60
WORLD = {
    "asyncio",
    "libp2p",
    "onnxruntime",
    "os",
    "random",
    "secrets",
    "socket",
    "sqlite3",
    "subprocess",
    "time",
    "trio",
}

# flock(2) has no timeout of its own, so waiting for another process to end means asking again
POLLS = {("p2peval/store/lock.py", "time.sleep")}

SOURCES = sorted(p for p in PACKAGE.rglob("*.py") if not p.stem.endswith("_pb2"))
PURE = [p for p in SOURCES if p.relative_to(PACKAGE).parts[0] in {"core", "trust"}]
LOCKS = sorted(ROOT.glob("requirements*.lock"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(), name(path)))


def where(path: Path, node: ast.expr | ast.stmt | ast.ExceptHandler) -> str:
    return f"{name(path)}:{node.lineno}"


def impure_imports(path: Path) -> list[str]:
    """Imports of the outside world; only the class ``random.Random`` is let in, to annotate what is injected."""
    found = []
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found += [f"{where(path, node)} import {a.name}" for a in node.names if a.name.split(".")[0] in WORLD]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in WORLD:
            drawn = {a.name for a in node.names}
            if (node.module, drawn) != ("random", {"Random"}):
                found.append(f"{where(path, node)} from {node.module} import {', '.join(sorted(drawn))}")
    return found


def called(node: ast.AST) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def comments(path: Path) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
    return {t.start[0]: t.string for t in tokens if t.type == tokenize.COMMENT}


def test_the_rooms_are_there_to_be_inspected() -> None:
    assert len(PURE) > 5
    assert len(LOCKS) == 4


def test_no_file_outgrows_its_name() -> None:
    long = {name(p): lines for p in SOURCES if (lines := len(p.read_text().splitlines())) > MAX_LINES}
    assert not long


def test_no_function_outgrows_a_screen() -> None:
    long = [
        f"{where(path, node)} {node.name} has {lines} lines"
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]
    assert not long


def test_pure_rooms_import_nothing_of_the_world() -> None:
    assert not [line for path in PURE for line in impure_imports(path)]


@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        ("from random import Random\n", True),
        ("from random import Random, random\n", False),
        ("import random\n", False),
        ("def f():\n    import os.path\n", False),
        ("from time import monotonic\n", False),
    ],
)
def test_the_import_check_sees_through_every_spelling(
    source: str, allowed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "room.py").write_text(source)
    assert (not impure_imports(tmp_path / "room.py")) is allowed


def test_every_module_says_what_it_is_for() -> None:
    silent = [name(p) for p in SOURCES if p.read_text().strip() and ast.get_docstring(ast.parse(p.read_text())) is None]
    assert not silent


def test_nothing_is_left_for_later() -> None:
    later = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX")) + r")\b")
    places = [*SOURCES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "proto").rglob("*.proto")]
    left = [
        f"{name(p)}:{n}" for p in places for n, line in enumerate(p.read_text().splitlines(), 1) if later.search(line)
    ]
    stubs = [
        where(path, node)
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.Raise) and node.exc is not None and "NotImplementedError" in ast.unparse(node.exc)
    ]
    assert not left
    assert not stubs


def test_nobody_sleeps_on_the_thread_or_draws_from_the_global_generator() -> None:
    bad = [
        f"{where(path, node)} {called(node)}"
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.Call) and re.fullmatch(r"time\.sleep|random\.(?!Random$)\w+|pickle\.\w+", called(node))
        if (name(path), called(node)) not in POLLS
    ]
    assert not bad


def test_no_exception_is_swallowed() -> None:
    """A handler that only passes hides a bug, unless what it passes over is narrow; broad ones must act."""
    swallowed = [
        where(path, node)
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
        and all(isinstance(statement, ast.Pass | ast.Continue) for statement in node.body)
    ]
    assert not swallowed


def test_every_default_confesses_its_unit_and_source() -> None:
    path = PACKAGE / "defaults.py"
    said = comments(path)
    silent = [
        f"{where(path, node)} {ast.unparse(node.target)}"
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.AnnAssign)
        and not any(line in said for line in range(node.lineno, (node.end_lineno or node.lineno) + 1))
    ]
    bare = [f"{name(path)}:{node.lineno}" for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign)]
    assert not silent
    assert not bare, "a default is annotated Final"


@pytest.mark.parametrize("lock", LOCKS, ids=name)
def test_locks_name_hashes_and_neither_hosts_nor_machines(lock: Path) -> None:
    text = lock.read_text()
    assert not re.findall(r"https?://|file://|index-url|find-links|trusted-host|(?:^|\s)/\w+|\.\./", text)
    pinned = re.findall(r"^[a-z0-9][\w.-]*==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    requirements = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
    assert pinned
    assert len(pinned) == len(requirements)


def test_the_locks_agree_where_they_overlap() -> None:
    pins: dict[str, set[str]] = {}
    for lock in LOCKS:
        for package, version in re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(), re.MULTILINE):
            pins.setdefault(package, set()).add(version)
    assert not {package: versions for package, versions in pins.items() if len(versions) > 1}
