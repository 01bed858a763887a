"""What one step changes in the tables: gathered while it runs, written down together.

On PostgreSQL it is one statement, fed with rows as JSON, and sent with the log's entry; on SQLite, where a statement is
no journey, it is a few. A step that two persons take at once is written once: the instance's revision decides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from app.db import db, present_transaction
from app.flows.holding import Seen, Standing
from app.flows.models import (
    FlowEvent,
    FlowInstance,
    FlowTask,
    FlowTaskCandidate,
    FlowTimer,
    MessageSubscription,
)
from app.flows.rules import moved_on
from app.transaction import Statement

Row = dict[str, Any]


@dataclass(frozen=True)
class Decided:
    """A person's word on one task."""

    task_id: int
    token: str
    at: datetime
    by_id: int | None
    by_name: str
    outcome: str | None = None
    opinion: str | None = None

    def values(self) -> Row:
        return {
            "status": "done", "done_at": self.at, "done_by_id": self.by_id, "done_by_name": self.by_name,
            "outcome": self.outcome, "opinion": self.opinion,
        }  # fmt: skip


@dataclass
class Changes:
    """Rows to add (by column names; all of one list have the same) and tokens that are no longer waited at."""

    instance_id: int
    decided: Decided | None = None
    events: list[Row] = field(default_factory=list[Row])
    opened: list[Row] = field(default_factory=list[Row])
    filed: list[Row] = field(default_factory=list[Row])
    """Candidates of opened tasks: `token` instead of the id that a task does not have yet."""
    subscribed: list[Row] = field(default_factory=list[Row])
    timed: list[Row] = field(default_factory=list[Row])
    """Timers that are new, or due at another moment than before."""
    cancelled: Sequence[str] = ()
    unsubscribed: Sequence[str] = ()
    untimed: Sequence[str] = ()


def write(changes: Changes, *, standing: Standing, values: Row) -> None:
    """Write all, and the instance's columns under the next revision. Refuses `Conflict` when it is at another revision
    by now: on PostgreSQL at the end of the command, or when it asks the database for more."""
    db.session.flush()
    values = {**values, "revision": standing.revision + 1}
    transaction = present_transaction()
    if transaction is None:
        if not _one_by_one(changes, standing.revision, values):
            raise moved_on()
        return
    seen = None if transaction.begun else getattr(standing, "seen", None)
    transaction.write_last(_in_one(changes, standing.revision, values, seen or Seen()))


def _one_by_one(changes: Changes, revision: int, instance: Row) -> bool:
    run = db.session.connection().execute
    over: list[int] = []
    if changes.decided is not None:
        over.append(changes.decided.task_id)
        run(sa.update(FlowTask).where(FlowTask.id == over[0]).values(changes.decided.values()))
    if changes.cancelled:
        over += run(_cancelling(changes)).scalars()
    if over:
        run(sa.delete(FlowTaskCandidate).where(FlowTaskCandidate.task_id.in_(over)))
    if changes.events:
        run(sa.insert(FlowEvent), changes.events)
    if changes.opened:
        made = run(sa.insert(FlowTask).returning(FlowTask.token, FlowTask.id), changes.opened)
        ids = {token: ident for token, ident in made}
        filed = [{"task_id": ids[row["token"]], **_without_token(row)} for row in changes.filed]
        if filed:
            run(sa.insert(FlowTaskCandidate), filed)
    for model, tokens in _forgotten(changes):
        run(sa.delete(model).where(model.instance_id == changes.instance_id, model.token.in_(tokens)))
    if changes.subscribed:
        run(sa.insert(MessageSubscription), changes.subscribed)
    if changes.timed:
        run(sa.insert(FlowTimer), changes.timed)
    stored = run(
        sa.update(FlowInstance)
        .where(FlowInstance.id == changes.instance_id, FlowInstance.revision == revision)
        .values(instance)
    )
    return stored.rowcount == 1


def _cancelling(changes: Changes) -> Any:
    return (
        sa.update(FlowTask)
        .where(FlowTask.instance_id == changes.instance_id, FlowTask.token.in_(changes.cancelled))
        .values(status="cancelled")
        .returning(FlowTask.id)
    )


def _forgotten(changes: Changes) -> list[tuple[Any, list[str]]]:
    """A timer that is due anew is forgotten first."""
    untimed = [*changes.untimed, *(row["token"] for row in changes.timed)]
    both = ((MessageSubscription, list(changes.unsubscribed)), (FlowTimer, untimed))
    return [(model, tokens) for model, tokens in both if tokens]


def _without_token(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "token"}


def _in_one(changes: Changes, revision: int, instance: Row, seen: Seen) -> Statement:
    """The parts that there are. Same parts, same text: the server keeps its plan. No part sees what another writes,
    save through `RETURNING`. The instance comes first, so that who is late waits there and has done nothing yet."""
    done = Statement(given={"instance_id": changes.instance_id}, stale=moved_on)
    parts, given = done.parts, done.given
    parts.append(_moved(instance, revision, seen, given))
    done.once.append("moved")
    over: list[str] = []
    if changes.decided is not None:
        said = changes.decided.values()
        given |= {f"decided_{name}": value for name, value in said.items()} | {
            "decided": changes.decided.task_id
        }
        sets = ", ".join(f"{name} = %(decided_{name})s" for name in said)
        as_seen = ""
        if seen.task and seen.task_id == changes.decided.task_id:
            as_seen, given["task_xmin"] = " AND xmin::text = %(task_xmin)s", seen.task
            done.once.append("decided")
        parts.append(f"decided AS (UPDATE flow_task SET {sets} WHERE id = %(decided)s{as_seen} RETURNING id)")
        over.append("task_id = %(decided)s")
    if changes.cancelled:
        given["cancelled"] = list(changes.cancelled)
        parts.append(
            "cancelled AS (UPDATE flow_task SET status = 'cancelled' WHERE instance_id = %(instance_id)s"
            " AND token = ANY(%(cancelled)s) RETURNING id)"
        )
        over.append("task_id IN (SELECT id FROM cancelled)")
    if over:
        parts.append(f"unfiled AS (DELETE FROM flow_task_candidate WHERE {' OR '.join(over)})")
    if changes.events:
        parts.append(f"happened AS ({_adding(FlowEvent, changes.events, 'events', given)})")
    if changes.opened:
        parts.append(f"opened AS ({_adding(FlowTask, changes.opened, 'opened', given)} RETURNING id, token)")
    if changes.filed:
        given["filed"] = _json(changes.filed)
        parts.append(
            "filed AS (INSERT INTO flow_task_candidate (task_id, role, unit_id, user_id)"
            " SELECT opened.id, f.role, f.unit_id, f.user_id FROM opened JOIN json_to_recordset(%(filed)s::json)"
            " AS f(token text, role text, unit_id integer, user_id integer) ON f.token = opened.token)"
        )
    for name, model, tokens, rows in (
        ("subscribed", MessageSubscription, changes.unsubscribed, changes.subscribed),
        ("timed", FlowTimer, changes.untimed, changes.timed),
    ):
        if tokens:
            given[f"not_{name}"] = list(tokens)
            parts.append(
                f"not_{name} AS (DELETE FROM {model.__tablename__}"
                f" WHERE instance_id = %(instance_id)s AND token = ANY(%(not_{name})s))"
            )
        if rows:
            anew = " ON CONFLICT (instance_id, token) DO UPDATE SET due_at = excluded.due_at"
            parts.append(
                f"{name} AS ({_adding(model, rows, name, given)}{anew if model is FlowTimer else ''})"
            )
    return done


def _moved(instance: Row, revision: int, seen: Seen, given: Row) -> str:
    """The instance's own row: written, or changed if it is as it was."""
    fresh, seen.fresh = seen.fresh, None
    columns = {**(fresh or {}), **instance}
    given |= {f"new_{name}": value for name, value in columns.items()}
    places = {name: f"%(new_{name})s" for name in columns}
    if fresh is not None:
        return (
            f"moved AS (INSERT INTO flow_instance ({', '.join(places)})"
            f" VALUES ({', '.join(places.values())}) RETURNING id)"
        )
    as_seen = ""
    if seen.instance:
        as_seen, given["instance_xmin"] = " AND xmin::text = %(instance_xmin)s", seen.instance
    given["at_revision"] = revision
    sets = ", ".join(f"{name} = {place}" for name, place in places.items())
    return (
        f"moved AS (UPDATE flow_instance SET {sets}"
        f" WHERE id = %(instance_id)s AND revision = %(at_revision)s{as_seen} RETURNING id)"
    )


def _adding(model: Any, rows: Sequence[Row], name: str, given: Row) -> str:
    """An INSERT of these rows, in their order."""
    given[name] = _json(rows)
    columns = tuple(rows[0])
    return (
        f"INSERT INTO {model.__tablename__} ({', '.join(columns)}) SELECT {', '.join(columns)}"
        f" FROM json_to_recordset(%({name})s::json) AS r({_typed(model, columns)})"
    )


@cache
def _typed(model: Any, columns: Iterable[str]) -> str:
    dialect = postgresql.dialect()
    types = {column.name: column.type.compile(dialect) for column in model.__table__.columns}
    return ", ".join(f"{name} {types[name]}" for name in columns)


def _json(rows: Sequence[Row]) -> str:
    return orjson.dumps(rows).decode()
