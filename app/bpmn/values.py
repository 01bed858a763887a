"""What may be stored in an instance: JSON values, copied deeply on the way in. Pure."""

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, cast

from app.bpmn import feel

MAX_DEPTH = 40


def plain(value: object, depth: int = 0) -> Any:
    """A deep copy of `value` in JSON's words: decimals as numbers, moments and durations as ISO text.

    Branches never share what they may change: hence a copy, always. Any user key is
    welcome; keys become strings. Raises ValueError for what is nested deeper than 40 or cannot be said in JSON.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value).items()
        return {str(k): plain(v, depth + 1) for k, v in pairs}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v, depth + 1) for v in cast("list[object]", value)]
    return _single(value)


def _single(value: object) -> Any:
    """FEEL's own values (durations of years and months, ranges) have words of their own; nothing else is let in."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return iso_duration(value)
    if type(value).__module__.startswith("app.bpmn.feel"):
        return feel.to_json(value)
    raise ValueError(f"{type(value).__name__} cannot be stored in a flow")


def iso_duration(value: timedelta) -> str:
    seconds = value.total_seconds()
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    days, rest = divmod(seconds, 86_400)
    text = f"{sign}P{int(days)}D" if days else f"{sign}P"
    if rest:
        text += f"T{rest:g}S" if rest != int(rest) else f"T{int(rest)}S"
    return text if text[-1] != "P" else "PT0S"
