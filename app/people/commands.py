"""Verbs of people: register, appoint, log in. Every one passes the gate."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.actor import Actor
from app.clock import now
from app.command import command
from app.db import db, lock_row
from app.people import passwords, queries, rules, second_factor, sessions
from app.people.facts import (
    LoggedIn,
    LoggedOut,
    LoginFailed,
    LoginHalf,
    OfficersAppointed,
    PasswordChanged,
    RoleEnded,
    RoleGranted,
    UnitRegistered,
    UserRegistered,
)
from app.people.models import LoginFailure, LoginSession, RoleGrant, Unit, User
from app.refusal import Conflict, Forbidden, Invalid, NotFound
from app.settings import current_settings


@command
def register_unit(
    name: str, *, code: str | None = None, parent_id: int | None = None, by: Actor
) -> UnitRegistered:
    """Enter a unit below `parent_id`. `code`: 统一社会信用代码. Refuses Invalid, Conflict (code known), Forbidden."""
    rules.check_registrar(by)
    name = rules.check_name(name, "unit")
    if code:
        rules.check_credit_code(code)
        if db.session.scalar(sa.select(Unit.id).where(Unit.code == code)):
            raise Conflict(
                "people.code_known", zh="该信用代码已登记", en="This credit code is registered already"
            )
    level = queries.living_unit(parent_id).level + 1 if parent_id else 1
    unit = Unit(name=name, code=code or None, parent_id=parent_id, level=level)
    db.session.add(unit)
    db.session.flush()
    return UnitRegistered(unit_id=unit.id, unit_name=unit.name, code=unit.code, parent_id=parent_id)


@command
def register_user(login: str, name: str, unit_id: int, password: str, *, by: Actor) -> UserRegistered:
    """Enter a person with a first password. Refuses Invalid, Conflict (login taken), Forbidden."""
    rules.check_registrar(by)
    rules.check_login_name(login)
    rules.check_password(password, login)
    queries.living_unit(unit_id)
    name = rules.check_name(name, "person")
    if queries.user_by_login(login):
        raise Conflict(
            "people.login_taken", zh="登录名已被使用，请换一个", en="This login is taken; choose another"
        )
    user = User(
        login=login,
        name=name,
        unit_id=unit_id,
        password_hash=passwords.hasher.hash(password),
        password_is_first=by.kind != "system",
    )
    db.session.add(user)
    db.session.flush()
    return UserRegistered(user_id=user.id, login=login, user_name=user.name, unit_id=unit_id)


@command
def appoint(
    user_id: int,
    role: str,
    unit_id: int | None = None,
    *,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    by: Actor,
) -> RoleGranted:
    """Give a person a role, for one unit and what is under it, or everywhere; from now on and for good unless
    dates say otherwise. Refuses Conflict by D6 (roles still to begin count too), Invalid for a bad period."""
    rules.check_may_appoint(by, role, first=True)
    user = lock_row(User, user_id)
    if user is None:
        raise NotFound("people.no_user", zh="没有这个人员", en="There is no such person", user_id=user_id)
    if by.id == user_id:
        raise Forbidden(
            "people.not_oneself", zh="不能给自己授予角色", en="Nobody grants a role to themselves"
        )
    if unit_id is not None:
        queries.living_unit(unit_id)
    at = now()
    begins = valid_from or at
    rules.check_period(begins, valid_until, at)
    held = queries.grants_to_come(user_id)
    rules.check_roles_together((g.role for g in held), role)
    if any(g.role == role and g.unit_id == unit_id for g in held):
        raise Conflict("people.role_held", zh="此人已有该角色", en="This person holds the role already")
    grant = RoleGrant(
        user_id=user_id,
        role=role,
        unit_id=unit_id,
        granted_by_id=by.id,
        valid_from=begins,
        valid_until=valid_until,
    )
    db.session.add(grant)
    db.session.flush()
    return RoleGranted(
        user_id=user_id,
        role=role,
        unit_id=unit_id,
        grant_id=grant.id,
        valid_from=begins,
        valid_until=valid_until,
    )


@command
def appoint_officers(
    unit: str, people: Sequence[rules.FirstPerson], *, code: str | None = None, by: Actor
) -> OfficersAppointed:
    """The ceremony that starts an installation (D6): the first unit and the three officers, all or nothing.

    Refuses Conflict once there is anybody or when one person would hold two offices, Invalid for what is wrong
    with a name, a password or a role, Forbidden for anybody but the command line.
    """
    if by.kind != "system":
        raise Forbidden(
            "people.ceremony_at_the_server",
            zh="首次任命只能在服务器上用命令行进行",
            en="The first appointment is made on the server's command line",
        )
    rules.check_ceremony(people)
    rules.check_nobody_yet(len(queries.people()))
    unit_id = register_unit(unit, code=code, by=by).unit_id
    user_ids: list[int] = []
    for person in people:
        user_id = register_user(person.login, person.name, unit_id, person.password, by=by).user_id
        appoint(user_id, person.role, by=by)
        user_ids.append(user_id)
    return OfficersAppointed(unit_id=unit_id, user_ids=user_ids)


@command
def dismiss(grant_id: int, *, by: Actor) -> RoleEnded:
    """End a role that is held; the record stays. Refuses Conflict when it has ended already."""
    rules.check_may_appoint(by, "", first=False)
    grant = lock_row(RoleGrant, grant_id)
    if grant is None or (grant.valid_until is not None and grant.valid_until <= now()):
        raise Conflict("people.role_ended", zh="该角色已解除", en="This role has ended already")
    grant.valid_until = now()
    return RoleEnded(user_id=grant.user_id, role=grant.role, unit_id=grant.unit_id, grant_id=grant.id)


@command
def log_in(login: str, password: str, *, token: str, by: Actor) -> LoggedIn | LoginHalf | LoginFailed:
    """Open a session for the cookie's `token` (256 random bits, made by the door; only its hash is kept).

    A wrong password is a fact too, not a refusal: its counter must stay. After
    `login_attempts_before_lock` of them from one address the login is held off there for `login_lock_s`,
    whether or not such a login exists. Where a second factor is on, a right password gives no session: `log_in_with_code` does.
    """
    settings, at, ip = current_settings(), now(), by.origin.ip or ""
    since = at - timedelta(seconds=settings.login_lock_s)
    found = queries.user_by_login(login)
    user = (
        lock_row(User, found.id) if found else None
    )  # one try after the other, or the count would lag behind
    here, everywhere = queries.failures_since(login, ip, since)
    familiar = user is not None and queries.came_in_from(user.id, ip)
    if rules.login_held_off(here, everywhere, settings.login_attempts_before_lock, familiar=familiar):
        return LoginFailed(login=login[:64], known=user is not None, reason="locked")
    right = passwords.verify(user.password_hash if user else passwords.NOBODYS, password)
    if user is None or not user.active or not right:
        _count_failure(login, ip, at, since)
        reason = "unknown" if user is None else "password" if user.active else "inactive"
        return LoginFailed(login=login[:64], known=user is not None, reason=reason)
    if second_factor.is_on(user.id):
        return LoginHalf(user_id=user.id)
    _forget_failures(login, ip)
    return LoggedIn(user_id=user.id, session_id=sessions.open_session(user.id, token, by))


@command
def log_in_with_code(user_id: int, code: str, *, token: str, by: Actor) -> LoggedIn | LoginFailed:
    """The other half, for whoever gave the right password in this browser just now (the door knows). Wrong codes count as
    wrong passwords do."""
    settings, at, ip = current_settings(), now(), by.origin.ip or ""
    since = at - timedelta(seconds=settings.login_lock_s)
    user: User = lock_row(User, user_id)
    here, everywhere = queries.failures_since(user.login, ip, since)
    familiar = queries.came_in_from(user.id, ip)
    if rules.login_held_off(here, everywhere, settings.login_attempts_before_lock, familiar=familiar):
        return LoginFailed(login=user.login, known=True, reason="locked")
    if not user.active or not second_factor.take(user.id, code):
        _count_failure(user.login, ip, at, since)
        return LoginFailed(login=user.login, known=True, reason="code")
    _forget_failures(user.login, ip)
    return LoggedIn(user_id=user.id, session_id=sessions.open_session(user.id, token, by))


def _count_failure(login: str, ip: str, at: datetime, since: datetime) -> None:
    """Remember it, and let go of those that no longer count."""
    db.session.execute(sa.delete(LoginFailure).where(LoginFailure.at <= since))
    db.session.add(LoginFailure(login_hash=queries.token_hash(login), ip=ip, at=at))


def _forget_failures(login: str, ip: str) -> None:
    db.session.execute(
        sa.delete(LoginFailure).where(
            LoginFailure.login_hash == queries.token_hash(login), LoginFailure.ip == ip
        )
    )


@command
def log_out(session_id: int, *, by: Actor) -> LoggedOut:
    """End a session of one's own. Refuses Forbidden for another's."""
    session = lock_row(LoginSession, session_id)
    if session is None or session.user_id != by.id:
        raise Forbidden(
            "people.not_your_session", zh="只能结束自己的登录", en="Only your own logins can be ended"
        )
    session.ended_at = session.ended_at or now()
    return LoggedOut(user_id=session.user_id, session_id=session.id)


@command
def change_password(old: str, new: str, *, by: Actor) -> PasswordChanged:
    """Change one's own password; every other login of the person ends. Refuses Forbidden on a wrong old one."""
    user = lock_row(User, by.id)
    if not passwords.verify(user.password_hash, old):
        raise Forbidden("people.wrong_password", zh="原密码不正确", en="The old password is wrong")
    rules.check_password(new, user.login)
    if old == new:
        raise Invalid(
            "people.same_password",
            zh="新密码与原密码相同，请换一个",
            en="The new password is the old one; choose another",
        )
    user.password_hash, user.password_is_first = passwords.hasher.hash(new), False
    db.session.execute(
        sa.update(LoginSession)
        .where(LoginSession.user_id == user.id, LoginSession.ended_at.is_(None))
        .values(ended_at=now())
    )
    return PasswordChanged(user_id=user.id)
