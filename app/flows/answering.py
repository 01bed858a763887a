"""What comes of a person's word on a task: the flow goes on, or waits for those who were added (加签).

    before   those added answer first; until then the task cannot be done
    after    the holder decides, then those added answer; whoever does not agree decides instead, and at once

Called inside the command that holds the instance's row, with a form that is checked.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm.attributes import set_committed_value

from app.actor import Actor
from app.clock import now
from app.db import db
from app.flows import added, engine, forms, queries, resubmission, rules
from app.flows.facts import TaskCompleted
from app.flows.holding import HeldTask
from app.flows.models import FlowInstance, FlowTask
from app.flows.writing import Decided

AnyTask = FlowTask | HeldTask


def complete(task: AnyTask, instance: engine.Standing, clean: Mapping[str, Any], by: Actor) -> TaskCompleted:
    """Do a task with this form. Refuses `Conflict` while somebody added before it has not answered."""
    decided = Decided(
        task_id=task.id,
        token=task.token,
        at=now(),
        by_id=by.id,
        by_name=by.name,
        outcome=_word(clean.get("decision")),
        opinion=_word(clean.get("opinion")),
    )
    if task.parent_id is None and task.added is None:
        return _go_on(task, instance, clean, decided, by)
    return _beside(
        db.session.get_one(FlowTask, task.id, populate_existing=True),
        db.session.get_one(FlowInstance, instance.id, populate_existing=True),
        clean,
        decided,
        by,
    )


def _beside(
    task: FlowTask, instance: FlowInstance, clean: Mapping[str, Any], decided: Decided, by: Actor
) -> TaskCompleted:
    """Somebody was added to the task, or it is somebody's who was added."""
    rows = added.under(task.id)
    rules.check_answered([row.assignee_name or "" for row in added.still_asked(rows, "before")])
    after = added.still_asked(rows, "after")
    if not _agrees(task, decided.outcome):
        added.cancel(after, instance.id)
    elif after:
        _hold(task, instance, clean, decided, by)
        return _told(task, instance, clean, decided, by)
    if task.parent_id is None:
        return _go_on(task, instance, _with(rows, clean), decided, by)
    _answer(task, instance, decided, by)
    return _told(task, instance, clean, decided, by)


def _agrees(task: FlowTask, outcome: str | None) -> bool:
    yes = forms.agreement(queries.form_for(task.definition_id, task.form))
    return yes is None or outcome == yes


def _with(rows: Any, clean: Mapping[str, Any]) -> dict[str, Any]:
    """The form, with what those who were added said, for the diagram to ask for."""
    said = added.answers(rows)
    return {**clean, "added": said} if said else dict(clean)


def _hold(
    task: FlowTask, instance: FlowInstance, clean: Mapping[str, Any], decided: Decided, by: Actor
) -> None:
    """Decided, but not yet told to the flow: those added after it answer first."""
    for name, value in {**decided.values(), "status": "held", "held": dict(clean)}.items():
        setattr(task, name, value)
    added.unfile([task.id])
    event = engine.note(instance, "held", by, decided.at, **_at(task))
    event.outcome, event.opinion = decided.outcome, decided.opinion


def _answer(task: FlowTask, instance: FlowInstance, decided: Decided, by: Actor) -> TaskCompleted | None:
    """Somebody who was added has answered: the task that they were added to may go on by it."""
    for name, value in decided.values().items():
        setattr(task, name, value)
    task.held = None
    added.unfile([task.id])
    event = engine.note(instance, "signer_answered", by, decided.at, **_at(task))
    event.outcome, event.opinion = decided.outcome, decided.opinion
    db.session.flush()
    parent = db.session.get_one(FlowTask, task.parent_id)
    if task.place == "after" and parent.status == "held":
        return release(parent, instance, by, against=None if _agrees(task, decided.outcome) else decided)
    return None


def release(
    parent: FlowTask, instance: FlowInstance, by: Actor, *, against: Decided | None = None
) -> TaskCompleted | None:
    """Let a held task go on when nobody is asked after it any more, or somebody was `against` it."""
    rows = added.under(parent.id)
    still = added.still_asked(rows, "after")
    if still and against is None:
        return None
    added.cancel(still, instance.id)
    clean: dict[str, Any] = dict(parent.held or {})
    outcome, opinion = parent.outcome, parent.opinion
    if against is not None:
        clean |= {"decision": against.outcome, "opinion": against.opinion}
        outcome, opinion = against.outcome, against.opinion
    decided = Decided(
        parent.id,
        parent.token,
        now(),  # when it counted; the history says when it was decided
        parent.done_by_id,
        parent.done_by_name or "",
        outcome,
        opinion,
    )
    parent.held = None
    if parent.parent_id is None:
        return _go_on(parent, instance, _with(rows, clean), decided, by)
    return _answer(parent, instance, decided, by)


def _go_on(
    task: AnyTask, instance: engine.Standing, clean: Mapping[str, Any], decided: Decided, by: Actor
) -> TaskCompleted:
    """Tell the flow, and write down what follows."""
    completing = resubmission.Completing(instance, clean, decided, by)
    run = engine.advance(instance, completing, decided=decided, by=by, now=decided.at)
    completing.landed()
    if isinstance(task, FlowTask):
        for name, value in decided.values().items():
            set_committed_value(task, name, value)
    rules_fired = [dict(p.did) for p in run.trail if "rules" in p.did]
    return _told(task, instance, clean, decided, by, rules_fired)


def _told(
    task: AnyTask,
    instance: engine.Standing,
    clean: Mapping[str, Any],
    decided: Decided,
    by: Actor,
    rules_fired: list[dict[str, Any]] | None = None,
) -> TaskCompleted:
    return TaskCompleted(
        instance_id=instance.id,
        task_id=task.id,
        key=instance.key,
        node=task.node,
        business_key=instance.business_key,
        outcome=decided.outcome,
        opinion=decided.opinion,
        form=dict(clean),
        rules=rules_fired or [],
        finished=instance.status == "finished",
        for_id=by.on_behalf_of.id if by.on_behalf_of else None,
        for_name=by.on_behalf_of.name if by.on_behalf_of else None,
    )


def _at(task: FlowTask) -> dict[str, Any]:
    return {"node": task.node, "task_id": task.id, "label_zh": task.label_zh, "label_en": task.label_en}


def _word(value: Any) -> str | None:
    return None if value is None else str(value)
