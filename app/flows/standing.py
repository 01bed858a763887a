"""Reading who stands in for whom at a moment (代理, 离职). One level only: a substitute's substitute has nothing."""

from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from app.actor import Actor, Principal
from app.db import db
from app.flows.models_hands import FlowSubstitution
from app.glossary import OFFICERS
from app.people import queries as people


@dataclass(frozen=True)
class Place:
    """Somebody's place, open to their substitute. `person`: with the grants that may be used there."""

    person: Actor
    flow_key: str | None

    def covers(self, key: str, initiator_id: int | None, actor: Actor) -> bool:
        """Nobody decides in another's place about what they set going themselves."""
        return self.flow_key in (None, key) and (initiator_id is None or initiator_id != actor.id)

    def taken_by(self, actor: Actor) -> Actor:
        """The substitute, with what the other may do and no more."""
        assert self.person.id is not None
        behalf = Principal(id=self.person.id, name=self.person.name)
        return replace(actor, grants=self.person.grants, on_behalf_of=behalf)


def in_whose_place(actor: Actor, at: datetime) -> list[Place]:
    """Whom this person stands in for now. An officer stands in for nobody, and no officer's role is lent (D6)."""
    if actor.kind != "person" or actor.id is None or actor.on_behalf_of or actor.roles & OFFICERS:
        return []
    rows = db.session.scalars(
        sa.select(FlowSubstitution)
        .where(FlowSubstitution.substitute_id == actor.id, *held_at(at))
        .order_by(FlowSubstitution.id)
    )
    return [place for row in rows if (place := _place(row)) is not None]


def held_at(at: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    until = FlowSubstitution.valid_until
    return FlowSubstitution.valid_from <= at, sa.or_(until.is_(None), until > at)


def _place(row: FlowSubstitution) -> Place | None:
    person = people.actor_of(row.user_id)
    if row.kind == "left":
        return Place(replace(person, grants=frozenset()), None)
    if not people.user(row.user_id).active:
        return None
    lent = frozenset(g for g in person.grants if g.role not in OFFICERS)
    return Place(replace(person, grants=lent), row.flow_key)


def overlapping(user_ids: set[int], begins: datetime, ends: datetime) -> list[FlowSubstitution]:
    """Substitutions of or by these persons that touch the period."""
    row = FlowSubstitution
    return list(
        db.session.scalars(
            sa.select(row)
            .where(
                sa.or_(row.user_id.in_(user_ids), row.substitute_id.in_(user_ids)),
                row.kind == "absent",
                row.valid_from < ends,
                row.valid_until > begins,
            )
            .order_by(row.id)
        )
    )


def of_person(user_id: int, at: datetime) -> list[FlowSubstitution]:
    """What concerns this person now or later, on either side; the next first."""
    row = FlowSubstitution
    return list(
        db.session.scalars(
            sa.select(row)
            .where(
                sa.or_(row.user_id == user_id, row.substitute_id == user_id),
                sa.or_(row.valid_until.is_(None), row.valid_until > at),
            )
            .order_by(row.valid_from, row.id)
        )
    )


def everyone(at: datetime) -> list[FlowSubstitution]:
    """All that hold now or later."""
    row = FlowSubstitution
    return list(
        db.session.scalars(
            sa.select(row)
            .where(sa.or_(row.valid_until.is_(None), row.valid_until > at))
            .order_by(row.valid_from, row.id)
        )
    )
