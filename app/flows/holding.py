"""A task and its instance, read for whoever acts on it, in one journey to the database.

Plain values, not rows of the session: the step writes what it changes by itself (`writing.py`). On PostgreSQL a command
that may begin anew locks nothing at first: what it read is compared by the rows' `xmin`, which every change of a row
changes, when it writes, or is locked once something else has to be written before.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
import sqlalchemy as sa

from app.db import db, present_transaction
from app.flows.models import FlowInstance, FlowTask, FlowTaskCandidate
from app.flows.rules import Candidate, moved_on
from app.transaction import Transaction


@dataclass(slots=True)
class HeldInstance:
    """A locked `FlowInstance`: its columns, in their order."""

    id: int
    definition_id: int
    key: str
    business_key: str
    reference: str | None
    title: str
    glyph: str | None
    status: str
    state: bytes
    revision: int
    initiator_id: int | None
    initiator_name: str
    unit_id: int | None
    unit_name: str
    started_at: datetime
    ended_at: datetime | None
    seen: "Seen | None" = None


@dataclass(slots=True)
class HeldTask:
    """A locked `FlowTask`: its columns, in their order, and under whom it is filed."""

    id: int
    instance_id: int
    definition_id: int
    token: str
    node: str
    label_zh: str
    label_en: str
    form: str
    page: str | None
    role: str | None
    notice_zh: str | None
    notice_en: str | None
    data: dict[str, Any]
    status: str
    assignee_id: int | None
    assignee_name: str | None
    created_at: datetime
    due_at: datetime | None
    done_at: datetime | None
    done_by_id: int | None
    done_by_name: str | None
    outcome: str | None
    opinion: str | None
    voter_id: int | None
    parent_id: int | None
    place: str | None
    added: int | None
    held: dict[str, Any] | None
    own_hand: bool
    owner_id: int | None
    owner_name: str | None
    timeout_at: datetime | None
    timeouts: int
    candidates: list[Candidate]


Standing = FlowInstance | HeldInstance
"""An instance of which whoever calls holds the lock, or will know when somebody was quicker."""


@dataclass(slots=True)
class Seen:
    """Read, not locked: the rows as they were, or (`fresh`) the columns of an instance that has no row yet."""

    instance: str = ""
    task_id: int = 0
    task: str = ""
    fresh: dict[str, Any] | None = None


def hold(task_id: int) -> tuple[HeldTask, HeldInstance] | None:
    """Waits for whoever holds the instance now; None when there is no such task."""
    transaction = present_transaction()
    found = _in_columns(task_id) if transaction is None else _in_json(transaction, task_id)
    if found is None:
        return None
    instance, task, candidates = found
    held = HeldInstance(**instance)
    if transaction is not None and held.seen is not None:
        _lock_at_first(transaction, held.id, held.seen)
    return HeldTask(**task, candidates=[Candidate(*one) for one in candidates]), held


def create(columns: dict[str, Any]) -> HeldInstance:
    """A new instance, whose row nobody else sees yet; on PostgreSQL it is written with its first step, or before
    anything else is."""
    transaction = present_transaction()
    if transaction is None or transaction.begun:
        ident = db.session.connection().execute(_CREATED, columns).scalar_one()
        return HeldInstance(**columns, id=ident, ended_at=None)
    ((said,),) = transaction.run("SELECT nextval('flow_instance_id_seq')::text")
    ident = int(said or b"")
    seen = Seen(fresh={"id": ident, **columns})
    transaction.at_first(lambda: _write(seen))
    return HeldInstance(**columns, id=ident, ended_at=None, seen=seen)


def _write(seen: Seen) -> None:
    fresh, seen.fresh = seen.fresh, None
    if fresh is not None:
        db.session.connection().execute(sa.insert(FlowInstance), fresh)


def _lock_at_first(transaction: Transaction, instance_id: int, seen: Seen) -> None:
    def lock() -> None:
        if transaction.run(_LOCKED, {"instance_id": instance_id, **_as_seen(seen)}) == []:
            raise moved_on()

    transaction.at_first(lock)


def _as_seen(seen: Seen) -> dict[str, Any]:
    return {"instance_xmin": seen.instance, "task_id": seen.task_id, "task_xmin": seen.task}


_LOCKED = """
    SELECT 1 FROM flow_instance i JOIN flow_task t ON t.instance_id = i.id
     WHERE i.id = %(instance_id)s AND i.xmin::text = %(instance_xmin)s
       AND t.id = %(task_id)s AND t.xmin::text = %(task_xmin)s
       FOR UPDATE OF i, t
"""


Found = tuple[dict[str, Any], dict[str, Any], list[list[Any]]]


def _in_columns(task_id: int) -> Found | None:
    """On SQLite whoever writes is alone: nothing has to be locked."""
    connection = db.session.connection()
    task = connection.execute(sa.select(*_TASK).where(FlowTask.id == task_id)).mappings().one_or_none()
    if task is None:
        return None
    instance = sa.select(*_INSTANCE).where(FlowInstance.id == task["instance_id"])
    filed = sa.select(FlowTaskCandidate.role, FlowTaskCandidate.unit_id, FlowTaskCandidate.user_id).where(
        FlowTaskCandidate.task_id == task_id
    )
    rows = [list(row) for row in connection.execute(filed)]
    return dict(connection.execute(instance).mappings().one()), dict(task), rows


def _in_json(transaction: Transaction, task_id: int) -> Found | None:
    """Six columns instead of forty: a driver spends as long on each as the server on finding the row."""
    lock = not transaction.optimistic
    if lock:
        transaction.begin()
    rows = transaction.run(_as_json(lock or transaction.begun), {"task_id": task_id})
    if not rows:
        return None
    state, *texts = (said or b"" for said in rows[0])
    instance_xmin, task_xmin, instance, task, candidates = (orjson.loads(text) for text in texts)
    seen = None if transaction.begun else Seen(str(instance_xmin), task_id, str(task_xmin))
    return {**_with_moments(instance), "state": state, "seen": seen}, _with_moments(task), candidates


@cache
def _as_json(lock: bool) -> str:
    rest = ", ".join(f"i.{column.name}" for column in _INSTANCE if column.name != "state")
    return f"""
        SELECT i.state, i.xmin::text, t.xmin::text,
               (SELECT to_json(x) FROM (SELECT {rest}) x)::text, to_json(t)::text,
               (SELECT coalesce(json_agg(json_build_array(c.role, c.unit_id, c.user_id)), '[]')
                  FROM flow_task_candidate c WHERE c.task_id = t.id)::text
          FROM flow_instance i JOIN flow_task t ON t.instance_id = i.id
         WHERE t.id = %(task_id)s
         {"FOR UPDATE OF i, t" if lock else ""}
    """  # noqa: S608 (column names of our own tables)


def _with_moments(said: dict[str, Any]) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value).astimezone(UTC) if name.endswith("_at") and value else value
        for name, value in said.items()
    }


_INSTANCE = tuple(FlowInstance.__table__.c)
_TASK = tuple(FlowTask.__table__.c)
_CREATED = sa.insert(FlowInstance.__table__).returning(FlowInstance.__table__.c.id)  # type: ignore[arg-type]
