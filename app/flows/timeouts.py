"""What a due moment brings: `onTimeout` of a task, looked after by the sweep.

The task's own row says when (`timeout_at`), so it lives and dies with the task: a task that comes again after a
return is armed anew, a restart loses nothing, and whoever comes second finds it dealt with.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.actor import SYSTEM, Actor
from app.bpmn.parse import Node
from app.clock import now
from app.command import command
from app.db import db, savepoint
from app.flows import calendars, copies, engine, forms, queries, rules
from app.flows.facts import TaskTimedOut
from app.flows.models import FlowInstance, FlowTask, FlowTaskCandidate
from app.flows.models_hands import FlowHanding, FlowNudge
from app.flows.writing import Decided
from app.glossary import ROLES
from app.people import queries as people
from app.refusal import Conflict, Refusal
from app.text import Text

log = structlog.get_logger()

OUTCOMES = {"pass": "approve", "refuse": "send_back"}
"""What a timeout decides where the shape names no `timeoutOutcome`."""

LATE = Text("已超时，请尽快办理", "Overdue: please see to it soon")


def due(at: datetime, limit: int = 100) -> list[int]:
    """Ids of tasks whose timeout acts now, of running instances that nobody works on at this moment."""
    return list(
        db.session.scalars(
            sa.select(FlowTask.id)
            .join(FlowInstance, FlowInstance.id == FlowTask.instance_id)
            .where(FlowTask.timeout_at <= at, FlowTask.status == "open", FlowInstance.status == "running")
            .order_by(FlowTask.timeout_at)
            .limit(limit)
            .with_for_update(skip_locked=True, of=FlowInstance)
        )
    )


@command
def time_out(task_id: int, *, by: Actor) -> TaskTimedOut:
    """Let the due moment of a task bring what its shape says. Refuses `Conflict` when it is not due (any more)."""
    at = now()
    row = db.session.execute(
        sa.select(FlowInstance, FlowTask)
        .join(FlowTask, FlowTask.instance_id == FlowInstance.id)
        .where(FlowTask.id == task_id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    task: FlowTask | None = row[1] if row is not None else None
    if (
        row is None
        or task is None
        or task.status != "open"
        or task.timeout_at is None
        or task.timeout_at > at
        or row[0].status != "running"
    ):
        raise Conflict("flow.over", zh="这件事已经处理过了。", en="This has been dealt with already.")
    instance: FlowInstance = row[0]
    node = _node(task)
    task.timeouts += 1
    task.timeout_at = _next(node, task.timeouts, at)
    how, outcome = str(node.properties.get("onTimeout")), None
    if how in OUTCOMES and not task.own_hand:
        outcome = str(node.properties.get("timeoutOutcome") or OUTCOMES[how])
        if not _complete(task, instance, outcome, at, by):
            how, outcome = "failed", None
    elif how == "escalate":
        _escalate(task, instance, node, at, by)
    else:
        _nudge(task, instance, at, by)
    return TaskTimedOut(
        instance_id=instance.id,
        task_id=task.id,
        node=task.node,
        due_at=task.due_at,
        how=how,
        time=task.timeouts,
        outcome=outcome,
    )


def _node(task: FlowTask) -> Node:
    return engine.diagram_of(engine.definition_of(task.definition_id)).nodes[task.node]


def _next(node: Node, times: int, at: datetime) -> datetime | None:
    """When it acts again; None when it has acted as often as the shape says."""
    every = node.properties.get("every")
    if every is None or times >= int(node.properties.get("atMost", "10")):
        return None
    return calendars.after(every, engine.local_now(at))


def _nudge(
    task: FlowTask, instance: FlowInstance, at: datetime, by: Actor, said: Text = LATE, kind: str = "late"
) -> None:
    db.session.add(FlowNudge(task_id=task.id, at=at, by_id=None, by_name="", note=f"{said.zh} {said.en}"))
    zh, en = f"「{task.label_zh}」{said.zh}", f"“{task.label_en}”: {said.en}"
    engine.note(instance, kind, by, at, node=task.node, zh=zh, en=en)


def _escalate(task: FlowTask, instance: FlowInstance, node: Node, at: datetime, by: Actor) -> None:
    """The task goes also to the role named, else to those who hold its own role above the unit concerned; what was
    claimed or asked is free again. One's own hand stays where it is: those are only told."""
    role = node.properties.get("escalateTo")
    unit_id = _unit_concerned(task, instance)
    above = people.unit(unit_id).parent_id if unit_id is not None else None
    where = unit_id if role is not None else above
    target = role or (task.role if above is not None else None)
    told = [u.id for u in people.users_with_role(target, where)] if target else []
    label = Text(task.label_zh, task.label_en)
    copies.tell(instance, told, label, sender="", note=f"{LATE.zh} {LATE.en}", at=at)
    word = ROLES.get(target or "", Text("", ""))
    said = Text(f"已超时，通知{word.zh}", f"Overdue: the {word.en.lower()} is told") if target else LATE
    if not task.own_hand and target is not None:
        _free(task, at)
        _file_under(task, target, where)
        said = Text(f"已超时，升级给{word.zh}", f"Overdue: escalated to the {word.en.lower()}")
    _nudge(task, instance, at, by, said, "escalated")


def _unit_concerned(task: FlowTask, instance: FlowInstance) -> int | None:
    said: Any = task.data.get("owner_unit_id") or instance.unit_id
    return int(said) if said is not None else None


def _free(task: FlowTask, at: datetime) -> None:
    """Nobody has it any more, and whoever had it may still take it."""
    db.session.execute(
        sa.update(FlowHanding)
        .where(FlowHanding.task_id == task.id, FlowHanding.ended_at.is_(None), FlowHanding.kind == "asked")
        .values(ended_at=at)
    )
    holder = task.owner_id or task.assignee_id
    filed = {c.user_id for c in queries.candidates(task.id)}
    if holder is not None and holder not in filed:
        db.session.add(FlowTaskCandidate(task_id=task.id, user_id=holder))
    task.assignee_id = task.assignee_name = task.owner_id = task.owner_name = None


def _file_under(task: FlowTask, role: str, unit_id: int | None) -> None:
    filed = {(c.role, c.unit_id) for c in queries.candidates(task.id)}
    for unit in sorted({rules.EVERYWHERE, *people.unit_path(unit_id)}):
        if (role, unit) not in filed:
            db.session.add(FlowTaskCandidate(task_id=task.id, role=role, unit_id=unit))


def _complete(task: FlowTask, instance: FlowInstance, outcome: str, at: datetime, by: Actor) -> bool:
    """Do the task in the system's name. What refuses (a field that only a person can fill, a house's law) leaves it
    open with a nudge and a line in the history: a person must see to it then."""
    opinion = Text("超时自动办理", "completed by its timeout")
    view = queries.view_of(task, instance)
    try:
        with savepoint():
            said = {"decision": outcome, "opinion": f"{opinion.zh} {opinion.en}"}
            clean = forms.fill(view.form, said, data=view.data) if view.form is not None else {}
            decided = Decided(
                task_id=task.id,
                token=task.token,
                at=at,
                by_id=None,
                by_name=SYSTEM.name,
                outcome=str(clean["decision"]) if clean.get("decision") is not None else None,
                opinion=said["opinion"],
            )
            engine.advance(instance, lambda r: r.complete(task.token, clean), decided=decided, by=by, now=at)
        return True
    except Refusal as refusal:
        why = refusal.text
    except SQLAlchemyError:
        raise
    except Exception as error:
        log.exception("flow.timeout_failed", task_id=task.id)
        why = Text(f"程序出错（{type(error).__name__}）", f"a defect ({type(error).__name__})")
    db.session.refresh(instance)
    text = Text(f"未能超时办理：{why.zh}", f"could not be completed: {why.en}")
    _nudge(task, instance, at, by, text)
    return False
