"""Types by name: `instance of`, typed parameters and declared types of a model. Pure."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, cast

from app.bpmn.feel.tree import TypeName
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


def is_instance(value: Any, of: TypeName) -> bool | None:
    """Null when there is no such type."""
    if of.name == "Any":
        return value is not None
    if of.name == "Null":
        return value is None
    if of.name == "function":
        return _is_function(value, of)
    kind = KINDS.get(of.name)
    if kind is None:
        return None
    if type(value) is not kind:
        return False
    return _parts_fit(value, of) if of.parts else True


def _is_function(value: Any, of: TypeName) -> bool:
    return isinstance(value, Function) and (not of.parts or value.arity == len(of.parts) - 1)


def _parts_fit(value: Any, of: TypeName) -> bool:
    if of.name == "list":
        return all(_fits(item, of.parts[0]) for item in cast("list[Any]", value))
    if of.name == "range":
        ends = [end for end in (value.low, value.high) if end is not None]
        return all(_fits(end, of.parts[0]) for end in ends)
    entries = cast("dict[str, Any]", value)
    return all(
        name in entries and _fits(entries[name], part) for name, part in zip(of.names, of.parts, strict=True)
    )


def _fits(value: Any, of: TypeName) -> bool:
    """Inside a list or context null belongs to every type."""
    return value is None or is_instance(value, of) is True
