"""What the operator may set, and where each value comes from: flag > environment > config.toml > default.

A key that nobody knows is an error that names the nearest one that exists. Values are checked where
they come from, so that an error can name its file or variable. Where files lie is ``paths.py``'s;
nothing here touches the network, and nothing heavy is imported: every command loads this.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_type_hints

from p2peval import defaults
from p2peval.errors import ConfigError

PREFIX = "P2PEVAL_"


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """``name``: what the profile calls this node; a claim, so peers always see the id beside it.

    ``record``: a file for the node's record, "" for none; a relative path starts at the folder of ``state.db``.
    """

    name: str = ""
    record: str = ""


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """``listen``, ``announce``: multiaddrs without ``/p2p/``; ``bootstrap``: multiaddrs with it."""

    id: str = defaults.NETWORK_ID
    listen: tuple[str, ...] = defaults.LISTEN
    announce: tuple[str, ...] = ()
    bootstrap: tuple[str, ...] = ()
    max_peers: int = field(default=defaults.MAX_PEERS, metadata={"least": 1})


@dataclass(frozen=True, slots=True)
class ApiConfig:
    """``listen``: "" for the unix socket alone, or a loopback "host:port" beside it."""

    listen: str = ""

    def __post_init__(self) -> None:
        if self.listen:
            loopback(self.listen)


@dataclass(frozen=True, slots=True)
class EvaluationConfig:
    """The operator's caps; a benchmark that asks for more is not evaluated here.

    ``accept_from``: peer ids whose tasks this node evaluates; empty: every member's of a joined benchmark.
    ``computes``: run models at all; a node that does not (a phone, a laptop on battery) evaluates for nobody and has
    its own tasks audited by others. ``background_audits``: re-run samples of what its boards show as claims.
    ``require_sandbox``: do not start where a layer of the sandbox is missing.
    """

    workers: int = field(default=defaults.EVALUATION_WORKERS, metadata={"least": 1})
    memory_mb: int = field(default=defaults.EVALUATION_MEMORY_MB, metadata={"least": 256})
    deadline_s: float = field(default=defaults.EVALUATION_DEADLINE, metadata={"least": 1.0})
    accept_from: tuple[str, ...] = ()
    computes: bool = defaults.COMPUTES
    background_audits: bool = defaults.BACKGROUND_AUDITS
    require_sandbox: bool = defaults.REQUIRE_SANDBOX


@dataclass(frozen=True, slots=True)
class ReputationConfig:
    """``trust_roots``: peer ids whose audits of others' records count here from the start.

    ``conviction_days``: how long a proof of fraud or equivocation leaves its peer no trust. ``epoch_s``: seconds
    between two trust statements; members of a benchmark must agree on it. ``newcomer_share``: of places, to peers
    without a record, as one arm. ``honest_share``: of blind auditors' weight that is counted on where this node cannot
    compute. ``opinion``, ``checking``: the rules in force; all but the first of each are baselines to compare with.
    """

    trust_roots: tuple[str, ...] = ()
    conviction_days: float = field(default=defaults.CONVICTION_DAYS, metadata={"least": 1.0})
    epoch_s: float = field(default=defaults.EPOCH, metadata={"least": 1.0})
    newcomer_share: float = field(default=defaults.NEWCOMER_SHARE, metadata={"least": 0.0, "most": 1.0})
    honest_share: float = field(default=defaults.HONEST_SHARE, metadata={"least": 0.0, "most": 1.0})
    opinion: str = field(default=defaults.OPINION, metadata={"choices": defaults.OPINIONS})
    checking: str = field(default=defaults.CHECKING, metadata={"choices": defaults.CHECKINGS})


@dataclass(frozen=True, slots=True)
class StorageConfig:
    quota_gb: float = field(default=defaults.QUOTA_GB, metadata={"least": 0.01})
    retention_days: float = field(default=defaults.RETENTION_DAYS, metadata={"least": 0.0})


@dataclass(frozen=True, slots=True)
class LogConfig:
    """``format``: "auto" is text on a terminal and JSON lines elsewhere."""

    level: str = field(default="info", metadata={"choices": ("debug", "info", "warning", "error")})
    format: str = field(default="auto", metadata={"choices": ("auto", "text", "json")})


@dataclass(frozen=True, slots=True)
class Config:
    node: NodeConfig = NodeConfig()
    network: NetworkConfig = NetworkConfig()
    api: ApiConfig = ApiConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    reputation: ReputationConfig = ReputationConfig()
    storage: StorageConfig = StorageConfig()
    log: LogConfig = LogConfig()


SECTIONS: dict[str, type] = {
    "node": NodeConfig,
    "network": NetworkConfig,
    "api": ApiConfig,
    "evaluation": EvaluationConfig,
    "reputation": ReputationConfig,
    "storage": StorageConfig,
    "log": LogConfig,
}
KEYS = {f"{section}.{key.name}": key for section, cls in SECTIONS.items() for key in fields(cls)}
KINDS = {f"{section}.{key}": kind for section, cls in SECTIONS.items() for key, kind in get_type_hints(cls).items()}


def load(
    file: Path,
    *,
    required: bool = False,
    environ: Mapping[str, str] = os.environ,
    flags: Mapping[str, Any] | None = None,
) -> Config:
    """The settings in force. ``flags``: "section.key" -> value, None where not given.

    A missing ``file`` counts as empty unless ``required``. Raises ConfigError.
    """
    values: dict[str, Any] = {}
    for key, value in _from_file(file, required):
        values[key] = _checked(key, value, f"{file}: {key}")
    for key, text, variable in _from_environment(environ):
        values[key] = _checked(key, _parsed(key, text, variable), variable)
    for key, value in (flags or {}).items():
        if value is not None:
            values[key] = _checked(key, value, f"flag for {key}")
    return Config(
        **{
            section: cls(**{name: values[f"{section}.{name}"] for name in _names(cls) if f"{section}.{name}" in values})
            for section, cls in SECTIONS.items()
        }
    )


def loopback(address: str) -> tuple[str, int]:
    """("127.0.0.1", 4780) from "127.0.0.1:4780"; the API is never served beyond this machine.

    Raises ConfigError.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if host not in ("127.0.0.1", "::1", "localhost") or not port.isdigit() or not 0 <= int(port) < 65536:
        raise ConfigError(
            f"api.listen: {address!r} is no loopback address with a port",
            hint='use for example "127.0.0.1:4780", or "" for the unix socket alone',
        )
    return host, int(port)


def _names(cls: type) -> list[str]:
    return [key.name for key in fields(cls)]


def _from_file(file: Path, required: bool) -> Iterator[tuple[str, Any]]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if required:
            raise ConfigError(f"no config file at {file}", hint="p2peval init writes one") from None
        return
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not valid TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{file}: it nests lists or tables deeper than can be read") from None
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    for section, table in document.items():
        if section not in SECTIONS:
            raise _unknown(str(file), f"[{section}]", section, list(SECTIONS), "[{}]")
        if not isinstance(table, dict):
            raise ConfigError(f"{file}: {section} must be a table: [{section}]")
        for name, value in table.items():
            if f"{section}.{name}" not in KEYS:
                raise _unknown(str(file), f"{section}.{name}", name, _names(SECTIONS[section]), section + ".{}")
            yield f"{section}.{name}", value


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    known = {PREFIX + key.replace(".", "__").upper(): key for key in KEYS}
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and "__" in variable:
            if variable not in known:
                raise _unknown("environment", variable, variable, list(known), "{}")
            yield known[variable], environ[variable], variable


def _unknown(place: str, what: str, word: str, known: list[str], shape: str) -> ConfigError:
    near = get_close_matches(word, known, n=1, cutoff=0.5)
    if near:
        return ConfigError(f"{place}: unknown key {what}", hint=f"did you mean {shape.format(near[0])}?")
    return ConfigError(f"{place}: unknown key {what}", hint="known: " + ", ".join(shape.format(k) for k in known))


NAMES = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}
"""What people call the types of single values; every other key is a list of text."""


def _parsed(key: str, text: str, variable: str) -> Any:
    """An environment variable's text as the key's type; empty switches off: "", 0 or no entries."""
    kind = KINDS[key]
    if kind is str:
        return text
    try:
        if kind in (int, float):
            return kind(text or 0)
        return json.loads(text or ("false" if kind is bool else "[]"))
    except ValueError:
        wanted = NAMES.get(kind, 'a JSON list such as ["/ip4/0.0.0.0/tcp/4781"]')
        raise ConfigError(f"{variable}: {text!r} is not {wanted}") from None


def _checked(key: str, value: Any, place: str) -> Any:
    kind, rules = KINDS[key], KEYS[key].metadata
    if kind is float and type(value) is int:
        value = float(value)
    if kind in NAMES:
        if type(value) is not kind:
            raise ConfigError(f"{place}: expected {NAMES[kind]}, not {value!r}")
    elif not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"{place}: expected a list of text, not {value!r}")
    else:
        value = tuple(value)
    if "least" in rules and not value >= rules["least"]:
        raise ConfigError(f"{place}: must be at least {rules['least']}, not {value}")
    if "most" in rules and not value <= rules["most"]:
        raise ConfigError(f"{place}: must be at most {rules['most']}, not {value}")
    if "choices" in rules and value not in rules["choices"]:
        raise ConfigError(f"{place}: must be one of {', '.join(rules['choices'])}, not {value!r}")
    return value


TEMPLATE = """\
# p2peval config. Every key is optional; what stands behind '#' is the default.
# A flag beats an environment variable (P2PEVAL_NETWORK__MAX_PEERS=50; JSON for lists), which beats this file.

[node]
{name} # what your profile calls you
# record = ""                             # a file: what happens to this node, for p2peval sim replay

[network]
{listen} # where peers reach you; tcp/0 takes any free port
# announce = []                           # addresses to tell others, where they differ from the above
{bootstrap} # first contacts, with /p2p/; they imply no trust
# max_peers = {max_peers}
# id = "{id}"                      # peers of another network never meet yours

[api]
# listen = ""                             # "127.0.0.1:4780" serves the API there too, with the same token

[evaluation]
# workers = {workers}                             # evaluations at once, each in a process of its own
# memory_mb = {memory_mb}                        # for one evaluation; a benchmark that asks for more is not run here
# deadline_s = {deadline_s:.0f}                       # the same for its time, in seconds
# accept_from = []                        # peer ids to evaluate for; empty: all members of what you joined
# computes = true                         # false: run no model here; others audit what this node asks for
# background_audits = true                # re-run samples of results that others claim, 5 % of the time at most
# require_sandbox = false                 # true: refuse to start without every layer of the sandbox

[reputation]
# trust_roots = []                        # peer ids whose audits of others' results count here from the start
# conviction_days = {conviction_days:.0f}                   # so long a proof of fraud leaves its peer no trust
# epoch_s = {epoch_s:.0f}                          # between two trust statements; one for all members of a benchmark
# newcomer_share = {newcomer_share}                    # of tasks, to peers without a record here
# honest_share = {honest_share}                     # of auditors' weight to count on where this node cannot compute
# opinion = "{opinion}"                     # whom to ask; baselines: {opinions}
# checking = "{checking}"                      # how much to check; baselines: {checkings}

[storage]
# quota_gb = {quota_gb:.0f}                           # models, datasets and outputs, in GB
# retention_days = {retention_days:.0f}                     # outputs and models are kept that long after a task

[log]
# level = "info"                          # debug, info, warning, error
# format = "auto"                         # auto, text, json
"""


def template(*, name: str = "", listen: tuple[str, ...] = (), bootstrap: tuple[str, ...] = ()) -> str:
    """The text of a config.toml for ``p2peval init``: what is given is set, all else is commented out."""

    def line(key: str, value: str | tuple[str, ...], default: str | tuple[str, ...]) -> str:
        shown = value or default
        text = json.dumps(list(shown) if isinstance(shown, tuple) else shown, ensure_ascii=False)
        return (f"{key} = {text}" if value else f"# {key} = {text}").ljust(41)

    return TEMPLATE.format(
        name=line("name", name, ""),
        listen=line("listen", listen, defaults.LISTEN),
        bootstrap=line("bootstrap", bootstrap, ()),
        max_peers=defaults.MAX_PEERS,
        id=defaults.NETWORK_ID,
        workers=defaults.EVALUATION_WORKERS,
        memory_mb=defaults.EVALUATION_MEMORY_MB,
        deadline_s=defaults.EVALUATION_DEADLINE,
        conviction_days=defaults.CONVICTION_DAYS,
        epoch_s=defaults.EPOCH,
        newcomer_share=defaults.NEWCOMER_SHARE,
        honest_share=defaults.HONEST_SHARE,
        opinion=defaults.OPINION,
        opinions=", ".join(defaults.OPINIONS[1:]),
        checking=defaults.CHECKING,
        checkings=", ".join(defaults.CHECKINGS[1:]),
        quota_gb=defaults.QUOTA_GB,
        retention_days=defaults.RETENTION_DAYS,
    )
