"""Alembic, without its command line: from an empty database to the newest shape, on both databases.

A revision is a file in `versions/`. Models and migrations never drift: `tests/migrations/` compares the
catalogues of both databases after migration with those that the models build.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask

from app.db import db


def config(app: Flask | None = None) -> Config:
    found = Config()
    found.set_main_option("script_location", str(Path(__file__).parent))
    found.set_main_option("path_separator", "os")
    if app is not None:
        found.attributes["app"] = app
    return found


def head() -> str:
    """The newest revision there is."""
    return ScriptDirectory.from_config(config()).get_current_head() or ""


def current(app: Flask) -> str | None:
    """The revision that the database has, None when it is empty."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(app: Flask) -> tuple[str | None, str | None]:
    """Run every revision that is missing, each in a transaction; gives the revision before and after."""
    before = current(app)
    command.upgrade(config(app), "head")
    return before, current(app)
