"""The verbs of flows. One command is one transaction: lock the instance, check, run, write down."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog

from app.actor import Actor
from app.bpmn.values import plain
from app.clock import now
from app.command import command
from app.db import db, insert_unless_there, lock_row
from app.flows import (
    acting,
    answering,
    attempting,
    engine,
    forms,
    publishing,
    queries,
    rules,
    uploads,
    versions,
)
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
from app.flows.holding import HeldInstance, HeldTask, hold
from app.flows.models import (
    FlowDefinition,
    FlowInstance,
    FlowTimer,
    MessageInbox,
)
from app.refusal import Conflict

log = structlog.get_logger()


@command
def load_files(*, folder: Path | None = None, by: Actor) -> FlowsLoaded:
    """Publish what the folder of flows holds, where it is new. A flow that a process owner has published since
    keeps that version. Idempotent. Refuses `Invalid` when a diagram, table or form is wrong."""
    versions.one_at_a_time()
    made: list[FlowDefinition] = []
    at = now()
    for said in publishing.read_folder(folder):
        papers = versions.Papers(
            said.key,
            said.bpmn.decode(),
            {name: text.decode() for name, text in said.tables.items()},
            said.forms,
            {},
        )
        present = versions.in_force(said.key, at, made=True)
        if present is None or (present.origin == "files" and not versions.is_as(papers, present)):
            made.append(versions.write(papers, origin="files", at=at))
    made += versions.settle(at, at)
    return FlowsLoaded(published=[f"{row.key} v{row.version} {row.sha256}" for row in made])


@command
def start(key: str, data: Mapping[str, Any], *, business_key: str, by: Actor) -> FlowStarted:
    """Begin the version in force of a flow about `business_key` (`application/7`). Automatic steps run at once.
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
    task, instance, by = acting.in_hand(task_id, by)
    if task.assignee_id is None:
        whose = by.on_behalf_of or by
        task.assignee_id, task.assignee_name = whose.id, whose.name
        engine.note(instance, "claimed", by, now(), node=task.node)
    return TaskClaimed(instance_id=instance.id, task_id=task.id, node=task.node)


@command
def release(task_id: int, *, by: Actor) -> TaskReleased:
    """Put a claimed task back for the colleagues. Refuses `Conflict` when it was not claimed."""
    task, instance, by = acting.in_hand(task_id, by)
    rules.check_not_asked_by_name(task.voter_id)
    if task.assignee_id is None:
        raise Conflict(
            "flow.not_claimed",
            zh="这项任务没有被领取，无需退还。",
            en="Nobody has claimed this task; it need not be put back.",
        )
    task.assignee_id = task.assignee_name = None
    engine.note(instance, "released", by, now(), node=task.node)
    return TaskReleased(instance_id=instance.id, task_id=task.id, node=task.node)


@command(replays=3)
def complete(task_id: int, form: Mapping[str, Any], *, by: Actor) -> TaskCompleted:
    """Do a task: its form is checked, the flow goes on, and the automatic steps that follow are done in this
    person's name, all in one transaction. Refuses `NotFound`, `Forbidden`, `Conflict` (done already, or done on
    a page of its own), `Invalid` (the form, with a sentence a field), Fault, and whatever an action refuses."""
    task, instance, by = _held(task_id, by)
    rules.check_is_done_here(task.page)
    return _complete(task, instance, form, by)


@command
def complete_on_page(task_id: int, form: Mapping[str, Any], *, by: Actor) -> TaskCompleted:
    """Do a task that has a page of its own. The command behind that page calls this, with values that it has made
    itself: a person's form never reaches the diagram this way. Refuses as `complete` does."""
    task, instance, by = _held(task_id, by)
    return _complete(task, instance, form, by)


def _held(task_id: int, by: Actor) -> tuple[HeldTask, HeldInstance, Actor]:
    """As `acting.in_hand`, for the act that happens most: plain values, and nothing more asked where the task is
    plainly theirs."""
    held = hold(task_id)
    if held is None:
        raise rules.no_such_task(task_id)
    task, instance = held
    theirs = (
        task.status == "open" and task.assignee_id in (None, by.id) and rules.may_take(task.candidates, by)
    )
    return task, instance, acting.check_in_hand(task, instance, by if theirs else queries.as_whom(task, by))


def _complete(task: HeldTask, instance: HeldInstance, form: Mapping[str, Any], by: Actor) -> TaskCompleted:
    return answering.complete(task, instance, _filled(task, instance, form, by), by)


def _filled(task: HeldTask, instance: HeldInstance, form: Mapping[str, Any], by: Actor) -> dict[str, Any]:
    asked = queries.form_for(task.definition_id, task.form, task.node)
    if asked is None:
        return {}
    offered = queries.offered(queries.view_of(task, instance), by) if asked.offers else {}
    files = uploads.offered(asked, form, by) if asked.takes_files else {}
    clean = forms.fill(asked, form, offered=offered, files=files, data=task.data)
    if files:
        uploads.hand_in(files, instance.id)
    return clean


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
    waiting = attempting.who_waits(kept)
    if waiting is None:
        return _delivered(kept, None, stopped=False)
    stopped = attempting.hand_over(kept, waiting, by, at)
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


def _delivered(kept: MessageInbox, instance_id: int | None, *, stopped: bool) -> MessageDelivered:
    return MessageDelivered(
        message=kept.name,
        correlation=kept.correlation,
        instance_id=instance_id,
        early=kept.delivered_at is None and not stopped,
        repeated=False,
        stopped=stopped,
    )


@command
def hand_over(kept_message_id: int, *, by: Actor) -> MessageDelivered:
    """Deliver a message that was kept, now that somebody waits for it. Refuses `Conflict` when it is over."""
    kept: MessageInbox | None = lock_row(MessageInbox, kept_message_id)
    waiting = attempting.who_waits(kept) if kept is not None and kept.delivered_at is None else None
    if kept is None or waiting is None:
        raise _over()
    return _delivered(kept, waiting.instance_id, stopped=attempting.hand_over(kept, waiting, by, now()))


@command
def fire(timer_id: int, *, by: Actor) -> TimerFired:
    """Wake the instance whose timer is due. Refuses `Conflict` when the timer is gone or not due (any more)."""
    at = now()
    seen = db.session.get(FlowTimer, timer_id)
    instance = _lock_unless_busy(seen.instance_id) if seen is not None else None
    timer = db.session.get(FlowTimer, timer_id, populate_existing=True)
    if instance is None or timer is None or timer.due_at > at or instance.status not in rules.AWAKE:
        raise _over()
    node, due_at = timer.node, timer.due_at
    stopped = attempting.attempt(instance, lambda _run: None, by, at, message=None)
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
    rules.check_may_retry(by)
    return attempting.try_again(instance_id, by, now())


@command
def remind(business_key: str, *, role: str, zh: str, en: str, by: Actor) -> FlowReminded:
    """Put a reminder into the history of the running instance, and in front of those who hold the role."""
    instance = db.session.scalar(
        sa.select(FlowInstance)
        .where(FlowInstance.business_key == business_key, FlowInstance.status.not_in(rules.OVER))
        .order_by(FlowInstance.id.desc())
        .limit(1)
    )
    if instance is None:
        raise rules.no_such_instance(business_key)
    engine.note(instance, "reminded", by, now(), role=role, zh=zh, en=en)
    return FlowReminded(instance_id=instance.id, business_key=business_key, role=role, text_zh=zh, text_en=en)
