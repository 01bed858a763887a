"""Handing tasks on: 转办 for good, 委派 for an answer, 离职 all at once."""

from datetime import datetime

import sqlalchemy as sa

from app.actor import Actor
from app.clock import now
from app.command import command
from app.db import db, lock_row
from app.flows import acting, engine, hands, queries, rules
from app.flows.facts import TaskAnswered, TaskAsked, TaskCalledBack, TaskHandedOn, WorkHandedOver
from app.flows.models import FlowInstance, FlowTask, FlowTaskCandidate
from app.flows.models_hands import FlowHanding, FlowSubstitution
from app.people import queries as people
from app.people.models import User
from app.text import Text


@command
def hand_on(task_id: int, to_id: int, reason: str, *, by: Actor) -> TaskHandedOn:
    """转办: give a task to somebody else for good. Refuses `NotFound`, `Forbidden` (not yours), `Conflict` (over,
    one's own hand, the receiver lacks the role or is an officer), `Invalid` (no reason)."""
    task, instance, who = acting.in_hand(task_id, by)
    hands.check_not_own_hand(task.own_hand, hands.HANDED)
    reason = hands.check_reason(reason)
    receiver = acting.receiver(to_id)
    for person in (*who.persons, task.assignee_id):
        hands.check_another(person, to_id)
    hands.check_fits(receiver, task.role, queries.candidates(task.id), people.unit_path(instance.unit_id))
    at = now()
    _file(task, "handed", who, receiver, reason, at)
    _refile(task.id, who.persons, to_id)
    task.assignee_id, task.assignee_name = receiver.id, receiver.name
    _tell(instance, task, "handed_on", who, at, receiver, reason)
    return TaskHandedOn(
        instance_id=instance.id,
        task_id=task.id,
        node=task.node,
        to_id=to_id,
        to_name=receiver.name,
        reason=reason,
        **acting.behalf(who),  # type: ignore[arg-type]
    )


@command
def ask(task_id: int, to_id: int, question: str, *, by: Actor) -> TaskAsked:
    """委派: somebody else answers, then it comes back for the decision. Refuses as `hand_on`; any colleague who is
    no officer may be asked, since an answer decides nothing."""
    task, instance, who = acting.in_hand(task_id, by)
    hands.check_not_own_hand(task.own_hand, hands.ASKED)
    question = hands.check_words(question, "reason", "要对方答复什么", "what you want to know")
    receiver = acting.receiver(to_id)
    for person in who.persons:
        hands.check_another(person, to_id)
    at = now()
    owner = who.on_behalf_of or who
    _file(task, "asked", who, receiver, question, at)
    task.owner_id, task.owner_name = owner.id, owner.name
    task.assignee_id, task.assignee_name = receiver.id, receiver.name
    _tell(instance, task, "asked", who, at, receiver, question)
    return TaskAsked(
        instance_id=instance.id,
        task_id=task.id,
        node=task.node,
        to_id=to_id,
        to_name=receiver.name,
        question=question,
        **acting.behalf(who),  # type: ignore[arg-type]
    )


@command
def answer(task_id: int, said: str, *, by: Actor) -> TaskAnswered:
    """Answer what one was asked; the task goes back. Refuses `Forbidden` for anybody else, `Conflict`, `Invalid`."""
    task, instance = acting.locked(task_id)
    if by.kind != "person" or by.id is None or by.id not in (task.assignee_id, task.done_by_id):
        raise rules.not_yours()
    rules.check_open(task.status, task.done_by_name, task.done_at)
    rules.check_not_suspended(instance.status)
    hands.check_asked(task.owner_id)
    said = hands.check_words(said, "answer", "答复", "your answer")
    at = now()
    owner_id = _back(task, at, said)
    engine.note(instance, "answered", by, at, node=task.node, zh=said, en=said)
    return TaskAnswered(
        instance_id=instance.id, task_id=task.id, node=task.node, owner_id=owner_id, answer=said
    )


@command
def call_back(task_id: int, *, by: Actor) -> TaskCalledBack:
    """Take back what another was asked, unanswered. Refuses `Forbidden` unless one asked, `Conflict`."""
    task, instance = acting.locked(task_id)
    who = queries.as_whom(task, by)
    if who is None or (task.owner_id is not None and task.owner_id not in who.persons):
        raise rules.not_yours()
    rules.check_open(task.status, task.done_by_name, task.done_at)
    rules.check_not_suspended(instance.status)
    hands.check_asked(task.owner_id)
    asked = task.assignee_id or 0
    at = now()
    _back(task, at, None)
    engine.note(instance, "called_back", who, at, node=task.node)
    return TaskCalledBack(
        instance_id=instance.id,
        task_id=task.id,
        node=task.node,
        from_id=asked,
        **acting.behalf(who),  # type: ignore[arg-type]
    )


def _back(task: FlowTask, at: datetime, answer: str | None) -> int:
    """End what is asked: the task is its owner's again."""
    db.session.execute(
        sa.update(FlowHanding)
        .where(FlowHanding.task_id == task.id, FlowHanding.kind == "asked", FlowHanding.ended_at.is_(None))
        .values(ended_at=at, answer=answer)
    )
    owner_id = task.owner_id or 0
    task.assignee_id, task.assignee_name = task.owner_id, task.owner_name
    task.owner_id = task.owner_name = None
    return owner_id


def _file(task: FlowTask, kind: str, who: Actor, to: Actor, reason: str, at: datetime) -> None:
    giver = who.on_behalf_of or who
    row = FlowHanding(
        task_id=task.id,
        kind=kind,
        from_id=giver.id,
        from_name=giver.name,
        to_id=to.id or 0,
        to_name=to.name,
        reason=reason,
        at=at,
    )
    db.session.add(row)


def _refile(task_id: int, from_ids: frozenset[int], to_id: int) -> None:
    """What is filed under the giver is filed under the receiver; what is filed under a role stays so."""
    db.session.execute(
        sa.update(FlowTaskCandidate)
        .where(FlowTaskCandidate.task_id == task_id, FlowTaskCandidate.user_id.in_(from_ids))
        .values(user_id=to_id)
    )


def _tell(
    instance: FlowInstance, task: FlowTask, kind: str, who: Actor, at: datetime, to: Actor, why: str
) -> None:
    zh, en = f"「{task.label_zh}」→ {to.name}：{why}", f"“{task.label_en}” → {to.name}: {why}"
    engine.note(instance, kind, who, at, node=task.node, zh=zh, en=en)


@command
def hand_over_all(user_id: int, successor_id: int, reason: str, *, by: Actor) -> WorkHandedOver:
    """离职: everything open that one person has goes to another, and what is filed under that person from now on.

    What the successor may not have does not go: one's own hand (B4), a role that is lacking. If it was claimed it
    goes back to the colleagues; if it is filed under the person alone it stays, and the Fact says why. Refuses
    `Forbidden` unless the process owner or the system administrator does it; `Conflict` for an officer, or one
    who is not active; `Invalid` without a reason; `NotFound`."""
    hands.check_may_arrange(by)
    reason = hands.check_reason(reason)
    hands.check_another(user_id, successor_id)
    for ident in sorted((user_id, successor_id)):
        lock_row(User, ident)
    leaver, successor = people.user(user_id), acting.receiver(successor_id)
    hands.check_person(leaver.name, active=True, roles=people.actor_of(user_id).roles)
    at = now()
    fact = WorkHandedOver(
        user_id=user_id,
        user_name=leaver.name,
        successor_id=successor_id,
        successor_name=successor.name,
        reason=reason,
        moved=[],
        released=[],
        stuck=[],
    )
    giver = Actor(id=user_id, name=leaver.name)
    for task, instance in _everything_of(user_id):
        _hand_over_one(task, instance, giver, successor, reason, at, by, fact)
    _succeed(user_id, successor_id, reason, by, at)
    return fact


def _everything_of(user_id: int) -> list[tuple[FlowTask, FlowInstance]]:
    filed = sa.select(FlowTaskCandidate.task_id).where(FlowTaskCandidate.user_id == user_id)
    found = db.session.execute(
        sa.select(FlowTask, FlowInstance)
        .join(FlowInstance, FlowInstance.id == FlowTask.instance_id)
        .where(
            FlowTask.status == "open",
            sa.or_(FlowTask.assignee_id == user_id, FlowTask.owner_id == user_id, FlowTask.id.in_(filed)),
        )
        .order_by(FlowInstance.id, FlowTask.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return [(task, instance) for task, instance in found]


def _hand_over_one(
    task: FlowTask,
    instance: FlowInstance,
    giver: Actor,
    successor: Actor,
    reason: str,
    at: datetime,
    by: Actor,
    fact: WorkHandedOver,
) -> None:
    if task.owner_id is not None and task.assignee_id == giver.id:
        _back(task, at, None)  # they were only asked: whoever asked asks another
        fact.released.append(task.id)
        engine.note(instance, "called_back", by, at, node=task.node)
        return
    filed = queries.candidates(task.id)
    why = _why_not(task, instance, successor)
    if why is None:
        _file(task, "left", giver, successor, reason, at)
        _refile(task.id, giver.persons, successor.id or 0)
        if task.assignee_id == giver.id:
            task.assignee_id, task.assignee_name = successor.id, successor.name
        if task.owner_id == giver.id:
            task.owner_id, task.owner_name = successor.id, successor.name
        fact.moved.append(task.id)
        _tell(instance, task, "handed_over", by, at, successor, reason)
    elif any(c.role is not None for c in filed):
        if task.owner_id == giver.id:
            _back(task, at, None)
        task.assignee_id = task.assignee_name = None
        fact.released.append(task.id)
        engine.note(instance, "released", by, at, node=task.node, zh=why.zh, en=why.en)
    else:
        fact.stuck.append(
            {
                "task_id": task.id,
                "instance_id": instance.id,
                "title": instance.title,
                "why_zh": why.zh,
                "why_en": why.en,
            }
        )


def _why_not(task: FlowTask, instance: FlowInstance, successor: Actor) -> Text | None:
    if task.own_hand:
        return Text("须本人亲办，不能移交。", "It is done by one's own hand and cannot be handed over.")
    filed = queries.candidates(task.id)
    if hands.fits(successor, task.role, filed, people.unit_path(instance.unit_id)):
        return None
    return hands.does_not_fit(successor.name, task.role)


def _succeed(user_id: int, successor_id: int, reason: str, by: Actor, at: datetime) -> None:
    """From now on the successor has what is filed under the person, and what that person had from others; every
    substitution on either side ends."""
    row = FlowSubstitution
    going_on = sa.or_(row.valid_until.is_(None), row.valid_until > at)
    predecessors = db.session.scalars(
        sa.select(row.user_id).where(row.substitute_id == user_id, row.kind == "left", going_on)
    ).all()
    db.session.execute(
        sa.update(row)
        .where(sa.or_(row.user_id == user_id, row.substitute_id == user_id), going_on)
        .values(valid_until=at)
    )
    for whose in dict.fromkeys([user_id, *predecessors]):
        if whose != successor_id:
            new = FlowSubstitution(
                kind="left",
                user_id=whose,
                substitute_id=successor_id,
                flow_key=None,
                valid_from=at,
                valid_until=None,
                reason=reason,
                set_at=at,
                set_by_id=by.id,
                set_by_name=by.name,
            )
            db.session.add(new)
