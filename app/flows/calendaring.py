"""Changing the working calendar: a file at once, or one day."""

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa

from app.actor import Actor
from app.command import command
from app.db import db
from app.flows.facts import CalendarChanged
from app.flows.models_hands import CalendarDay
from app.flows.workdays import Day, checked_name, read_days
from app.refusal import Forbidden, Invalid
from app.text import Text

FIRST, LAST = 2000, 2200


@command
def load_calendar(text: str, *, by: Actor) -> CalendarChanged:
    """Take what a calendar file says (`workdays.read_days`); for each year it speaks of, it says everything. Refuses
    `Forbidden` unless the system administrator does it, `Invalid` naming the line."""
    _check_may_change(by)
    days = read_days(text)
    if not days:
        raise Invalid("calendar.empty", zh="文件里没有一天。", en="The file names no day.")
    for day in days:
        _check_year(day.day)
    years = {d.day.year for d in days}
    old = {
        row.day: row
        for year in years
        for row in db.session.scalars(
            sa.select(CalendarDay).where(CalendarDay.day.between(date(year, 1, 1), date(year, 12, 31)))
        )
    }
    gone = sorted(old.keys() - {d.day for d in days})
    db.session.execute(sa.delete(CalendarDay).where(CalendarDay.day.in_(gone)))
    for day in days:
        _put(day)
    return _changed(days, gone)


@command
def set_day(day: date, kind: str, name: str = "", *, by: Actor) -> CalendarChanged:
    """One day is a `holiday`, `working`, or `week`: as its weekday is. Refuses `Forbidden`, `Invalid`."""
    _check_may_change(by)
    _check_year(day)
    if kind == "week":
        db.session.execute(sa.delete(CalendarDay).where(CalendarDay.day == day))
        return _changed([], [day])
    if kind not in ("holiday", "working"):
        text = Text("请选择：休息、上班或照常", "Choose: holiday, working, or as the week has it")
        raise Invalid("calendar.kind", zh=text.zh, en=text.en, fields={"kind": text})
    said = Day(day, kind == "working", checked_name(name))
    _put(said)
    return _changed([said], [])


def _put(said: Day) -> None:
    row = db.session.get(CalendarDay, said.day)
    if row is None:
        db.session.add(CalendarDay(day=said.day, working=said.working, name=said.name))
    else:
        row.working, row.name = said.working, said.name


def _changed(days: Iterable[Day], gone: Iterable[date]) -> CalendarChanged:
    said = sorted(days, key=lambda d: d.day)
    return CalendarChanged(
        holidays=[d.day.isoformat() for d in said if not d.working],
        working=[d.day.isoformat() for d in said if d.working],
        as_the_week=[d.isoformat() for d in gone],
    )


def _check_may_change(by: Actor) -> None:
    if by.kind != "system" and not by.has("system_administrator"):
        raise Forbidden(
            "calendar.may_not_change",
            zh="只有系统管理员可以更改工作日历。",
            en="Only the system administrator changes the working calendar.",
        )


def _check_year(day: date) -> None:
    if not FIRST <= day.year <= LAST:
        text = Text(f"年份应在 {FIRST} 至 {LAST} 之间", f"The year lies between {FIRST} and {LAST}")
        raise Invalid("calendar.year", zh=text.zh, en=text.en, fields={"day": text})
