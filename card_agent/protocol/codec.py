"""Canonical JSON, and dataclasses ↔ JSON. Pure.

Canonical: UTF-8, keys sorted, no spaces, no escapes but those JSON demands, integers only. Keys are ASCII, so
the order is that of RFC 8785. Bytes travel as base64, moments as `2026-11-22T14:50:25Z`.
"""

import base64
import binascii
import dataclasses
import functools
import json
import re
import types
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

BODY_LIMIT_BYTES = 4 * 1024 * 1024
"""No message is larger."""

_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
_EXACT = 2**53 - 1
_HALF = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair: JSON can escape it, UTF-8 cannot hold it."""

T = TypeVar("T")


class Malformed(ValueError):
    """These bytes are no message of this protocol; the text says what is wrong, without their content."""


# --- bytes ↔ JSON values ---


def canonical(value: object) -> bytes:
    """The one encoding of a JSON value. Refuses with Malformed floats, and integers that JSON readers
    round."""
    _check(value)
    try:
        return json.dumps(
            value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
        ).encode()
    except (TypeError, UnicodeEncodeError) as error:
        raise Malformed(str(type(value))) from error


def parse(data: bytes) -> Any:
    """A JSON value. Refuses with Malformed doubled keys, floats, bad UTF-8, and more than
    BODY_LIMIT_BYTES."""
    if len(data) > BODY_LIMIT_BYTES:
        raise Malformed("too large")
    try:
        value = json.loads(
            data.decode(), object_pairs_hook=_pairs, parse_float=_no_float, parse_constant=_no_float
        )
        _check(value)
    except Malformed:
        raise
    except (ValueError, RecursionError) as error:  # also an integer of more digits than Python reads
        raise Malformed("no JSON") from error
    return value


def parse_canonical(data: bytes) -> Any:
    """As `parse`, and the bytes must be the canonical ones: for what is stored and signed."""
    value = parse(data)
    if canonical(value) != data:
        raise Malformed("not canonical")
    return value


def _check(value: object) -> None:
    if isinstance(value, dict):
        for key, item in cast("dict[object, object]", value).items():
            if not isinstance(key, str) or not key.isascii():
                raise Malformed("a key is not ASCII")
            _check(item)
    elif isinstance(value, (list, tuple)):
        for item in cast("list[object]", value):
            _check(item)
    elif isinstance(value, str) and _HALF.search(value):
        raise Malformed("half a character")
    elif isinstance(value, float):
        raise Malformed("a float")
    elif isinstance(value, int) and abs(value) > _EXACT:
        raise Malformed("an integer beyond 2**53")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("a doubled key")
    return found


def _no_float(text: str) -> Any:
    raise Malformed("a float")


# --- dataclasses ↔ JSON values ---


def to_json(value: object) -> Any:
    """A JSON value from a message, or from anything a message holds."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, (list, tuple)):
        return [to_json(v) for v in cast("list[object]", value)]
    if isinstance(value, Mapping):
        return {str(k): to_json(v) for k, v in cast("Mapping[object, object]", value).items()}
    return value


def from_json(cls: type[T], value: object, *, exact: bool = False) -> T:
    """A message from a JSON object. Refuses with Malformed what does not fit.

    `exact`: unknown fields are refused too, as everything signed demands; otherwise they are passed over, so
    that a newer side may say more.
    """
    if not isinstance(value, dict):
        raise Malformed(f"{cls.__name__}: an object expected")
    given = cast("dict[str, object]", value)
    hints, fields = _shape(cls)
    if exact and (unknown := sorted(set(given) - set(fields))):
        raise Malformed(f"{cls.__name__}: unknown {', '.join(unknown)}")
    found: dict[str, Any] = {}
    for name, field in fields.items():
        if name in given:
            found[name] = _value(hints[name], given[name], f"{cls.__name__}.{name}", exact)
        elif exact or (field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING):
            raise Malformed(f"{cls.__name__}: {name} is missing")
    return cls(**found)


@functools.cache
def _shape(cls: type[Any]) -> tuple[dict[str, Any], dict[str, dataclasses.Field[Any]]]:
    """A message's types and fields by name; there are some twenty kinds of message."""
    return get_type_hints(cls), {f.name: f for f in dataclasses.fields(cls)}


def encode(message: object) -> bytes:
    """The canonical bytes of a message."""
    return canonical(to_json(message))


def decode(cls: type[T], data: bytes) -> T:
    """A message from the bytes of a body."""
    return from_json(cls, parse(data))


def _value(kind: Any, value: object, where: str, exact: bool) -> Any:  # noqa: PLR0911
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        return _value(next(k for k in get_args(kind) if k is not types.NoneType), value, where, exact)
    if origin is tuple:
        if not isinstance(value, list):
            raise Malformed(f"{where}: a list expected")
        return tuple(_value(get_args(kind)[0], v, where, exact) for v in cast("list[object]", value))
    if origin is dict:
        return cast("dict[str, object]", _plain(dict, value, where))
    if dataclasses.is_dataclass(kind):
        return from_json(cast("type[Any]", kind), value, exact=exact)
    if kind is bytes:
        return _bytes(value, where)
    if kind is datetime:
        return parse_moment(_plain(str, value, where))
    return _plain(kind, value, where)


def _plain(kind: type[T], value: object, where: str) -> T:
    # bool is an int in Python, not in JSON
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Malformed(f"{where}: {kind.__name__} expected")
    return value


def _bytes(value: object, where: str) -> bytes:
    text = _plain(str, value, where)
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"{where}: base64 expected") from error
    if base64.b64encode(data).decode() != text:
        raise Malformed(f"{where}: another spelling of base64")
    return data


def moment_text(moment: datetime) -> str:
    """UTC, whole seconds."""
    if moment.tzinfo is None:
        raise Malformed("a moment needs its zone")
    return moment.astimezone(UTC).strftime(_MOMENT)


def parse_moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, _MOMENT).replace(tzinfo=UTC)
    except ValueError as error:
        raise Malformed("a moment") from error
