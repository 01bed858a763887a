"""Timer texts: ISO 8601 durations, moments and repetitions, reckoned from a given now. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_DURATION = re.compile(
    r"(?P<sign>-)?P(?!$)(?:(?P<y>\d+)Y)?(?:(?P<mo>\d+)M)?(?:(?P<w>\d+(?:[.,]\d+)?)W)?(?:(?P<d>\d+(?:[.,]\d+)?)D)?"
    r"(?:T(?!$)(?:(?P<h>\d+(?:[.,]\d+)?)H)?(?:(?P<mi>\d+(?:[.,]\d+)?)M)?(?:(?P<s>\d+(?:[.,]\d+)?)S)?)?"
)
_WORKING = re.compile(r"P(?=\d|T\d)(?:(?P<d>\d{1,3})WD)?(?:T(?=\d)(?P<h>\d{1,4})WH)?", re.ASCII)
_REPEAT = re.compile(r"R(?P<times>\d*|-1)/(?P<rest>.+)")
LITERAL = re.compile(r"(-?P(?=T?\d|$)|R-?\d*/|\d{4}-\d{2}-\d{2}|\d{8}T)")
"""What a timer text must begin with to be taken as it stands; anything else is FEEL: `PaymentTerm` is a name."""
SCHEDULE = re.compile(r"@[a-z]+|[\d*][\d*,/-]*(?:\s+[\w*?,/#-]+){4,6}")
"""A schedule as `cron` has it (`0 0 9 * * ?`, `@daily`), which other engines take for a cycle. It says nothing here."""


@dataclass(frozen=True)
class Duration:
    """Calendar months and exact time, kept apart: a month has no fixed length."""

    months: int
    exact: timedelta

    def after(self, start: datetime) -> datetime:
        month = start.year * 12 + start.month - 1 + self.months
        year, month = divmod(month, 12)
        day = min(start.day, _last_day(year, month + 1))
        return start.replace(year=year, month=month + 1, day=day) + self.exact


@dataclass(frozen=True)
class WorkingTime:
    """`P3WD`, `PT4WH`, `P1WDT4WH`: working days, then working hours. What a working day is, a calendar says."""

    days: int
    hours: int


@dataclass(frozen=True)
class Repetition:
    """`R3/PT4H`: three times, every four hours. `times` is None for endless."""

    times: int | None
    first: datetime
    every: Duration


def duration(text: str) -> Duration:
    """Raises ValueError unless `text` is an ISO 8601 duration."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"not a duration: {text!r}")
    part = {
        name: float((value or "0").replace(",", "."))
        for name, value in found.groupdict().items()
        if name != "sign"
    }
    sign = -1 if found["sign"] else 1
    exact = timedelta(weeks=part["w"], days=part["d"], hours=part["h"], minutes=part["mi"], seconds=part["s"])
    return Duration(sign * int(part["y"] * 12 + part["mo"]), sign * exact)


def span(text: str) -> Duration | WorkingTime:
    """A duration that leads forward, in the world's time or in working time. Raises ValueError for anything else."""
    found = _WORKING.fullmatch(text.strip())
    if found is not None and (int(found["d"] or 0) or int(found["h"] or 0)):
        return WorkingTime(int(found["d"] or 0), int(found["h"] or 0))
    if found is not None:
        raise ValueError(f"leads nowhere: {text!r}")
    lasting = duration(text)
    if lasting.after(_SOME_DAY) <= _SOME_DAY:
        raise ValueError(f"leads nowhere: {text!r}")
    return lasting


_SOME_DAY = datetime(2026, 1, 1)


def moment(text: str, now: datetime) -> datetime:
    """An ISO date or moment; without a zone it is meant in the zone of `now`. A zone's name behind the offset, as
    Java writes it (`+02:00[Europe/Berlin]`), adds nothing to it."""
    found = datetime.fromisoformat(_ZONE_NAME.sub("", text.strip()))
    return found if found.tzinfo else found.replace(tzinfo=now.tzinfo)


_ZONE_NAME = re.compile(r"\[[A-Za-z0-9_/+-]+\]\Z")


def due(text: str, now: datetime) -> datetime:
    """When a date or a duration text falls due, seen from `now`."""
    return duration(text).after(now) if text.lstrip("-").startswith("P") else moment(text, now)


def repetition(text: str, now: datetime) -> Repetition:
    """`R[n]/duration`, `R[n]/start/duration`, `R[n]/start/end` or `R[n]/duration/end` (ISO 8601, clause 4.5); a
    duration alone is one round. An interval under one second is refused: it would never rest."""
    found = _REPEAT.fullmatch(text.strip() if text.lstrip().startswith("R") else f"R1/{text.strip()}")
    if found is None:
        raise ValueError(f"not a repetition: {text!r}")
    times = int(found["times"]) if found["times"] not in ("", "-1") else None
    start, slash, stop = found["rest"].rpartition("/")
    if not slash:
        every = duration(stop)
        first = every.after(now)
    elif start.startswith("P"):
        every = duration(start)
        first = every.after(now)
        times = _rounds(every, first, moment(stop, now), times)
    else:
        first = moment(start, now)
        every = duration(stop) if stop.startswith("P") else Duration(0, moment(stop, now) - first)
    if every.after(now) - now < timedelta(seconds=1):
        raise ValueError(f"repeats too fast: {text!r}")
    return Repetition(times, first, every)


def _rounds(every: Duration, first: datetime, stop: datetime, times: int | None) -> int:
    """How many rounds come before the end, at most `times` (else a bounded number)."""
    count, due, most = 0, first, _MOST_ROUNDS if times is None else min(times, _MOST_ROUNDS)
    while count < most and due <= stop and every.after(due) > due:
        count, due = count + 1, every.after(due)
    return count


_MOST_ROUNDS = 10_000


def _last_day(year: int, month: int) -> int:
    start = datetime(year + month // 12, month % 12 + 1, 1)
    return (start - timedelta(days=1)).day
