"""Pages of people: log in and out, one's own account, people and roles."""

import secrets
from typing import cast

from flask import Blueprint, Response, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.glossary import ROLES
from app.people import commands, queries, reorganising, rules, second_factor, unit_views
from app.people.facts import LoginFailed, LoginHalf
from app.people.guards import (
    anonymous,
    cookie_name,
    current_actor,
    current_session,
    maybe_actor,
    requires,
    who,
)
from app.refusal import Refusal
from app.settings import current_settings
from app.text import Text
from app.web.incoming import end_of_day, inside, row_number
from app.web.language import t
from app.web.limits import limiter, login_rate

blueprint = Blueprint("people", __name__, template_folder="templates")
blueprint.register_blueprint(unit_views.blueprint)

ENDED = Text(
    "您的登录已失效，请重新登录，之后会回到原来的页面",
    "You are no longer logged in. Log in again; you will come back to the page you were on",
)
OVER = Text(
    "印章卡没有在两分钟内确认登录，请重试，或用密码登录",
    "The card did not confirm the login in time; try again, or log in with the password",
)
FAILED = Text("登录名或密码不正确", "The login or the password is wrong")
LOCKED = Text(
    "多次登录失败，暂时不再接受此登录名的登录。请在 {minutes} 分钟后再试，或联系系统管理员",
    "Too many failures: this login is held off for now. Try again in {minutes} minutes, or ask the "
    "system administrator",
)


@blueprint.get("/login")
def login() -> ResponseReturnValue:
    if maybe_actor() is not None:
        return redirect(inside(request.args.get("next", "/")))
    error = ENDED if "ended" in request.args else OVER if "over" in request.args else None
    return render_template("people/login.html", login="", next=request.args.get("next", "/"), error=error)


@blueprint.post("/login")
@limiter.limit(login_rate)
def log_in() -> ResponseReturnValue:
    token = secrets.token_urlsafe(32)
    login = request.form.get("login", "").strip().lower()
    back = inside(request.form.get("next", "/"))
    fact = commands.log_in(login, request.form.get("password", ""), token=token, by=anonymous())
    if isinstance(fact, LoginHalf):
        session[HALF] = [fact.user_id, int(now().timestamp()), back]
        return redirect(url_for("people.code"))
    if isinstance(fact, LoginFailed):
        # a login that does not exist is held off just the same, so that nobody learns which ones do
        minutes = -(-current_settings().login_lock_s // 60)
        error = LOCKED.format(minutes=minutes) if fact.reason == "locked" else FAILED
        return render_template("people/login.html", login=login, next=back, error=error), 401
    return enter(fact.user_id, token, back)


HALF = "half_a_login"
"""In the form's signed cookie: whose password this browser gave, when, and where it was going."""
HALF_S = 300


def _half() -> tuple[int, str] | None:
    """Whose code is awaited in this browser, and where they go then."""
    user_id, at, back = session.get(HALF) or (0, 0, "/")
    return (user_id, back) if user_id and 0 <= now().timestamp() - at < HALF_S else None


@blueprint.get("/login/code")
def code() -> ResponseReturnValue:
    if _half() is None:
        return redirect(url_for("people.login"))
    return render_template("people/code.html", error=None)


@blueprint.post("/login/code")
@limiter.limit(login_rate)
def enter_code() -> ResponseReturnValue:
    half = _half()
    if half is None:
        return redirect(url_for("people.login", ended=1))
    user_id, back = half
    token = secrets.token_urlsafe(32)
    fact = commands.log_in_with_code(user_id, request.form.get("code", ""), token=token, by=anonymous())
    if isinstance(fact, LoginFailed):
        minutes = -(-current_settings().login_lock_s // 60)
        error = LOCKED.format(minutes=minutes) if fact.reason == "locked" else rules.wrong_code().text
        return render_template("people/code.html", error=error), 401
    return enter(fact.user_id, token, back)


def enter(user_id: int, token: str, back: str) -> Response:
    """The browser of whoever has just been let in, by whatever proof: its cookie, and the page it came for."""
    _leave_former_login()
    first = queries.user(user_id).password_is_first
    answer = redirect(url_for("people.account") if first else back)
    answer.set_cookie(
        cookie_name(), token, httponly=True, samesite="Lax", secure=current_settings().https, path="/"
    )
    return cast(Response, answer)


def _leave_former_login() -> None:
    """A new login is a new session and a new CSRF token; the one this browser had before ends."""
    former = current_session()
    if former is not None:
        commands.log_out(former.id, by=who())
    session.clear()


@blueprint.post("/logout")
def log_out() -> ResponseReturnValue:
    _leave_former_login()
    answer = redirect(url_for("people.login"))
    answer.delete_cookie(cookie_name(), secure=current_settings().https, httponly=True, samesite="Lax")
    return answer


@blueprint.get("/account")
def account() -> ResponseReturnValue:
    return _account()


def _account(refusal: Refusal | None = None) -> ResponseReturnValue:
    actor = current_actor()
    assert actor.id is not None
    page = render_template(
        "people/account.html",
        refusal=refusal,
        user=queries.user(actor.id),
        unit=queries.unit(actor.unit_id or 0),
        grants=queries.grants_of(actor.id),
        units={u.id: u for u in queries.units()},
        roles=ROLES,
        sessions=queries.sessions_of(actor.id),
        here=current_session(),
        factor_on=second_factor.is_on(actor.id),
        factor_key=second_factor.key_to_show(actor.id),
    )
    return page, refusal.status if refusal else 200


@blueprint.post("/account/password")
@limiter.limit(login_rate)
def change_password() -> ResponseReturnValue:
    form = request.form
    try:
        commands.change_password(form.get("old", ""), form.get("new", ""), by=current_actor())
    except Refusal as refusal:
        return _account(refusal)
    flash(t("密码已修改，请用新密码登录", "The password is changed; log in with the new one"))
    return redirect(url_for("people.login"))


@blueprint.post("/account/second-factor")
def begin_second_factor() -> ResponseReturnValue:
    try:
        second_factor.begin(by=current_actor())
    except Refusal as refusal:
        return _account(refusal)
    return redirect(url_for("people.account") + "#second-factor")


@blueprint.post("/account/second-factor/confirm")
@limiter.limit(login_rate)
def confirm_second_factor() -> ResponseReturnValue:
    try:
        second_factor.confirm(request.form.get("code", ""), by=current_actor())
    except Refusal as refusal:
        return _account(refusal)
    flash(
        t(
            "两步验证已启用，下次用密码登录时需要验证码",
            "The second factor is on: the next login by password asks for a code",
        )
    )
    return redirect(url_for("people.account"))


@blueprint.post("/account/second-factor/remove")
@limiter.limit(login_rate)
def remove_second_factor() -> ResponseReturnValue:
    try:
        second_factor.remove(request.form.get("password", ""), by=current_actor())
    except Refusal as refusal:
        return _account(refusal)
    flash(t("两步验证已停用", "The second factor is off"))
    return redirect(url_for("people.account"))


@blueprint.post("/people/<int:user_id>/second-factor/reset")
@requires("security_officer")
def reset_second_factor(user_id: int) -> ResponseReturnValue:
    try:
        second_factor.reset(user_id, request.form.get("reason", ""), by=current_actor())
    except Refusal as refusal:
        return _index(refusal)
    flash(t("已重置，本人下次登录后可重新设置", "Reset; the person sets it up anew after the next login"))
    return redirect(url_for("people.index"))


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
        living=queries.living_units(),
        with_factor={p.id for p in people if second_factor.is_on(p.id)},
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
            row_number(form.get("unit_id")) or 0,
            form.get("password", ""),
            by=current_actor(),
        )
    except Refusal as refusal:
        return _index(refusal)
    flash(t("已登记", "Registered"))
    return redirect(url_for("people.index"))


@blueprint.post("/people/<int:user_id>/unit")
@requires("system_administrator")
def move(user_id: int) -> ResponseReturnValue:
    try:
        reorganising.move_user(user_id, row_number(request.form.get("unit_id")) or 0, by=current_actor())
    except Refusal as refusal:
        return _index(refusal)
    flash(
        t(
            "已调动；其角色不变，请安全保密管理员复查",
            "Moved; roles stay as they are, for the security officer to review",
        )
    )
    return redirect(url_for("people.index"))


def _unit_of(said: str) -> int | None:
    """The unit a role is for; None, which is everywhere, only when none was chosen: never for one misspelt."""
    return (row_number(said) or 0) if said.strip() else None


@blueprint.post("/people/<int:user_id>/roles")
@requires("security_officer")
def appoint(user_id: int) -> ResponseReturnValue:
    form = request.form
    try:
        commands.appoint(
            user_id,
            form.get("role", ""),
            _unit_of(form.get("unit_id", "")),
            valid_until=end_of_day(form.get("valid_until", ""), code="people.bad_date"),
            by=current_actor(),
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
