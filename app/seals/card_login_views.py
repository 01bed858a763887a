"""Pages of logging in with a card: say who you are, compare the code, confirm at the station."""

import secrets

from flask import Blueprint, Response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from app.people.guards import anonymous, maybe_actor
from app.people.views import enter
from app.refusal import Refusal
from app.seals import card_login
from app.settings import current_settings
from app.web.errors import wants_json
from app.web.incoming import inside
from app.web.limits import limiter, login_rate

blueprint = Blueprint("card_login", __name__, template_folder="templates")

KEPT = "card_login"
"""In the form's signed cookie: which login this browser asked for, and what it alone holds of it."""


@blueprint.get("/login/card")
def begin() -> ResponseReturnValue:
    if maybe_actor() is not None:
        return redirect(inside(request.args.get("next", "/")))
    return _page(None)


def _page(refusal: Refusal | None, code: str = "") -> ResponseReturnValue:
    page = render_template(
        "seals/card_login.html",
        login=request.form.get("login", ""),
        next=inside(request.values.get("next", "/")),
        refusal=refusal,
        code=code,
        agent_page=current_settings().station_page_url,
    )
    return page, refusal.status if refusal else 200


@blueprint.post("/login/card")
@limiter.limit(login_rate)
def ask() -> ResponseReturnValue:
    token = secrets.token_urlsafe(32)
    login = request.form.get("login", "").strip().lower()
    try:
        fact = card_login.ask(login, token=token, by=anonymous())
    except Refusal as refusal:
        if wants_json():
            raise
        return _page(refusal)
    session[KEPT] = [fact.login_id, token]
    _state, code = card_login.state_of(fact.login_id, token)
    return _page(None, code)


@blueprint.post("/login/card/finish")
def finish() -> ResponseReturnValue:
    """Asked each second by the page, and by the button where there is no script. 204 while the card has not confirmed it."""
    login_id, token = session.get(KEPT) or (0, "")
    state, code = card_login.state_of(login_id, token)
    polling = bool(request.headers.get("HX-Request"))
    if state == "open":
        return ("", 204) if polling else _page(None, code)
    back = inside(request.form.get("next", "/"))
    if state != "proved":
        session.pop(KEPT, None)
        over = url_for("people.login", next=back, over=1)
        return _led(over) if polling else redirect(over)
    session_token = secrets.token_urlsafe(32)
    fact = card_login.finish(login_id, token=token, session_token=session_token, by=anonymous())
    answer = enter(fact.user_id, session_token, back)
    if polling:
        answer.headers["HX-Redirect"] = answer.headers.pop("Location")
        answer.status_code = 200
    return answer


def _led(address: str) -> Response:
    return Response("", headers={"HX-Redirect": address})
