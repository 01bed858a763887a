"""Types by name: `instance of`, typed parameters and declared types of a model. Pure."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, cast

from app.bpmn.feel.moments import midnight
from app.bpmn.feel.tree import (
    Between,
    Compare,
    Constant,
    ContextOf,
    In,
    InstanceOf,
    Logic,
    Node,
    TypeName,
)
from app.bpmn.feel.value import Function, Months, Range

KINDS: dict[str, type[Any]] = {
    "number": Decimal,
    "string": str,
    "boolean": bool,
    "date": date,
    "time": time,
    "date and time": datetime,
    "dateTime": datetime,
    "days and time duration": timedelta,
    "dayTimeDuration": timedelta,
    "day time duration": timedelta,
    "years and months duration": Months,
    "yearMonthDuration": Months,
    "year month duration": Months,
    "list": list,
    "context": dict,
    "range": Range,
}


Declared = Mapping[str, TypeName]
"""The types that a model declares, by name."""

NONE_DECLARED: Declared = {}
ANY = TypeName("Any")
_MAX_DEPTH = 60
"""Levels of types inside each other; a type that contains itself ends here."""


def is_instance(  # noqa: PLR0911
    value: Any, of: TypeName, declared: Declared = NONE_DECLARED, depth: int = 0
) -> bool | None:
    """Null when there is no such type."""
    of = _resolved(of, declared)
    if of.name == "Any":
        return value is not None
    if of.name == "Null":
        return value is None
    if depth > _MAX_DEPTH:
        return None
    if of.name == "function":
        return _is_function(value, of, declared, depth)
    kind = KINDS.get(of.name)
    if kind is None:
        return None
    if type(value) is not kind:
        return False
    return _parts_fit(value, of, declared, depth) if of.parts else True


def fitted(value: Any, of: TypeName, declared: Declared = NONE_DECLARED) -> Any:
    """A value as a parameter of this type takes it: x for [x], [x] for x, else null when it does not fit.

    A type that is nowhere declared takes everything. Source: DMN 1.5, clause 10.3.2.9.4.
    """
    if value is None or is_instance(value, of, declared) in (True, None):
        return value
    if type(value) is list:
        only = cast("list[Any]", value)[0] if len(cast("list[Any]", value)) == 1 else None
        return only if is_instance(only, of, declared) is True else None
    if type(value) is date and KINDS.get(of.name) is datetime:
        return midnight(value)
    return [value] if is_instance([value], of, declared) is True else None


def _resolved(of: TypeName, declared: Declared) -> TypeName:
    """What stands behind a declared name; a declared name may stand for another one."""
    for _step in range(_MAX_DEPTH):
        if of.name in KINDS or of.name in ("Any", "Null", "function"):
            return of
        known = declared.get(of.name) or declared.get(of.name.rpartition(".")[2])
        if known is None:
            return of
        of = known
    return of


def _parts_fit(value: Any, of: TypeName, declared: Declared, depth: int) -> bool:
    if of.name == "list":
        return all(_fits(item, of.parts[0], declared, depth) for item in cast("list[Any]", value))
    if of.name == "range":
        ends = [end for end in (value.low, value.high) if end is not None]
        return all(_fits(end, of.parts[0], declared, depth) for end in ends)
    entries = cast("dict[str, Any]", value)
    return all(
        name in entries and _fits(entries[name], part, declared, depth)
        for name, part in zip(of.names, of.parts, strict=True)
    )


def _fits(value: Any, of: TypeName, declared: Declared, depth: int) -> bool:
    """Inside a list or context null belongs to every type."""
    return value is None or is_instance(value, of, declared, depth + 1) is True


def _is_function(value: Any, of: TypeName, declared: Declared, depth: int) -> bool:
    """It may ask less of its arguments and give more than the type says."""
    if not isinstance(value, Function):
        return False
    if not of.parts:
        return True
    *wanted, result = of.parts
    if value.arity != len(wanted):
        return False
    takes = value.takes or (ANY,) * value.arity
    return all(
        conforms(given, taken, declared, depth) for given, taken in zip(wanted, takes, strict=True)
    ) and (value.gives is None or conforms(value.gives, result, declared, depth))


def conforms(one: TypeName, other: TypeName, declared: Declared, depth: int = 0) -> bool:
    """Whether every value of `one` is a value of `other`."""
    one, other = _resolved(one, declared), _resolved(other, declared)
    if other.name == "Any" or one.name == "Null":
        return True
    if depth > _MAX_DEPTH or _kind(one) is not _kind(other):
        return False
    if one.name == "context":
        own = dict(zip(one.names, one.parts, strict=True))
        return all(
            name in own and conforms(own[name], part, declared, depth + 1)
            for name, part in zip(other.names, other.parts, strict=True)
        )
    if not other.parts:
        return True
    if len(one.parts) != len(other.parts):
        return False
    if one.name == "function":
        *taken, gives = one.parts
        *wanted, result = other.parts
        pairs = [*zip(wanted, taken, strict=True), (gives, result)]
    else:
        pairs = [*zip(one.parts, other.parts, strict=True)]
    return all(conforms(a, b, declared, depth + 1) for a, b in pairs)


def _kind(of: TypeName) -> type[Any] | str:
    return KINDS.get(of.name, of.name)


_OF_VALUES = {
    Decimal: "number",
    str: "string",
    bool: "boolean",
    date: "date",
    time: "time",
    datetime: "date and time",
    timedelta: "days and time duration",
    Months: "years and months duration",
    type(None): "Null",
}


def said_by(node: Node) -> TypeName | None:
    """The type of what an expression gives, where its form alone tells; None where it does not."""
    if isinstance(node, Constant):
        name = _OF_VALUES.get(cast("type[Any]", type(node.value)))
        return TypeName(name) if name is not None else None
    if isinstance(node, ContextOf):
        parts = tuple(said_by(value) or TypeName("Null") for value in node.values)
        return TypeName("context", parts, node.names)
    if isinstance(node, (Compare, Logic, Between, In, InstanceOf)):
        return TypeName("boolean")
    return None
