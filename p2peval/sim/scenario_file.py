"""Scenarios from TOML and back, with what a flag says above the file; every error names the line and the nearest key.

    title = "..."          seeds = 30, or a list of them      claims = ["bad_picks.p95 <= 0.10", ...]
    [network], [population], [defence], [workload]            by the fields of sim/scenario.py
    [[adversaries]]        kind, count, with, file, reach; any further key is an option of one of these kinds
    [sweep]                a dotted key = the values that it takes: adversaries.0.count = [0, 10, 20]

What is written is the effective configuration: all values, said or not, and it reads back as the same scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from p2peval.errors import ConfigError, NotFoundError
from p2peval.sim import toml_text
from p2peval.sim.checked import key_of, nearest
from p2peval.sim.claims import Claim, ClaimError, parse
from p2peval.sim.document import Document, parsed
from p2peval.sim.scenario import Adversaries, Defence, Scenario, Value
from p2peval.sim.toml_lines import Path as At

Kinds = Callable[[Path | None], Mapping[str, type]]
"""Kind of adversary -> the dataclass of its options: the lab's own, and those of a Python file where one is given."""

MOST_SEEDS = 100_000  # worlds of one scenario; guess


@dataclass(frozen=True, slots=True)
class Rules:
    """What a scenario may speak of. ``metrics``: what is measured, None where claims are not held against that."""

    kinds: Kinds
    metrics: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A scenario as it was written. ``folder``: where the Python files that it names lie."""

    document: Document
    rules: Rules
    folder: Path = Path()

    def scenario(self, settings: Mapping[str, Value] | None = None) -> Scenario:
        """What it means, with other values at some dotted keys. Raises ConfigError."""
        document = self.document
        for key, value in (settings or {}).items():
            document = document.replaced(key, toml_text.plain(value), f"{key} = {toml_text.value(value)}")
        return _Reader(document, self.rules, self.folder).scenario()


def opened(file: Path, rules: Rules) -> Source:
    """Raises ConfigError, NotFoundError."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFoundError(f"no scenario at {file}", hint="p2peval sim ls shows those that there are") from None
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: not valid TOML: not UTF-8 text") from None
    return Source(parsed(text, str(file)), rules, file.parent)


def read(file: Path, rules: Rules, settings: Mapping[str, Value] | None = None) -> Scenario:
    """The scenario in a file, with what --set says of some keys. Raises ConfigError, NotFoundError."""
    return opened(file, rules).scenario(settings)


def dumps(scenario: Scenario) -> str:
    """The scenario as TOML with every value in it."""
    values = _table(scenario)
    seeds = scenario.seeds
    values["seeds"] = len(seeds) if seeds == tuple(range(len(seeds))) else seeds
    values["claims"] = [str(claim) for claim in scenario.claims]
    values["adversaries"] = [_group_table(group) for group in scenario.adversaries]
    values["sweep"] = dict(scenario.sweep)
    return toml_text.dumps(toml_text.plain(values))


def _group_table(group: Adversaries) -> dict[str, Any]:
    table = _table(group) | dict(group.options)
    del table["options"]
    return table


def _table(instance: Any) -> dict[str, Any]:
    """Key -> value, by the words of a file; None is left out."""
    told = {}
    for each in fields(instance):
        value = getattr(instance, each.name)
        if isinstance(value, tuple) and value and is_dataclass(value[0]):
            value = [_table(one) for one in value]
        if value is not None:
            told[key_of(each)] = _table(value) if is_dataclass(value) else value
    return told


class _Reader:
    """What the keys mean that mean more than their type says."""

    def __init__(self, document: Document, rules: Rules, folder: Path) -> None:
        self._document, self._rules, self._folder = document, rules, folder

    def scenario(self) -> Scenario:
        readers = {
            "seeds": self._seeds,
            "claims": self._claims,
            "adversaries": self._adversaries,
            "defence": self._defence,
            "sweep": self._sweep,
        }
        return self._document.build(Scenario, self._document.values, readers=readers)

    def _seeds(self, said: Any, at: At) -> tuple[int, ...]:
        if type(said) is not int:
            return tuple(self._document.convert(said, tuple[int, ...], at))
        if not 0 <= said <= MOST_SEEDS:
            raise self._document.wrong(at, f"seeds must be from 1 to {MOST_SEEDS}, or a list of them, not {said}")
        return tuple(range(said))

    def _claims(self, said: Any, at: At) -> tuple[Claim, ...]:
        return tuple(
            self._claim(text, (*at, str(place)))
            for place, text in enumerate(self._document.convert(said, tuple[str, ...], at))
        )

    def _claim(self, text: str, at: At) -> Claim:
        try:
            return parse(text, self._rules.metrics)
        except ClaimError as error:
            raise self._document.wrong(at, error.message, hint=error.hint) from None

    def _defence(self, said: Any, at: At) -> Defence:
        defence = self._document.build(Defence, said, at)
        return replace(defence, file=str(self._beside(defence.file, (*at, "file")) or ""))

    def _beside(self, file: str, at: At) -> Path | None:
        """A Python file that a scenario names lies beside it; written down it is absolute, and lies where it lay."""
        if not file:
            return None
        path = (self._folder / file).resolve()
        if not path.is_file():
            what = f"{'.'.join(at)}: {path}: no such file"
            raise self._document.wrong(at, what, hint="name it as seen from the scenario")
        return path

    def _sweep(self, said: Any, at: At) -> tuple[tuple[str, tuple[Value, ...]], ...]:
        """Each value must make a scenario, so that a sweep does not end midway."""
        axes = tuple(self._axes(said, at))
        document = self._document.without("sweep")
        for key, values, key_at in axes:
            for value in values:
                place = f"{document.place(key_at)}: {key} = {toml_text.value(value)}"
                _Reader(document.replaced(key, toml_text.plain(value), place), self._rules, self._folder).scenario()
        return tuple((key, values) for key, values, _ in axes)

    def _axes(self, said: Any, at: At, key: str = "") -> Iterator[tuple[str, tuple[Value, ...], At]]:
        """TOML reads a dotted key as tables in tables."""
        if isinstance(said, Mapping):
            for part, inner in said.items():
                yield from self._axes(inner, (*at, part), f"{key}.{part}" if key else part)
        elif not key or not isinstance(said, list) or not said:
            raise self._document.wrong(at, f"{'.'.join(at)} must be a list of at least one value, not {said!r}")
        else:
            yield key, tuple(self._value(value, (*at, str(place))) for place, value in enumerate(said)), at

    def _value(self, said: Any, at: At) -> Value:
        if isinstance(said, list):
            return tuple(self._value(each, (*at, str(place))) for place, each in enumerate(said))
        if not isinstance(said, bool | int | float | str):
            raise self._document.wrong(at, f"{'.'.join(at)} must be a number, text, true or false, not {said!r}")
        return said

    # ── adversaries ───────────────────────────────────────────────────────────────────────────────

    def _adversaries(self, said: Any, at: At) -> tuple[Adversaries, ...]:
        if not isinstance(said, list):
            raise self._document.wrong(at, "adversaries must be tables: [[adversaries]]")
        return tuple(self._group(table, (*at, str(place))) for place, table in enumerate(said))

    def _group(self, table: Any, at: At) -> Adversaries:
        """The group's own keys; all others are options of one of its kinds."""
        if not isinstance(table, Mapping):
            raise self._document.wrong(at, "adversaries must be tables: [[adversaries]]")
        own = {key_of(each) for each in fields(Adversaries)} - {"options"}
        group = self._document.build(Adversaries, {key: table[key] for key in table if key in own}, at)
        file = self._beside(group.file, (*at, "file"))
        known = self._kinds(file, at)
        given = {key: value for key, value in table.items() if key not in own}
        options: dict[str, Value] = {}
        unknown = dict(given)
        for place, kind in enumerate(group.kinds):
            if kind not in known:
                said_at = (*at, "with", str(place - 1)) if place else (*at, "kind")
                hint = "known: " + ", ".join(sorted(known))
                raise self._document.wrong(said_at, f"no adversary {kind!r}{nearest(kind, known)}", hint=hint)
            for key, value in self._options(known[kind], given, at):
                if options.setdefault(key, value) != value:
                    raise self._document.wrong(
                        at, f"several of {', '.join(group.kinds)} have an option {key!r}: say it"
                    )
                unknown.pop(key, None)
        for key in unknown:
            raise self._document.unknown((*at, key), dict.fromkeys([*sorted(own), *options]))
        return replace(group, file=str(file or ""), options=tuple(sorted(options.items())))

    def _kinds(self, file: Path | None, at: At) -> Mapping[str, type]:
        try:
            return self._rules.kinds(file)
        except ConfigError as error:
            raise self._document.wrong((*at, "file"), error.message, hint=error.hint) from None

    def _options(self, kind: type, given: Mapping[str, Any], at: At) -> Iterator[tuple[str, Value]]:
        """All options of one kind, those too that are not said."""
        of = [each for each in fields(kind) if each.init]
        names = {key_of(each) for each in of}
        made: Any = self._document.build(kind, {key: given[key] for key in given if key in names}, at)
        for each in of:
            yield key_of(each), getattr(made, each.name)
