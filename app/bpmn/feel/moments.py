"""Dates, times and durations from text, and their parts. Pure. Source: DMN 1.5, clause 10.3.4.1; ISO 8601."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from app.bpmn.feel.value import Months

_DATE = re.compile(r"(-?(?:\d{4}|[1-9]\d{4,8}))-(\d\d)-(\d\d)")
_TIME = re.compile(
    r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|z|[+-]\d\d:\d\d(?::\d\d)?|@[A-Za-z_]+(?:[/+\-0-9A-Za-z_]+)*)?"
)
_DAYS = re.compile(
    r"(-?)P(?:(\d{1,12})D)?(?:T(?:(\d{1,12})H)?(?:(\d{1,12})M)?(?:(\d{1,12})(?:\.(\d{0,9}))?S)?)?"
)
_MONTHS = re.compile(r"(-?)P(?:(\d{1,9})Y)?(?:(\d{1,9})M)?")


def literal(said: str) -> Any:
    """What `@"…"` means: a date, a time, both, or a duration; null when it is none."""
    return parse_date(said) or parse_moment(said) or parse_time(said) or parse_duration(said)


def parse_date(said: str) -> date | None:
    found = _DATE.fullmatch(said)
    if not found:
        return None
    return make_date(*(int(part) for part in found.groups()))


def make_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except (ValueError, OverflowError):
        return None


def parse_time(said: str) -> time | None:
    found = _TIME.fullmatch(said)
    if not found:
        return None
    hour, minute, second, fraction, zone = found.groups()
    known, where = _zone(zone)
    if not known:
        return None
    try:
        return time(int(hour), int(minute), int(second), int((fraction or "0").ljust(6, "0")[:6]), where)
    except ValueError:
        return None


def parse_moment(said: str) -> datetime | None:
    """A date and time, joined by T."""
    day, joined, clock = said.partition("T")
    if not joined:
        return None
    on, at = parse_date(day), parse_time(clock)
    return None if on is None or at is None else datetime.combine(on, at)


def parse_duration(said: str) -> timedelta | Months | None:
    found = _MONTHS.fullmatch(said)
    if found and (found.group(2) or found.group(3)):
        months = int(found.group(2) or 0) * 12 + int(found.group(3) or 0)
        return Months(-months if found.group(1) else months)
    found = _DAYS.fullmatch(said)
    if not found or said.endswith(("P", "T")):
        return None
    sign, days, hours, minutes, seconds, fraction = found.groups()
    try:
        made = timedelta(
            days=int(days or 0),
            hours=int(hours or 0),
            minutes=int(minutes or 0),
            seconds=int(seconds or 0),
            microseconds=int((fraction or "0").ljust(6, "0")[:6]),
        )
        return -made if sign else made
    except OverflowError:
        return None


def _zone(said: str | None) -> tuple[bool, tzinfo | None]:
    """Whether the zone is one, and which; no zone is one too."""
    if not said:
        return True, None
    if said in ("Z", "z"):
        return True, UTC
    if said.startswith("@"):
        named = _named_zone(said[1:])
        return named is not None, named
    hours, minutes, *seconds = (int(part) for part in said[1:].split(":"))
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds[0] if seconds else 0)
    if offset > timedelta(hours=14) or minutes > 59:
        return False, None
    return True, timezone(-offset if said[0] == "-" else offset)


@lru_cache(maxsize=512)
def _named_zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # not a name, a directory, unknown
        return None


def offset_zone(offset: timedelta) -> timezone | None:
    return timezone(offset) if abs(offset) < timedelta(hours=24) else None


def add_months(on: date, months: int) -> date | None:
    """The same day so many months later, or the last day of a shorter month. Works for date and datetime."""
    total = on.year * 12 + on.month - 1 + months
    year, month = divmod(total, 12)
    for day in (on.day, 30, 29, 28):
        if day <= on.day:
            try:
                return on.replace(year=year, month=month + 1, day=day)
            except (ValueError, OverflowError):
                continue
    return None


def midnight(on: date) -> datetime:
    """A date as a moment: midnight UTC, as the standard maps it."""
    return datetime(on.year, on.month, on.day, tzinfo=UTC)


def months_between(start: date, end: date) -> int:
    """Whole months from start to end, negative when end comes first."""
    if end < start:
        return -months_between(end, start)
    whole = (end.year - start.year) * 12 + end.month - start.month
    return whole - 1 if end.day < start.day else whole


def part(value: Any, name: str) -> Any:
    """A property of a moment or duration: `year`, `time offset`, `days` …; null when it has no such part."""
    if type(value) is Months:
        years = int(value.months / 12)
        return {"years": Decimal(years), "months": Decimal(value.months - years * 12)}.get(name)
    if type(value) is timedelta:
        return _part_of_days(value, name)
    if isinstance(value, (date, datetime)):
        if name == "weekday":
            return Decimal(value.isoweekday())
        if name in ("year", "month", "day"):
            return Decimal(getattr(value, name))
    if isinstance(value, (time, datetime)):
        return _part_of_clock(value, name)
    return None


def _part_of_days(value: timedelta, name: str) -> Decimal | None:
    sign = -1 if value < timedelta() else 1
    value = abs(value)
    seconds = Decimal(value.seconds % 60) + Decimal(value.microseconds) / 1_000_000
    parts = {
        "days": Decimal(value.days),
        "hours": Decimal(value.seconds // 3600),
        "minutes": Decimal(value.seconds // 60 % 60),
        "seconds": seconds,
    }
    return parts[name] * sign if name in parts else None


def _part_of_clock(value: Any, name: str) -> Any:
    if name in ("hour", "minute"):
        return Decimal(getattr(value, name))
    if name == "second":
        return (
            Decimal(value.second) + Decimal(value.microsecond) / 1_000_000
            if value.microsecond
            else (Decimal(value.second))
        )
    if name == "time offset":
        return value.utcoffset()
    return getattr(value.tzinfo, "key", None) if name == "timezone" else None
