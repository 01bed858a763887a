"""Pages of people: log in and out, one's own account, people and roles."""

import secrets
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.glossary import ROLES
from app.people import commands, queries
from app.people.facts import LoginFailed
from app.people.guards import anonymous, cookie_name, current_actor, current_session, maybe_actor, requires
from app.refusal import Refusal
from app.settings import current_settings
from app.text import Text
from app.web.language import t
from app.web.limits import limiter, login_rate

blueprint = Blueprint("people", __name__, template_folder="templates")

FAILED = Text("登录名或密码不正确", "The login or the password is wrong")
LOCKED = Text(
    "登录名或密码不正确,或该账号因多次失败暂时锁定。请稍后再试,或联系系统管理员",
    "Wrong login or password, or the login is locked for a while after too many failures. "
    "Try later, or ask the system administrator",
)


def _inside(target: str) -> str:
    """Only an address of our own is gone back to after the login."""
    parts = urlsplit(target)
    own = (
        not parts.scheme
        and not parts.netloc
        and target.startswith("/")
        and not target.startswith(("//", "/\\"))
    )
    return target if own else "/"


@blueprint.get("/login")
def login() -> ResponseReturnValue:
    if maybe_actor() is not None:
        return redirect(_inside(request.args.get("next", "/")))
    return render_template("people/login.html", login="", next=request.args.get("next", "/"), error=None)


@blueprint.post("/login")
@limiter.limit(login_rate)
def log_in() -> ResponseReturnValue:
    token = secrets.token_urlsafe(32)
    login = request.form.get("login", "").strip().lower()
    back = _inside(request.form.get("next", "/"))
    fact = commands.log_in(login, request.form.get("password", ""), token=token, by=anonymous())
    if isinstance(fact, LoginFailed):
        # whether it is locked is told only together with "wrong", so that nobody learns which logins exist
        error = LOCKED if fact.reason == "locked" else FAILED
        return render_template("people/login.html", login=login, next=back, error=error), 401
    answer = redirect(back)
    answer.set_cookie(
        cookie_name(), token, httponly=True, samesite="Lax", secure=current_settings().https, path="/"
    )
    return answer


@blueprint.post("/logout")
def log_out() -> ResponseReturnValue:
    session = current_session()
    if session is not None:
        commands.log_out(session.id, by=current_actor())
    answer = redirect(url_for("people.login"))
    answer.delete_cookie(cookie_name(), secure=current_settings().https, httponly=True, samesite="Lax")
    return answer


@blueprint.get("/account")
def account() -> ResponseReturnValue:
    actor = current_actor()
    assert actor.id is not None
    return render_template(
        "people/account.html",
        user=queries.user(actor.id),
        unit=queries.unit(actor.unit_id or 0),
        grants=queries.grants_of(actor.id),
        units={u.id: u for u in queries.units()},
        roles=ROLES,
        sessions=queries.sessions_of(actor.id),
        here=current_session(),
    )


@blueprint.post("/account/password")
def change_password() -> ResponseReturnValue:
    form = request.form
    commands.change_password(form.get("old", ""), form.get("new", ""), by=current_actor())
    return redirect(url_for("people.login"))


@blueprint.post("/account/sessions/<int:session_id>/end")
def end_session(session_id: int) -> ResponseReturnValue:
    commands.log_out(session_id, by=current_actor())
    return redirect(url_for("people.account"))


@blueprint.get("/people")
@requires("system_administrator", "security_officer")
def index() -> ResponseReturnValue:
    return _index()


def _index(refusal: Refusal | None = None) -> ResponseReturnValue:
    people = queries.people()
    page = render_template(
        "people/index.html",
        people=people,
        units={u.id: u for u in queries.units()},
        grants={p.id: queries.grants_of(p.id) for p in people},
        roles=ROLES,
        refusal=refusal,
        form=request.form,
    )
    return page, refusal.status if refusal else 200


@blueprint.post("/people")
@requires("system_administrator")
def register_user() -> ResponseReturnValue:
    form = request.form
    try:
        commands.register_user(
            form.get("login", "").strip().lower(),
            form.get("name", ""),
            form.get("unit_id", 0, type=int),
            form.get("password", ""),
            by=current_actor(),
        )
    except Refusal as refusal:
        return _index(refusal)
    flash(t("已登记", "Registered"))
    return redirect(url_for("people.index"))


@blueprint.post("/people/<int:user_id>/roles")
@requires("security_officer")
def appoint(user_id: int) -> ResponseReturnValue:
    form = request.form
    try:
        commands.appoint(
            user_id, form.get("role", ""), form.get("unit_id", type=int) or None, by=current_actor()
        )
    except Refusal as refusal:
        return _index(refusal)
    flash(t("已授予角色", "Role granted"))
    return redirect(url_for("people.index"))


@blueprint.post("/people/roles/<int:grant_id>/end")
@requires("security_officer")
def dismiss(grant_id: int) -> ResponseReturnValue:
    try:
        commands.dismiss(grant_id, by=current_actor())
    except Refusal as refusal:
        return _index(refusal)
    flash(t("已解除角色", "Role ended"))
    return redirect(url_for("people.index"))
