"""Verbs of an organisation that changes: a unit is renamed, merged into another or closed; a person goes to another unit.

In the same transaction every house does what follows: the unit's seals are cancelled, its impressions make no more (D1).
"""

import sqlalchemy as sa

from app.actor import Actor
from app.clock import now
from app.command import command
from app.db import db, lock_row
from app.people import consequences, queries, rules
from app.people.facts import UnitClosed, UnitMerged, UnitRenamed, UserMoved
from app.people.models import Unit, UnitFormerName, User
from app.refusal import NotFound


@command
def rename_unit(unit_id: int, name: str, reason: str, *, by: Actor) -> UnitRenamed:
    """From now on it is called so; what it was called is kept. `reason`: the decision it rests on."""
    rules.check_registrar(by)
    name, reason = rules.check_name(name, "unit"), rules.check_why(reason)
    unit = _living(unit_id)
    former = unit.name
    rules.check_other_name(former, name)
    consequences.follow(unit_id, f"单位更名：{former} → {name}。{reason}"[:500], by)
    db.session.add(UnitFormerName(unit_id=unit_id, name=former, until=now()))
    unit.name = name
    return UnitRenamed(unit_id=unit_id, unit_name=name, former_name=former, reason=reason)


@command
def merge_unit(unit_id: int, into_id: int, reason: str, *, by: Actor) -> UnitMerged:
    """It ends; its people and the units below it belong to the other one. Roles held for it end: the security officer grants
    those that are still needed for the other unit (D6)."""
    rules.check_registrar(by)
    reason = rules.check_why(reason)
    unit, into = _living(unit_id), _living(into_id)
    rules.check_merges(unit_id, into_id, queries.unit_path(into_id))
    consequences.follow(unit_id, f"单位并入“{into.name}”。{reason}"[:500], by)
    people = [one.id for one in queries.people() if one.unit_id == unit_id]
    db.session.execute(sa.update(User).where(User.unit_id == unit_id).values(unit_id=into_id))
    below = queries.below(unit_id)
    for one in below:
        one.parent_id = into_id
        _settle(one, into.level + 1)
    unit.ended_at, unit.merged_into_id = now(), into_id
    return UnitMerged(
        unit_id=unit_id,
        into_id=into_id,
        reason=reason,
        user_ids=people,
        unit_ids=[one.id for one in below],
        grant_ids=_end_roles(unit_id),
    )


@command
def close_unit(unit_id: int, reason: str, *, by: Actor) -> UnitClosed:
    """It ends. Refuses Conflict while active people belong to it or a unit stands below it."""
    rules.check_registrar(by)
    reason = rules.check_why(reason)
    unit = _living(unit_id)
    rules.check_may_close(people=len(queries.people_of(unit_id)), units=len(queries.below(unit_id)))
    consequences.follow(unit_id, f"单位撤销。{reason}"[:500], by)
    unit.ended_at = now()
    return UnitClosed(unit_id=unit_id, reason=reason, grant_ids=_end_roles(unit_id))


@command
def move_user(user_id: int, unit_id: int, *, by: Actor) -> UserMoved:
    """调动: the person works in that unit from now on. Roles stay as granted; the security officer reviews them."""
    rules.check_registrar(by)
    queries.living_unit(unit_id)
    user: User | None = lock_row(User, user_id)
    if user is None:
        raise NotFound("people.no_user", zh="没有这个人员", en="There is no such person", user_id=user_id)
    former, user.unit_id = user.unit_id, unit_id
    return UserMoved(user_id=user_id, unit_id=unit_id, former_unit_id=former)


def _living(unit_id: int) -> Unit:
    queries.living_unit(unit_id)
    lock_row(Unit, unit_id)
    return queries.living_unit(unit_id)  # another may have ended it while this one waited


def _settle(unit: Unit, level: int) -> None:
    """The level of a unit and of all below it."""
    unit.level = level
    for one in queries.below(unit.id):
        _settle(one, level + 1)


def _end_roles(unit_id: int) -> list[int]:
    at, ended = now(), queries.grants_for(unit_id)
    for grant in ended:
        grant.valid_from, grant.valid_until = min(grant.valid_from, at), at
    return [grant.id for grant in ended]
