"""Telling people: 抄送 by hand and 已阅, 催办 of those who hold a task."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.actor import Actor
from app.clock import now
from app.command import command
from app.db import db, lock_row
from app.flows import acting, copies, engine, hands, queries, rules
from app.flows.facts import CopyRead, FlowCopied, TaskUrged
from app.flows.models import FlowInstance
from app.flows.models_hands import FlowCopy, FlowNudge
from app.people import queries as people
from app.refusal import Invalid, NotFound
from app.settings import current_settings
from app.text import Text


@command
def copy(instance_id: int, user_ids: list[int], note: str, *, by: Actor) -> FlowCopied:
    """抄送: tell people of an instance that one may look at oneself; they may look then, never act. Refuses
    `NotFound`, `Forbidden`, `Invalid` (nobody, too many, no such person)."""
    instance: FlowInstance | None = lock_row(FlowInstance, instance_id)
    if instance is None:
        raise rules.no_such_instance(instance_id)
    queries.check_may_see(instance_id, by)
    note = hands.check_note(note)
    who = copies.known(user_ids[: copies.MOST + 1])
    if not who or len(who) > copies.MOST or set(who) != set(user_ids):
        text = Text("请选择要抄送的人员", "Choose the people to tell")
        raise Invalid("flow.nobody_told", zh=text.zh, en=text.en, fields={"to": text})
    at = now()
    label = Text(instance.title, instance.title)
    told = copies.tell(instance, who, label, sender=by.name, note=note, at=at)
    names = "、".join(people.user(ident).name for ident in who)
    engine.note(instance, "copied", by, at, zh=f"{names}　{note}".strip(), en=f"{names} {note}".strip())
    return FlowCopied(instance_id=instance_id, user_ids=told, note=note)


@command
def read_copy(copy_id: int, *, by: Actor) -> CopyRead:
    """已阅: one's own copy is read; again changes nothing. Refuses `NotFound` for anybody else's."""
    row: FlowCopy | None = lock_row(FlowCopy, copy_id)
    if row is None or row.user_id != by.id:
        raise NotFound("flow.no_such_copy", zh="没有这条抄送。", en="There is no such copy.", copy_id=copy_id)
    if row.read_at is None:
        at = now()
        row.read_at = at
        engine.note(db.session.get_one(FlowInstance, row.instance_id), "read", by, at)
    return CopyRead(instance_id=row.instance_id, copy_id=row.id)


@command
def urge(task_id: int, note: str = "", *, by: Actor) -> TaskUrged:
    """催办: whoever waits nudges those who hold the open task. Refuses `NotFound`, `Forbidden` (who does not wait),
    `Conflict` (it is over), `TooMany` (within `urge_interval_s` of the last)."""
    task, instance = acting.locked(task_id)
    hands.check_may_urge(
        by, initiator_id=instance.initiator_id, owner_id=task.owner_id, holder_id=task.assignee_id
    )
    rules.check_open(task.status, task.done_by_name, task.done_at)
    rules.check_not_suspended(instance.status)
    note = hands.check_note(note)
    at = now()
    last = db.session.scalar(
        sa.select(sa.func.max(FlowNudge.at)).where(FlowNudge.task_id == task.id, FlowNudge.by_id.is_not(None))
    )
    hands.check_interval(last, at, timedelta(seconds=current_settings().urge_interval_s))
    db.session.add(FlowNudge(task_id=task.id, at=at, by_id=by.id, by_name=by.name, note=note))
    said: dict[str, Any] = {
        "zh": f"「{task.label_zh}」{note}",
        "en": f"“{task.label_en}” {note}".strip(),
    }
    engine.note(instance, "urged", by, at, node=task.node, **said)
    return TaskUrged(instance_id=instance.id, task_id=task.id, node=task.node, note=note)


@dataclass(frozen=True)
class Nudge:
    """The latest nudge of a task, as its holders see it. `sender` is empty for a timeout."""

    task_id: int
    sender: str
    note: str
    at: datetime


def nudges(task_ids: Collection[int]) -> list[Nudge]:
    """The latest nudge of each of these tasks, newest first."""
    latest = sa.select(sa.func.max(FlowNudge.id)).where(FlowNudge.task_id.in_(task_ids))
    rows = db.session.scalars(
        sa.select(FlowNudge)
        .where(FlowNudge.id.in_(latest.group_by(FlowNudge.task_id)))
        .order_by(FlowNudge.id.desc())
    )
    return [Nudge(row.task_id, row.by_name, row.note, row.at) for row in rows]
