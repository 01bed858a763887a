"""Built-in functions over lists. Pure. Source: DMN 1.5, table 77."""

import functools
import itertools
from decimal import Decimal
from typing import Any, cast

from app.bpmn.feel.arithmetic import compute
from app.bpmn.feel.builtin import builtin
from app.bpmn.feel.error import MAX_ITEMS, FeelError, Meter
from app.bpmn.feel.value import DECIMALS, Function, compare, number, same
from app.text import Text


def check_items(count: int, meter: Meter) -> None:
    """Refuses (FeelError) a list of more than MAX_ITEMS."""
    meter.spend(count)
    if count > MAX_ITEMS:
        raise FeelError(
            0, Text(f"列表过长：最多 {MAX_ITEMS} 项", f"A list grows too long: at most {MAX_ITEMS} items")
        )


def _numbers(values: list[Any]) -> list[Decimal] | None:
    return cast("list[Decimal]", values) if values and all(type(v) is Decimal for v in values) else None


@builtin("list contains(list: l, element: any)")
def list_contains(meter: Meter, values: list[Any], element: Any) -> bool:
    return any(same(value, element, meter) is True for value in values)


@builtin("count(list: l)")
def count(_meter: Meter, values: list[Any]) -> Decimal:
    return Decimal(len(values))


@builtin("min(list*: one)")
def minimum(_meter: Meter, values: list[Any]) -> Any:
    return _extreme(values, -1)


@builtin("max(list*: one)")
def maximum(_meter: Meter, values: list[Any]) -> Any:
    return _extreme(values, 1)


def _extreme(values: list[Any], sign: int) -> Any:
    if not values or compare(values[0], values[0]) is None:
        return None
    best = values[0]
    for value in values[1:]:
        order = compare(value, best)
        if order is None:
            return None
        if order == sign:
            best = value
    return best


@builtin("sum(list*: one)")
def total(meter: Meter, values: list[Any]) -> Any:
    if not values:
        return None
    result = values[0]
    if type(result) is str or compare(result, result) is None:
        return None
    for value in values[1:]:
        result = compute("+", result, value, meter)
    return result


@builtin("product(list*: one)")
def product(_meter: Meter, values: list[Any]) -> Decimal | None:
    numbers = _numbers(values)
    return None if numbers is None else number(functools.reduce(DECIMALS.multiply, numbers))


@builtin("mean(list*: one)")
def mean(meter: Meter, values: list[Any]) -> Any:
    whole = total(meter, values)
    return compute("/", whole, Decimal(len(values)), meter) if values else None


@builtin("median(list*: one)")
def median(_meter: Meter, values: list[Any]) -> Decimal | None:
    numbers = _numbers(values)
    if numbers is None:
        return None
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return number(DECIMALS.divide(DECIMALS.add(ordered[middle - 1], ordered[middle]), Decimal(2)))


@builtin("stddev(list*: one)")
def stddev(_meter: Meter, values: list[Any]) -> Decimal | None:
    numbers = _numbers(values)
    if numbers is None or len(numbers) < 2:
        return None
    average = DECIMALS.divide(functools.reduce(DECIMALS.add, numbers), Decimal(len(numbers)))
    squares = (DECIMALS.power(DECIMALS.subtract(n, average), Decimal(2)) for n in numbers)
    return number(
        DECIMALS.sqrt(DECIMALS.divide(functools.reduce(DECIMALS.add, squares), Decimal(len(numbers) - 1)))
    )


@builtin("mode(list*: one)")
def mode(_meter: Meter, values: list[Any]) -> list[Decimal] | None:
    if not values:
        return []
    numbers = _numbers(values)
    if numbers is None:
        return None
    often: dict[Decimal, int] = {}
    for value in numbers:
        often[value] = often.get(value, 0) + 1
    most = max(often.values())
    return sorted(value for value, times in often.items() if times == most)


@builtin("all(list*: one)")
@builtin("and(list*: one)")
def every(_meter: Meter, values: list[Any]) -> bool | None:
    if any(value is False for value in values):
        return False
    return True if all(value is True for value in values) else None


@builtin("any(list*: one)")
@builtin("or(list*: one)")
def some(_meter: Meter, values: list[Any]) -> bool | None:
    if any(value is True for value in values):
        return True
    return False if all(value is False for value in values) else None


@builtin("sublist(list: l, start position: n, length?: n)")
def sublist(
    _meter: Meter, values: list[Any], start: Decimal, length: Decimal | None = None
) -> list[Any] | None:
    first = int(start)
    if first == 0 or abs(first) > len(values) or (length is not None and length < 0):
        return None
    begin = first - 1 if first > 0 else len(values) + first
    if length is None:
        return values[begin:]
    return values[begin : begin + int(length)] if begin + int(length) <= len(values) else None


@builtin("append(list: l, item*: many)")
def append(meter: Meter, values: list[Any], more: list[Any]) -> list[Any]:
    check_items(len(values) + len(more), meter)
    return [*values, *more]


@builtin("concatenate(list*: many)")
def concatenate(meter: Meter, lists: list[Any]) -> list[Any]:
    joined: list[Any] = []
    for values in lists:
        added = cast("list[Any]", values) if type(values) is list else [values]
        check_items(len(joined) + len(added), meter)
        joined.extend(added)
    return joined


@builtin("insert before(list: l, position: n, newItem: any)")
def insert_before(meter: Meter, values: list[Any], position: Decimal, item: Any) -> list[Any] | None:
    index = _index(values, position)
    if index is None:
        return None
    check_items(len(values) + 1, meter)
    return [*values[:index], item, *values[index:]]


@builtin("remove(list: l, position: n)")
def remove(_meter: Meter, values: list[Any], position: Decimal) -> list[Any] | None:
    index = _index(values, position)
    return None if index is None else values[:index] + values[index + 1 :]


def _index(values: list[Any], position: Decimal) -> int | None:
    """From 1 or -1 to an index from 0; null outside the list."""
    place = int(position) if position == position.to_integral_value() else 0
    if place == 0 or abs(place) > len(values):
        return None
    return place - 1 if place > 0 else len(values) + place


@builtin("list replace(list: l, position: n, newItem: any)")
def list_replace(_meter: Meter, values: list[Any], position: Decimal, item: Any) -> list[Any] | None:
    index = _index(values, position)
    return None if index is None else [*values[:index], item, *values[index + 1 :]]


@builtin("list replace(list: l, match: function, newItem: any)")
def list_replace_by(meter: Meter, values: list[Any], match: Function, item: Any) -> list[Any] | None:
    fits = [match.call(meter, [value, item]) for value in values]
    if not all(type(fit) is bool for fit in fits):
        return None
    return [item if fit else value for value, fit in zip(values, fits, strict=True)]


@builtin("reverse(list: l)")
def reverse(_meter: Meter, values: list[Any]) -> list[Any]:
    return values[::-1]


@builtin("index of(list: l, match: any)")
def index_of(meter: Meter, values: list[Any], match: Any) -> list[Decimal]:
    return [Decimal(place) for place, value in enumerate(values, 1) if same(value, match, meter) is True]


@builtin("union(list*: many)")
def union(meter: Meter, lists: list[Any]) -> list[Any]:
    return distinct_values(meter, concatenate(meter, lists))


@builtin("distinct values(list: l)")
def distinct_values(meter: Meter, values: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for value in values:
        meter.spend(1 + len(kept) // 10)
        if not any(same(value, other, meter) is True for other in kept):
            kept.append(value)
    return kept


@builtin("duplicate values(list: l)")
def duplicate_values(meter: Meter, values: list[Any]) -> list[Any]:
    once: list[Any] = []
    twice: list[Any] = []
    for value in values:
        meter.spend(1 + len(once) // 10)
        known = any(same(value, other, meter) is True for other in once)
        if not known:
            once.append(value)
        elif not any(same(value, other, meter) is True for other in twice):
            twice.append(value)
    return twice


@builtin("flatten(list: l)")
def flatten(meter: Meter, values: list[Any]) -> list[Any]:
    flat: list[Any] = []
    waiting: list[Any] = list(reversed(values))
    while waiting:
        value = waiting.pop()
        meter.spend()
        if type(value) is list:
            check_items(len(cast("list[Any]", value)), meter)
            waiting.extend(reversed(cast("list[Any]", value)))
        else:
            flat.append(value)
    return flat


@builtin("sort(list: l, precedes?: function)")
def sort(meter: Meter, values: list[Any], precedes: Function | None = None) -> list[Any] | None:
    if precedes is None:
        if any(compare(a, b) is None for a, b in itertools.pairwise(values)):
            return None
        return sorted(values, key=functools.cmp_to_key(lambda a, b: compare(a, b) or 0))

    def order(left: Any, right: Any) -> int:
        if precedes.call(meter, [left, right]) is True:
            return -1
        return 1 if precedes.call(meter, [right, left]) is True else 0

    return sorted(values, key=functools.cmp_to_key(order))
