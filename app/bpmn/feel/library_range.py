"""Built-in functions over ranges: relations between points and intervals. Pure. Source: DMN 1.5, table 82.

A point counts as the closed range from itself to itself where the standard says so. A range without a bound
on the side that a relation asks about gives null.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from app.bpmn.feel.builtin import builtin
from app.bpmn.feel.error import Meter
from app.bpmn.feel.moments import literal
from app.bpmn.feel.value import Range, compare

_Relation = Callable[[Any, Any], "bool | None"]


def _order(left: Any, right: Any) -> int:
    order = None if left is None or right is None else compare(left, right)
    if order is None:
        raise ArithmeticError("no order")  # Builtin.call answers null
    return order


def _declare(name: str, relation: _Relation, *kinds: tuple[str, str]) -> None:
    names = {"point": "point", "range": "range"}
    for first, second in kinds:
        one, two = (
            (names[first], names[second]) if first != second else (names[first] + "1", names[second] + "2")
        )

        @builtin(f"{name}({one}: {first}, {two}: {second})")
        def run(_meter: Meter, left: Any, right: Any) -> bool | None:  # pyright: ignore[reportUnusedFunction]
            return relation(left, right)


def _as_range(value: Any) -> Range:
    return value if type(value) is Range else Range(value, value, True, True)


def _before(left: Any, right: Any) -> bool:
    a, b = _as_range(left), _as_range(right)
    order = _order(a.high, b.low)
    return order < 0 or (order == 0 and not (a.high_closed and b.low_closed))


def _meets(a: Range, b: Range) -> bool:
    return a.high_closed and b.low_closed and _order(a.high, b.low) == 0


def _overlaps(a: Range, b: Range) -> bool:
    return not _before(a, b) and not _before(b, a)


def _starts_before(a: Range, b: Range) -> bool:
    order = _order(a.low, b.low)
    return order < 0 or (order == 0 and a.low_closed and not b.low_closed)


def _ends_after(a: Range, b: Range) -> bool:
    order = _order(a.high, b.high)
    return order > 0 or (order == 0 and a.high_closed and not b.high_closed)


def _overlaps_before(a: Range, b: Range) -> bool:
    return _starts_before(a, b) and not _before(a, b) and not _ends_after(a, b)


def _includes(a: Range, b: Any) -> bool:
    b = _as_range(b)
    return not _starts_before(b, a) and not _ends_after(b, a)


def _finishes(left: Any, right: Range) -> bool:
    a = _as_range(left)
    if a.high_closed != right.high_closed or _order(a.high, right.high) != 0:
        return False
    return not _starts_before(a, right)


def _starts(left: Any, right: Range) -> bool:
    a = _as_range(left)
    if a.low_closed != right.low_closed or _order(a.low, right.low) != 0:
        return False
    return not _ends_after(a, right)


def _coincides(left: Any, right: Any) -> bool:
    a, b = _as_range(left), _as_range(right)
    closed = (a.low_closed, a.high_closed) == (b.low_closed, b.high_closed)
    return closed and _order(a.low, b.low) == 0 and _order(a.high, b.high) == 0


_PP, _PR, _RP, _RR = ("point", "point"), ("point", "range"), ("range", "point"), ("range", "range")
_declare("before", _before, _PP, _PR, _RP, _RR)
_declare("after", lambda a, b: _before(b, a), _PP, _PR, _RP, _RR)
_declare("meets", _meets, _RR)
_declare("met by", lambda a, b: _meets(b, a), _RR)
_declare("overlaps", _overlaps, _RR)
_declare("overlaps before", _overlaps_before, _RR)
_declare("overlaps after", lambda a, b: _overlaps_before(b, a), _RR)
_declare("finishes", _finishes, _PR, _RR)
_declare("finished by", lambda a, b: _finishes(b, a), _RP, _RR)
_declare("includes", _includes, _RP, _RR)
_declare("during", lambda a, b: _includes(b, a), _PR, _RR)
_declare("starts", _starts, _PR, _RR)
_declare("started by", lambda a, b: _starts(b, a), _RP, _RR)
_declare("coincides", _coincides, _PP, _RR)


@builtin("range(from: s)")
def range_from_text(_meter: Meter, said: str) -> Range | None:
    """`[1..5)`, `(..10]`, `["a".."c"]`, `[@"2020-01-01"..@"2020-12-31"]`."""
    said = said.strip()
    if len(said) < 4 or said[0] not in "[(]" or said[-1] not in "])[" or ".." not in said:
        return None
    left, _, right = said[1:-1].partition("..")
    low, high = _end(left.strip()), _end(right.strip())
    low_closed, high_closed = said[0] == "[", said[-1] == "]"
    if (left.strip() and low is None) or (right.strip() and high is None) or (low is None and high is None):
        return None
    if (low is None and low_closed) or (high is None and high_closed):
        return None
    if low is not None and high is not None and (compare(low, high) is None or (compare(low, high) or 0) > 0):
        return None
    return Range(low, high, low_closed, high_closed)


def _end(said: str) -> Any:
    if said.startswith('@"') and said.endswith('"'):
        return literal(said[2:-1])
    if said.startswith('"') and said.endswith('"') and len(said) > 1:
        return said[1:-1]
    for function in ("date and time", "date", "time", "duration"):
        if said.startswith(function + '("') and said.endswith('")'):
            return literal(said[len(function) + 2 : -2])
    try:
        value = Decimal(said) if said and len(said) < 50 else None
    except ArithmeticError:
        return None
    return value if value is not None and value.is_finite() else None
