"""Somebody with every right on the database, who knows our source: takes the log's tables as they are, and changes them."""

import contextlib
from collections.abc import Generator, Iterable
from typing import Any

import sqlalchemy as sa

from app.audit import tree
from app.audit.models import APPEND_ONLY, append_only_ddl
from app.audit.nodes import BITS
from app.db import Base, db

TABLES = (*APPEND_ONLY, "log_pending")
Rows = dict[str, list[dict[str, Any]]]
"""What stands in the log's tables, by table."""


def taken() -> Rows:
    """A copy of the log, as a backup has it."""
    with db.engine.connect() as connection:
        return {
            name: [dict(row) for row in connection.execute(sa.select(_table(name))).mappings()]
            for name in TABLES
        }


def put(rows: Rows) -> None:
    """Let the log's tables hold this and nothing else; guards are off meanwhile and on again afterwards, as a
    careful forger leaves them."""
    with _unguarded() as connection:
        for name in ("log_pending", "log_token", "log_leaf", "log_node", "log_checkpoint", "log_entry"):
            connection.execute(sa.delete(_table(name)))
        for name in ("log_entry", "log_leaf", "log_token", "log_node", "log_checkpoint", "log_pending"):
            if rows[name]:
                connection.execute(sa.insert(_table(name)), rows[name])


def unguard() -> None:
    """Take the guards away and leave it at that."""
    with db.engine.begin() as connection:
        _take_guards(connection)


def regrow(rows: Rows) -> bytes:
    """Compute the tree anew over the leaves as they are now, as whoever knows the format would; answers its root."""
    edge, nodes = tree.Edge(), list[dict[str, Any]]()
    for leaf in sorted(rows["log_leaf"], key=lambda row: row["seq"]):
        nodes += [
            {"level": level // BITS, "position": position, "hash": value}
            for level, position, value in edge.append(leaf["hash"])
            if level % BITS == 0
        ]
    rows["log_node"] = nodes
    return edge.root()


def cut(rows: Rows, size: int) -> None:
    """Take away all from place `size` on, so that what is left looks whole."""
    leaves = [row for row in rows["log_leaf"] if row["seq"] < size]
    kept = {row["entry_id"] for row in leaves}
    rows["log_leaf"] = leaves
    rows["log_entry"] = [row for row in rows["log_entry"] if row["id"] in kept]
    rows["log_token"] = [row for row in rows["log_token"] if row["seq"] < size]
    rows["log_checkpoint"] = [row for row in rows["log_checkpoint"] if row["size"] <= size]
    rows["log_pending"] = []
    regrow(rows)


def of(rows: Rows, seq: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the leaf at this place, its entry)"""
    leaf = next(row for row in rows["log_leaf"] if row["seq"] == seq)
    return leaf, next(row for row in rows["log_entry"] if row["id"] == leaf["entry_id"])


def renumber(rows: Rows, places: dict[int, int]) -> None:
    """Move leaves, and what is indexed of them, to other places."""
    for row in (*rows["log_leaf"], *rows["log_token"]):
        row["seq"] = places.get(row["seq"], row["seq"])


def _table(name: str) -> sa.Table:
    return Base.metadata.tables[name]


@contextlib.contextmanager
def _unguarded() -> Generator[sa.Connection]:
    db.session.rollback()
    with db.engine.begin() as connection:
        _take_guards(connection)
        yield connection
        for statement in append_only_ddl(connection.dialect.name):
            connection.exec_driver_sql(statement)


def _take_guards(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        names: Iterable[str] = connection.scalars(
            sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ).all()
        statements = [f"DROP TRIGGER {name}" for name in names if name.startswith(APPEND_ONLY)]
    else:
        statements = [f"DROP TRIGGER IF EXISTS {name}_append_only ON {name}" for name in APPEND_ONLY]
    for statement in statements:
        connection.exec_driver_sql(statement)
