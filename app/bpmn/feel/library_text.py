"""Built-in functions over strings. Pure. Source: DMN 1.5, table 76.

Patterns run in the `regex` library under a time limit, so that a malicious one gives null instead of hanging.
"""

from decimal import Decimal
from functools import lru_cache
from typing import Any

import regex

from app.bpmn.feel.arithmetic import check_string
from app.bpmn.feel.builtin import builtin
from app.bpmn.feel.error import MAX_ITEMS, Meter
from app.bpmn.feel.patterns import NotAPattern, compiled
from app.bpmn.feel.value import number, text

_MAX_PATTERN = 1_000
_PATTERN_TIME_S = 0.05
_PATTERN_STEPS = 500  # what one matching costs the meter: at most 400 matchings in an evaluation


@lru_cache(maxsize=512)
def _pattern(said: str, flags: str) -> "regex.Pattern[str] | None":
    """The pattern compiled; None when it is none, too long, or asks for a flag that does not exist."""
    if len(said) > _MAX_PATTERN:
        return None
    try:
        return compiled(said, flags)
    except (NotAPattern, regex.error, RecursionError, OverflowError):
        return None


@builtin("substring(string: s, start position: n, length?: n)")
def substring(_meter: Meter, string: str, start: Decimal, length: Decimal | None = None) -> str | None:
    first = int(start)
    if first == 0 or abs(first) > len(string) or (length is not None and length < 1):
        return None
    begin = first - 1 if first > 0 else len(string) + first
    return string[begin:] if length is None else string[begin : begin + int(length)]


@builtin("string length(string: s)")
def string_length(_meter: Meter, string: str) -> Decimal:
    return Decimal(len(string))


@builtin("upper case(string: s)")
def upper_case(_meter: Meter, string: str) -> str:
    return string.upper()


@builtin("lower case(string: s)")
def lower_case(_meter: Meter, string: str) -> str:
    return string.lower()


@builtin("trim(string: s)")
def trim(_meter: Meter, string: str) -> str:
    return string.strip()


@builtin("substring before(string: s, match: s)")
def substring_before(_meter: Meter, string: str, match: str) -> str:
    before, found, _ = string.partition(match) if match else ("", "", "")
    return before if found else ""


@builtin("substring after(string: s, match: s)")
def substring_after(_meter: Meter, string: str, match: str) -> str:
    if not match:
        return string
    return string.partition(match)[2]


@builtin("contains(string: s, match: s)")
def contains(_meter: Meter, string: str, match: str) -> bool:
    return match in string


@builtin("starts with(string: s, match: s)")
def starts_with(_meter: Meter, string: str, match: str) -> bool:
    return string.startswith(match)


@builtin("ends with(string: s, match: s)")
def ends_with(_meter: Meter, string: str, match: str) -> bool:
    return string.endswith(match)


@builtin("matches(input: s, pattern: s, flags?: s)")
def matches(meter: Meter, string: str, pattern: str, flags: str | None = None) -> bool | None:
    known = _pattern(pattern, flags or "")
    meter.spend(_PATTERN_STEPS)
    if known is None:
        return None
    try:
        return known.search(string, timeout=_PATTERN_TIME_S) is not None
    except TimeoutError:
        return None


@builtin("replace(input: s, pattern: s, replacement: s, flags?: s)")
def replace(meter: Meter, string: str, pattern: str, to: str, flags: str | None = None) -> str | None:
    known = _pattern(pattern, flags or "")
    meter.spend(_PATTERN_STEPS)
    if known is None or len(string) * (len(to) + 1) > 50_000_000:
        return None
    literal = "q" in (flags or "")
    if not literal and not _REPLACEMENT.fullmatch(to):
        return None
    template = to.replace("\\", "\\\\") if literal else _template(to, known.groups)
    try:
        return check_string(known.sub(template, string, timeout=_PATTERN_TIME_S), meter)
    except (TimeoutError, regex.error, IndexError):
        return None


_REPLACEMENT = regex.compile(r"(?:[^\\$]|\$\d|\\[\\$])*+")


def _template(to: str, groups: int) -> str:
    r"""`$1` of XPath as `\g<1>`; a group that does not exist is empty; `\$` is a dollar."""

    def one(found: "regex.Match[str]") -> str:
        said: str = found.group()
        if said.startswith("$"):
            return f"\\g<{said[1:]}>" if int(said[1:]) <= groups else ""
        return said[1:].replace("\\", "\\\\")

    return regex.sub(r"\$\d|\\[\\$]", one, to)


@builtin("split(string: s, delimiter: s)")
def split(meter: Meter, string: str, delimiter: str) -> list[str] | None:
    known = _pattern(delimiter, "")
    meter.spend(_PATTERN_STEPS)
    if known is None:
        return None
    parts: list[str] = []
    position = 0
    try:
        for found in known.finditer(string, timeout=_PATTERN_TIME_S):
            if found.end() == found.start():
                continue
            parts.append(string[position : found.start()])
            position = found.end()
            meter.spend()
    except TimeoutError:
        return None
    return [*parts, string[position:]]


@builtin("string join(list: l, delimiter?: s, prefix?: s, suffix?: s)")
def string_join(
    meter: Meter,
    parts: list[Any],
    delimiter: str | None = None,
    prefix: str | None = None,
    suffix: str | None = None,
) -> str | None:
    said = [part for part in parts if part is not None]
    if not all(type(part) is str for part in said):
        return None
    meter.spend(sum(len(part) for part in said) // 100)
    return check_string(f"{prefix or ''}{(delimiter or '').join(said)}{suffix or ''}", meter)


@builtin("string(from: any)")
def string(meter: Meter, value: Any) -> str | None:
    return None if value is None else check_string(text(value, meter), meter)


_NUMBER = regex.compile(r"-?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,4})?")


@builtin("number(from: s)")
def to_number(_meter: Meter, said: str) -> Decimal | None:
    return number(Decimal(said)) if len(said) <= MAX_ITEMS and _NUMBER.fullmatch(said) else None


@builtin("number(from: n)")
def number_of_number(_meter: Meter, value: Decimal) -> Decimal:
    return value


@builtin("number(from: s, grouping separator: any, decimal separator: any)")
def to_number_with_signs(meter: Meter, said: str, grouping: Any, point: Any) -> Decimal | None:
    if (
        grouping not in (None, " ", ",", ".")
        or point not in (None, ".", ",")
        or (grouping is not None and grouping == point)
    ):
        return None
    bare = said.replace(grouping, "") if grouping else said
    return to_number(meter, bare.replace(point, ".") if point else bare)
