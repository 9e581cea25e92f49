"""A database of the first release, opened by this one: every row of it comes back, with what it could not know yet."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from small_world import World

from p2peval.core.state import TABLES, Change, Row
from p2peval.store import database as module
from p2peval.store.database import Database

FIRST = 2
"""The schema of the first release."""

NEWER = {
    "spec": ("groups", "group_names", "fraud_margin", "profile", "conditions"),
    "metrics": ("group", "ambiguity"),
    "efficiency": ("layers", "throughput_milli", "latency_p50_us", "latency_p99_us"),
    "evidence": ("alpha_days", "beta_days", "alpha_tasks", "beta_tasks", "streak"),
}
"""Fields that the first release did not know, by the column that holds their JSON."""


def older(column: str, value: Any) -> Any:
    if column not in NEWER or not isinstance(value, str):
        return value
    told = json.loads(value)
    if column == "evidence":
        told |= {"alpha": told["alpha_days"], "beta": told["beta_days"]}
    for one in told if isinstance(told, list) else [told]:
        for name in NEWER[column] if one else ():
            one.pop(name, None)
    return json.dumps(told)


def rows_of_a_task() -> dict[str, list[Row]]:
    """What a requester and an evaluator hold once a task is accepted."""
    world = World(3)
    author, requester = world.all[:2]
    benchmark = world.publish(author)
    world.everybody_joins(benchmark, author)
    task = world.start(requester, benchmark)
    world.run_until(lambda: requester.node.state.tasks[task].state.name == "ACCEPTED")
    world.run(2.0)
    held: dict[str, dict[str, Row]] = {name: {} for name in TABLES}
    for host in world.all:
        for name in TABLES:
            held[name] |= {row.key: row for row in getattr(host.node.state, name)}
    return {name: list(rows.values()) for name, rows in held.items()}


def downgraded(path: Path, newest: Path) -> set[str]:
    """Copy what of ``newest`` the schema at ``path`` has a place for; the tables that got rows."""
    filled = set()
    old, new = sqlite3.connect(path), sqlite3.connect(newest)
    for (table,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"):
        columns = [row[1] for row in old.execute(f"PRAGMA table_info({table})")]
        names = ", ".join(f'"{column}"' for column in columns)
        for values in new.execute(f"SELECT {names} FROM {table}").fetchall():
            told = [older(column, value) for column, value in zip(columns, values, strict=True)]
            old.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(told))})", told)
            filled.add(table)
    old.commit()
    old.close()
    new.close()
    return filled


def test_every_row_of_the_first_release_is_read_by_this_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of_a_task()
    with Database(tmp_path / "new" / "state.db") as newest:
        newest.commit([Change(name, row.key, row) for name, held in rows.items() for row in held])
    scripts = module._migrations()
    monkeypatch.setattr(module, "_migrations", lambda: scripts[:FIRST])
    path = tmp_path / "old" / "state.db"
    Database(path).close()
    filled = downgraded(path, tmp_path / "new" / "state.db")
    assert filled >= {"benchmarks", "replicas", "duties", "results", "objects", "peers", "tasks"}
    monkeypatch.setattr(module, "_migrations", lambda: scripts)
    with Database(path) as migrated:
        loaded = migrated.load()
        assert migrated.check() == []
    for name in filled - {"watches"}:
        assert {row.key for row in loaded[name]} == {row.key for row in rows[name]}
    (benchmark,) = loaded["benchmarks"]
    assert benchmark.spec == rows["benchmarks"][0].spec
    assert (path.parent / "backups" / f"state-schema{FIRST:04}.db").exists()
