"""How the database keeps the log: its guards, and what stands under its columns.

SQLite keeps whatever it is given under any column: is every stored value of its column's kind, and readable?

PostgreSQL refuses such values itself, so there is nothing to ask there.
"""

import contextlib
from collections.abc import Generator, Iterator
from typing import Any

import sqlalchemy as sa

from app.audit.models import APPEND_ONLY, LogCheckpoint, LogEntry, LogLeaf, LogNode, LogPending, LogToken
from app.db import db

MOST = 100
_LEAF_OF_ENTRY = (
    sa.select(LogLeaf.seq).select_from(LogEntry).outerjoin(LogLeaf, LogLeaf.entry_id == LogEntry.id)
)
_PLACES: tuple[tuple[Any, sa.Select[Any], str], ...] = (
    (LogEntry, _LEAF_OF_ENTRY, "edited"),
    (LogLeaf, sa.select(LogLeaf.seq), "index"),
    (LogToken, sa.select(LogToken.seq), "index"),
    (LogNode, sa.select(sa.null()).select_from(LogNode), "node"),
    (LogCheckpoint, sa.select(LogCheckpoint.size), "checkpoint"),
    (LogPending, sa.select(sa.null()).select_from(LogPending), "staged"),
)
"""Each table, what tells the place of one of its rows, and what such a break is called."""


def mistyped() -> Iterator[tuple[int | None, str]]:
    """(place or None, kind of break) of values that are not of their column's kind; at most MOST a table."""
    if db.session.connection().dialect.name != "sqlite":
        return
    for model, places, kind in _PLACES:
        wrong = [sa.func.typeof(column) != _kept_as(column.type) for column in model.__table__.columns]
        for place in db.session.scalars(places.where(sa.or_(*wrong)).limit(MOST)):
            yield place if isinstance(place, int) else None, kind


def _kept_as(kind: sa.types.TypeEngine[Any]) -> str:
    if isinstance(kind, sa.LargeBinary):
        return "blob"
    return "text" if isinstance(kind, sa.String) else "integer"


def unguarded() -> list[str]:
    """The log's tables whose rows the database would let anybody change: a trigger is gone or switched off."""
    if db.session.connection().dialect.name == "sqlite":
        there = set(db.session.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")))
        return [t for t in APPEND_ONLY if not {f"{t}_no_update", f"{t}_no_delete"} <= there]
    awake = set(
        db.session.scalars(
            sa.text(
                "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgenabled = 'A' "
                "AND tgname = tgrelid::regclass::text || '_append_only'"
            )
        )
    )
    return [t for t in APPEND_ONLY if t not in awake]


@contextlib.contextmanager
def unreadable_text_spelt_out() -> Generator[None]:
    """Text that is no UTF-8 is read with its bytes spelt out, as nobody has written it, instead of not at all."""
    connection = db.session.connection()
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    before, driver.text_factory = driver.text_factory, _spelt_out
    try:
        yield
    finally:
        driver.text_factory = before


def _spelt_out(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
