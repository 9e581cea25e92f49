"""From a dataclass and a protobuf message of the same shape to two straight lists of steps.

A plan is compiled once per dataclass from its type hints: field by field, in order, how to read it
off a message (and check its bound) and how to write it. Only reading checks: ``codec`` reads back
whatever it wrote, so that we say nothing which we would not accept. What a hint becomes:

    X | None           a submessage that may be absent
    X                  a submessage that must be there
    X | Y, bytes | X   the oneof of the same name, one member per type
    tuple[X, ...]      a repeated field
    an Enum            an enum; or, where the message has a oneof of that name, which member is set
    str, int, bytes    a scalar, as are their NewTypes; bool needs no check
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Generic, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from google.protobuf.message import Message

from p2peval.errors import RemoteProtocolError
from p2peval.wire.bounds import BY_FIELD, BY_TYPE, Bound, Check, Many

T = TypeVar("T")


class Step(NamedTuple):
    """One field: off a message, and onto one. ``write`` takes the whole dataclass value."""

    read: Callable[[Any], Any]
    write: Callable[[Any, Any], None]


@dataclass(frozen=True, slots=True)
class Plan(Generic[T]):
    """How ``cls`` and ``message`` turn into each other."""

    cls: type[T]
    message: type[Message]
    reads: tuple[Callable[[Any], Any], ...]
    writes: tuple[Callable[[Any, Any], None], ...]

    def read(self, message: Message) -> T:
        """Raises RemoteProtocolError at the first field out of bounds."""
        return self.cls(*[read(message) for read in self.reads])

    def write(self, value: T, message: Message) -> None:
        for write in self.writes:
            write(value, message)


class Planner:
    """Compiles plans and keeps them. ``message_of`` finds the message class of a dataclass by name."""

    def __init__(self, message_of: Callable[[str], type[Message]]) -> None:
        self._message_of = message_of
        self._plans: dict[type, Plan[Any]] = {}

    def plan(self, cls: type[T]) -> Plan[T]:
        if cls not in self._plans:
            self._plans[cls] = self._compile(cls)
        return self._plans[cls]

    def _compile(self, cls: type[T]) -> Plan[T]:
        message = self._message_of(cls.__name__)
        bounds = BY_FIELD.get(cls, {})
        steps = [self._step(cls, message, name, hint, bounds.get(name)) for name, hint in get_type_hints(cls).items()]
        return Plan(cls, message, tuple(s.read for s in steps), tuple(s.write for s in steps))

    def _step(self, cls: type, message: type[Message], name: str, hint: Any, bound: Bound | None) -> Step:
        where = f"{cls.__name__}.{name}"
        descriptor: Any = message.DESCRIPTOR  # protobuf types its pure-Python and C descriptors apart
        oneof = descriptor.oneofs_by_name.get(name)
        if isinstance(hint, UnionType) and NoneType in get_args(hint):
            (inner,) = (arg for arg in get_args(hint) if arg is not NoneType)
            return _submessage(name, self.plan(inner))
        if oneof is not None:
            return _which(where, oneof, hint) if _is_enum(hint) else self._union(where, oneof, get_args(hint), bound)
        if get_origin(hint) is tuple:
            return self._repeated(where, name, get_args(hint)[0], bound)
        if _is_enum(hint):
            return _enum(where, name, hint)
        if _is_part(hint):
            return _submessage(name, self.plan(hint), required=where)
        return _scalar(descriptor.fields_by_name[name], _check(where, hint, bound))

    def _repeated(self, where: str, name: str, inner: Any, bound: Bound | None) -> Step:
        many = bound if isinstance(bound, Many) else Many()
        least, most = many.least, many.most
        plan = self.plan(inner) if _is_part(inner) else None
        each = plan.read if plan else _check(where, inner, many.each)

        def read(message: Any) -> tuple[Any, ...]:
            items = getattr(message, name)
            if not least <= len(items) <= most:
                raise RemoteProtocolError("bounds", f"{where} has {len(items)} elements, not {least} to {most}")
            return tuple(map(each, items))

        def write(value: Any, message: Any) -> None:
            items = getattr(message, name)
            if plan is None:
                items.extend(getattr(value, name))
            else:
                for item in getattr(value, name):
                    plan.write(item, items.add())

        return Step(read, write)

    def _union(self, where: str, oneof: Any, hints: tuple[Any, ...], bound: Bound | None) -> Step:
        """Members are found by type: a submessage by its message's name, bytes as the only scalar."""
        name = oneof.name
        kinds = {hint.__name__: hint for hint in hints}
        reads: dict[str, Callable[[Any], Any]] = {}
        plans: dict[type, tuple[str, Plan[Any] | None]] = {}
        for field in oneof.fields:
            if field.message_type is None:
                reads[field.name] = _check(where, bytes, bound)
                plans[bytes] = (field.name, None)
            else:
                plan = self.plan(kinds[field.message_type.name])
                reads[field.name] = plan.read
                plans[plan.cls] = (field.name, plan)

        def read(message: Any) -> Any:
            member = message.WhichOneof(name)
            if member is None:
                raise RemoteProtocolError("missing", where)
            return reads[member](getattr(message, member))

        def write(value: Any, message: Any) -> None:
            body = getattr(value, name)
            member, plan = plans[type(body)]
            if plan is None:
                setattr(message, member, body)
            else:
                getattr(message, member).SetInParent()
                plan.write(body, getattr(message, member))

        return Step(read, write)


def _is_part(hint: Any) -> bool:
    return isinstance(hint, type) and is_dataclass(hint)


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Enum)


def _check(where: str, hint: Any, bound: Bound | None) -> Check:
    if hint is bool:
        return _unchecked
    bound = bound or BY_TYPE[hint]
    assert not isinstance(bound, Many), where
    return bound.check(where)


def _unchecked(value: Any) -> Any:
    return value


def _scalar(field: Any, check: Check) -> Step:
    name = field.name

    def read(message: Any) -> Any:
        return check(getattr(message, name))

    def write(value: Any, message: Any) -> None:
        setattr(message, name, getattr(value, name))

    def written_by_its_oneof(value: Any, message: Any) -> None:
        pass

    return Step(read, written_by_its_oneof if field.containing_oneof else write)


def _submessage(name: str, plan: Plan[Any], required: str = "") -> Step:
    """``required``: where it is, for the error when it is absent; "" lets it be None."""
    inner, fill = plan.read, plan.write

    def read(message: Any) -> Any:
        if not message.HasField(name):
            if required:
                raise RemoteProtocolError("missing", required)
            return None
        return inner(getattr(message, name))

    def write(value: Any, message: Any) -> None:
        part = getattr(value, name)
        if part is not None:
            target = getattr(message, name)
            target.SetInParent()
            fill(part, target)

    return Step(read, write)


def _enum(where: str, name: str, kind: type[Enum]) -> Step:
    members = {member.value: member for member in kind}

    def read(message: Any) -> Enum:
        number = getattr(message, name)
        if number not in members:
            raise RemoteProtocolError("enum", f"{where} is {number}")
        return members[number]

    def write(value: Any, message: Any) -> None:
        setattr(message, name, getattr(value, name).value)

    return Step(read, write)


def _which(where: str, oneof: Any, kind: type[Enum]) -> Step:
    """An Enum that says which member of a oneof is set; its members stand in the same order."""
    name = oneof.name
    members: dict[str, Enum] = dict(zip((field.name for field in oneof.fields), kind, strict=True))
    fields = dict(zip(kind, oneof.fields, strict=True))

    def read(message: Any) -> Enum:
        member = message.WhichOneof(name)
        if member is None:
            raise RemoteProtocolError("missing", where)
        return members[member]

    def write(value: Any, message: Any) -> None:
        field = fields[getattr(value, name)]
        if field.message_type is None:
            setattr(message, field.name, getattr(value, field.name))
        else:
            getattr(message, field.name).SetInParent()

    return Step(read, write)
