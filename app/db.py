"""The SQLAlchemy handle. Two databases are first-class: SQLite (embedded default) and PostgreSQL.

SQLite with several processes loses updates under a deferred BEGIN, so a command's transaction begins
IMMEDIATE there (docs/decisions/0003-sqlite-begin-immediate.md); reading stays deferred. On PostgreSQL reading needs
no transaction at all: each statement sees what was committed before it, and nothing has to be rolled back, which
would make the driver forget the plans that the server keeps. Writing begins one when it must (`transaction.py`).
"""

import contextlib
import time
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass
from sqlalchemy.types import TypeDecorator

from app import transaction
from app.refusal import NotFound


class Moment(TypeDecorator[datetime]):
    """A moment with its zone, stored as UTC; SQLite forgets zones, so we put them back."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """Base of every table's class. Fields are keyword-only; `datetime` is always a `Moment`."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: Moment(),
        dict[str, Any]: sa.JSON(),
        list[Any]: sa.JSON(),
        list[str]: sa.JSON(),
    }


db = SQLAlchemy(metadata=Base.metadata, session_options={"class_": transaction.JoinedSession})
transaction.watch_session(db.session)


READING: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"}
"""Options of an engine on PostgreSQL: as reading needs it; `transaction.py` builds on it."""


def configure_engine(engine: sa.Engine) -> None:
    """Teach a SQLite engine foreign keys, WAL, patience and our BEGIN; a PostgreSQL connection to give up on a lock
    after 5 s instead of hanging a page."""
    if engine.dialect.name == "postgresql":

        @event.listens_for(engine, "connect")
        def _patience(connection: Any, _record: Any) -> None:
            connection.execute("SET lock_timeout = '5s'")
            connection.commit()

        _ask_those_who_rested(engine)
        transaction.watch_engine(engine)
        return

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin on its own; `_begin` does
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA busy_timeout=15000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        writing = connection.get_execution_options().get("yinxu_writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


RESTED_S = 1.0


def _ask_those_who_rested(engine: sa.Engine) -> None:
    """A connection that rested is asked whether it still lives before it is used (the server may have been started
    anew); one that has just been used is not, as the question costs a journey."""

    @event.listens_for(engine, "checkin")
    def _rests(_connection: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ask(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("rests_since", time.monotonic()) > RESTED_S:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError from error


def begin_writing(*, optimistic: bool = False) -> None:
    """Start the session's transaction as one that will write. Whatever was only read before is let go. `optimistic`:
    see `Transaction`; on SQLite whoever writes is alone from here on."""
    roll_back()
    if db.engine.dialect.name == "postgresql":
        transaction.start(db.session(), db.engine, optimistic=optimistic)
    else:
        db.session.connection(execution_options=_writing(db.engine))


def commit() -> None:
    """Commit the session's transaction."""
    transaction.commit(db.session())


def roll_back() -> None:
    """Undo the session's transaction."""
    transaction.roll_back(db.session())


@contextlib.contextmanager
def savepoint() -> Generator[None]:
    """What the block did is undone, and nothing else, when it raises. Use this, not the session's `begin_nested`: that
    makes its savepoint with the block's first statement, and would keep what was kept back."""
    kept_back = present_transaction()
    if kept_back is not None:
        kept_back.settle_all()
    with db.session.begin_nested():
        db.session.connection()
        yield


def present_transaction() -> transaction.Transaction | None:
    """The session's, on PostgreSQL; None on SQLite, and where nothing was begun."""
    return transaction.present(db.session())


def begin_reading() -> None:
    """Start the session's transaction as one that sees everything as it is at this moment, and only reads."""
    db.session.rollback()
    if db.engine.dialect.name == "postgresql":
        connection = db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")


def writing_engine() -> sa.Engine:
    """For what writes beside the session: its transactions begin as those of `begin_writing` do."""
    return db.engine.execution_options(**_writing(db.engine))


def _writing(engine: sa.Engine) -> dict[str, Any]:
    postgresql = engine.dialect.name == "postgresql"
    return {"isolation_level": "READ COMMITTED"} if postgresql else {"yinxu_writing": True}


def lock_row(model: type[Any], ident: Any) -> Any:
    """The row, locked until the transaction ends (PostgreSQL; SQLite holds its one writer's lock anyway)."""
    return db.session.get(model, ident, with_for_update=True, populate_existing=True)


def locked(model: type[Any], ident: Any) -> Any:
    """`lock_row` of what an address or a diagram named. Refuses NotFound."""
    found = lock_row(model, ident)
    if found is None:
        raise NotFound("nothing.there", zh="没有这一项", en="There is no such thing", what=model.__name__)
    return found


def insert_unless_there(model: type[Any], **values: Any) -> Any:
    """An INSERT that does nothing where a row with the same key is there already; `returning` may be added. Each
    database's own words are only read when they are needed: a process spends a tenth of its start on them."""
    if db.session.connection().dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert
    return insert(model).values(**values).on_conflict_do_nothing()


@contextlib.contextmanager
def reading() -> Generator[None]:
    """Read, then let the connection go: for code that waits (long polls) and must hold no session."""
    try:
        yield
    finally:
        db.session.rollback()
        db.session.remove()
