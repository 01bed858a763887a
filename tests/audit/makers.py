"""Builders for the log's tests: a server with nothing but the log in it, acts to record, and a forger's hands."""

import contextlib
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app import command as gate
from app.actor import Actor, Origin
from app.audit import sequencer
from app.audit.models import APPEND_ONLY, append_only_ddl
from app.audit.verify import Report, walk
from app.db import READING, Base, configure_engine, db
from app.fact import Fact, LogClass
from app.refusal import Conflict
from app.settings import Settings

LOG_TABLES = ("data_key", "log_pending", *APPEND_ONLY)
CLERK = Actor(
    id=5,
    name="张三",
    unit_id=7,
    origin=Origin(ip="10.0.0.1", mac="02:00:5e:00:53:01", mac_source="agent-signed", host="PC-17"),
)


class DocumentStamped(
    Fact, name="test.document_stamped", zh="盖章", en="Document stamped", log_class=LogClass.SEALING
):
    """An act like any other, for the log's own tests."""

    seal_id: int
    unit_id: int
    file_name: str = "通知.pdf"


def _stamp(seal_id: int, *, by: Actor, file_name: str = "通知.pdf") -> DocumentStamped:
    if seal_id < 0:
        raise Conflict(
            "test.no_seal", zh="没有此印章，请重选", en="No such seal; choose another", seal_id=seal_id
        )
    return DocumentStamped(seal_id=seal_id, unit_id=by.unit_id or 0, file_name=file_name)


_stamp.__module__ = "tests.stamps.commands"
stamp = gate.command(_stamp)
gate.COMMANDS.pop("stamps._stamp")


@contextlib.contextmanager
def log_alone(settings: Settings) -> Iterator[Flask]:
    """A server that has the log and its keys, and no house."""
    app = Flask("log-alone")
    app.config["SETTINGS"] = settings
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    if not settings.database_url.startswith("sqlite"):
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = READING
    db.init_app(app)
    with app.app_context():
        configure_engine(db.engine)
        Base.metadata.create_all(db.engine, tables=[Base.metadata.tables[name] for name in LOG_TABLES])
        yield app
        db.session.remove()
        db.engine.dispose()


def write(count: int, batch: int = 0) -> None:
    """Record `count` acts; sequence after each `batch` of them, and at the end unless `batch` is negative."""
    for number in range(count):
        stamp(number, by=CLERK)
        if batch > 0 and number % batch == batch - 1:
            sequencer.sequence()
    if batch >= 0:
        sequencer.sequence()


def verified() -> Report:
    """What the auditor is told, given the last checkpoint that left the database."""
    return walk(sequencer.witness().latest())


def forge(*statements: str, **values: Any) -> None:
    """Do this to the database as somebody with every right: triggers and foreign keys switched off meanwhile."""
    db.session.rollback()
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            _raw(connection).execute("PRAGMA foreign_keys=OFF")  # does nothing inside a transaction
            for name in connection.scalars(
                sa.text("SELECT name FROM sqlite_master WHERE type='trigger'")
            ).all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql("SET session_replication_role = replica")
            _append_only(connection, "DISABLE")
        for statement in statements:
            connection.execute(sa.text(statement), values)
        if connection.dialect.name == "sqlite":
            for statement in append_only_ddl("sqlite"):
                connection.exec_driver_sql(statement)
        if connection.dialect.name == "postgresql":
            _append_only(connection, "ENABLE ALWAYS")
            connection.exec_driver_sql("SET session_replication_role = origin")
        connection.commit()
        if connection.dialect.name == "sqlite":
            _raw(connection).execute("PRAGMA foreign_keys=ON")


def _append_only(connection: sa.Connection, verb: str) -> None:
    for table in APPEND_ONLY:
        connection.exec_driver_sql(f"ALTER TABLE {table} {verb} TRIGGER {table}_append_only")


def _raw(connection: sa.Connection) -> Any:
    return connection.connection.driver_connection
