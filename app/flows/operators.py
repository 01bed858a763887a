"""What an operator sees: the flows that are stopped or held, and what may be done with one."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import defer

from app.actor import Actor
from app.db import db
from app.flows import queries, rules
from app.flows.models import FlowIncident, FlowInstance
from app.people import queries as people
from app.text import Text


@dataclass(frozen=True)
class IncidentRow:
    """An instance that is stopped by something, or held. `text` is None for one that is only held."""

    instance_id: int
    key: str
    title: str
    reference: str | None
    status: str
    unit: str
    node: str
    text: Text | None
    at: datetime
    tries: int
    next_try_at: datetime | None


@dataclass(frozen=True)
class May:
    """What this person may do with an instance now."""

    suspend: bool
    resume: bool
    cancel: bool
    mend: bool

    @property
    def anything(self) -> bool:
        return self.suspend or self.resume or self.cancel or self.mend


def may(instance_id: int, actor: Actor) -> May:
    """Refuses `NotFound`."""
    found = db.session.get(FlowInstance, instance_id)
    if found is None:
        raise rules.no_such_instance(instance_id)
    if found.status in rules.OVER:
        return May(False, False, False, False)
    unit_ids = people.unit_path(found.unit_id)
    owner = rules.may_steer(actor, unit_ids, "process_owner")
    operator = rules.may_steer(actor, unit_ids, *rules.OPERATORS)
    held = found.status == "suspended"
    own = actor.id is not None and actor.id == found.initiator_id and not queries.is_decided(found)
    return May(
        suspend=operator and not held,
        resume=operator and held,
        cancel=owner or own,
        mend=owner and found.status == "incident",
    )


def needing_somebody(actor: Actor, limit: int = 200) -> list[IncidentRow]:
    """The instances of this operator's units that are stopped or held, the oldest first. Refuses `Forbidden`."""
    if not any(actor.has(role) for role in rules.OPERATORS):
        rules.check_may_steer(actor, frozenset(), *rules.OPERATORS)
    last = (
        sa.select(FlowIncident.instance_id, sa.func.max(FlowIncident.id).label("id"))
        .where(FlowIncident.solved_at.is_(None))
        .group_by(FlowIncident.instance_id)
        .subquery()
    )
    found = db.session.execute(
        sa.select(FlowInstance, FlowIncident)
        .outerjoin(last, last.c.instance_id == FlowInstance.id)
        .outerjoin(FlowIncident, FlowIncident.id == last.c.id)
        .where(FlowInstance.status.in_(("incident", "suspended")))
        .order_by(FlowInstance.id)
        .limit(limit)
        .options(defer(FlowInstance.state))
    )
    return [
        _row(instance, incident)
        for instance, incident in found
        if rules.may_steer(actor, people.unit_path(instance.unit_id), *rules.OPERATORS)
    ]


def _row(instance: FlowInstance, incident: FlowIncident | None) -> IncidentRow:
    return IncidentRow(
        instance_id=instance.id,
        key=instance.key,
        title=instance.title,
        reference=instance.reference,
        status=instance.status,
        unit=instance.unit_name,
        node=incident.node if incident else "",
        text=Text(incident.text_zh, incident.text_en) if incident else None,
        at=incident.at if incident else instance.started_at,
        tries=incident.tries if incident else 0,
        next_try_at=incident.next_try_at if incident else None,
    )
