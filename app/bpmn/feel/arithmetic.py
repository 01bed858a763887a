"""+ - * / ** and the minus sign, over numbers, strings, moments and durations. Pure.

What has no meaning (a string minus a number, division by zero, a date past the year 9999) is null.
Source: DMN 1.5, tables 54 to 57.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, cast

from app.bpmn.feel.error import MAX_STRING, FeelError, Meter
from app.bpmn.feel.moments import add_months, midnight
from app.bpmn.feel.value import DECIMALS, Months, number
from app.text import Text

_MICROSECOND = timedelta(microseconds=1)


def compute(op: str, left: Any, right: Any, meter: Meter) -> Any:
    rule = _RULES.get((op, cast("type[Any]", type(left)), cast("type[Any]", type(right))))
    if rule is None:
        return None
    if type(left) is str:
        return _joined(left, right, meter)
    try:
        return rule(left, right)
    except (OverflowError, ArithmeticError, ValueError, TypeError):  # past the calendar's end; mixed zones
        return None


def negative(value: Any) -> Any:
    if type(value) is Decimal:
        return number(-value)
    if type(value) is timedelta:
        try:
            return -value
        except OverflowError:
            return None
    return Months(-value.months) if type(value) is Months else None


def check_string(said: str, meter: Meter) -> str:
    """The string, its length paid for. Refuses (FeelError) more than MAX_STRING characters."""
    meter.spend(1 + len(said) // 100)
    if len(said) > MAX_STRING:
        raise FeelError(
            0,
            Text(
                f"字符串过长：最多 {MAX_STRING} 个字符",
                f"A string grows too long: at most {MAX_STRING} characters",
            ),
        )
    return said


def _joined(left: str, right: str, meter: Meter) -> str:
    return check_string(left + right, meter)


def _power(base: Decimal, exponent: Decimal) -> Decimal | None:
    return number(DECIMALS.power(base, exponent))


def _moment_minus(left: date, right: date) -> timedelta:
    first = left if isinstance(left, datetime) else midnight(left)
    second = right if isinstance(right, datetime) else midnight(right)
    return first - second


def _time_minus(left: time, right: time) -> timedelta | None:
    if (left.tzinfo is None) != (right.tzinfo is None):
        return None
    return _since_midnight(left) - _since_midnight(right)


def _since_midnight(at: time) -> timedelta:
    seconds = timedelta(hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond)
    return seconds - (at.utcoffset() or timedelta())


def _time_plus(at: time, by: timedelta) -> time:
    moved = datetime.combine(date(2000, 1, 1), at.replace(tzinfo=None)) + timedelta(
        seconds=by.seconds, microseconds=by.microseconds
    )
    return moved.time().replace(tzinfo=at.tzinfo)


def _date_plus(on: date, by: timedelta) -> date:
    return (datetime(on.year, on.month, on.day) + by).date()


def _days_times(duration: timedelta, by: Decimal) -> timedelta:
    return timedelta(microseconds=int(Decimal(duration // _MICROSECOND) * by))


def _days_over(duration: timedelta, by: Decimal) -> timedelta | None:
    return timedelta(microseconds=int(Decimal(duration // _MICROSECOND) / by)) if by else None


def _months_times(duration: Months, by: Decimal) -> Months | None:
    months = duration.months * by
    return Months(int(months)) if abs(months) < 10**12 else None


def _months_over(duration: Months, by: Decimal) -> Months | None:
    return _months_times(duration, 1 / by) if by else None


def _ratio(left: int, right: int) -> Decimal | None:
    return number(DECIMALS.divide(Decimal(left), Decimal(right))) if right else None


_Rule = Callable[[Any, Any], Any]

_RULES: dict[tuple[str, type[Any], type[Any]], _Rule] = {
    ("+", Decimal, Decimal): lambda a, b: number(DECIMALS.add(a, b)),
    ("-", Decimal, Decimal): lambda a, b: number(DECIMALS.subtract(a, b)),
    ("*", Decimal, Decimal): lambda a, b: number(DECIMALS.multiply(a, b)),
    ("/", Decimal, Decimal): lambda a, b: number(DECIMALS.divide(a, b)) if b else None,
    ("**", Decimal, Decimal): _power,
    ("+", str, str): lambda a, b: a + b,
    ("-", time, time): _time_minus,
    ("+", time, timedelta): _time_plus,
    ("+", timedelta, time): lambda a, b: _time_plus(b, a),
    ("-", time, timedelta): lambda a, b: _time_plus(a, -b),
    ("+", date, timedelta): _date_plus,
    ("+", timedelta, date): lambda a, b: _date_plus(b, a),
    ("-", date, timedelta): lambda a, b: _date_plus(a, -b),
    ("+", datetime, timedelta): lambda a, b: a + b,
    ("+", timedelta, datetime): lambda a, b: b + a,
    ("-", datetime, timedelta): lambda a, b: a - b,
    ("+", timedelta, timedelta): lambda a, b: a + b,
    ("-", timedelta, timedelta): lambda a, b: a - b,
    ("+", Months, Months): lambda a, b: Months(a.months + b.months),
    ("-", Months, Months): lambda a, b: Months(a.months - b.months),
    ("*", timedelta, Decimal): _days_times,
    ("*", Decimal, timedelta): lambda a, b: _days_times(b, a),
    ("/", timedelta, Decimal): _days_over,
    ("/", timedelta, timedelta): lambda a, b: _ratio(a // _MICROSECOND, b // _MICROSECOND),
    ("*", Months, Decimal): _months_times,
    ("*", Decimal, Months): lambda a, b: _months_times(b, a),
    ("/", Months, Decimal): _months_over,
    ("/", Months, Months): lambda a, b: _ratio(a.months, b.months),
}
for _kind in (date, datetime):
    _RULES["+", _kind, Months] = lambda a, b: add_months(a, b.months)
    _RULES["+", Months, _kind] = lambda a, b: add_months(b, a.months)
    _RULES["-", _kind, Months] = lambda a, b: add_months(a, -b.months)
    for _other in (date, datetime):
        _RULES["-", _kind, _other] = _moment_minus
