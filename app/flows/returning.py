"""Going back: 退回 by whoever holds a task, 撤回 by the applicant, 拿回 by whoever has just done a step.

What lies after the target is called off, what does not come from it stays (`app/bpmn/jump.py`); who did what
before stays in the history. Nobody goes back over what cannot be undone.
"""

from typing import Any

import sqlalchemy as sa

from app.actor import Actor
from app.bpmn import graft, jump
from app.bpmn.jump import Jumped, Path
from app.bpmn.lint_returns import RESUBMIT
from app.bpmn.step import Run
from app.bpmn.ways import spec_of
from app.clock import now
from app.command import command
from app.db import db, lock_row
from app.flows import acting, engine, resubmission, rules, ways_back
from app.flows.facts import FlowSentBack, FlowWithdrawn, TaskTakenBack
from app.flows.models import FlowEvent, FlowInstance, FlowReturn, FlowTask
from app.refusal import Invalid
from app.text import Text

MAX_REASON = 2000
"""As long as an opinion: it is read by whoever corrects."""


@command
def send_back(task_id: int, to: str, *, reason: str, mode: str | None = None, by: Actor) -> FlowSentBack:
    """退回: whoever holds the task sends the flow back to `to`, one of `ways_back.ways_of_task` or "start".

    `mode`: `through` (then all steps again; the default) or `straight` (back to this very step and person).
    Refuses `NotFound`, `Forbidden`, `Conflict` (over; no way leads back there; over what cannot be undone),
    `Invalid` (no reason; a mode that is unknown, or not the one that the diagram fixes)."""
    task, instance, by = acting.in_hand(task_id, by)
    rules.check_running(instance.status)
    said = rules.check_reason(reason, longest=MAX_REASON)
    before = ways_back.run_of(instance, by)
    way = ways_back.chosen(ways_back.ways(instance, task, before), to)
    if way is None:
        _say_why_not(instance, task, before, to)
        raise jump.no_way()
    how = _mode(mode, way.mode)
    plan = jump.plan(before, way.path, token=task.token, everything=to == ways_back.START)
    label = Text(way.label.zh, way.label.en)
    event = engine.note(
        instance, "returned", by, now(),
        zh=f"退回到「{label.zh}」：{said}", en=f"to “{label.en}”: {said}", to=to, mode=how, undone=task.node,
    )  # fmt: skip
    event.label_zh, event.label_en = task.label_zh, task.label_en
    row = _remember(instance, event, plan, by, mode=how, reason=said, token=task.token)
    straight = row.id if how == "straight" else None
    jumped = _jump(
        instance, row, way.path, by, token=task.token, everything=to == ways_back.START, straight=straight
    )
    task.status, task.done_at, task.done_by_id, task.done_by_name = "returned", event.at, by.id, by.name
    task.outcome, task.opinion = "return", said
    opened = _opened(instance, jumped, way.node)
    for each in opened:
        each.notice_zh, each.notice_en = said, said
    if len(opened) == 1:
        resubmission.hand_to(opened[0], _last_doer(instance, way))
    return FlowSentBack(
        instance_id=instance.id,
        task_id=task.id,
        key=instance.key,
        business_key=instance.business_key,
        node=task.node,
        to=way.node,
        reason=said,
        mode=how,
        called_off=len(jumped.left),
    )


@command
def withdraw(instance_id: int, *, reason: str = "", by: Actor) -> FlowWithdrawn:
    """撤回: the applicant takes the flow back to its first task, as the process' property `withdraw` allows
    (`until_decided`, the default; `always`; `never`). Refuses `NotFound`, `Forbidden`, `Conflict` naming who has
    decided already or what cannot be undone, `Invalid` (the reason)."""
    instance: FlowInstance | None = lock_row(FlowInstance, instance_id)
    if instance is None:
        raise rules.no_such_instance(instance_id)
    rules.check_is_applicant(instance.initiator_id, by)
    rules.check_running(instance.status)
    said = rules.check_reason(reason, longest=MAX_REASON) if reason.strip() else ""
    before = ways_back.run_of(instance, by)
    way = ways_back.withdrawal(instance, before, by)
    plan = jump.plan(before, way.path, everything=True)
    more = {"zh": said, "en": said} if said else {}
    event = engine.note(instance, "withdrawn", by, now(), to=way.node, **more)
    row = _remember(instance, event, plan, by, reason=said)
    jumped = _jump(instance, row, way.path, by, everything=True)
    for each in _opened(instance, jumped, way.node):
        resubmission.hand_to(each, by.id)
    return FlowWithdrawn(
        instance_id=instance.id,
        key=instance.key,
        business_key=instance.business_key,
        to=way.node,
        reason=said,
        called_off=len(jumped.left),
    )


@command
def take_back(task_id: int, *, by: Actor) -> TaskTakenBack:
    """拿回: whoever did a task takes it back while nobody has decided what came of it. One vote of a 会签 that still
    runs is given back alone. Refuses `NotFound`, `Forbidden`, `Conflict` naming who has decided already."""
    task = db.session.get(FlowTask, task_id)
    if task is None:
        raise rules.no_such_task(task_id)
    instance: FlowInstance = lock_row(FlowInstance, task.instance_id)
    db.session.refresh(task)
    rules.check_did_it(task.status, task.done_by_id, by)
    rules.check_running(instance.status)
    before = ways_back.run_of(instance, by)
    event = _doing_of(instance, task)
    if graft.is_open_vote(before, task.token):
        note = engine.note(instance, "taken_back", by, now())
        note.label_zh, note.label_en = task.label_zh, task.label_en
        given: list[str] = []
        engine.advance(instance, lambda r: given.append(graft.ask_again(r, task.token)), by=by, now=note.at)
        opened, left = _tasks(instance, given), 0
    else:
        path, token = _way_to(before, instance, task, event)
        plan = jump.plan(before, path, token=token)
        own = {(event.process, event.node)}
        marks = ways_back.passed_marks(instance.id, before)
        ways_back.check_undecided(ways_back.decided_since(instance.id, event.id, plan.undone - own, NOBODY))
        ways_back.check_nothing_irreversible(ways_back.over(marks, plan.undone, event.id))
        note = engine.note(instance, "taken_back", by, now())
        note.label_zh, note.label_en = task.label_zh, task.label_en
        row = _remember(instance, note, plan, by, reason="")
        jumped = _jump(instance, row, path, by, token=token)
        opened, left = _opened(instance, jumped, task.node), len(jumped.left)
    for each in opened:
        resubmission.hand_to(each, by.id)
    return TaskTakenBack(
        instance_id=instance.id,
        task_id=task.id,
        key=instance.key,
        business_key=instance.business_key,
        node=task.node,
        called_off=left,
    )


NOBODY = Actor(kind="system", name="")


def _mode(asked: str | None, fixed: str | None) -> str:
    """Refuses `Invalid`: no such way to go on, or another than the diagram fixes."""
    how = asked or fixed or "through"
    if how not in RESUBMIT or (fixed is not None and how != fixed):
        wrong = Text("重新提交的方式不可用", "It cannot go on in that way after the correction")
        raise Invalid("flow.mode", zh=wrong.zh, en=wrong.en, fields={"mode": wrong})
    return how


def _say_why_not(instance: FlowInstance, task: FlowTask, run: Run, to: str) -> None:
    """What lies between, where a step that cannot be undone is why the target is not offered."""
    marks = ways_back.passed_marks(instance.id, run)
    if to == ways_back.START:
        if ways_back.start_of(instance, run) is not None:
            ways_back.check_nothing_irreversible(ways_back.over(marks, None, 0))
        return
    ways_back.check_not_repeated(ways_back.closed(instance, task), to)
    done = ways_back.standing(instance.id)
    for target in jump.targets(run, task.token):
        event = done.get((target.process, target.node))
        if "/".join(target.path) == to and event is not None:
            undone = jump.plan(run, target.path, token=task.token).undone
            ways_back.check_nothing_irreversible(ways_back.over(marks, undone, event.id))


def _remember(
    instance: FlowInstance,
    event: FlowEvent,
    plan: jump.Plan,
    by: Actor,
    *,
    reason: str,
    mode: str = "through",
    token: str = "",
) -> FlowReturn:
    db.session.flush()
    row = FlowReturn(
        instance_id=instance.id,
        event_id=event.id,
        at=event.at,
        by_id=by.id,
        by_name=by.name,
        mode=mode,
        reason=reason,
        moved={"undone": sorted(plan.undone), "left": [str(t.id) for t in plan.left], "token": token},
        kept=instance.state if mode == "straight" else None,
    )
    db.session.add(row)
    db.session.flush()
    return row


def _jump(instance: FlowInstance, row: FlowReturn, path: Path, by: Actor, **how: Any) -> Jumped:
    made: list[Jumped] = []
    engine.advance(instance, lambda run: made.append(run.jump(path, **how)), by=by, now=row.at)
    return made[0]


def _opened(instance: FlowInstance, jumped: Jumped, node: str) -> list[FlowTask]:
    """The tasks that the jump has opened at its target: one, or one for each who is asked."""
    run = ways_back.run_of(instance, NOBODY)
    return _tasks(
        instance, [w.token for w in run.tasks() if w.node.id == node and jump.belongs(run, w.token, jumped)]
    )


def _tasks(instance: FlowInstance, tokens: list[str]) -> list[FlowTask]:
    return list(
        db.session.scalars(
            sa.select(FlowTask).where(FlowTask.instance_id == instance.id, FlowTask.token.in_(tokens))
        )
    )


def _last_doer(instance: FlowInstance, way: ways_back.Way) -> int | None:
    """Who did the target last; the applicant, where it is theirs."""
    if way.value == ways_back.START:
        return instance.initiator_id
    return db.session.scalar(
        sa.select(FlowTask.done_by_id)
        .where(FlowTask.instance_id == instance.id, FlowTask.node == way.node, FlowTask.status == "done")
        .order_by(FlowTask.done_at.desc(), FlowTask.id.desc())
        .limit(1)
    )


def _doing_of(instance: FlowInstance, task: FlowTask) -> FlowEvent:
    """The event in which the task was done. Refuses `Conflict` when a return has undone it since."""
    process = engine.definition_of(task.definition_id).key
    event = ways_back.standing(instance.id).get((process, task.node))
    newest = db.session.scalar(
        sa.select(FlowEvent)
        .where(
            FlowEvent.instance_id == instance.id,
            FlowEvent.kind == "done",
            FlowEvent.node == task.node,
            FlowEvent.actor_id == task.done_by_id,
            FlowEvent.at == task.done_at,
        )
        .order_by(FlowEvent.id.desc())
        .limit(1)
    )
    if event is None or newest is None:
        raise rules.nothing_to_take_back()
    return newest


def _way_to(run: Run, instance: FlowInstance, task: FlowTask, event: FlowEvent) -> tuple[Path, str]:
    """The path to a task that was done, and a token that came from it. Refuses `Conflict`: nothing came of it
    that waits, or it was a 会签 that has come to its end."""
    waits = [w.token for w in [*run.tasks(), *run.messages()]]
    found = [
        (target.path, token)
        for token in waits
        for target in jump.targets(run, token)
        if (target.process, target.node) == (event.process, event.node)
    ]
    came = [(path, token) for path, token in found if jump.came_from(run, token, task.token)]
    sure = came or [pair for pair in found if not jump.in_many(run, pair[1])]
    if not sure:
        raise rules.nothing_to_take_back()
    spec = run.program.diagrams[event.process].specs
    made = [s for s in (spec_of(each, task.node) for each in spec.values()) if s is not None]
    if any(isinstance(getattr(s, "task_spec", None), str) for s in made):
        raise rules.vote_is_over()
    return sure[0]
