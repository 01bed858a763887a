"""Working days: weekends free unless said otherwise, and the laws of adding."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.bpmn.moments import WorkingTime, duration, span
from app.flows.workdays import Calendar, Day, calendar_of, hours_of, read_days
from app.refusal import Invalid

ZONE = ZoneInfo("Asia/Shanghai")
FILE = """\ufeff# an invented week
date,kind,name
2030-05-06,holiday,某节
2030-05-07,休,某节
2030-05-11,班,调休
"""
HOURS = hours_of("09:00-12:00,13:00-18:00")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def test_a_file_makes_a_monday_free_and_a_saturday_worked():
    calendar = calendar_of(read_days(FILE), HOURS)

    friday = at("2030-05-03T17:00")
    assert calendar.after(friday, span("P1WD")) == at("2030-05-08T17:00")  # over the weekend and the holiday
    assert calendar.after(friday, span("P4WD")) == at("2030-05-11T17:00")  # the Saturday that is worked
    assert calendar.after(friday, span("PT2WH")) == at("2030-05-08T10:00")
    assert calendar.after(at("2030-05-08T11:30"), span("PT1WH")) == at("2030-05-08T13:30")  # lunch is no work
    assert calendar.after(at("2030-05-04T23:00"), span("P1WDT1WH")) == at("2030-05-09T10:00")
    assert calendar.after(at("2030-05-08T07:00"), span("P1WD")) == at(
        "2030-05-09T09:00"
    )  # before work: from its start
    assert calendar.after(friday, span("P1D")) == at("2030-05-04T17:00")  # the world's day


@pytest.mark.parametrize("bad", ["", "date,name\n", "date,kind\n2030-13-01,休\n", "date,kind\n2030-01-01,maybe\n",
                                 "date,kind\n2030-01-01,休\n2030-01-01,班\n"])  # fmt: skip
def test_a_wrong_file_is_refused_with_its_line(bad: str):
    with pytest.raises(Invalid, match="calendar"):
        read_days(bad)


def test_texts_of_spans_and_hours():
    assert span("P3WD") == WorkingTime(3, 0)
    assert span("P2D") == duration("P2D")
    for wrong in ("P", "PT", "P1.5WD", "PWD", "-P1WD", "P0D", "-P1D", "P1000WD", "P1WD4WH", "three days"):
        with pytest.raises(ValueError):
            span(wrong)
    for wrong in ("9-18", "18:00-09:00", "09:00-12:00,11:00-13:00", ""):
        with pytest.raises(ValueError):
            hours_of(wrong)
    with pytest.raises(Invalid):
        Calendar({date(2030, 1, 1) + timedelta(days=n): False for n in range(400)}).next_working(
            date(2030, 1, 1)
        )


days = st.dates(date(2030, 1, 1), date(2030, 12, 31))
calendars = st.dictionaries(days, st.booleans(), max_size=40).map(
    lambda said: calendar_of([Day(day, working, "") for day, working in said.items()], HOURS)
)
moments = st.builds(
    lambda day, minutes: datetime.combine(day, time(), ZONE) + timedelta(minutes=minutes),
    days,
    st.integers(0, 24 * 60 - 1),
)
few = st.integers(0, 30)


@given(calendars, moments, moments, few, few)
@example(calendar_of([], HOURS), at("2030-06-08T00:00"), at("2030-06-10T00:00"), 0, 0)  # Saturday, Monday
def test_the_laws_of_working_days(calendar: Calendar, one: datetime, other: datetime, a: int, b: int):
    earlier, later = sorted((one, other))

    landed = calendar.add_days(one, a)

    assert calendar.is_working(landed.date())
    assert landed >= one
    assert calendar.add_days(one, a + b) == calendar.add_days(landed, b)
    assert calendar.add_days(one, a) <= calendar.add_days(one, a + b)
    assert calendar.add_days(earlier, a) <= calendar.add_days(later, a)


@given(calendars, moments, moments, few, few)
def test_the_laws_of_working_hours(calendar: Calendar, one: datetime, other: datetime, a: int, b: int):
    earlier, later = sorted((one, other))

    landed = calendar.add_hours(one, a)

    assert calendar.is_working(landed.date())
    assert any(opens <= landed.time() <= closes for opens, closes in HOURS)
    assert calendar.add_hours(one, a + b) == calendar.add_hours(landed, b)
    assert calendar.add_hours(earlier, a) <= calendar.add_hours(later, a)
