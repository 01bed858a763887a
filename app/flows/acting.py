"""Taking an open task in hand for what is not its completion: locked, and with who acts, and for whom."""

from dataclasses import dataclass

import sqlalchemy as sa

from app.actor import Actor
from app.db import db
from app.flows import hands, queries, rules
from app.flows.holding import HeldTask, Standing
from app.flows.models import FlowInstance, FlowTask
from app.flows.models_hands import FlowHanding
from app.people import queries as people

NEAR = 50
"""How many people a page offers at most; anybody else is found by their login."""


def locked(task_id: int) -> tuple[FlowTask, FlowInstance]:
    """A task and its instance, locked together as every act does. Refuses `NotFound`."""
    row = db.session.execute(
        sa.select(FlowInstance, FlowTask)
        .join(FlowTask, FlowTask.instance_id == FlowInstance.id)
        .where(FlowTask.id == task_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise rules.no_such_task(task_id)
    instance, task = row
    return task, instance


def in_hand(task_id: int, by: Actor) -> tuple[FlowTask, FlowInstance, Actor]:
    """The task, its instance, and who acts. Refuses `Forbidden` when it is not theirs or another has claimed it,
    `Conflict` when it is over or somebody is asked for an answer."""
    task, instance = locked(task_id)
    return task, instance, check_in_hand(task, instance, queries.as_whom(task, by))


def check_in_hand(task: FlowTask | HeldTask, instance: Standing, acting: Actor | None) -> Actor:
    """Who acts on it now; None: it is not theirs. Refuses in this order: not yours; already over; the flow is held;
    somebody is asked for an answer; a colleague has claimed it."""
    if acting is None:
        raise rules.not_yours()
    rules.check_open(task.status, task.done_by_name, task.done_at)
    rules.check_not_suspended(instance.status)
    hands.check_not_asked(task.owner_id, task.assignee_name)
    rules.check_not_anothers(task.assignee_id, task.assignee_name, acting)
    return acting


def receiver(user_id: int) -> Actor:
    """Somebody who may be given work. Refuses `NotFound`, `Conflict`."""
    person, found = people.user(user_id), people.actor_of(user_id)
    hands.check_person(person.name, active=person.active, roles=found.roles)
    return found


def behalf(acting: Actor) -> dict[str, int | str | None]:
    """In whose place, as a Fact says it."""
    place = acting.on_behalf_of
    return {"for_id": place.id if place else None, "for_name": place.name if place else None}


@dataclass(frozen=True)
class Hand:
    """A task as to whose hand it is in, for its page. `acting`: who acts when this person does; None: they may not."""

    acting: Actor | None
    own_hand: bool
    owner_id: int | None
    owner: str | None
    question: FlowHanding | None
    answers: list[FlowHanding]
    fitting: list[tuple[int, str]]
    """Who may be given it for good."""
    colleagues: list[tuple[int, str]]

    @property
    def persons(self) -> frozenset[int]:
        return self.acting.persons if self.acting is not None else frozenset()


def hand(task_id: int, actor: Actor) -> Hand:
    """Whose hand the task is in, and where this person may pass it. Refuses `NotFound`."""
    task = db.session.get(FlowTask, task_id)
    if task is None:
        raise rules.no_such_task(task_id)
    handed = db.session.scalars(
        sa.select(FlowHanding)
        .where(FlowHanding.task_id == task_id, FlowHanding.kind == "asked")
        .order_by(FlowHanding.id)
    ).all()
    who = queries.as_whom(task, actor) if task.status == "open" else None
    open_ = who is not None and not task.own_hand and task.owner_id is None
    return Hand(
        acting=who,
        own_hand=task.own_hand,
        owner_id=task.owner_id,
        owner=task.owner_name,
        question=next((h for h in handed if h.ended_at is None), None),
        answers=[h for h in handed if h.answer],
        fitting=_fitting(task, actor) if open_ else [],
        colleagues=near(actor) if open_ else [],
    )


def _fitting(task: FlowTask, actor: Actor) -> list[tuple[int, str]]:
    instance = db.session.get_one(FlowInstance, task.instance_id)
    unit_id = task.data.get("owner_unit_id") if task.role != "applicant" else None
    but = {ident for ident in (actor.id, task.assignee_id) if ident is not None}
    return people.names_with_role(task.role or "", unit_id or instance.unit_id, but=but, limit=NEAR)


def near(actor: Actor) -> list[tuple[int, str]]:
    """The active people of one's own unit, then others: as many as a list can be read."""
    return people.names_near(actor.id, actor.unit_id, limit=NEAR)
