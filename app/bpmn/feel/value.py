"""The values of FEEL: what they are, when two are equal, which comes first, how they cross to JSON. Pure.

Numbers are Decimal of 34 digits, strings str, booleans bool, null None, dates and times those of `datetime`,
days-and-time durations timedelta, the other durations `Months`, lists list, contexts dict with str keys.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, cast

from app.bpmn.feel.error import MAX_ITEMS, FeelError, Meter
from app.bpmn.feel.tree import TypeName
from app.text import Text

DECIMALS = Context(prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144, traps=[])
"""IEEE 754 decimal128, as the standard demands. Nothing traps: what is not a number becomes null."""

_EXACT_BITS = 112  # of an int that 34 digits hold
_MAX_BITS = 20_000  # of an int that comes from outside
_MAX_NESTING = 100  # of lists and contexts that come from outside or go there


@dataclass(frozen=True, slots=True)
class Months:
    """A years-and-months duration."""

    months: int

    def __str__(self) -> str:
        return _months_text(self.months)


@dataclass(frozen=True, slots=True)
class Range:
    """An end of None has no bound."""

    low: Any
    high: Any
    low_closed: bool
    high_closed: bool

    def __str__(self) -> str:
        return text(self)

    def includes(self, value: Any) -> bool | None:
        """Null when the value cannot be compared with an end."""
        if self.low is not None:
            order = compare(self.low, value)
            if order is None:
                return None
            if order > 0 or (order == 0 and not self.low_closed):
                return False
        if self.high is not None:
            order = compare(value, self.high)
            if order is None:
                return None
            if order > 0 or (order == 0 and not self.high_closed):
                return False
        return True


class Function:
    """Anything that can be called: `call(meter, args, names)`; `names` empty or one for each argument.

    `takes`: the types of its parameters, empty when it does not say; `gives`: that of its result, if known.
    """

    __slots__ = ("arity", "gives", "name", "takes")

    def __init__(
        self, name: str, arity: int, takes: tuple[TypeName, ...] = (), gives: TypeName | None = None
    ) -> None:
        self.name = name
        self.arity = arity
        self.takes = takes
        self.gives = gives

    def call(self, meter: Meter, args: list[Any], names: tuple[str, ...] = ()) -> Any:
        raise NotImplementedError


def number(value: Decimal) -> Decimal | None:
    """Rounded to 34 digits; null when it is none (division by zero, overflow)."""
    rounded = DECIMALS.plus(value)
    return rounded if rounded.is_finite() else None


def from_python(value: Any, depth: int = 0) -> Any:  # noqa: PLR0911
    """A value of a flow's data, of JSON, or of FEEL itself, as FEEL. What FEEL cannot hold becomes null."""
    kind = cast("type[Any]", type(value))
    if kind in _OWN:
        return value
    if kind is int:
        if value.bit_length() <= _EXACT_BITS:
            return Decimal(value)
        return number(Decimal(value)) if value.bit_length() <= _MAX_BITS else None
    if kind is Decimal:
        return number(value)
    if kind is float:
        return number(Decimal(repr(value)))
    if depth > _MAX_NESTING:
        raise _too_deep()
    if isinstance(value, Mapping):
        entries = cast("Mapping[Any, Any]", value)
        return {str(name): from_python(entry, depth + 1) for name, entry in entries.items()}
    if isinstance(value, (list, tuple)):
        return [from_python(item, depth + 1) for item in cast("list[Any]", value)]
    return _from_relative(value)


def _from_relative(value: Any) -> Any:
    """Subclasses of what FEEL knows (enums, library numbers); anything else is null."""
    if isinstance(value, Function):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return from_python(int(value))
    return None


_OWN = frozenset({str, bool, type(None), date, datetime, time, timedelta, Months, Range})


def same(left: Any, right: Any, meter: Meter) -> bool | None:  # noqa: PLR0911
    """`left = right`: null when they are of different kinds; anything may be compared with null."""
    if left is None or right is None:
        return left is right
    if type(left) is not type(right):
        return None
    if type(left) is list:
        return _same_lists(cast("list[Any]", left), cast("list[Any]", right), meter)
    if type(left) is dict:
        return _same_contexts(cast("dict[str, Any]", left), cast("dict[str, Any]", right), meter)
    if type(left) is Range:
        return _same_ranges(left, cast(Range, right), meter)
    if isinstance(left, Function):
        return left is right
    if isinstance(left, (datetime, time)) and not _zones_agree(left, right):
        return False
    return left == right


def _zones_agree(left: datetime | time, right: datetime | time) -> bool:
    """Whether both have a zone or neither. A time alone does not say what a named zone's offset is: there the
    names must be the same."""
    if (left.tzinfo is None) != (right.tzinfo is None):
        return False
    named = (getattr(left.tzinfo, "key", None), getattr(right.tzinfo, "key", None))
    return not isinstance(left, time) or named[0] == named[1]


def _same_lists(left: list[Any], right: list[Any], meter: Meter) -> bool:
    meter.spend(1 + min(len(left), len(right)))
    return len(left) == len(right) and all(
        same(a, b, meter) is True for a, b in zip(left, right, strict=True)
    )


def _same_contexts(left: dict[str, Any], right: dict[str, Any], meter: Meter) -> bool:
    meter.spend(1 + min(len(left), len(right)))
    return left.keys() == right.keys() and all(same(left[name], right[name], meter) is True for name in left)


def _same_ranges(left: Range, right: Range, meter: Meter) -> bool:
    meter.spend(1)
    closed = (left.low_closed, left.high_closed) == (right.low_closed, right.high_closed)
    return closed and same(left.low, right.low, meter) is True and same(left.high, right.high, meter) is True


def compare(left: Any, right: Any) -> int | None:
    """-1, 0 or 1; null when the two have no order."""
    if type(left) is not type(right) or type(left) not in _ORDERED:
        return None
    if type(left) is Months:
        left, right = left.months, cast(Months, right).months
    try:
        return -1 if left < right else 1 if left > right else 0
    except TypeError:  # one moment with a zone, one without
        return None


_ORDERED = frozenset({Decimal, str, date, datetime, time, timedelta, Months})


def items(value: Any) -> list[Any]:
    """A list as it is, null as no items, anything else as a list of itself."""
    if type(value) is list:
        return cast("list[Any]", value)
    return [] if value is None else [value]


# -- to JSON ------------------------------------------------------------------------------------------------


def to_json(value: Any) -> Any:
    """What `json` can write: whole numbers int, others float (17 digits), moments and durations ISO text."""
    return _jsonable(value, _plain_number, Meter(MAX_ITEMS * 4), 0)


def dumps(value: Any) -> str:
    """JSON text with every digit of every number."""
    return _write(_jsonable(value, _ExactNumber, Meter(MAX_ITEMS * 4), 0))


class _ExactNumber:
    """A number as its digits."""

    __slots__ = ("digits",)

    def __init__(self, value: Decimal) -> None:
        self.digits = number_text(value)


def _write(value: Any) -> str:
    """JSON text. The stock encoder knows no exact decimals."""
    if type(value) is _ExactNumber:
        return value.digits
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value).items()
        return "{" + ", ".join(f"{_write(name)}: {_write(entry)}" for name, entry in entries) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_write(item) for item in cast("list[Any]", value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _plain_number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() and abs(value) < 10**34 else float(value)


def _jsonable(value: Any, of_number: Any, meter: Meter, depth: int) -> Any:
    if value is None or type(value) in (str, bool):
        return value
    if type(value) is Decimal:
        return of_number(value)
    if isinstance(value, Function):
        return None
    meter.spend()
    if depth > _MAX_NESTING:
        raise _too_deep()
    if type(value) is list:
        return [_jsonable(item, of_number, meter, depth + 1) for item in cast("list[Any]", value)]
    if type(value) is dict:
        entries = cast("dict[str, Any]", value)
        return {name: _jsonable(entry, of_number, meter, depth + 1) for name, entry in entries.items()}
    return text(value)


def _too_deep() -> FeelError:
    return FeelError(
        0,
        Text(
            f"数据嵌套过深：最多 {_MAX_NESTING} 层",
            f"The data is nested too deeply: at most {_MAX_NESTING} levels",
        ),
    )


# -- to text ------------------------------------------------------------------------------------------------


def number_text(value: Decimal) -> str:
    """Digits without an exponent and without useless zeros: 1, 0.5, -20."""
    said = format(value, "f")
    if "." in said:
        said = said.rstrip("0").rstrip(".")
    return "0" if said in ("-0", "") else said


def text(value: Any, meter: Meter | None = None, *, quoted: bool = False) -> str:  # noqa: PLR0911
    """As FEEL's `string()` says it; strings inside lists and contexts stand in quotes."""
    meter = meter or Meter()
    meter.spend()
    if type(value) is str:
        return json.dumps(value, ensure_ascii=False) if quoted else value
    if value is None:
        return "null"
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is Decimal:
        return number_text(value)
    if type(value) is list:
        inside = ", ".join(text(item, meter, quoted=True) for item in cast("list[Any]", value))
        return _spent(f"[{inside}]", meter)
    if type(value) is dict:
        entries = cast("dict[str, Any]", value)
        inside = ", ".join(
            f"{_key(name)}: {text(entry, meter, quoted=True)}" for name, entry in entries.items()
        )
        return _spent("{" + inside + "}", meter)
    if type(value) is Range:
        return _range_text(value, meter)
    if isinstance(value, Function):
        return f"function {value.name}"
    return moment_text(value)


def _spent(said: str, meter: Meter) -> str:
    meter.spend(len(said) // 100)
    return said


def _key(name: str) -> str:
    return (
        name if name.replace("_", "a").replace(" ", "a").isalnum() else json.dumps(name, ensure_ascii=False)
    )


def _range_text(value: Range, meter: Meter) -> str:
    if value.low is None:
        return f"({'<=' if value.high_closed else '<'} {text(value.high, meter, quoted=True)})"
    if value.high is None:
        return f"({'>=' if value.low_closed else '>'} {text(value.low, meter, quoted=True)})"
    low, high = text(value.low, meter, quoted=True), text(value.high, meter, quoted=True)
    return f"{'[' if value.low_closed else '('}{low}..{high}{']' if value.high_closed else ')'}"


def moment_text(value: Any) -> str:
    """ISO 8601; a zone by its name when it was given by name: `13:00:00@Europe/Paris`."""
    if type(value) is Months:
        return _months_text(value.months)
    if type(value) is timedelta:
        return _duration_text(value)
    if isinstance(value, (datetime, time)):
        said = value.replace(tzinfo=None).isoformat()
        bare = said.rstrip("0") if value.microsecond else said
        key = getattr(value.tzinfo, "key", None)
        if key is not None:
            return f"{bare}@{key}"
        if value.tzinfo is None:
            return bare
        offset = value.isoformat()[len(said) :]
        return bare + ("Z" if offset == "+00:00" else offset)
    return cast(date, value).isoformat()


def _months_text(months: int) -> str:
    years, rest = divmod(abs(months), 12)
    said = (f"{years}Y" if years else "") + (f"{rest}M" if rest else "")
    return ("-" if months < 0 else "") + "P" + (said or "0M")


def _duration_text(duration: timedelta) -> str:
    sign = "-" if duration < timedelta() else ""
    duration = abs(duration)
    hours, seconds = divmod(duration.seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    parts = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if seconds or duration.microseconds:
        fraction = f".{duration.microseconds:06d}".rstrip("0") if duration.microseconds else ""
        parts += f"{seconds}{fraction}S"
    days = f"{duration.days}D" if duration.days else ""
    return f"{sign}P{days}{'T' + parts if parts else ''}" if days or parts else "PT0S"
