"""What hosts of a DHT say to each other, and the hook through which some of them lie."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol


class Verb(Enum):
    """libp2p kad-dht: FIND_NODE, GET_PROVIDERS, ADD_PROVIDER."""

    NEAREST = auto()
    PROVIDERS = auto()
    PROVIDE = auto()


@dataclass(frozen=True, slots=True)
class Question:
    """``key``: 256 bits. Who asks PROVIDE says that it is itself a provider; of others nobody is believed."""

    verb: Verb
    key: int


@dataclass(frozen=True, slots=True)
class Answer:
    """``closer``: hosts nearest the key, nearest first. ``sibling``: the answering host is one of those nearest it."""

    closer: tuple[int, ...] = ()
    providers: tuple[int, ...] = ()
    sibling: bool = False


class Liar(Protocol):
    """A filter over what an honest host would answer. ``None``: silence."""

    def __call__(self, asked: int, asker: int, question: Question, honest: Answer) -> Answer | None: ...
