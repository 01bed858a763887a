"""A task and its instance, read and locked for whoever acts on it, in one journey to the database.

Plain values, not rows of the session: the step writes what it changes by itself (`writing.py`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
import sqlalchemy as sa

from app.db import db, in_drivers_words
from app.flows.models import FlowInstance, FlowTask, FlowTaskCandidate
from app.flows.rules import Candidate


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
"""An instance of which whoever calls holds the lock."""


def hold(task_id: int) -> tuple[HeldTask, HeldInstance] | None:
    """Waits for whoever holds the instance now; None when there is no such task."""
    connection = db.session.connection()
    found = (
        _in_json(connection, task_id)
        if connection.dialect.name == "postgresql"
        else _in_columns(connection, task_id)
    )
    if found is None:
        return None
    instance, task, candidates = found
    return HeldTask(**task, candidates=[Candidate(*one) for one in candidates]), HeldInstance(**instance)


def create(columns: dict[str, Any]) -> HeldInstance:
    """A new instance, whose row nobody else sees yet."""
    ident = db.session.connection().execute(_CREATED, columns).scalar_one()
    return HeldInstance(**columns, id=ident, ended_at=None)


Found = tuple[dict[str, Any], dict[str, Any], list[list[Any]]]


def _in_columns(connection: sa.Connection, task_id: int) -> Found | None:
    """On SQLite whoever writes is alone: nothing has to be locked."""
    task = connection.execute(sa.select(*_TASK).where(FlowTask.id == task_id)).mappings().one_or_none()
    if task is None:
        return None
    instance = sa.select(*_INSTANCE).where(FlowInstance.id == task["instance_id"])
    filed = sa.select(FlowTaskCandidate.role, FlowTaskCandidate.unit_id, FlowTaskCandidate.user_id).where(
        FlowTaskCandidate.task_id == task_id
    )
    rows = [list(row) for row in connection.execute(filed)]
    return dict(connection.execute(instance).mappings().one()), dict(task), rows


def _in_json(connection: sa.Connection, task_id: int) -> Found | None:
    """Four columns instead of forty: a driver spends as long on each as the server on finding the row."""
    row = in_drivers_words(_as_json(), {"task_id": task_id}).fetchone()
    if row is None:
        return None
    instance, task, candidates = (orjson.loads(text) for text in row[1:])
    return {**_with_moments(instance), "state": row[0]}, _with_moments(task), candidates


@cache
def _as_json() -> str:
    rest = ", ".join(f"i.{column.name}" for column in _INSTANCE if column.name != "state")
    return f"""
        SELECT i.state, (SELECT to_json(x) FROM (SELECT {rest}) x)::text, to_json(t)::text,
               (SELECT coalesce(json_agg(json_build_array(c.role, c.unit_id, c.user_id)), '[]')
                  FROM flow_task_candidate c WHERE c.task_id = t.id)::text
          FROM flow_instance i JOIN flow_task t ON t.instance_id = i.id
         WHERE t.id = %(task_id)s
           FOR UPDATE OF i, t
    """  # noqa: S608 (column names of our own tables)


def _with_moments(said: dict[str, Any]) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value).astimezone(UTC) if name.endswith("_at") and value else value
        for name, value in said.items()
    }


_INSTANCE = tuple(FlowInstance.__table__.c)
_TASK = tuple(FlowTask.__table__.c)
_CREATED = sa.insert(FlowInstance.__table__).returning(FlowInstance.__table__.c.id)  # type: ignore[arg-type]
