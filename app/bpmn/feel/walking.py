"""Going through the items of a list or range: filters and loops. Pure."""

from collections.abc import Generator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

from app.bpmn.feel.error import Meter
from app.bpmn.feel.scope import Run, Scope
from app.bpmn.feel.value import Range


class NotIterable(Exception):
    """A loop over what cannot be walked: the whole loop is null."""


def filtered(values: list[Any], by: Run, scope: Scope) -> Any:
    """`values[by]`: one item when `by` is a number, else those for which it is true."""
    kept: list[Any] = []
    if not values:
        return None if type(by(scope)) is Decimal else kept
    for position, item in enumerate(values):
        scope.meter.spend()
        inside = scope.child({"item": item})
        if type(item) is dict:
            inside = inside.child(cast("dict[str, Any]", item))
        answer = by(inside)
        if position == 0 and type(answer) is Decimal:
            return _at(values, answer)
        if answer is True:
            kept.append(item)
    return kept


def _at(values: list[Any], place: Decimal) -> Any:
    if place != place.to_integral_value() or not 1 <= abs(place) <= len(values):
        return None
    return values[int(place) - 1 if place > 0 else int(place)]


def can_be_walked(source: Any) -> bool:
    """Null cannot, nor a range whose ends cannot be counted from one to the other."""
    if type(source) is not Range:
        return source is not None
    low, high = source.low, source.high
    if type(low) is not type(high) or type(low) not in (Decimal, date):
        return False
    return type(low) is date or (low == low.to_integral_value() and high == high.to_integral_value())


def each_item(source: Any, meter: Meter) -> Generator[Any]:
    if type(source) is list:
        for value in cast("list[Any]", source):
            meter.spend()
            yield value
    elif type(source) is Range:
        yield from _counted(source, meter)
    elif source is not None:
        meter.spend()
        yield source


def _counted(source: Range, meter: Meter) -> Generator[Any]:
    """Whole numbers or days, one by one, up or down."""
    if not can_be_walked(source):
        return
    low, high = source.low, source.high
    up = low <= high
    step: Any = Decimal(1 if up else -1) if type(low) is Decimal else timedelta(days=1 if up else -1)
    value = low if source.low_closed else low + step
    while (
        (value < high or (value == high and source.high_closed))
        if up
        else (value > high or (value == high and source.high_closed))
    ):
        meter.spend()
        yield value
        if value in (date.max, date.min):
            return
        value = value + step
