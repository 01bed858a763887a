"""抄送: who is told of a step, and what a person was told. Whoever was told may look, never act."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa

from app.actor import Actor
from app.bpmn.expressions import compiled
from app.bpmn.step import Run
from app.db import db
from app.flows.holding import Standing
from app.flows.models import FlowInstance, FlowTask
from app.flows.models_hands import FlowCopy, FlowHanding
from app.glossary import ROLES
from app.people import queries as people
from app.text import Text

MOST = 200
"""People told at once."""


def of_step(instance: Standing, run: Run, by: Actor, now: datetime) -> None:
    """Tell whom the shapes name that this step passed (`copyTo`)."""
    for passed in run.trail:
        said = passed.node.properties.get("copyTo")
        if said:
            who = named(said.strip(), run.data, instance)
            tell(instance, who, passed.node.label, sender=by.name, note="", at=now)


def named(said: str, data: Mapping[str, Any], instance: Standing) -> list[int]:
    """The people that `copyTo` names: holders of a role for the unit concerned, or FEEL that gives ids. Numbers of
    nobody are passed over: a copy is no reason to stop a flow."""
    if said == "applicant":
        return [instance.initiator_id] if instance.initiator_id is not None else []
    if said in ROLES:
        unit_id = data.get("owner_unit_id") or instance.unit_id
        return [u.id for u in people.users_with_role(said, unit_id)][:MOST]
    value = compiled(said)(data)
    values = cast("list[Any]", value) if isinstance(value, list) else [value]
    numbers = [int(v) for v in values if not isinstance(v, (bool, str)) and _is_whole(v)]
    return known(numbers[:MOST])


def _is_whole(value: Any) -> bool:
    try:
        return 0 < value < 2**31 and value == int(value)
    except (TypeError, ValueError):
        return False


def known(ids: Iterable[int]) -> list[int]:
    """Those of the numbers that are people who work here, in their order."""
    wanted = list(dict.fromkeys(ids))
    active = {u.id for u in people.people() if u.active} if wanted else set[int]()
    return [ident for ident in wanted if ident in active]


def tell(
    instance: Standing, who: Iterable[int], label: Text, *, sender: str, note: str, at: datetime
) -> list[int]:
    """One unread copy a person about one step: told again while unread, the first stays. Gives who is newly told."""
    unread = set(
        db.session.scalars(
            sa.select(FlowCopy.user_id).where(
                FlowCopy.instance_id == instance.id,
                FlowCopy.label_zh == label.zh,
                FlowCopy.read_at.is_(None),
            )
        )
    )
    new = [ident for ident in dict.fromkeys(who) if ident not in unread]
    for ident in new:
        copy = FlowCopy(
            instance_id=instance.id,
            user_id=ident,
            label_zh=label.zh,
            label_en=label.en,
            from_name=sender,
            note=note,
            at=at,
        )
        db.session.add(copy)
    return new


def was_told(instance_id: int, actor: Actor) -> bool:
    """Whether the person was ever told of the instance, or had one of its tasks handed to them or from them."""
    if actor.id is None:
        return False
    told = sa.select(FlowCopy.id).where(FlowCopy.instance_id == instance_id, FlowCopy.user_id == actor.id)
    had = (
        sa.select(FlowHanding.id)
        .join(FlowTask, FlowTask.id == FlowHanding.task_id)
        .where(
            FlowTask.instance_id == instance_id,
            sa.or_(FlowHanding.to_id == actor.id, FlowHanding.from_id == actor.id),
        )
    )
    return any(db.session.scalar(found.limit(1)) is not None for found in (told, had))


@dataclass(frozen=True)
class CopyRow:
    """A copy as its list shows it."""

    id: int
    instance_id: int
    title: str
    glyph: str | None
    step: Text
    sender: str
    note: str
    at: datetime
    read_at: datetime | None


def to(actor: Actor, limit: int = 200) -> list[CopyRow]:
    """What this person was told, unread first, then the newest."""
    found = db.session.execute(
        sa.select(FlowCopy, FlowInstance.title, FlowInstance.glyph)
        .join(FlowInstance, FlowInstance.id == FlowCopy.instance_id)
        .where(FlowCopy.user_id == actor.id)
        .order_by(FlowCopy.read_at.is_not(None), FlowCopy.id.desc())
        .limit(limit)
    )
    return [
        CopyRow(
            c.id,
            c.instance_id,
            title,
            glyph,
            Text(c.label_zh, c.label_en),
            c.from_name,
            c.note,
            c.at,
            c.read_at,
        )
        for c, title, glyph in found
    ]


def unread(actor: Actor) -> int:
    """How many copies this person has not marked as read."""
    query = sa.select(sa.func.count()).where(FlowCopy.user_id == actor.id, FlowCopy.read_at.is_(None))
    return db.session.scalar(query) or 0
