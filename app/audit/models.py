"""The log's tables. All but `log_pending` are append-only, also for the database itself.

An entry is staged (`log_entry` + `log_pending`) in the transaction of what it tells; moments later the
sequencer gives it its place (`log_leaf`), indexes it (`log_token`), and signs a `log_checkpoint`.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base

BigInt = sa.BigInteger().with_variant(sa.Integer, "sqlite")
APPEND_ONLY = ("log_entry", "log_leaf", "log_token", "log_node", "log_checkpoint")


class LogEntry(Base):
    """What was written, as it was written: header (docs/log-entry.md), nonce, AES-256-GCM ciphertext."""

    __tablename__ = "log_entry"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    header: Mapped[bytes] = mapped_column(sa.LargeBinary)
    nonce: Mapped[bytes] = mapped_column(sa.LargeBinary)
    ciphertext: Mapped[bytes] = mapped_column(sa.LargeBinary)


class LogPending(Base):
    """An entry that waits for its place. The only rows of the log that are ever removed."""

    __tablename__ = "log_pending"

    entry_id: Mapped[int] = mapped_column(
        BigInt, sa.ForeignKey("log_entry.id"), primary_key=True, autoincrement=False
    )


class LogLeaf(Base):
    """Place number `seq` (0, 1, 2, …) in the tree. The clear columns repeat the header, for searching."""

    __tablename__ = "log_leaf"
    __table_args__ = (
        sa.Index(None, "log_class", "seq"),
        sa.Index(None, "ts_us"),
    )

    seq: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(BigInt, sa.ForeignKey("log_entry.id"), unique=True)
    hash: Mapped[bytes] = mapped_column(sa.LargeBinary)
    ts_us: Mapped[int] = mapped_column(sa.BigInteger)
    log_class: Mapped[str] = mapped_column(sa.String(32))
    action: Mapped[str] = mapped_column(sa.String(64))
    unit_id: Mapped[int] = mapped_column(sa.BigInteger)
    result: Mapped[str] = mapped_column(sa.String(8))


class LogToken(Base):
    """Blind index: entry `seq` concerns the value behind this token. Repeats the header."""

    __tablename__ = "log_token"
    __table_args__ = (sa.Index(None, "seq"),)

    field: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    token: Mapped[bytes] = mapped_column(sa.LargeBinary, primary_key=True)
    seq: Mapped[int] = mapped_column(
        BigInt, sa.ForeignKey("log_leaf.seq"), primary_key=True, autoincrement=False
    )


class LogNode(Base):
    """Root of a complete subtree of 256^level leaves (level 1, 2, …): what makes proofs short to compute."""

    __tablename__ = "log_node"

    level: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(sa.LargeBinary)


class LogCheckpoint(Base):
    """A signed statement of the tree's size and root. `number`: 1, 2, 3, … `note`: C2SP signed note."""

    __tablename__ = "log_checkpoint"

    number: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInt, unique=True)
    note: Mapped[str] = mapped_column(sa.Text)
    alg: Mapped[str] = mapped_column(sa.String(32))
    kid: Mapped[str] = mapped_column(sa.String(32))


def append_only_ddl(dialect: str, tables: Iterable[str] = APPEND_ONLY) -> list[str]:
    """SQL that makes the database refuse UPDATE, DELETE and TRUNCATE on the log's tables.

    Used when the tables are created and by the migrations. Prevention only: whoever owns the tables can drop
    a trigger; the checkpoints outside the database find that out.
    """
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for table in tables
            for act in ("UPDATE", "DELETE")
        ]
    return [
        "CREATE OR REPLACE FUNCTION log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END $$",
        *(
            statement
            for table in tables
            for statement in (
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION log_is_append_only()",
                f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only",
            )
        ),
    ]


def _guard(_metadata: sa.MetaData, connection: sa.Connection, *, tables: list[sa.Table], **_: Any) -> None:
    created = [table.name for table in tables if table.name in APPEND_ONLY]
    for statement in append_only_ddl(connection.dialect.name, created) if created else []:
        connection.exec_driver_sql(statement)


event.listen(Base.metadata, "after_create", _guard)
