"""Working days and working hours: what a calendar makes of a span of time. Pure.

Saturdays and Sundays are free unless the calendar says otherwise, which in China it does each year: holidays on
weekdays, and weekends worked instead (调休). Whatever begins on a free day begins with the next working day.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from app.bpmn.moments import Duration, WorkingTime
from app.refusal import Invalid
from app.text import hides_something

LONGEST_REST = 366
"""Days. A calendar in which nobody works for a year is a mistake."""

MOST_LINES = 10_000
_DAY = timedelta(days=1)
Hours = tuple[tuple[time, time], ...]


@dataclass(frozen=True)
class Day:
    """What a calendar says of one day: `working` is True for a weekend that is worked, False for a holiday."""

    day: date
    working: bool
    name: str


@dataclass(frozen=True)
class Calendar:
    """`said`: the days that differ from the week. `hours`: when one works on a working day, in order."""

    said: Mapping[date, bool] = field(default_factory=dict[date, bool])
    hours: Hours = ((time(9), time(18)),)

    def is_working(self, day: date) -> bool:
        return self.said.get(day, day.weekday() < 5)

    def next_working(self, day: date) -> date:
        """The day itself, or the first working day after it."""
        for _ in range(LONGEST_REST):
            if self.is_working(day):
                return day
            day += _DAY
        raise Invalid(
            "calendar.never",
            zh="工作日历中连续一年没有工作日，无法推算期限。请先更正日历",
            en="The calendar holds no working day for a whole year; no deadline can be reckoned. Correct it first",
        )

    def after(self, start: datetime, span: Duration | WorkingTime) -> datetime:
        """When `span` is over that begins at `start`, a moment in the organisation's zone."""
        if isinstance(span, Duration):
            return span.after(start)
        found = self.add_days(start, span.days)
        return self.add_hours(found, span.hours) if span.hours else found

    def add_days(self, start: datetime, days: int) -> datetime:
        """So many working days later, at the same time of the day; what begins before work or on a free day: at the
        start of work, as otherwise whoever began on Saturday would have longer than who began early on Monday."""
        day, opens = self.next_working(start.date()), self.hours[0][0]
        clock = max(start.time(), opens) if day == start.date() else opens
        for _ in range(days):
            day = self.next_working(day + _DAY)
        return datetime.combine(day, clock, start.tzinfo)

    def add_hours(self, start: datetime, hours: int) -> datetime:
        """So many hours of work later; what comes outside working hours begins with the next of them."""
        left = timedelta(hours=hours)
        day = start.date()
        clock = start.time()
        while True:
            day, clock = (day, clock) if self.is_working(day) else (self.next_working(day), time())
            for opens, closes in self.hours:
                begins = datetime.combine(day, max(opens, clock))
                here = datetime.combine(day, closes) - begins
                if left <= here:
                    return (begins + left).replace(tzinfo=start.tzinfo)
                left -= max(here, timedelta())
            day, clock = self.next_working(day + _DAY), time()


def hours_of(text: str) -> Hours:
    """`09:00-18:00`, or with a break `09:00-12:00,13:30-18:00`. Raises ValueError unless in order, within a day."""
    spans: list[tuple[time, time]] = []
    for part in text.split(","):
        opens, dash, closes = part.strip().partition("-")
        begins, ends = time.fromisoformat(opens), time.fromisoformat(closes)
        if not dash or begins >= ends or (spans and begins < spans[-1][1]):
            raise ValueError(f"working hours are like 09:00-12:00,13:30-18:00, not {text!r}")
        spans.append((begins, ends))
    return tuple(spans)


WORDS = {"holiday": False, "working": True, "休": False, "班": True, "放假": False, "调休上班": True}


def read_days(text: str) -> list[Day]:
    """A calendar file: CSV with the columns `date` (2026-10-01), `kind` (holiday or working; 休 or 班), `name`.
    Lines that begin with # are passed over. Refuses `Invalid`, naming the line."""
    lines = [line for line in text.removeprefix("\ufeff").splitlines() if not line.startswith("#")]
    if len(lines) > MOST_LINES:
        raise _bad(len(lines), f"多于 {MOST_LINES} 行", f"more than {MOST_LINES} lines")
    reader = csv.DictReader(io.StringIO("\n".join(lines)))
    if not {"date", "kind"} <= set(reader.fieldnames or ()):
        raise _bad(1, "首行应为 date,kind,name", "the first line is date,kind,name")
    found = [_day(row, number) for number, row in enumerate(reader, 2)]
    if len({d.day for d in found}) != len(found):
        raise _bad(len(lines), "同一天出现了两次", "a day stands there twice")
    return found


def _day(row: Mapping[str, str | None], line: int) -> Day:
    try:
        day = date.fromisoformat((row["date"] or "").strip())
        working = WORDS[(row["kind"] or "").strip()]
    except (ValueError, KeyError):
        raise _bad(line, "日期或种类不正确", "the date or the kind is wrong") from None
    return Day(day, working, checked_name(row.get("name") or "", line))


def checked_name(said: str, line: int = 0) -> str:
    """Refuses `Invalid` for more than 80 characters, or hidden ones."""
    name = said.strip()
    if len(name) > 80 or hides_something(name):
        raise _bad(line, "名称过长或含不可见字符", "the name is too long or holds hidden characters")
    return name


def _bad(line: int, zh: str, en: str) -> Invalid:
    where_zh, where_en = (f"第 {line} 行：", f"line {line}: ") if line else ("", "")
    return Invalid(
        "calendar.malformed", zh=f"日历{where_zh}{zh}", en=f"In the calendar, {where_en}{en}", line=line
    )


def calendar_of(days: Iterable[Day], hours: Hours) -> Calendar:
    return Calendar({d.day: d.working for d in days}, hours)
