"""How a value stands to another: compared, matched by a cell's test, or a part of it. Pure."""

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

from app.bpmn.feel.error import Meter
from app.bpmn.feel.moments import part
from app.bpmn.feel.scope import RunTest, Scope
from app.bpmn.feel.value import Range, compare, same

PLAIN = frozenset({Decimal, str, bool})
"""Kinds that Python compares as FEEL does, as long as both sides are of one."""

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def against(op: str, constant: Any) -> RunTest:
    """`value op constant`, for a constant of a PLAIN kind."""
    kind = cast("type[Any]", type(constant))
    if kind is bool and op not in ("=", "!="):
        return lambda _value, _scope: None
    directly = _OPERATORS[op]

    def test(value: Any, scope: Scope) -> bool | None:
        return (
            directly(value, constant) if type(value) is kind else compared(op, value, constant, scope.meter)
        )

    return test


def _kind(value: Any) -> type[Any]:
    return cast("type[Any]", type(value))


def one_of(constants: tuple[Any, ...]) -> RunTest:
    """A cell of nothing but constants: `"a", "b"`."""
    known = frozenset((_kind(constant), constant) for constant in constants)
    kinds = frozenset(_kind(constant) for constant in constants)
    only = next(iter(kinds)) if len(kinds) == 1 else None
    values = frozenset(constants) if only is not None else frozenset[Any]()

    def test(value: Any, scope: Scope) -> bool | None:
        if type(value) is only:
            return value in values
        if type(value) in kinds:
            return (type(value), value) in known
        if type(value) is list:
            return any(matches(constant, value, scope, False) is True for constant in constants)
        return False if value is None else None

    return test


def within_range(fixed: Range) -> RunTest:
    """A cell that is one range between two constants of a PLAIN kind."""
    low, high, kind = fixed.low, fixed.high, cast("type[Any]", type(fixed.low))
    above = operator.le if fixed.low_closed else operator.lt
    below = operator.le if fixed.high_closed else operator.lt

    def test(value: Any, scope: Scope) -> bool | None:
        if type(value) is kind:
            return above(low, value) and below(value, high)
        return matches(fixed, value, scope, False)

    return test


def compared(op: str, left: Any, right: Any, meter: Meter) -> bool | None:
    if op in ("=", "!="):
        answer = (
            left == right
            if type(left) is type(right) and type(left) in (Decimal, str, bool)
            else (same(left, right, meter))
        )
        return answer if op == "=" or answer is None else not answer
    order = compare(left, right)
    if order is None:
        return None
    if op == "<":
        return order < 0
    if op == ">":
        return order > 0
    return order <= 0 if op == "<=" else order >= 0


def matches(found: Any, value: Any, scope: Scope, answers: bool) -> bool | None:
    """A cell's expression against the input: equal, in the list, inside the range, or simply true."""
    if type(found) is Range and type(value) is not Range:
        return found.includes(value)
    if type(found) is list:
        listed = cast("list[Any]", found)
        scope.meter.spend(1 + len(listed))
        if type(value) is list and same(listed, value, scope.meter) is True:
            return True
        return any(matches(item, value, scope, False) is True for item in listed)
    if answers and type(found) is bool and type(value) is not bool:
        return found
    if (
        type(value) is list and type(found) is not list
    ):  # an input that is a list: does it hold what the cell says
        scope.meter.spend(1 + len(cast("list[Any]", value)))
        return any(same(found, item, scope.meter) is True for item in cast("list[Any]", value))
    return same(found, value, scope.meter)


def member(value: Any, name: str, meter: Meter) -> Any:
    """`value.name`: an entry, a part of a moment or range, or that of each item of a list."""
    if type(value) is dict:
        return cast("dict[str, Any]", value).get(name)
    if type(value) is list:
        values = cast("list[Any]", value)
        meter.spend(1 + len(values))
        return [member(item, name, meter) for item in values]
    if type(value) is Range:
        parts = {
            "start": value.low,
            "end": value.high,
            "start included": value.low_closed,
            "end included": value.high_closed,
        }
        return parts.get(name)
    return part(value, name)
