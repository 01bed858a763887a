"""Taking an open task in hand for what is not its completion: locked, and with who acts, and for whom."""

import sqlalchemy as sa

from app.actor import Actor
from app.db import db
from app.flows import hands, queries, rules
from app.flows.models import FlowInstance, FlowTask
from app.people import queries as people


def locked(task_id: int) -> tuple[FlowTask, FlowInstance]:
    """An open task, its instance locked first as every act does. Refuses `NotFound`, `Conflict` when it is over."""
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
    acting = queries.as_whom(task, by)
    if acting is None:
        raise rules.not_yours()
    rules.check_open(task.status, task.done_by_name, task.done_at)
    hands.check_not_asked(task.owner_id, task.assignee_name)
    rules.check_not_anothers(task.assignee_id, task.assignee_name, acting)
    return task, instance, acting


def receiver(user_id: int) -> Actor:
    """Somebody who may be given work. Refuses `NotFound`, `Conflict`."""
    person, found = people.user(user_id), people.actor_of(user_id)
    hands.check_person(person.name, active=person.active, roles=found.roles)
    return found


def behalf(acting: Actor) -> dict[str, int | str | None]:
    """In whose place, as a Fact says it."""
    place = acting.on_behalf_of
    return {"for_id": place.id if place else None, "for_name": place.name if place else None}
