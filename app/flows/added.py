"""The rows of people added to a task (加签): the token engine knows nothing of them, only the tables do."""

import secrets
import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.db import db
from app.flows.models import FlowTask, FlowTaskCandidate

FORM = "~added"
"""Ends the name of an added person's form: of the form of the task they were added to, its decision and opinion."""


def under(task_id: int) -> Sequence[FlowTask]:
    """Everybody ever added to a task, in the order in which they were asked."""
    return db.session.scalars(
        sa.select(FlowTask).where(FlowTask.parent_id == task_id).order_by(FlowTask.id)
    ).all()


def still_asked(rows: Collection[FlowTask], place: str) -> list[FlowTask]:
    """Of these, who has not answered yet, before or after."""
    return [row for row in rows if row.place == place and row.status in ("open", "held")]


def open_row(parent: FlowTask, person: tuple[int, str], place: str, at: datetime) -> FlowTask:
    """Ask one person beside the parent, in the parent's name and with what it knows."""
    row = FlowTask(
        instance_id=parent.instance_id,
        definition_id=parent.definition_id,
        token=str(uuid.UUID(int=secrets.randbits(128))),
        node=parent.node,
        label_zh=parent.label_zh,
        label_en=parent.label_en,
        form=parent.form.removesuffix(FORM) + FORM,
        page=None,
        role=None,
        notice_zh=None,
        notice_en=None,
        data=parent.data,
        status="open",
        assignee_id=person[0],
        assignee_name=person[1],
        created_at=at,
        due_at=parent.due_at,
        voter_id=person[0],
        parent_id=parent.id,
        place=place,
    )
    db.session.add(row)
    db.session.flush()
    db.session.add(FlowTaskCandidate(task_id=row.id, user_id=person[0]))
    return row


def with_those_below(instance_id: int, tokens: Sequence[str]) -> list[str]:
    """The tokens, and those of everybody who was added to these tasks and has not answered."""
    found, level = list(tokens), list(tokens)
    while level:
        above = sa.select(FlowTask.id).where(
            FlowTask.instance_id == instance_id, FlowTask.token.in_(level), FlowTask.added.is_not(None)
        )
        level = list(
            db.session.scalars(
                sa.select(FlowTask.token).where(
                    FlowTask.parent_id.in_(above), FlowTask.status.in_(("open", "held"))
                )
            )
        )
        found += level
    return found


def cancel(rows: Collection[FlowTask], instance_id: int) -> None:
    """Call off these, and those added to them."""
    tokens = with_those_below(instance_id, [row.token for row in rows])
    if not tokens:
        return
    where = (FlowTask.instance_id == instance_id, FlowTask.token.in_(tokens))
    unfile(db.session.scalars(sa.select(FlowTask.id).where(*where)).all())
    db.session.execute(sa.update(FlowTask).where(*where).values(status="cancelled"))


def unfile(task_ids: Collection[int]) -> None:
    """A task that waits for nobody is filed under nobody."""
    db.session.execute(sa.delete(FlowTaskCandidate).where(FlowTaskCandidate.task_id.in_(task_ids)))


def answers(rows: Collection[FlowTask]) -> list[dict[str, Any]]:
    """What those who were added said, as the data keep it."""
    return [
        {
            "person": row.done_by_id,
            "name": row.done_by_name,
            "place": row.place,
            "outcome": row.outcome,
            "opinion": row.opinion,
        }
        for row in rows
        if row.status == "done"
    ]


def depth(task: FlowTask) -> int:
    """0 for a task of the diagram, 1 for who was added to it, and so on."""
    steps = 0
    while task.parent_id is not None:
        steps += 1
        task = db.session.get_one(FlowTask, task.parent_id)
    return steps
