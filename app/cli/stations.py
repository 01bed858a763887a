"""`yinxu stations`: enrol card stations, list them, revoke one."""

import getpass
import json

import click

from app.actor import Actor


@click.group()
def command() -> None:
    """Card stations: computers beside a card reader, each with a key of its own."""


@command.command()
@click.argument("name")
@click.option("--unit", required=True, help="The unit it stands in: its id, code or name.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def enrol(name: str, unit: str, as_json: bool) -> None:
    """Announce a station and print the one-time code for its agent."""
    from app.cards import commands
    from app.factory import create_app
    from app.people import queries as people
    from app.refusal import Refusal

    with create_app(pages=False, diagrams=False).app_context():
        found = next((u for u in people.living_units() if unit in (str(u.id), u.code, u.name)), None)
        if found is None:
            raise click.ClickException(f"there is no unit {unit}; see `yinxu people list`")
        try:
            fact = commands.enrol_station(name, found.id, by=administrator())
        except Refusal as refusal:
            raise click.ClickException(f"{refusal.text.zh} / {refusal.text.en}") from refusal
        line = {
            "station_id": fact.station_id,
            "name": name,
            "code": fact.code,
            "expires_at": fact.code_expires_at.isoformat(timespec="seconds"),
        }
    if as_json:
        click.echo(json.dumps(line, ensure_ascii=False))
        return
    click.echo(f"station {line['station_id']} {name}: one-time code, good until {line['expires_at']}")
    click.echo(f"  {line['code']}")
    click.echo(f"at the station: yinxu-card-agent enrol --code {line['code']}")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a station.")
def list_(as_json: bool) -> None:
    """Every station: connected or not, its last heartbeat, jobs waiting."""
    from app.cards import queries
    from app.factory import create_app

    with create_app(pages=False, diagrams=False).app_context():
        for row in queries.stations():
            seen = row.seen_at.isoformat(timespec="seconds") if row.seen_at else None
            cards = [str(c["serial"]) for c in row.cards]
            if as_json:
                line = {
                    "station_id": row.station.id,
                    "name": row.station.name,
                    "state": row.state,
                    "seen_at": seen,
                    "host": row.station.host,
                    "cards": cards,
                    "waiting": row.waiting,
                }
                click.echo(json.dumps(line, ensure_ascii=False))
            else:
                present = ", ".join(cards) or "no card"
                click.echo(
                    f"{row.station.id:>4}  {row.station.name}  {row.state}  {seen or 'never seen'}  {present}"
                )


@command.command()
@click.argument("station_id", type=int)
@click.option("--reason", required=True)
def revoke(station_id: int, reason: str) -> None:
    """From now on this station's signature opens nothing."""
    from app.cards import commands
    from app.factory import create_app
    from app.refusal import Refusal

    with create_app(pages=False, diagrams=False).app_context():
        try:
            commands.revoke_station(station_id, reason, by=administrator())
        except Refusal as refusal:
            raise click.ClickException(f"{refusal.text.zh} / {refusal.text.en}") from refusal
    click.echo(f"station {station_id} revoked")


def administrator() -> Actor:
    """Whoever may run this on the server's own machine; the log names the account."""
    return Actor(kind="system", name=f"cli:{getpass.getuser()}")
