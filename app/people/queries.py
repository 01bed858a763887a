"""Reading people: units and what is above them, users, roles held now, logins."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.actor import Actor, Grant, Origin
from app.clock import now
from app.db import db
from app.people.models import LoginFailure, LoginSession, RoleGrant, Unit, UnitFormerName, User
from app.refusal import Conflict, NotFound
from app.settings import current_settings
from app.text import reading_order


def unit(unit_id: int) -> Unit:
    found = db.session.get(Unit, unit_id)
    if found is None:
        raise NotFound("people.no_unit", zh="没有这个单位", en="There is no such unit", unit_id=unit_id)
    return found


def living_unit(unit_id: int) -> Unit:
    """One that goes on. Refuses Conflict for one that was closed or merged."""
    found = unit(unit_id)
    if found.ended_at is not None:
        raise Conflict(
            "people.unit_ended",
            zh=f"“{found.name}”已撤销或合并，请选择现有单位",
            en=f"“{found.name}” was closed or merged; choose a present unit",
        )
    return found


def living_units() -> Sequence[Unit]:
    """What can be chosen: those that go on."""
    return [one for one in units() if one.ended_at is None]


def below(unit_id: int) -> Sequence[Unit]:
    """The living units right below this one."""
    return db.session.scalars(
        sa.select(Unit).where(Unit.parent_id == unit_id, Unit.ended_at.is_(None)).order_by(Unit.id)
    ).all()


def former_names() -> dict[int, list[UnitFormerName]]:
    """By unit, oldest first."""
    found: dict[int, list[UnitFormerName]] = {}
    for one in db.session.scalars(sa.select(UnitFormerName).order_by(UnitFormerName.id)):
        found.setdefault(one.unit_id, []).append(one)
    return found


def grants_for(unit_id: int) -> Sequence[RoleGrant]:
    """Roles held, or to be held, for just this unit."""
    return db.session.scalars(
        sa.select(RoleGrant)
        .where(
            RoleGrant.unit_id == unit_id,
            sa.or_(RoleGrant.valid_until.is_(None), RoleGrant.valid_until > now()),
        )
        .order_by(RoleGrant.id)
    ).all()


def units() -> Sequence[Unit]:
    """All there ever were, from the top."""
    return db.session.scalars(sa.select(Unit).order_by(Unit.level, Unit.id)).all()


def unit_path(unit_id: int | None) -> frozenset[int]:
    """The unit and all units above it; empty for None."""
    above: set[int] = set()
    while unit_id is not None and unit_id not in above:
        above.add(unit_id)
        unit_id = db.session.scalar(sa.select(Unit.parent_id).where(Unit.id == unit_id))
    return frozenset(above)


def user(user_id: int) -> User:
    found = db.session.get(User, user_id)
    if found is None:
        raise NotFound("people.no_user", zh="没有这个人员", en="There is no such person", user_id=user_id)
    return found


def unit_concerned(owner_unit_id: int | None, owner_user_id: int | None) -> int | None:
    """The unit whose people deal with what is owned: the owner itself, or the unit in which the owner works."""
    if owner_unit_id is None and owner_user_id is not None:
        return user(owner_user_id).unit_id
    return owner_unit_id


def user_by_login(login: str) -> User | None:
    return db.session.scalars(sa.select(User).where(User.login == login)).first()


def people() -> Sequence[User]:
    found = db.session.scalars(sa.select(User).order_by(User.id))
    return sorted(found, key=lambda user: (user.unit_id, reading_order(user.name)))


def names_near(user_id: int | None, unit_id: int | None, *, limit: int) -> list[tuple[int, str]]:
    """Ids and names of active people but this one: of that unit first, then of the others, by name."""
    found = db.session.execute(
        sa.select(User.id, User.name, User.unit_id)
        .where(User.active, User.id != user_id)
        .order_by(User.unit_id != unit_id, User.name, User.id)
        .limit(limit)
    ).all()
    own = sorted(found, key=lambda row: (row.unit_id != unit_id, reading_order(row.name)))
    return [(ident, name) for ident, name, _ in own]


def people_of(unit_id: int) -> Sequence[User]:
    """The active people of one unit, by name."""
    found = db.session.scalars(sa.select(User).where(User.unit_id == unit_id, User.active).order_by(User.id))
    return sorted(found, key=lambda user: reading_order(user.name))


def _held_at(at: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        RoleGrant.valid_from <= at, sa.or_(RoleGrant.valid_until.is_(None), RoleGrant.valid_until > at)
    )


def grants_of(user_id: int) -> Sequence[RoleGrant]:
    """The roles that a person holds now."""
    return db.session.scalars(
        sa.select(RoleGrant).where(RoleGrant.user_id == user_id, _held_at(now())).order_by(RoleGrant.id)
    ).all()


def grants_to_come(user_id: int) -> Sequence[RoleGrant]:
    """The roles that a person holds now or will hold: what must fit together (D6)."""
    at = now()
    return db.session.scalars(
        sa.select(RoleGrant)
        .where(
            RoleGrant.user_id == user_id,
            sa.or_(RoleGrant.valid_until.is_(None), RoleGrant.valid_until > at),
        )
        .order_by(RoleGrant.id)
    ).all()


def users_with_role(role: str, unit_id: int | None = None) -> Sequence[User]:
    """Active people who hold the role now, for `unit_id` if one is given."""
    where = [RoleGrant.role == role, _held_at(now()), User.active]
    if unit_id is not None:
        where.append(sa.or_(RoleGrant.unit_id.is_(None), RoleGrant.unit_id.in_(unit_path(unit_id))))
    return db.session.scalars(
        sa.select(User)
        .join(RoleGrant, RoleGrant.user_id == User.id)
        .where(*where)
        .distinct()
        .order_by(User.id)
    ).all()


def roles_held() -> frozenset[str]:
    """The roles that some active person holds now, anywhere."""
    found = db.session.scalars(
        sa.select(RoleGrant.role)
        .join(User, User.id == RoleGrant.user_id)
        .where(_held_at(now()), User.active)
        .distinct()
    )
    return frozenset(found)


def names_with_role(
    role: str, unit_id: int | None = None, *, but: Collection[int], limit: int
) -> list[tuple[int, str]]:
    """Ids and names of active people who hold the role now, for `unit_id` if one is given, by name."""
    where = [RoleGrant.role == role, _held_at(now()), RoleGrant.user_id.not_in(but)]
    if unit_id is not None:
        where.append(sa.or_(RoleGrant.unit_id.is_(None), RoleGrant.unit_id.in_(unit_path(unit_id))))
    found = db.session.execute(
        sa.select(User.id, User.name)
        .where(User.active, User.id.in_(sa.select(RoleGrant.user_id).where(*where)))
        .order_by(User.name, User.id)
        .limit(limit)
    )
    return sorted(((ident, name) for ident, name in found), key=lambda one: reading_order(one[1]))


def able(user_ids: Sequence[int]) -> dict[int, str]:
    """Of these people, those who can log in, with their names."""
    if not user_ids:
        return {}
    found = db.session.execute(sa.select(User.id, User.name).where(User.id.in_(user_ids), User.active))
    return {ident: name for ident, name in found}


def holders(role: str, unit_ids: Collection[int]) -> Sequence[User]:
    """Active people who hold the role now everywhere, or for one of just these units."""
    return db.session.scalars(
        sa.select(User)
        .join(RoleGrant, RoleGrant.user_id == User.id)
        .where(
            RoleGrant.role == role,
            _held_at(now()),
            User.active,
            sa.or_(RoleGrant.unit_id.is_(None), RoleGrant.unit_id.in_(unit_ids)),
        )
        .distinct()
        .order_by(User.id)
    ).all()


def actor_of(user_id: int, origin: Origin | None = None) -> Actor:
    """The person as one who acts, with the roles held at this moment."""
    person = user(user_id)
    grants = frozenset(Grant(role=g.role, unit_id=g.unit_id) for g in grants_of(user_id))
    return Actor(
        kind="person",
        id=person.id,
        name=person.name,
        unit_id=person.unit_id,
        grants=grants if person.active else frozenset(),
        origin=origin or Origin(),
    )


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def failures_since(login: str, ip: str, since: datetime) -> tuple[int, int]:
    """Wrong passwords for what was typed as login: from this address, and from all."""
    here, everywhere = db.session.execute(
        sa.select(
            sa.func.count().filter(LoginFailure.ip == ip),
            sa.func.count(),
        ).where(LoginFailure.login_hash == token_hash(login), LoginFailure.at > since)
    ).one()
    return here, everywhere


def came_in_from(user_id: int, ip: str) -> bool:
    """Whether the person has logged in from this address before."""
    return (
        db.session.scalar(
            sa.select(LoginSession.id).where(LoginSession.user_id == user_id, LoginSession.ip == ip).limit(1)
        )
        is not None
    )


def session_of(token: str) -> LoginSession | None:
    """The live login of a cookie's token; None when it ended, idled too long, or never was."""
    settings, at = current_settings(), now()
    found = db.session.scalars(
        sa.select(LoginSession).where(
            LoginSession.token_hash == token_hash(token), LoginSession.ended_at.is_(None)
        )
    ).first()
    if found is None:
        return None
    idle = at - found.seen_at > timedelta(seconds=settings.session_idle_s)
    old = at - found.created_at > timedelta(seconds=settings.session_life_s)
    return None if idle or old or not user(found.user_id).active else found


def sessions_of(user_id: int) -> Sequence[LoginSession]:
    """The logins of a person that have not been ended, newest first."""
    return db.session.scalars(
        sa.select(LoginSession)
        .where(LoginSession.user_id == user_id, LoginSession.ended_at.is_(None))
        .order_by(LoginSession.id.desc())
        .limit(20)
    ).all()
