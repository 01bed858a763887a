"""One step of an instance against the tables: load the program, run, write down what came of it.

Whoever calls this holds the instance's row locked and stands inside a command's transaction.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm.attributes import set_committed_value

from app.actor import Actor
from app.bpmn.expressions import compiled
from app.bpmn.fault import Fault
from app.bpmn.parse import Diagram, Node, Program, parse, program
from app.bpmn.step import OpenMessage, OpenTask, Passed, Run, begin, resume
from app.bpmn.values import plain
from app.db import db, present_transaction
from app.fact import Fact
from app.flows import added, calendars, copies, policies
from app.flows.action import ACTIONS
from app.flows.holding import HeldInstance, Standing, create
from app.flows.models import (
    FlowDefinition,
    FlowEvent,
    FlowInstance,
    MessageInbox,
)
from app.flows.rules import EVERYWHERE, Candidate, check_not_suspended
from app.flows.writing import Changes, Decided, write
from app.glossary import role_of_lane
from app.people import queries as people
from app.settings import current_settings

KEPT = 128
_programs: "OrderedDict[str, Program]" = OrderedDict()
_lock = threading.Lock()


class ActionHost:
    """Hands a service task to the registered action, in the name of who set the step off; knows the people."""

    def __init__(self, by: Actor, unit_id: int | None = None) -> None:
        self.by = by
        self.unit_id = unit_id

    def holders(self, role: str, unit_id: int | None) -> list[int]:
        return [person.id for person in people.users_with_role(role, unit_id)]

    def able(self, ids: Sequence[int]) -> list[int]:
        there = people.able(ids)
        return [ident for ident in ids if ident in there]

    def act(self, operator: str, parameters: dict[str, Any]) -> Any:
        transaction = present_transaction()
        if transaction is not None:
            transaction.begin()  # no action runs for somebody who comes second: the instance is locked from here on
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
) -> tuple[HeldInstance, Run]:
    """A new instance, run to its first wait and written down."""
    joined = program_of(definition)
    kept = plain(data)
    columns = {
        "definition_id": definition.id,
        "key": definition.key,
        "business_key": business_key,
        "reference": _said(joined.main.properties.get("reference"), kept),
        "title": _said(joined.main.properties.get("title"), kept) or definition.label_zh,
        "glyph": _said(joined.main.properties.get("glyph"), kept),
        "status": "running",
        "state": b"",
        "revision": 0,
        "initiator_id": by.id,
        "initiator_name": by.name,
        "unit_id": by.unit_id,
        "unit_name": people.unit(by.unit_id).name if by.unit_id is not None else "",
        "started_at": now,
    }
    instance = create(columns)
    run = begin(joined, kept, host=ActionHost(by, by.unit_id), now=local_now(now))
    save(instance, definition, run, Waits(), by=by, now=now)
    return instance, run


def advance(
    instance: Standing,
    act: Callable[[Run], None],
    *,
    decided: Decided | None = None,
    by: Actor,
    now: datetime,
) -> Run:
    """Resume the instance, let `act` happen to it, run to the next wait, write it down. `decided`: the task and
    what a person said there, where the act is theirs."""
    check_not_suspended(instance.status)
    definition = definition_of(instance.definition_id)
    host = ActionHost(by, instance.unit_id)
    run = resume(program_of(definition), instance.state, host=host, now=local_now(now))
    before = Waits.of(run)
    act(run)
    run.settle()
    save(instance, definition, run, before, by=by, now=now, decided=decided)
    return run


def save(
    instance: Standing,
    definition: FlowDefinition,
    run: Run,
    before: Waits,
    *,
    by: Actor,
    now: datetime,
    decided: Decided | None = None,
) -> None:
    """Write what the step changed: history, tasks, what is waited for, and the state under the next revision."""
    _take_early_messages(instance, run, before, now)
    while policies.passed_by_itself(instance, definition, run, before.tasks, decided, _usual(instance)):
        _take_early_messages(instance, run, before, now)
    changes = Changes(instance.id, decided=decided)
    changes.events = _history(instance, run, by, now, decided)
    _see_tasks(changes, instance, definition, run, before, now)
    _see_messages(changes, run, before, now)
    _see_timers(changes, run, before)
    values: dict[str, Any] = {
        "state": run.state(),
        "title": _said(run.program.main.properties.get("title"), run.data) or instance.title,
    }
    if run.finished:
        values |= {"status": "finished", "ended_at": now}
    write(changes, standing=instance, values=values)
    for name, value in {**values, "revision": instance.revision + 1}.items():
        if isinstance(instance, FlowInstance):
            set_committed_value(instance, name, value)
        else:
            setattr(instance, name, value)
    copies.of_step(instance, run, by, now)


PEOPLE = ("userTask", "manualTask")


def _history(
    instance: Standing, run: Run, by: Actor, now: datetime, decided: Decided | None
) -> list[dict[str, Any]]:
    """What happened in the step, in its order."""
    main = run.program.main.key
    rows = [_row(instance, "started", main, by, now)] if instance.revision == 0 else []
    for passed in run.trail:
        theirs = passed.node.kind in PEOPLE and "vote" not in passed.did
        row = _row(instance, "done" if theirs else "passed", passed.process, by, now, passed)
        if "by_itself" in passed.did or "vote" in passed.did:
            row |= policies.told(passed)
        elif theirs and decided is not None:
            row |= {"actor_id": decided.by_id, "actor_name": decided.by_name}
            row |= {"outcome": decided.outcome, "opinion": decided.opinion}
        rows.append(row)
    if run.finished:
        rows.append(_row(instance, "finished", main, by, now))
    return rows


def voters_of(instance: Standing, token: str, by: Actor) -> list[dict[str, Any]]:
    """Everybody of the vote that an open seat belongs to, as asked; only read."""
    program = program_of(definition_of(instance.definition_id))
    return resume(program, instance.state, host=ActionHost(by), now=instance.started_at).voters(token)


def _take_early_messages(instance: Standing, run: Run, before: Waits, now: datetime) -> None:
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


def _row(
    instance: Standing, kind: str, process: str, by: Actor, now: datetime, passed: Passed | None = None
) -> dict[str, Any]:
    node = passed.node if passed else None
    return {
        "instance_id": instance.id,
        "at": now,
        "kind": kind,
        "process": process,
        "node": node.id if node else "",
        "shape": node.kind if node else "",
        "label_zh": node.label.zh if node else "",
        "label_en": node.label.en if node else "",
        "actor_id": by.id,
        "actor_name": by.name,
        "outcome": None,
        "opinion": None,
        "detail": (plain(passed.did) if passed else {}) | _in_place_of(by),
    }


def _in_place_of(by: Actor) -> dict[str, Any]:
    return {"on_behalf_of": by.on_behalf_of.name} if by.on_behalf_of is not None else {}


def note(instance: Standing, kind: str, by: Actor, now: datetime, **detail: Any) -> FlowEvent:
    """An event of the history that is not a shape of the diagram: a claim, a reminder, an incident."""
    event = FlowEvent(
        **{**_row(instance, kind, instance.key, by, now), "detail": plain(detail) | _in_place_of(by)}
    )
    db.session.add(event)
    return event


def _see_tasks(
    changes: Changes,
    instance: Standing,
    definition: FlowDefinition,
    run: Run,
    before: Waits,
    now: datetime,
) -> None:
    """Tasks that nobody is waited for at any more are cancelled; new ones are opened and filed."""
    waiting = {task.token: task for task in run.tasks()}
    done = {changes.decided.token} if changes.decided is not None else set[str]()
    changes.cancelled = added.with_those_below(instance.id, sorted(before.tasks - waiting.keys() - done))
    opened = [w for token, w in waiting.items() if token not in before.tasks or token in done]
    names = people.able([w.voter for w in opened if w.voter is not None])
    for waited in opened:
        row = task_row(instance, definition, waited, now)
        changes.opened.append({**row, "assignee_name": names.get(waited.voter or 0)})
        changes.filed += [
            {"token": waited.token, "role": c.role, "unit_id": c.unit_id, "user_id": c.user_id}
            for c in policies.candidates(waited, instance, _usual(instance))
        ]


def _usual(instance: Standing) -> Callable[[OpenTask], list[Candidate]]:
    return lambda waited: candidates_of(
        waited.node, role_of(waited.node), waited.data, instance, voter=waited.voter
    )


def task_row(
    instance: Standing, definition: FlowDefinition, waited: OpenTask, now: datetime
) -> dict[str, Any]:
    node, data = waited.node, plain(waited.data)
    due_in = node.properties.get("dueIn")
    due_at = calendars.after(due_in, local_now(now)) if due_in else None
    return {
        "instance_id": instance.id,
        "definition_id": definition.calls.get(waited.process, definition.id),
        "token": waited.token,
        "node": node.id,
        "label_zh": node.label.zh,
        "label_en": node.label.en,
        "form": node.properties.get("form") or node.id,
        "page": _page(node, data),
        "role": role_of(node),
        "notice_zh": _said(node.properties.get("notice_zh"), data),
        "notice_en": _said(node.properties.get("notice_en"), data),
        "data": data,
        "status": "open",
        "voter_id": waited.voter,
        "assignee_id": waited.voter,
        "created_at": now,
        "due_at": due_at,
        "own_hand": node.properties.get("ownHand") == "true",
        "timeout_at": due_at if "onTimeout" in node.properties else None,
    }


def role_of(node: Node) -> str | None:
    return node.properties.get("role") or (role_of_lane(node.lane) if node.lane else None)


def candidates_of(
    node: Node,
    role: str | None,
    data: Mapping[str, Any],
    instance: Standing,
    *,
    voter: int | None = None,
) -> list[Candidate]:
    """A vote belongs to its voter, the applicant's tasks to who started the flow; all others to the holders of the lane's role for
    the unit concerned (`scope`, else the owner of what is applied for, else the initiator's), or for one above it."""
    if voter is not None:
        return [Candidate(user_id=voter)]
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


def _see_messages(changes: Changes, run: Run, before: Waits, now: datetime) -> None:
    waiting = {waited.token: waited for waited in run.messages()}
    changes.unsubscribed = sorted(before.messages - waiting.keys())
    changes.subscribed = [
        {
            "instance_id": changes.instance_id,
            "token": token,
            "process": waited.process,
            "node": waited.node.id,
            "name": waited.message,
            "correlation": waited.correlation,
            "since": now,
        }
        for token, waited in waiting.items()
        if token not in before.messages
    ]


def _see_timers(changes: Changes, run: Run, before: Waits) -> None:
    """A timer that repeats is due anew."""
    waiting = {waited.token: waited for waited in run.timers()}
    changes.untimed = sorted(before.timers.keys() - waiting.keys())
    changes.timed = [
        {
            "instance_id": changes.instance_id,
            "token": token,
            "node": waited.node.id,
            "due_at": waited.due,
        }
        for token, waited in waiting.items()
        if before.timers.get(token) != waited.due
    ]
