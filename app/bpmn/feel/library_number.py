"""Built-in functions over numbers and booleans. Pure. Source: DMN 1.5, tables 75 and 78."""

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
)
from typing import Any

from app.bpmn.feel.arithmetic import negative
from app.bpmn.feel.builtin import builtin
from app.bpmn.feel.error import Meter
from app.bpmn.feel.value import DECIMALS, Months, compare, moment_text, number, same

_WIDE = Context(prec=6_200, Emin=-999_999, Emax=999_999, traps=[])


def _scaled(value: Decimal, scale: Decimal, rounding: str) -> Decimal | None:
    """Rounded to `scale` decimal places; null for a scale that no number has."""
    places = int(scale)
    if not -6111 <= places <= 6176:
        return None
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent <= places:
        return value
    return number(value.quantize(Decimal(1).scaleb(-places), rounding, _WIDE))


def _rounder(name: str, rounding: str) -> None:
    @builtin(name)
    def run(_meter: Meter, value: Decimal, scale: Decimal | None = None) -> Decimal | None:  # pyright: ignore[reportUnusedFunction]
        return _scaled(value, scale if scale is not None else Decimal(0), rounding)


_rounder("decimal(n: n, scale: n)", ROUND_HALF_EVEN)
_rounder("floor(n: n, scale?: n)", ROUND_FLOOR)
_rounder("ceiling(n: n, scale?: n)", ROUND_CEILING)
_rounder("round up(n: n, scale: n)", ROUND_UP)
_rounder("round down(n: n, scale: n)", ROUND_DOWN)
_rounder("round half up(n: n, scale: n)", ROUND_HALF_UP)
_rounder("round half down(n: n, scale: n)", ROUND_HALF_DOWN)


@builtin("abs(n: n)")
def absolute(_meter: Meter, value: Decimal) -> Decimal:
    return abs(value)


@builtin("abs(n: days)")
@builtin("abs(n: months)")
def absolute_duration(_meter: Meter, value: Any) -> Any:
    zero = Months(0) if type(value) is Months else type(value)()
    return negative(value) if (compare(value, zero) or 0) < 0 else value


@builtin("modulo(dividend: n, divisor: n)")
def modulo(_meter: Meter, dividend: Decimal, divisor: Decimal) -> Decimal | None:
    """dividend - divisor × floor(dividend ÷ divisor): the sign is the divisor's."""
    if not divisor:
        return None
    rest = DECIMALS.remainder(dividend, divisor)
    if rest.is_finite() and rest and (rest < 0) != (divisor < 0):
        rest = DECIMALS.add(rest, divisor)
    return number(rest)


@builtin("sqrt(number: n)")
def sqrt(_meter: Meter, value: Decimal) -> Decimal | None:
    return number(DECIMALS.sqrt(value)) if value >= 0 else None


@builtin("log(number: n)")
def log(_meter: Meter, value: Decimal) -> Decimal | None:
    return number(DECIMALS.ln(value)) if value > 0 else None


@builtin("exp(number: n)")
def exp(_meter: Meter, value: Decimal) -> Decimal | None:
    return number(DECIMALS.exp(value))


@builtin("odd(number: n)")
def odd(_meter: Meter, value: Decimal) -> bool:
    return abs(DECIMALS.remainder(value, Decimal(2))) == 1


@builtin("even(number: n)")
def even(_meter: Meter, value: Decimal) -> bool:
    return DECIMALS.remainder(value, Decimal(2)) == 0


@builtin("not(negand: any)")
def negation(_meter: Meter, value: Any) -> bool | None:
    return not value if type(value) is bool else None


@builtin("is(value1: any, value2: any)")
def is_same(meter: Meter, left: Any, right: Any) -> bool:
    if type(left) is not type(right):
        return False
    if hasattr(left, "tzinfo"):  # 12:00Z is not 12:00+00:00 by name only where a zone is named
        return moment_text(left) == moment_text(right)
    return same(left, right, meter) is True
