"""Who comes through this door: the session behind the cookie, and roles that a page asks for."""

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from flask import Flask, Response, g, redirect, request, url_for

from app.actor import Actor, Origin
from app.clock import now
from app.db import db
from app.glossary import ROLES
from app.people import queries
from app.people.models import LoginSession
from app.refusal import Forbidden, Unauthenticated
from app.settings import current_settings
from app.web import errors

V = TypeVar("V", bound=Callable[..., Any])


WITH_A_FIRST_PASSWORD = frozenset({"people.account", "people.change_password", "people.log_out"})
"""The only pages open to somebody whose password another person chose."""


def cookie_name() -> str:
    """`__Host-` binds the cookie to this very host, but browsers take it over https only."""
    return "__Host-yinxu" if current_settings().https else "yinxu"


def origin() -> Origin:
    """Where the request came from. The address is the proxy's word only as far as the settings trust it."""
    agent = request.headers.get("User-Agent")
    return Origin(ip=request.remote_addr, user_agent=agent[:300] if agent else None)


def current_actor() -> Actor:
    """The person behind this request. Refuses Unauthenticated when nobody is logged in."""
    actor = maybe_actor()
    if actor is None:
        raise Unauthenticated(
            "people.log_in_first",
            zh="请先登录，登录后会回到此页",
            en="Log in first; you will come back to this page",
        )
    if g.get("password_is_first") and request.endpoint not in WITH_A_FIRST_PASSWORD:
        raise Forbidden(
            "people.change_password_first",
            zh="您的密码是他人设定的初始密码。请先在“我的账号”修改密码，再办理业务",
            en="Your password was chosen by someone else. Change it under “My account” before anything else",
        )
    return actor


def anonymous() -> Actor:
    """Somebody unknown, from somewhere known."""
    return Actor(kind="person", origin=origin())


def who() -> Actor:
    """The person behind this request, or somebody unknown."""
    return maybe_actor() or anonymous()


def maybe_actor() -> Actor | None:
    if "actor" not in g:
        g.actor = _find_actor()
    return cast("Actor | None", g.actor)


def current_session() -> LoginSession | None:
    maybe_actor()
    return cast("LoginSession | None", g.get("login_session"))


def _find_actor() -> Actor | None:
    token = request.cookies.get(cookie_name())
    if not token:
        return None
    session = queries.session_of(token)
    if session is None:
        g.stale_cookie = True
        _record_forgery(token)
        return None
    if not (
        request.method == "GET" and request.headers.get("HX-Request")
    ):  # a page that polls is not a person
        _touch(session)
    g.login_session = session
    g.password_is_first = queries.user(session.user_id).password_is_first
    return queries.actor_of(session.user_id, origin())


def _record_forgery(token: str) -> None:
    """A cookie that no login of ours ever had is an illegal operation (A26); one that ended is not."""
    known = db.session.scalar(
        sa.select(LoginSession.id).where(LoginSession.token_hash == queries.token_hash(token))
    )
    if known is None:
        refusal = Unauthenticated(
            "people.forged_session",
            zh="登录凭证无效，请重新登录",
            en="The session is not genuine; log in again",
        )
        errors.record(refusal, attempted=f"{request.method} {request.path}", by=anonymous())


def _touch(session: LoginSession) -> None:
    """Note that the session lives, at most once a minute: reading a page should rarely write."""
    at = now()
    if at - session.seen_at > timedelta(seconds=60):
        db.session.execute(sa.update(LoginSession).where(LoginSession.id == session.id).values(seen_at=at))
        db.session.commit()


def login_required(view: V) -> V:
    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        current_actor()
        return view(*args, **kwargs)

    return cast(V, guarded)


def requires(*roles: str) -> Callable[[V], V]:
    """Only people who hold one of the roles, somewhere; the command behind checks for which unit."""

    def decorate(view: V) -> V:
        @functools.wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            check(current_actor(), *roles)
            return view(*args, **kwargs)

        return cast(V, guarded)

    return decorate


def check(actor: Actor, *roles: str) -> None:
    """Refuses Forbidden unless one of the roles is held."""
    if any(actor.has(role) for role in roles):
        return
    names = [ROLES[role] for role in roles]
    raise Forbidden(
        "people.role_missing",
        zh=f"此页面需要角色：{'、'.join(n.zh for n in names)}。如需要，请联系安全保密管理员授权",
        en=f"This page needs the role {' or '.join(n.en for n in names)}. Ask the security officer for it",
        needed=list(roles),
    )


def to_login() -> Response:
    """The login page, which leads back here; whoever believed to be logged in is told that they are not."""
    back = request.full_path.rstrip("?") if request.method == "GET" else "/"
    ended = 1 if g.get("stale_cookie") else None
    return cast(Response, redirect(url_for("people.login", next=back, ended=ended)))


def init_app(app: Flask) -> None:
    """Templates may ask `current_actor` (None when nobody is logged in, or when the server is broken)."""

    def offer() -> dict[str, Any]:
        return {"current_actor": None if g.get("broken") else maybe_actor()}

    def forget_stale_cookie(answer: Response) -> Response:
        if g.get("stale_cookie") and "login_session" not in g and not _sets_login(answer):
            answer.delete_cookie(
                cookie_name(), secure=current_settings().https, httponly=True, samesite="Lax"
            )
        return answer

    app.context_processor(offer)
    app.after_request(forget_stale_cookie)


def _sets_login(answer: Response) -> bool:
    return any(c.startswith(f"{cookie_name()}=") for c in answer.headers.getlist("Set-Cookie"))
