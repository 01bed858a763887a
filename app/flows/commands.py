"""The verbs of flows. One command is one transaction: lock the instance, check, run, write down."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm.attributes import set_committed_value

from app.actor import SYSTEM, Actor
from app.bpmn.fault import Fault
from app.bpmn.step import Run
from app.bpmn.values import plain
from app.clock import now
from app.command import command
from app.db import db, insert_unless_there, lock_row
from app.flows import engine, forms, hands, publishing, queries, rules
from app.flows.facts import (
    FlowReminded,
    FlowsLoaded,
    FlowStarted,
    IncidentRetried,
    MessageDelivered,
    TaskClaimed,
    TaskCompleted,
    TaskReleased,
    TimerFired,
)
from app.flows.models import (
    FlowDefinition,
    FlowIncident,
    FlowInstance,
    FlowTask,
    FlowTimer,
    MessageInbox,
    MessageSubscription,
)
from app.flows.writing import Decided
from app.refusal import Conflict, Forbidden, Refusal

log = structlog.get_logger()


@command
def load_files(*, folder: Path | None = None, by: Actor) -> FlowsLoaded:
    """Publish what the folder of flows holds, where it is new. A flow that a process owner has published since
    keeps that version. Idempotent. Refuses `Invalid` when a diagram, table or form is wrong."""
    published: list[str] = []
    for said in publishing.read_folder(folder):
        calls = _pins(said)
        sha256 = _identity(said, calls)
        newest = queries.definition(said.key)
        if newest is not None and (newest.origin != "files" or newest.sha256 == sha256):
            continue
        row = FlowDefinition(
            key=said.key,
            version=newest.version + 1 if newest else 1,
            sha256=sha256,
            label_zh=said.diagram.label.zh,
            label_en=said.diagram.label.en,
            bpmn=said.bpmn.decode(),
            tables={name: text.decode() for name, text in said.tables.items()},
            forms=dict(said.forms),
            calls=calls,
            origin="files",
            published_at=now(),
        )
        db.session.add(row)
        db.session.flush()
        published.append(f"{row.key} v{row.version} {sha256}")
    return FlowsLoaded(published=published)


def _pins(said: publishing.FlowFiles) -> dict[str, Any]:
    """The newest definition of every flow that is called, and of those they call."""
    pins: dict[str, Any] = {}
    for key in sorted(said.diagram.calls):
        called = queries.definition(key)
        if called is None:
            raise rules.no_such_flow(key)
        pins |= {**called.calls, key: called.id}
    return pins


def _identity(said: publishing.FlowFiles, calls: Mapping[str, Any]) -> str:
    """SHA-256 over the diagram with its tables, its forms, and the identities of what it calls."""
    called = {key: db.session.get_one(FlowDefinition, ident).sha256 for key, ident in calls.items()}
    text = json.dumps([said.diagram.sha256, said.forms, called], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@command
def start(key: str, data: Mapping[str, Any], *, business_key: str, by: Actor) -> FlowStarted:
    """Begin the newest version of a flow about `business_key` (`application/7`). Automatic steps run at once.
    Refuses `NotFound`, `Forbidden` (the diagram names who may start it), Fault, and what an action refuses."""
    definition = queries.published(key)
    if definition is None:
        raise rules.no_such_flow(key)
    rules.check_may_start(engine.program_of(definition).main.properties.get("starter"), by)
    instance, _run = engine.open_instance(definition, data, business_key=business_key, by=by, now=now())
    return FlowStarted(
        instance_id=instance.id,
        key=key,
        version=definition.version,
        definition_sha256=definition.sha256,
        business_key=business_key,
        title=instance.title,
    )


@command
def claim(task_id: int, *, by: Actor) -> TaskClaimed:
    """Take a task of one's role, so that colleagues leave it alone. Refuses `Forbidden`, `Conflict`, `NotFound`."""
    task, instance, by = _task_to_act_on(task_id, by)
    if task.assignee_id is None:
        whose = by.on_behalf_of or by
        task.assignee_id, task.assignee_name = whose.id, whose.name
        engine.note(instance, "claimed", by, now(), node=task.node)
    return TaskClaimed(instance_id=instance.id, task_id=task.id, node=task.node)


@command
def release(task_id: int, *, by: Actor) -> TaskReleased:
    """Put a claimed task back for the colleagues. Refuses `Conflict` when it was not claimed."""
    task, instance, by = _task_to_act_on(task_id, by)
    if task.assignee_id is None:
        raise Conflict(
            "flow.not_claimed",
            zh="这项任务没有被领取，无需退还。",
            en="Nobody has claimed this task; it need not be put back.",
        )
    task.assignee_id = task.assignee_name = None
    engine.note(instance, "released", by, now(), node=task.node)
    return TaskReleased(instance_id=instance.id, task_id=task.id, node=task.node)


def _task_to_act_on(task_id: int, by: Actor) -> tuple[FlowTask, FlowInstance, Actor]:
    """The task with its instance locked, once it is sure that this person may act on it now; and the person, as
    themselves or in another's place (代理).

    Refuses in this order: no such task; not yours; already over; another is asked; a colleague has claimed it.
    """
    row = db.session.execute(
        # the instance first, as every other act locks it before its tasks
        sa.select(FlowInstance, FlowTask)
        .join(FlowTask, FlowTask.instance_id == FlowInstance.id)
        .where(FlowTask.id == task_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise rules.no_such_task(task_id)
    instance, found = row
    acting = queries.as_whom(found, by)
    if acting is None:
        raise rules.not_yours()
    rules.check_open(found.status, found.done_by_name, found.done_at)
    hands.check_not_asked(found.owner_id, found.assignee_name)
    rules.check_not_anothers(found.assignee_id, found.assignee_name, acting)
    return found, instance, acting


@command
def complete(task_id: int, form: Mapping[str, Any], *, by: Actor) -> TaskCompleted:
    """Do a task: its form is checked, the flow goes on, and the automatic steps that follow are done in this
    person's name, all in one transaction. Refuses `NotFound`, `Forbidden`, `Conflict` (done already, or done on
    a page of its own), `Invalid` (the form, with a sentence a field), Fault, and whatever an action refuses."""
    task, instance, by = _task_to_act_on(task_id, by)
    rules.check_is_done_here(task.page)
    return _complete(task, instance, form, by)


@command
def complete_on_page(task_id: int, form: Mapping[str, Any], *, by: Actor) -> TaskCompleted:
    """Do a task that has a page of its own. The command behind that page calls this, with values that it has made
    itself: a person's form never reaches the diagram this way. Refuses as `complete` does."""
    task, instance, by = _task_to_act_on(task_id, by)
    return _complete(task, instance, form, by)


def _complete(task: FlowTask, instance: FlowInstance, form: Mapping[str, Any], by: Actor) -> TaskCompleted:
    clean = _filled(queries.view_of(task, instance), form, by)
    decided = Decided(
        task_id=task.id,
        token=task.token,
        at=now(),
        by_id=by.id,
        by_name=by.name,
        outcome=_word(clean.get("decision")),
        opinion=_word(clean.get("opinion")),
    )
    run = engine.advance(
        instance, lambda r: r.complete(task.token, clean), decided=decided, by=by, now=decided.at
    )
    for name, value in decided.values().items():
        set_committed_value(task, name, value)
    return TaskCompleted(
        instance_id=instance.id,
        task_id=task.id,
        key=instance.key,
        node=task.node,
        business_key=instance.business_key,
        outcome=decided.outcome,
        opinion=decided.opinion,
        form=clean,
        rules=[dict(p.did) for p in run.trail if "rules" in p.did],
        finished=instance.status == "finished",
        for_id=by.on_behalf_of.id if by.on_behalf_of else None,
        for_name=by.on_behalf_of.name if by.on_behalf_of else None,
    )


def _filled(view: queries.TaskView, form: Mapping[str, Any], by: Actor) -> dict[str, Any]:
    if view.form is None:
        return {}
    return forms.fill(view.form, form, offered=queries.offered(view, by), data=view.data)


def _word(value: Any) -> str | None:
    return None if value is None else str(value)


@command
def deliver(
    message: str, correlation: str, payload: Mapping[str, Any], *, message_id: str = "", by: Actor
) -> MessageDelivered:
    """Bring a message to the one instance that waits for it. One that nobody waits for yet is kept; the same
    one again (name, correlation, `message_id`) has no effect. A step that cannot be done stops the instance
    as an incident and keeps the message: nothing is lost, and `retry` tries again."""
    at = now()
    kept = _keep(message, correlation, message_id, plain(payload), at)
    if kept is None:
        return _repeated(message, correlation, message_id)
    waiting = _who_waits(kept)
    if waiting is None:
        return _delivered(kept, None, stopped=False)
    stopped = _hand_over(kept, waiting, by, at)
    return _delivered(kept, waiting.instance_id, stopped=stopped)


def _keep(
    name: str, correlation: str, message_id: str, payload: dict[str, Any], at: datetime
) -> MessageInbox | None:
    """Put the message into the inbox; None when it lies there already. Two at once: the database decides."""
    kept = insert_unless_there(
        MessageInbox,
        name=name,
        correlation=correlation,
        message_id=message_id,
        payload=payload,
        received_at=at,
    )
    ident = db.session.scalar(kept.returning(MessageInbox.id))
    return db.session.get_one(MessageInbox, ident) if ident is not None else None


def _repeated(message: str, correlation: str, message_id: str) -> MessageDelivered:
    kept = db.session.scalars(
        sa.select(MessageInbox).where(
            MessageInbox.name == message,
            MessageInbox.correlation == correlation,
            MessageInbox.message_id == message_id,
        )
    ).one()
    return MessageDelivered(
        message=message,
        correlation=correlation,
        instance_id=kept.instance_id,
        early=kept.delivered_at is None,
        repeated=True,
        stopped=False,
    )


def _who_waits(kept: MessageInbox) -> MessageSubscription | None:
    return db.session.scalar(
        sa.select(MessageSubscription)
        .where(MessageSubscription.name == kept.name, MessageSubscription.correlation == kept.correlation)
        .order_by(MessageSubscription.id)
        .limit(1)
    )


def _hand_over(kept: MessageInbox, waiting: MessageSubscription, by: Actor, at: datetime) -> bool:
    """Deliver to the instance, locked; gives whether it was stopped instead."""
    instance: FlowInstance = lock_row(FlowInstance, waiting.instance_id)
    kept.instance_id = instance.id
    token = waiting.token
    stopped = _attempt(instance, lambda r: r.deliver(token, kept.payload), by, at, message=kept)
    if not stopped:
        kept.delivered_at = at
    return stopped


def _delivered(kept: MessageInbox, instance_id: int | None, *, stopped: bool) -> MessageDelivered:
    return MessageDelivered(
        message=kept.name,
        correlation=kept.correlation,
        instance_id=instance_id,
        early=instance_id is None,
        repeated=False,
        stopped=stopped,
    )


def _attempt(
    instance: FlowInstance,
    act: Callable[[Run], None],
    by: Actor,
    at: datetime,
    *,
    message: MessageInbox | None,
) -> bool:
    """Advance where nobody stands by to see a refusal: what goes wrong undoes only this step, and is put down
    as an incident. A database that does not answer is nobody's incident: that is raised."""
    try:
        with db.session.begin_nested():
            engine.advance(instance, act, by=by, now=at)
        return False
    except Refusal as refusal:
        _stop(instance, refusal, at, message)
    except SQLAlchemyError:
        raise
    except Exception as error:
        log.exception("flow.step_failed", instance_id=instance.id)
        _stop(instance, _as_fault(instance, error), at, message)
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


def _stop(instance: FlowInstance, refusal: Refusal, at: datetime, message: MessageInbox | None) -> None:
    db.session.refresh(instance)
    instance.status = "incident"
    db.session.add(
        FlowIncident(
            instance_id=instance.id,
            at=at,
            process=str(refusal.details.get("process", instance.key)),
            node=str(refusal.details.get("node", "")),
            code=refusal.code,
            text_zh=refusal.text.zh,
            text_en=refusal.text.en,
            message_id=message.id if message is not None else None,
        )
    )
    engine.note(instance, "incident", SYSTEM, at, code=refusal.code, zh=refusal.text.zh, en=refusal.text.en)


@command
def hand_over(kept_message_id: int, *, by: Actor) -> MessageDelivered:
    """Deliver a message that was kept, now that somebody waits for it. Refuses `Conflict` when it is over."""
    kept: MessageInbox | None = lock_row(MessageInbox, kept_message_id)
    waiting = _who_waits(kept) if kept is not None and kept.delivered_at is None else None
    if kept is None or waiting is None:
        raise _over()
    return _delivered(kept, waiting.instance_id, stopped=_hand_over(kept, waiting, by, now()))


@command
def fire(timer_id: int, *, by: Actor) -> TimerFired:
    """Wake the instance whose timer is due. Refuses `Conflict` when the timer is gone or not due (any more)."""
    at = now()
    seen = db.session.get(FlowTimer, timer_id)
    instance = _lock_unless_busy(seen.instance_id) if seen is not None else None
    timer = db.session.get(FlowTimer, timer_id, populate_existing=True)
    if instance is None or timer is None or timer.due_at > at:
        raise _over()
    node, due_at = timer.node, timer.due_at
    stopped = _attempt(instance, lambda _run: None, by, at, message=None)
    return TimerFired(instance_id=instance.id, node=node, due_at=due_at, stopped=stopped)


def _lock_unless_busy(instance_id: int) -> FlowInstance | None:
    """PostgreSQL skips a row that somebody works on; SQLite has one writer anyway and ignores the clause."""
    return db.session.scalar(
        sa.select(FlowInstance)
        .where(FlowInstance.id == instance_id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def _over() -> Conflict:
    return Conflict("flow.over", zh="这件事已经处理过了。", en="This has been dealt with already.")


@command
def retry(instance_id: int, *, by: Actor) -> IncidentRetried:
    """Try again what stopped an instance. Refuses `NotFound`, `Forbidden`, `Conflict` when nothing stops it."""
    if by.kind == "person" and not by.has("process_owner"):
        raise Forbidden(
            "flow.may_not_retry",
            zh="只有流程管理员可以重试受阻的流程。",
            en="Only the process owner may try a stopped flow again.",
        )
    instance: FlowInstance | None = lock_row(FlowInstance, instance_id)
    if instance is None:
        raise rules.no_such_instance(instance_id)
    found = queries.incidents(instance_id)
    if not found:
        raise Conflict(
            "flow.not_stopped",
            zh="该流程没有受阻，无需重试。",
            en="Nothing stops this flow; there is nothing to retry.",
        )
    at = now()
    for incident in found:
        incident.solved_at = at
    instance.status = "running"
    engine.note(instance, "retried", by, at)
    db.session.flush()
    stopped = _again(instance, found[-1], by, at)
    return IncidentRetried(instance_id=instance_id, incident_id=found[-1].id, solved=not stopped)


def _again(instance: FlowInstance, incident: FlowIncident, by: Actor, at: datetime) -> bool:
    if incident.message_id is None:
        return _attempt(instance, lambda _run: None, by, at, message=None)
    kept: MessageInbox = lock_row(MessageInbox, incident.message_id)
    waiting = _who_waits(kept)
    return _hand_over(kept, waiting, by, at) if waiting is not None and kept.delivered_at is None else False


@command
def remind(business_key: str, *, role: str, zh: str, en: str, by: Actor) -> FlowReminded:
    """Put a reminder into the history of the running instance, and in front of those who hold the role."""
    instance = db.session.scalar(
        sa.select(FlowInstance)
        .where(FlowInstance.business_key == business_key, FlowInstance.status != "finished")
        .order_by(FlowInstance.id.desc())
        .limit(1)
    )
    if instance is None:
        raise rules.no_such_instance(business_key)
    engine.note(instance, "reminded", by, now(), role=role, zh=zh, en=en)
    return FlowReminded(instance_id=instance.id, business_key=business_key, role=role, text_zh=zh, text_en=en)
