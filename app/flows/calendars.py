"""Reading the working calendar: what a due time drawn on a shape means on the days to come."""

from datetime import date, datetime, timedelta

import sqlalchemy as sa

from app.bpmn import moments
from app.db import db
from app.flows.models_hands import CalendarDay
from app.flows.workdays import Calendar, Day, calendar_of, hours_of
from app.settings import current_settings


def after(text: str, start: datetime) -> datetime:
    """When the span `text` is over that begins at `start`, in the organisation's zone. Only working time asks the
    calendar. Raises ValueError unless it is a span; refuses `Invalid` where the calendar has no working day."""
    span = moments.span(text)
    if isinstance(span, moments.Duration):
        return span.after(start)
    return current(start.date() - timedelta(days=1)).after(start, span)


def current(since: date) -> Calendar:
    """The calendar as it is now, from a day on."""
    return calendar_of(days(since, date.max), hours_of(current_settings().working_hours))


def days(first: date, last: date) -> list[Day]:
    """The days between two, both included, that differ from the week."""
    rows = db.session.scalars(
        sa.select(CalendarDay).where(CalendarDay.day.between(first, last)).order_by(CalendarDay.day)
    )
    return [Day(row.day, row.working, row.name) for row in rows]
