"""From a row that the flows wrote: who is told, and what. Each source is a table; `told` reads one of its rows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.db import db
from app.flows.models import FlowEvent, FlowIncident, FlowInstance, FlowTask
from app.flows.models_hands import FlowCopy, FlowHanding, FlowNudge, FlowSubstitution
from app.notices import audience, wishes
from app.text import Text

AGAINST = frozenset({"send_back", "refuse", "reject", "return"})
"""Outcomes of a decision of which the applicant is told with the reason."""
NOTHING = Text("", "")


@dataclass(frozen=True)
class Told:
    """One happening and the people who are told of it."""

    who: tuple[int, ...]
    kind: str
    key: str
    at: datetime
    title: str
    step: Text
    by: str = ""
    said: Text = NOTHING
    instance_id: int | None = None
    task_id: int | None = None


def of_task(task: FlowTask, now: datetime) -> Told | None:
    """A task has come; nobody is told of one that is over already, nor the applicant of a correction of which the
    return tells them, with its reason, wherever the task would."""
    if task.status != "open":
        return None
    told = _at_task(task, "task", f"task:{task.id}", task.created_at, said=_message(task))
    if told is None or not (but := _told_of_return(task)):
        return told
    return replace(told, who=tuple(person for person in told.who if person != but))


def _told_of_return(task: FlowTask) -> int | None:
    """The applicant, where the task came in the very step that sent the flow back to them."""
    instance = db.session.get_one(FlowInstance, task.instance_id)
    events = db.session.scalars(
        sa.select(FlowEvent).where(FlowEvent.instance_id == instance.id, FlowEvent.at == task.created_at)
    )
    theirs = instance.initiator_id
    if theirs is None or not any(
        _of_applicant(event) == "returned" and event.actor_id != theirs for event in events
    ):
        return None
    wish = wishes.of(theirs)
    return theirs if wish.channels("task") <= wish.channels("returned") else None


def of_event(event: FlowEvent, now: datetime) -> Told | None:
    """What the applicant is told of their flow; an answer to whoever asked; a reminder to a role."""
    instance = db.session.get_one(FlowInstance, event.instance_id)
    said = Text(str(event.detail.get("zh", "")), str(event.detail.get("en", "")))
    step = Text(event.label_zh, event.label_en)
    if event.kind == "answered":
        return _answered(event, instance, said)
    if event.kind == "reminded":
        who = audience.holders_of_role(str(event.detail.get("role")), instance.unit_id)
        kind, step = "urged", Text(instance.title, instance.title)
    else:
        kind = _of_applicant(event) or ""
        who = [i for i in (instance.initiator_id,) if i is not None and (i != event.actor_id)]
        if kind == "returned" and event.kind == "done":
            said = Text(event.opinion or "", event.opinion or "")
        if kind == "finished":
            said, who = NOTHING, [i for i in (instance.initiator_id,) if i is not None]
    if not kind or not who:
        return None
    return _of_instance(instance, who, kind, f"event:{event.id}", event.at, step, event.actor_name, said)


def _of_applicant(event: FlowEvent) -> str | None:
    if event.kind in ("finished", "cancelled", "returned"):
        return event.kind
    said = event.detail.get("result") if event.kind == "counted" else event.outcome
    against = said == "rejected" or said in AGAINST
    return "returned" if event.kind in ("done", "counted", "by_itself") and against else None


def _answered(event: FlowEvent, instance: FlowInstance, said: Text) -> Told | None:
    task = db.session.scalar(
        sa.select(FlowTask)
        .where(
            FlowTask.instance_id == instance.id,
            FlowTask.node == event.detail.get("node"),
            FlowTask.status == "open",
            FlowTask.assignee_id.is_not(None),
            FlowTask.assignee_id.is_distinct_from(event.actor_id),
        )
        .order_by(FlowTask.id.desc())
        .limit(1)
    )
    if task is None:
        return None
    return _at_task(
        task, "answered", f"event:{event.id}", event.at, said=said, by=event.actor_name, whole=False
    )


def of_handing(handing: FlowHanding, now: datetime) -> Told | None:
    """转办, 委派, 离职: whoever has it now is told by whom and why."""
    task = db.session.get_one(FlowTask, handing.task_id)
    if task.status != "open":
        return None
    said = Text(handing.reason, handing.reason)
    key = f"handing:{handing.id}"
    return _at_task(
        task, "handed", key, handing.at, said=said, by=handing.from_name, who=[handing.to_id], whole=False
    )


def of_copy(copy: FlowCopy, now: datetime) -> Told | None:
    """抄送."""
    instance = db.session.get_one(FlowInstance, copy.instance_id)
    step, said = Text(copy.label_zh, copy.label_en), Text(copy.note, copy.note)
    return _of_instance(
        instance, [copy.user_id], "copied", f"copy:{copy.id}", copy.at, step, copy.from_name, said
    )


def of_nudge(nudge: FlowNudge, now: datetime) -> Told | None:
    """催办 by a person; without one it is the task's timeout that speaks."""
    task = db.session.get_one(FlowTask, nudge.task_id)
    if task.status != "open":
        return None
    key = f"nudge:{nudge.id}"
    if nudge.by_id is None:
        return _at_task(task, "late", key, nudge.at)
    said = Text(nudge.note, nudge.note)
    return _at_task(task, "urged", key, nudge.at, said=said, by=nudge.by_name)


def of_incident(incident: FlowIncident, now: datetime) -> Told | None:
    """A flow has stopped: its operators are told the first time, and when it is not tried again by itself."""
    if incident.solved_at is not None or (incident.tries and incident.next_try_at is not None):
        return None
    instance = db.session.get_one(FlowInstance, incident.instance_id)
    who = audience.operators(instance.unit_id)
    step, said = Text(incident.node, incident.node), Text(incident.text_zh, incident.text_en)
    return _of_instance(instance, who, "incident", f"incident:{incident.id}", incident.at, step, "", said)


def of_place(row: FlowSubstitution, now: datetime) -> Told | None:
    """代理: whoever stands in is told for whom; not of what they set themselves, nor of what is over."""
    if row.set_by_id == row.substitute_id or (row.valid_until is not None and row.valid_until <= now):
        return None
    name = audience.name_of(row.user_id)
    said = Text(row.reason, row.reason)
    return Told(
        (row.substitute_id,),
        "substitute",
        f"place:{row.id}",
        row.set_at,
        name,
        NOTHING,
        row.set_by_name,
        said,
    )


SOURCES: dict[str, tuple[Any, Callable[[Any, datetime], Told | None]]] = {
    "task": (FlowTask, of_task),
    "event": (FlowEvent, of_event),
    "handing": (FlowHanding, of_handing),
    "copy": (FlowCopy, of_copy),
    "nudge": (FlowNudge, of_nudge),
    "incident": (FlowIncident, of_incident),
    "place": (FlowSubstitution, of_place),
}


def of_due(task: FlowTask, now: datetime) -> Told | None:
    """Soon due; not of a task that came with so little time."""
    if task.due_at is None or task.due_at <= now or task.status != "open":
        return None
    if task.due_at - task.created_at < 2 * (task.due_at - now) - timedelta(seconds=1):
        return None
    return _at_task(task, "due", f"due:{task.id}", now)


def of_late(task: FlowTask, now: datetime) -> Told | None:
    """Overdue; where the shape says what happens then, its timeout speaks instead."""
    if task.status != "open" or task.timeouts or task.timeout_at is not None or task.due_at is None:
        return None
    return _at_task(task, "late", f"late:{task.id}", task.due_at)


def _message(task: FlowTask) -> Text:
    return Text(task.notice_zh or "", task.notice_en or task.notice_zh or "")


def _at_task(
    task: FlowTask,
    kind: str,
    key: str,
    at: datetime,
    *,
    said: Text = NOTHING,
    by: str = "",
    who: Iterable[int] | None = None,
    whole: bool = True,
) -> Told | None:
    """For those who hold the task (`whole`: and who stand in for them)."""
    instance = db.session.get_one(FlowInstance, task.instance_id)
    people = audience.holders(task) if who is None else list(who)
    if whole:
        people += audience.substitutes(people, task, instance, at)
    step = Text(task.label_zh, task.label_en)
    return Told(
        tuple(dict.fromkeys(people)), kind, key, at, instance.title, step, by, said, instance.id, task.id
    )


def _of_instance(
    instance: FlowInstance,
    who: Iterable[int],
    kind: str,
    key: str,
    at: datetime,
    step: Text,
    by: str,
    said: Text,
) -> Told:
    return Told(tuple(dict.fromkeys(who)), kind, key, at, instance.title, step, by, said, instance.id)
