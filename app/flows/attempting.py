"""Steps that nobody stands by to see refused: what a message or a timer sets off, and what becomes of it when it
cannot be done. It is undone, put down as an incident, and, where time may help, tried again by itself.

Whoever calls this stands inside a command's transaction.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.actor import SYSTEM, Actor
from app.bpmn.expressions import Expressions
from app.bpmn.fault import Fault
from app.bpmn.step import Run
from app.db import db, lock_row, savepoint
from app.flows import engine, queries, rules
from app.flows.facts import IncidentRetried
from app.flows.models import FlowIncident, FlowInstance, MessageInbox, MessageSubscription
from app.refusal import Conflict, Refusal
from app.settings import current_settings

log = structlog.get_logger()


def who_waits(kept: MessageInbox) -> MessageSubscription | None:
    """Who waits for the message and is awake: for a suspended instance it is kept until that goes on."""
    return db.session.scalar(
        sa.select(MessageSubscription)
        .join(FlowInstance, FlowInstance.id == MessageSubscription.instance_id)
        .where(
            MessageSubscription.name == kept.name,
            MessageSubscription.correlation == kept.correlation,
            FlowInstance.status.in_(rules.AWAKE),
        )
        .order_by(MessageSubscription.id)
        .limit(1)
    )


def hand_over(
    kept: MessageInbox,
    waiting: MessageSubscription,
    by: Actor,
    at: datetime,
    *,
    tries: int = 0,
    expressions: Expressions | None = None,
) -> bool:
    """Deliver to the instance, locked; gives whether it was stopped instead. One that fell asleep meanwhile is left
    alone: the message stays where it is."""
    token, instance_id = waiting.token, waiting.instance_id
    instance: FlowInstance = lock_row(FlowInstance, instance_id)
    if instance.status not in rules.AWAKE:
        return False
    kept.instance_id = instance.id
    stopped = attempt(
        instance,
        lambda r: r.deliver(token, kept.payload),
        by,
        at,
        message=kept,
        tries=tries,
        expressions=expressions,
    )
    if not stopped:
        kept.delivered_at = at
    return stopped


def again(
    instance: FlowInstance,
    incident: FlowIncident,
    by: Actor,
    at: datetime,
    *,
    tries: int = 0,
    expressions: Expressions | None = None,
) -> bool:
    """Do once more what had set off the step that failed; gives whether it was stopped again."""
    if incident.message_id is None:
        return attempt(
            instance, lambda _run: None, by, at, message=None, tries=tries, expressions=expressions
        )
    kept: MessageInbox = lock_row(MessageInbox, incident.message_id)
    waiting = who_waits(kept) if kept.delivered_at is None else None
    return (
        hand_over(kept, waiting, by, at, tries=tries, expressions=expressions)
        if waiting is not None
        else False
    )


def try_again(instance_id: int, by: Actor, at: datetime) -> IncidentRetried:
    """Everything that stops the instance is taken for solved, and what set off the last of it is done once more.
    By itself only so often; a person's try begins a new count. Refuses `NotFound`, `Conflict`."""
    instance: FlowInstance | None = lock_row(FlowInstance, instance_id)
    if instance is None:
        raise rules.no_such_instance(instance_id)
    rules.check_not_suspended(instance.status)
    found = queries.incidents(instance_id)
    if not found:
        raise Conflict(
            "flow.not_stopped",
            zh="该流程没有受阻，无需重试。",
            en="Nothing stops this flow; there is nothing to retry.",
        )
    for incident in found:
        incident.solved_at, incident.next_try_at = at, None
    instance.status = "running"
    engine.note(instance, "retried", by, at)
    db.session.flush()
    tries = found[-1].tries + 1 if by.kind == "system" else 0
    stopped = again(instance, found[-1], by, at, tries=tries)
    return IncidentRetried(instance_id=instance_id, incident_id=found[-1].id, solved=not stopped)


def attempt(
    instance: FlowInstance,
    act: Callable[[Run], None],
    by: Actor,
    at: datetime,
    *,
    message: MessageInbox | None,
    tries: int = 0,
    expressions: Expressions | None = None,
) -> bool:
    """Advance where nobody stands by to see a refusal: what goes wrong undoes only this step, and is put down
    as an incident. A database that does not answer is nobody's incident: that is raised."""
    runs: list[Run] = []

    def watched(run: Run) -> None:
        runs.append(run)
        if expressions is not None:
            run.speak_with(expressions)
        act(run)

    try:
        with savepoint():
            engine.advance(instance, watched, by=by, now=at)
        return False
    except Refusal as refusal:
        _stop(instance, refusal, at, message, runs, tries)
    except SQLAlchemyError:
        raise
    except Exception as error:
        log.exception("flow.step_failed", instance_id=instance.id)
        _stop(instance, _as_fault(instance, error), at, message, runs, tries)
    return True


def _as_fault(instance: FlowInstance, error: Exception) -> Fault:
    name = type(error).__name__
    return Fault(
        "defect",
        process=instance.key,
        node=instance.title,
        zh=f"程序出错（{name}）",
        en=f"a defect in the program ({name})",
    )


def _stop(
    instance: FlowInstance,
    refusal: Refusal,
    at: datetime,
    message: MessageInbox | None,
    runs: list[Run],
    tries: int,
) -> None:
    db.session.refresh(instance)
    instance.status = "incident"
    where = runs[0].where() if runs else None
    said = refusal.details
    node_id = str(said.get("node_id") or (where.node.id if where else ""))
    db.session.add(
        FlowIncident(
            instance_id=instance.id,
            at=at,
            process=str(said.get("process") or (where.process if where else instance.key)),
            node=str(said.get("node") or (where.node.label.zh if where else "")),
            node_id=node_id,
            visit=1 + sum(p.node.id == node_id for p in runs[0].trail) if runs else 1,
            code=refusal.code,
            text_zh=refusal.text.zh,
            text_en=refusal.text.en,
            message_id=message.id if message is not None else None,
            tries=tries,
            next_try_at=_next_try(refusal, at, tries),
        )
    )
    engine.note(instance, "incident", SYSTEM, at, code=refusal.code, zh=refusal.text.zh, en=refusal.text.en)


def _next_try(refusal: Refusal, at: datetime, tries: int) -> datetime | None:
    """After a minute, two, four, …; never where the flow itself is wrong, or it has been tried often enough."""
    settings = current_settings()
    if not rules.may_pass_by_itself(refusal.code) or tries >= settings.incident_tries:
        return None
    return at + timedelta(seconds=settings.incident_retry_s * 2**tries)
