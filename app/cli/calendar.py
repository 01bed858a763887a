"""`yinxu calendar`: holidays and weekends that are worked, from a file or as they stand."""

import json
from datetime import date
from pathlib import Path

import click

from app.actor import SYSTEM


@click.group()
def command() -> None:
    """The working calendar: Saturdays and Sundays are free unless it says otherwise."""


@command.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def load(file: Path, as_json: bool) -> None:
    """Take the days of FILE, a CSV with date, kind (holiday or working; 休 or 班) and name.

    For each year that FILE speaks of it says everything: days of that year that it does not name are as the week
    has them. An example stands in docs/examples/calendar.csv; the days themselves are published each year by the
    State Council's General Office.
    """
    from app.factory import create_app
    from app.flows import calendaring

    if file.stat().st_size > 1_000_000:
        raise click.ClickException("a calendar is smaller than 1 MB")
    with create_app(pages=False, diagrams=False).app_context():
        fact = calendaring.load_calendar(file.read_text("utf-8-sig"), by=SYSTEM)
    words = f"{len(fact.holidays)} holidays, {len(fact.working)} worked, {len(fact.as_the_week)} as the week has it"
    click.echo(json.dumps(fact.payload()) if as_json else words)


@command.command()
@click.option("--year", type=click.IntRange(2000, 2200), required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON line a day.")
def show(year: int, as_json: bool) -> None:
    """The days of a year that differ from the week."""
    from app.factory import create_app
    from app.flows import calendars

    with create_app(pages=False, diagrams=False).app_context():
        for day in calendars.days(date(year, 1, 1), date(year, 12, 31)):
            kind = "working" if day.working else "holiday"
            line = {"date": day.day.isoformat(), "kind": kind, "name": day.name}
            click.echo(
                json.dumps(line, ensure_ascii=False)
                if as_json
                else f"{day.day} {day.day:%a} {kind:8} {day.name}"
            )
