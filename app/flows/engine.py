"""One step of an instance against the tables: load the program, run, write down what came of it.

Whoever calls this holds the instance's row locked and stands inside a command's transaction.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm.attributes import set_committed_value

from app.actor import Actor
from app.bpmn import moments
from app.bpmn.expressions import compiled
from app.bpmn.fault import Fault
from app.bpmn.parse import Diagram, Node, Program, parse, program
from app.bpmn.step import OpenMessage, OpenTask, Passed, Run, begin, resume
from app.bpmn.values import plain
from app.db import db
from app.fact import Fact
from app.flows.action import ACTIONS
from app.flows.models import (
    FlowDefinition,
    FlowEvent,
    FlowInstance,
    FlowTask,
    FlowTaskCandidate,
    FlowTimer,
    MessageInbox,
    MessageSubscription,
)
from app.flows.rules import EVERYWHERE, Candidate, check_not_suspended
from app.glossary import role_of_lane
from app.people import queries as people
from app.refusal import Conflict
from app.settings import current_settings

KEPT = 128
_programs: "OrderedDict[str, Program]" = OrderedDict()
_lock = threading.Lock()


class ActionHost:
    """Hands a service task to the registered action, in the name of who set the step off."""

    def __init__(self, by: Actor) -> None:
        self.by = by

    def act(self, operator: str, parameters: dict[str, Any]) -> Any:
        action = ACTIONS.get(operator)
        if action is None:
            raise Fault(
                "action",
                process=operator.partition("/")[0],
                node=operator,
                zh=f"操作 {operator} 没有登记",
                en=f"the action {operator} is not registered",
            )
        done = action(parameters, by=self.by)
        return done.payload() if isinstance(done, Fact) else done


def local_now(now: datetime) -> datetime:
    """The moment in the organisation's zone: what a diagram means by a day."""
    return now.astimezone(ZoneInfo(current_settings().time_zone))


def diagram_of(definition: FlowDefinition) -> Diagram:
    tables = {name: str(text).encode() for name, text in definition.tables.items()}
    return parse(definition.bpmn.encode(), tables)


def definition_of(definition_id: int) -> FlowDefinition:
    """A published version. None is ever changed, so each process reads it once; it belongs to no session."""
    kept: dict[int, FlowDefinition] = current_app.extensions.setdefault("flow_definitions", {})
    found = kept.get(definition_id)
    if found is None:
        found = db.session.get_one(FlowDefinition, definition_id)
        db.session.expunge(found)
        kept[definition_id] = found
    return found


def program_of(definition: FlowDefinition) -> Program:
    """The definition with every diagram it pinned when it was published; kept by content."""
    with _lock:
        known = _programs.get(definition.sha256)
        if known is not None:
            _programs.move_to_end(definition.sha256)
            return known
    called = {key: diagram_of(definition_of(ident)) for key, ident in definition.calls.items()}
    made = program(diagram_of(definition), called)
    with _lock:
        _programs[definition.sha256] = made
        while len(_programs) > KEPT:
            _programs.popitem(last=False)
    return made


@dataclass(frozen=True)
class Waits:
    """The tokens that an instance waits at. Those of a stored state are what the tables hold, row for row, so a
    step writes only what it changed and reads nothing back."""

    tasks: frozenset[str] = frozenset()
    messages: frozenset[str] = frozenset()
    timers: Mapping[str, datetime] = field(default_factory=dict[str, datetime])

    @classmethod
    def of(cls, run: Run) -> "Waits":
        return cls(
            frozenset(task.token for task in run.tasks()),
            frozenset(waited.token for waited in run.messages()),
            {waited.token: waited.due for waited in run.timers()},
        )


def open_instance(
    definition: FlowDefinition, data: Mapping[str, Any], *, business_key: str, by: Actor, now: datetime
) -> tuple[FlowInstance, Run]:
    """A new instance, run to its first wait and written down."""
    joined = program_of(definition)
    kept = plain(data)
    instance = FlowInstance(
        definition_id=definition.id,
        key=definition.key,
        business_key=business_key,
        reference=_said(joined.main.properties.get("reference"), kept),
        title=_said(joined.main.properties.get("title"), kept) or definition.label_zh,
        glyph=_said(joined.main.properties.get("glyph"), kept),
        status="running",
        state=b"",
        revision=0,
        initiator_id=by.id,
        initiator_name=by.name,
        unit_id=by.unit_id,
        unit_name=people.unit(by.unit_id).name if by.unit_id is not None else "",
        started_at=now,
    )
    db.session.add(instance)
    db.session.flush()
    _event(instance, "started", joined.main.key, by, now)
    run = begin(joined, kept, host=ActionHost(by), now=local_now(now))
    save(instance, definition, run, Waits(), by=by, now=now)
    return instance, run


def advance(
    instance: FlowInstance,
    act: Callable[[Run], None],
    *,
    done: FlowTask | None = None,
    by: Actor,
    now: datetime,
    outcome: str | None = None,
    opinion: str | None = None,
) -> Run:
    """Resume the instance, let `act` happen to it, run to the next wait, write it down. `done`, `outcome`
    and `opinion`: the task and what a person decided there, where the act is theirs."""
    check_not_suspended(instance.status)
    definition = definition_of(instance.definition_id)
    run = resume(program_of(definition), instance.state, host=ActionHost(by), now=local_now(now))
    before = Waits.of(run)
    if done is not None:
        before = replace(before, tasks=before.tasks - {done.token})
        _unfile([done.id])
    act(run)
    run.settle()
    save(instance, definition, run, before, by=by, now=now, outcome=outcome, opinion=opinion)
    return run


def save(
    instance: FlowInstance,
    definition: FlowDefinition,
    run: Run,
    before: Waits,
    *,
    by: Actor,
    now: datetime,
    outcome: str | None = None,
    opinion: str | None = None,
) -> None:
    """Write what the step changed: history, tasks, what is waited for, and the state under the next revision."""
    _take_early_messages(instance, run, before, now)
    for passed in run.trail:
        if passed.node.kind in PEOPLE:
            event = _event(instance, "done", passed.process, by, now, passed=passed)
            event.outcome, event.opinion = outcome, opinion
        else:
            _event(instance, "passed", passed.process, by, now, passed=passed)
    _sync_tasks(instance, definition, run, before, now)
    _sync_messages(instance, run, before, now)
    _sync_timers(instance, run, before)
    instance.title = _said(run.program.main.properties.get("title"), run.data) or instance.title
    finished = run.finished
    if finished:
        _event(instance, "finished", run.program.main.key, by, now)
    _store(instance, run.state(), finished, now)


PEOPLE = ("userTask", "manualTask")


def _store(instance: FlowInstance, state: bytes, finished: bool, now: datetime) -> None:
    """Save under the revision that was read; anyone who came between makes this a Conflict."""
    revision = instance.revision
    values: dict[str, Any] = {"state": state, "revision": revision + 1}
    if finished:
        values |= {"status": "finished", "ended_at": now}
    db.session.flush()
    written = db.session.execute(
        sa.update(FlowInstance)
        .where(FlowInstance.id == instance.id, FlowInstance.revision == revision)
        .values(values)
        .execution_options(synchronize_session=False)
    )
    if written.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(
            "flow.moved_on",
            zh="流程刚刚被他人推进，请刷新后重试",
            en="Somebody has just moved this flow on; reload the page and try again",
        )
    for name, value in values.items():
        set_committed_value(instance, name, value)


def _take_early_messages(instance: FlowInstance, run: Run, before: Waits, now: datetime) -> None:
    """A message may come before it is waited for: then it lies in the inbox, and is taken here."""
    while True:
        taken = False
        for waited in run.messages():
            kept = _pending(waited) if waited.token not in before.messages else None
            if kept is not None:
                run.deliver(waited.token, kept.payload)
                run.settle()
                kept.instance_id, kept.delivered_at = instance.id, now
                db.session.flush()
                taken = True
                break
        if not taken:
            return


def _pending(waited: OpenMessage) -> MessageInbox | None:
    return db.session.scalar(
        sa.select(MessageInbox)
        .where(
            MessageInbox.name == waited.message,
            MessageInbox.correlation == waited.correlation,
            MessageInbox.delivered_at.is_(None),
        )
        .order_by(MessageInbox.id)
        .limit(1)
    )


def _event(
    instance: FlowInstance, kind: str, process: str, by: Actor, now: datetime, *, passed: Passed | None = None
) -> FlowEvent:
    node = passed.node if passed else None
    event = FlowEvent(
        instance_id=instance.id,
        at=now,
        kind=kind,
        process=process,
        node=node.id if node else "",
        shape=node.kind if node else "",
        label_zh=node.label.zh if node else "",
        label_en=node.label.en if node else "",
        actor_id=by.id,
        actor_name=by.name,
        detail=plain(passed.did) if passed else {},
    )
    db.session.add(event)
    return event


def note(instance: FlowInstance, kind: str, by: Actor, now: datetime, **detail: Any) -> FlowEvent:
    """An event of the history that is not a shape of the diagram: a claim, a reminder, an incident."""
    event = _event(instance, kind, instance.key, by, now)
    event.detail = plain(detail)
    return event


def _sync_tasks(
    instance: FlowInstance, definition: FlowDefinition, run: Run, before: Waits, now: datetime
) -> None:
    """Tasks that nobody is waited for at any more are cancelled; new ones are opened and filed."""
    waiting = {task.token: task for task in run.tasks()}
    gone = before.tasks - waiting.keys()
    if gone:
        _cancel_tasks(instance, gone)
    opened = [
        (_new_task(instance, definition, waited, now), waited)
        for token, waited in waiting.items()
        if token not in before.tasks
    ]
    db.session.add_all(task for task, _ in opened)
    db.session.flush()
    for task, waited in opened:
        for candidate in candidates_of(waited.node, task.role, task.data, instance):
            db.session.add(
                FlowTaskCandidate(
                    task_id=task.id,
                    role=candidate.role,
                    unit_id=candidate.unit_id,
                    user_id=candidate.user_id,
                )
            )


def _cancel_tasks(instance: FlowInstance, tokens: Collection[str]) -> None:
    cancelled = db.session.scalars(
        sa.update(FlowTask)
        .where(FlowTask.instance_id == instance.id, FlowTask.token.in_(tokens))
        .values(status="cancelled")
        .returning(FlowTask.id)
    ).all()
    _unfile(cancelled)


def _unfile(task_ids: Collection[int]) -> None:
    """A task that is over is filed under nobody any more."""
    db.session.execute(
        sa.delete(FlowTaskCandidate)
        .where(FlowTaskCandidate.task_id.in_(task_ids))
        .execution_options(synchronize_session=False)
    )


def _new_task(
    instance: FlowInstance, definition: FlowDefinition, waited: OpenTask, now: datetime
) -> FlowTask:
    node, data = waited.node, plain(waited.data)
    due_in = node.properties.get("dueIn")
    return FlowTask(
        instance_id=instance.id,
        definition_id=definition.calls.get(waited.process, definition.id),
        token=waited.token,
        node=node.id,
        label_zh=node.label.zh,
        label_en=node.label.en,
        form=node.properties.get("form") or node.id,
        page=_page(node, data),
        role=role_of(node),
        notice_zh=_said(node.properties.get("notice_zh"), data),
        notice_en=_said(node.properties.get("notice_en"), data),
        data=data,
        status="open",
        assignee_id=None,
        assignee_name=None,
        created_at=now,
        due_at=moments.duration(due_in).after(local_now(now)) if due_in else None,
    )


def role_of(node: Node) -> str | None:
    return node.properties.get("role") or (role_of_lane(node.lane) if node.lane else None)


def candidates_of(
    node: Node, role: str | None, data: Mapping[str, Any], instance: FlowInstance
) -> list[Candidate]:
    """The applicant's tasks belong to who started the flow; all others to the holders of the lane's role for
    the unit concerned (`scope`, else the owner of what is applied for, else the initiator's), or for one above it."""
    if role == "applicant":
        who = instance.initiator_id if instance.initiator_id is not None else data.get("applicant_id")
        return [Candidate(user_id=who)] if who is not None else []
    if role is None:
        return []
    scope = node.properties.get("scope")
    unit_id = compiled(scope)(data) if scope else data.get("owner_unit_id") or instance.unit_id
    above = people.unit_path(int(unit_id)) if unit_id is not None else frozenset[int]()
    return [Candidate(role=role, unit_id=unit) for unit in sorted({EVERYWHERE, *above})]


def _page(node: Node, data: Mapping[str, Any]) -> str | None:
    """The address of another house's page, with the data's plain values put in: `/applications/{application_id}`."""
    said = node.properties.get("page")
    return (
        re.sub(r"\{(\w+)\}", lambda found: quote(str(data.get(found[1], "")), safe=""), said)
        if said
        else None
    )


def _said(text: str | None, data: Mapping[str, Any]) -> str | None:
    """What a FEEL property says about the data, as words; None when it says nothing."""
    if not text:
        return None
    value = plain(compiled(text)(data))
    return None if value is None or value == "" else str(value)


def _sync_messages(instance: FlowInstance, run: Run, before: Waits, now: datetime) -> None:
    waiting = {waited.token: waited for waited in run.messages()}
    _forget(MessageSubscription, instance, before.messages - waiting.keys())
    for token, waited in waiting.items():
        if token not in before.messages:
            db.session.add(
                MessageSubscription(
                    instance_id=instance.id,
                    token=token,
                    process=waited.process,
                    node=waited.node.id,
                    name=waited.message,
                    correlation=waited.correlation,
                    since=now,
                )
            )


def _sync_timers(instance: FlowInstance, run: Run, before: Waits) -> None:
    """A timer that repeats is due anew: its row is replaced."""
    waiting = {waited.token: waited for waited in run.timers()}
    unchanged = {
        token for token, due in before.timers.items() if token in waiting and waiting[token].due == due
    }
    _forget(FlowTimer, instance, before.timers.keys() - unchanged)
    for token, waited in waiting.items():
        if token not in unchanged:
            db.session.add(
                FlowTimer(instance_id=instance.id, token=token, node=waited.node.id, due_at=waited.due)
            )


def _forget(
    model: type[MessageSubscription] | type[FlowTimer], instance: FlowInstance, tokens: Collection[str]
) -> None:
    if tokens:
        db.session.execute(sa.delete(model).where(model.instance_id == instance.id, model.token.in_(tokens)))
