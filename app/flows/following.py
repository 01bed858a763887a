"""What the tables hold of an instance follows its version: open tasks, subscriptions and timers keep their rows and
their tokens, and say what the version says. Nothing has moved on, so nothing is opened or ended but what was drawn anew.
"""

# the engine's writer of a task's row is used here as it is
# pyright: reportPrivateUsage=false

from datetime import datetime

import sqlalchemy as sa

from app.bpmn.step import Run
from app.db import db
from app.flows import engine
from app.flows.models import (
    FlowDefinition,
    FlowInstance,
    FlowTask,
    FlowTaskCandidate,
    FlowTimer,
    MessageSubscription,
)

SAID = ("definition_id", "node", "label_zh", "label_en", "form", "page", "role", "own_hand")
"""What of a task's row its version says; when it came, who has taken it and why it came back stays."""


def follow(instance: FlowInstance, definition: FlowDefinition, run: Run, at: datetime) -> None:
    """The instance by another version: its state, and every row that follows from what it waits for."""
    instance.definition_id, instance.state = definition.id, run.state()
    instance.revision += 1
    _tasks(instance, definition, run, at)
    _messages(instance, run, at)
    _timers(instance, run)
    db.session.flush()


def _tasks(instance: FlowInstance, definition: FlowDefinition, run: Run, at: datetime) -> None:
    """Open tasks keep their rows, who took them and when they came; all the rest is said by the version."""
    rows = {
        row.token: row
        for row in db.session.scalars(
            sa.select(FlowTask).where(FlowTask.instance_id == instance.id, FlowTask.status == "open")
        )
    }
    for waited in run.tasks():
        row = rows[waited.token]
        made = engine.task_row(instance, definition, waited, at)
        for name in SAID:
            setattr(row, name, made[name])
        if made["notice_zh"] is not None:
            row.notice_zh, row.notice_en = made["notice_zh"], made["notice_en"]
        db.session.execute(
            sa.delete(FlowTaskCandidate)
            .where(FlowTaskCandidate.task_id == row.id)
            .execution_options(synchronize_session=False)
        )
        for who in engine.candidates_of(waited.node, row.role, row.data, instance, voter=row.voter_id):
            db.session.add(
                FlowTaskCandidate(task_id=row.id, role=who.role, unit_id=who.unit_id, user_id=who.user_id)
            )


def _messages(instance: FlowInstance, run: Run, at: datetime) -> None:
    rows = {
        row.token: row
        for row in db.session.scalars(
            sa.select(MessageSubscription).where(MessageSubscription.instance_id == instance.id)
        )
    }
    for waited in run.messages():
        row = rows.pop(waited.token, None)
        if row is None:
            row = MessageSubscription(
                instance_id=instance.id,
                token=waited.token,
                process="",
                node="",
                name="",
                correlation="",
                since=at,
            )
            db.session.add(row)
        row.process, row.node = waited.process, waited.node.id
        row.name, row.correlation = waited.message, waited.correlation
    for row in rows.values():
        db.session.delete(row)


def _timers(instance: FlowInstance, run: Run) -> None:
    rows = {
        row.token: row
        for row in db.session.scalars(sa.select(FlowTimer).where(FlowTimer.instance_id == instance.id))
    }
    for waited in run.timers():
        row = rows.pop(waited.token, None)
        if row is None:
            row = FlowTimer(instance_id=instance.id, token=waited.token, node="", due_at=waited.due)
            db.session.add(row)
        row.node, row.due_at = waited.node.id, waited.due
    for row in rows.values():
        db.session.delete(row)
