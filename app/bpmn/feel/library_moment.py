"""Built-in functions over dates, times and durations. Pure. Source: DMN 1.5, tables 75 and 83.

`now()` and `today()` take the moment from the evaluation (`build.Scope.now`), so `build.py` declares them.
"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from app.bpmn.feel.builtin import builtin
from app.bpmn.feel.error import Meter
from app.bpmn.feel.moments import (
    make_date,
    months_between,
    offset_zone,
    parse_date,
    parse_duration,
    parse_moment,
    parse_time,
)
from app.bpmn.feel.value import Months

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@builtin("date(from: s)")
def date_from_text(_meter: Meter, said: str) -> date | None:
    return parse_date(said)


@builtin("date(from: on)")
def date_from_moment(_meter: Meter, on: Any) -> date:
    return on.date() if isinstance(on, datetime) else on


@builtin("date(year: n, month: n, day: n)")
def date_from_parts(_meter: Meter, year: Decimal, month: Decimal, day: Decimal) -> date | None:
    parts = [
        int(part) for part in (year, month, day) if part == part.to_integral_value() and abs(part) < 10**9
    ]
    return make_date(*parts) if len(parts) == 3 else None


@builtin("time(from: s)")
def time_from_text(_meter: Meter, said: str) -> time | None:
    return parse_time(said)


@builtin("time(from: time)")
def time_from_time(_meter: Meter, at: time) -> time:
    return at


@builtin("time(from: on)")
def time_from_moment(_meter: Meter, on: Any) -> time:
    return on.timetz() if isinstance(on, datetime) else time(0, 0, tzinfo=UTC)


@builtin("time(hour: n, minute: n, second: n, offset?: days)")
def time_from_parts(
    _meter: Meter, hour: Decimal, minute: Decimal, second: Decimal, offset: timedelta | None = None
) -> time | None:
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        return None
    zone = None if offset is None else offset_zone(offset)
    if offset is not None and zone is None:
        return None
    whole = int(second)
    return time(int(hour), int(minute), whole, int((second - whole) * 1_000_000), zone)


@builtin("date and time(from: s)")
def moment_from_text(_meter: Meter, said: str) -> datetime | None:
    on = parse_date(said)
    return parse_moment(said) if on is None else datetime(on.year, on.month, on.day)


@builtin("date and time(from: moment)")
def moment_from_moment(_meter: Meter, on: datetime) -> datetime:
    return on


@builtin("date and time(date: on, time: time)")
def moment_from_parts(_meter: Meter, on: Any, at: time) -> datetime:
    return datetime.combine(on.date() if isinstance(on, datetime) else on, at)


@builtin("date and time(from: moment, timezone: s)")
def moment_in_zone(_meter: Meter, on: datetime, zone: str) -> datetime | None:
    there = parse_time("00:00:00@" + zone)
    return on.astimezone(there.tzinfo) if there is not None and on.tzinfo is not None else None


@builtin("duration(from: s)")
def duration_from_text(_meter: Meter, said: str) -> timedelta | Months | None:
    return parse_duration(said)


@builtin("duration(from: days)")
@builtin("duration(from: months)")
def duration_from_duration(_meter: Meter, duration: Any) -> Any:
    return duration


@builtin("years and months duration(from: on, to: on)")
def years_and_months(_meter: Meter, start: Any, end: Any) -> Months:
    first = start.date() if isinstance(start, datetime) else start
    last = end.date() if isinstance(end, datetime) else end
    return Months(months_between(first, last))


@builtin("day of year(date: on)")
def day_of_year(_meter: Meter, on: date) -> Decimal:
    return Decimal(on.timetuple().tm_yday)


@builtin("day of week(date: on)")
def day_of_week(_meter: Meter, on: date) -> str:
    return _DAYS[on.weekday()]


@builtin("month of year(date: on)")
def month_of_year(_meter: Meter, on: date) -> str:
    return _MONTHS[on.month - 1]


@builtin("week of year(date: on)")
def week_of_year(_meter: Meter, on: date) -> Decimal:
    return Decimal(on.isocalendar().week)


@builtin("last day of month(date: on)")
def last_day_of_month(_meter: Meter, on: date) -> Decimal:
    for day in (31, 30, 29):
        if make_date(on.year, on.month, day):
            return Decimal(day)
    return Decimal(28)
