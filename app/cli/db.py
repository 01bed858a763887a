"""`yinxu db upgrade`: bring the database to the newest shape."""

import json

import click


@click.group()
def command() -> None:
    """The database's shape (Alembic migrations)."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def upgrade(as_json: bool) -> None:
    """Create or alter tables up to the newest revision, and load the diagrams of `workflows/`."""
    from app import migrations
    from app.actor import SYSTEM
    from app.factory import create_app
    from app.flows import commands as flows

    app = create_app(pages=False)
    with app.app_context():
        before, after = migrations.upgrade(app)
        flows.load_files(by=SYSTEM)
    line = {"before": before, "after": after}
    click.echo(json.dumps(line) if as_json else f"{before or 'empty'} → {after}")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def current(as_json: bool) -> None:
    """Which revision the database has, and which is the newest."""
    from app import migrations
    from app.factory import create_app

    app = create_app(pages=False)
    with app.app_context():
        found, newest = migrations.current(app), migrations.head()
    if as_json:
        click.echo(json.dumps({"current": found, "newest": newest}))
    else:
        click.echo(f"{found or 'empty'} (newest: {newest})")
