"""An operator holds an instance, lets it go on, or ends it.

A suspended instance keeps its tasks, its timers and its messages. Nobody completes a task of it, no timer fires, and
what comes for it is kept. When it is resumed, what is kept is delivered and what fell due meanwhile fires at once: a
deadline is a promise to somebody outside, and holding the flow here does not move it.
"""

import sqlalchemy as sa

from app.actor import Actor
from app.clock import now
from app.command import command
from app.db import db, lock_row
from app.flows import engine, queries, rules
from app.flows.action import CANCELLED
from app.flows.facts import FlowCancelled, FlowResumed, FlowSuspended
from app.flows.models import (
    FlowIncident,
    FlowInstance,
    FlowTask,
    FlowTaskCandidate,
    FlowTimer,
    MessageSubscription,
)
from app.people import queries as people
from app.refusal import Conflict


def locked(instance_id: int) -> FlowInstance:
    """The instance, locked, if it can still go on. Refuses `NotFound`, `Conflict` when it is over."""
    instance: FlowInstance | None = lock_row(FlowInstance, instance_id)
    if instance is None:
        raise rules.no_such_instance(instance_id)
    rules.check_not_over(instance.status)
    return instance


@command
def suspend(instance_id: int, reason: str, *, by: Actor) -> FlowSuspended:
    """Hold an instance until it is resumed. Refuses `Forbidden`, `NotFound`, `Invalid` without a reason, `Conflict`
    when it is over or held already."""
    instance = locked(instance_id)
    rules.check_may_steer(by, people.unit_path(instance.unit_id), *rules.OPERATORS)
    said = rules.check_reason(reason)
    rules.check_not_suspended(instance.status)
    instance.status = "suspended"
    engine.note(instance, "suspended", by, now(), zh=said, en=said)
    return FlowSuspended(
        instance_id=instance.id, key=instance.key, business_key=instance.business_key, reason=said
    )


@command
def resume(instance_id: int, *, by: Actor) -> FlowResumed:
    """Let a suspended instance go on from where it stands; what stopped it before, stops it still. Refuses
    `Forbidden`, `NotFound`, `Conflict` when nobody holds it."""
    instance = locked(instance_id)
    rules.check_may_steer(by, people.unit_path(instance.unit_id), *rules.OPERATORS)
    if instance.status != "suspended":
        raise Conflict(
            "flow.not_suspended",
            zh="该流程没有被暂停，无需恢复。",
            en="This flow is not suspended; there is nothing to resume.",
        )
    stopped = bool(queries.incidents(instance_id))
    instance.status = "incident" if stopped else "running"
    engine.note(instance, "resumed", by, now())
    return FlowResumed(
        instance_id=instance.id, key=instance.key, business_key=instance.business_key, stopped=stopped
    )


@command
def cancel(instance_id: int, reason: str, *, by: Actor) -> FlowCancelled:
    """End an instance for good: its tasks, what it waits for and what stopped it go with it. What its steps have
    made true stays. The process owner may, and whoever started it while no other person has done a task in it.
    Refuses `Forbidden`, `NotFound`, `Invalid` without a reason, `Conflict`."""
    instance = locked(instance_id)
    rules.check_may_cancel(
        by,
        people.unit_path(instance.unit_id),
        initiator_id=instance.initiator_id,
        decided=queries.is_decided(instance),
    )
    said, at = rules.check_reason(reason), now()
    tasks = _end_tasks(instance_id)
    for model in (MessageSubscription, FlowTimer):
        db.session.execute(sa.delete(model).where(model.instance_id == instance_id))
    db.session.execute(
        sa.update(FlowIncident)
        .where(FlowIncident.instance_id == instance_id, FlowIncident.solved_at.is_(None))
        .values(solved_at=at, next_try_at=None)
    )
    instance.status, instance.ended_at = "cancelled", at
    instance.revision += 1  # whoever has read it before must not write it
    engine.note(instance, "cancelled", by, at, zh=said, en=said)
    _tell_the_house(instance, said, by)
    return FlowCancelled(
        instance_id=instance.id,
        key=instance.key,
        business_key=instance.business_key,
        reason=said,
        tasks=tasks,
    )


def _end_tasks(instance_id: int) -> list[str]:
    """The open tasks are cancelled and filed under nobody; gives their shapes."""
    found = db.session.execute(
        sa.update(FlowTask)
        .where(FlowTask.instance_id == instance_id, FlowTask.status == "open")
        .values(status="cancelled")
        .returning(FlowTask.id, FlowTask.node)
    ).all()
    db.session.execute(
        sa.delete(FlowTaskCandidate)
        .where(FlowTaskCandidate.task_id.in_([ident for ident, _ in found]))
        .execution_options(synchronize_session=False)
    )
    return sorted(node for _, node in found)


def _tell_the_house(instance: FlowInstance, reason: str, by: Actor) -> None:
    """The houses that know the subject may have something to put right; what one refuses keeps the flow alive."""
    subject, _, ident = instance.business_key.partition("/")
    if ident.isdigit():
        for listener in CANCELLED.get(subject, ()):
            listener(int(ident), reason, by=by)
