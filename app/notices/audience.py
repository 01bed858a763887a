"""Who is told: those who hold a task or may take it, those who stand in for them, holders of a role, operators."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from app.clock import now
from app.db import db
from app.flows import queries as flows
from app.flows import standing
from app.flows.models import FlowInstance, FlowTask
from app.flows.models_hands import FlowSubstitution
from app.flows.rules import EVERYWHERE
from app.glossary import OFFICERS
from app.people import queries as people
from app.people.models import User

OPERATORS = ("process_owner", "system_administrator")


def holders(task: FlowTask) -> list[int]:
    """Whoever has the open task, else everybody who may take it (as their inboxes show it)."""
    if task.assignee_id is not None:
        return [task.assignee_id]
    found = dict[int, None]()
    roles = dict[str, set[int]]()
    for filed in flows.candidates(task.id):
        if filed.user_id is not None:
            found[filed.user_id] = None
        elif filed.role is not None:
            roles.setdefault(filed.role, set()).add(filed.unit_id)
    for role, units in roles.items():
        found |= dict.fromkeys(user.id for user in people.holders(role, units - {EVERYWHERE}))
    return list(found)


def substitutes(persons: Collection[int], task: FlowTask, instance: FlowInstance, at: datetime) -> list[int]:
    """Who stands in for these now, and may do this task in their place (`standing.Place.covers`)."""
    if task.own_hand or task.owner_id is not None or not persons:
        return []
    rows = db.session.scalars(
        sa.select(FlowSubstitution)
        .where(FlowSubstitution.user_id.in_(persons), *standing.held_at(now()))
        .order_by(FlowSubstitution.id)
    )
    by_name = {task.assignee_id} if task.assignee_id is not None else set[int | None]()
    return [
        row.substitute_id
        for row in rows
        if row.flow_key in (None, instance.key)
        and row.substitute_id != instance.initiator_id
        and not people.actor_of(row.substitute_id).roles & OFFICERS  # an officer stands in for nobody (D6)
        and (row.kind != "left" or row.user_id in by_name)
    ]


def holders_of_role(role: str, unit_id: int | None) -> list[int]:
    return [user.id for user in people.users_with_role(role, unit_id)]


def operators(unit_id: int | None) -> list[int]:
    """Who sees to flows of this unit that have stopped."""
    return list(
        dict.fromkeys(user.id for role in OPERATORS for user in people.users_with_role(role, unit_id))
    )


def active(ids: Collection[int]) -> set[int]:
    """Of these, who can log in."""
    return set(people.able(list(ids)))


def name_of(user_id: int) -> str:
    found = db.session.get(User, user_id)
    return found.name if found is not None else ""
