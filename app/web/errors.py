"""A Refusal becomes an HTTP answer here, and only here: a page, a fragment, or JSON. Never a stack trace."""

from collections.abc import Callable
from typing import Any, cast

import structlog
from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError  # pyright: ignore[reportMissingTypeStubs]
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from app import command as gate
from app.actor import Actor
from app.db import db
from app.refusal import Forbidden, Hidden, Invalid, NotFound, Refusal, TooMany, Unauthenticated
from app.text import Text
from app.web import held_back, limits
from app.web.incoming import Unreadable

log = structlog.get_logger()


class TooLarge(TooMany):
    """More bytes than we take."""

    status = 413


class NotThatWay(Invalid):
    """The address is right, the verb is not."""

    status = 405


_SLIPS = (Unauthenticated, NotFound, Invalid)
"""What a door may refuse without an entry: asking the way is no illegal operation."""
_PROBES = (Hidden, Unreadable)
"""What looks like a slip to whoever did it, and is none."""


def wants_json() -> bool:
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return (
        best == "application/json"
        or request.path.startswith(("/agent/", "/api/"))
        or bool(g.get("speaks_json"))
    )


def answer(refusal: Refusal) -> ResponseReturnValue:
    """The refusal as the asker can read it. `Unauthenticated` on a page leads to the login."""
    _record_once(refusal)
    if wants_json():
        return jsonify(error=as_json(refusal)), refusal.status
    page = _page(refusal.status, refusal.text, refusal.code)
    if isinstance(refusal, Unauthenticated):
        login = _hook("to_login")()
        if not request.headers.get("HX-Request"):
            return login
        page.headers["HX-Redirect"] = login.location  # a fragment leads the whole page there
    return page


def as_json(refusal: Refusal) -> dict[str, Any]:
    fields = {name: {"zh": text.zh, "en": text.en} for name, text in refusal.fields.items()}
    return {"code": refusal.code, "zh": refusal.text.zh, "en": refusal.text.en, "fields": fields}


def _record_once(refusal: Refusal) -> None:
    slip = isinstance(refusal, _SLIPS) and not isinstance(refusal, _PROBES)
    if not refusal.recorded and not slip:
        record(refusal, attempted=f"{request.method} {request.path}", by=_hook("who")())


def record(refusal: Refusal, *, attempted: str, by: Actor) -> None:
    """Put what a door refused into the log: an entry of its own, or, in a flood, one more in the flood's entry."""
    if limits.worth_recording(refusal.code) or not held_back.count(refusal.code):
        gate.record(refusal, attempted=attempted, by=by)
        return
    refusal.recorded = True
    log.warning("refusal.flood", code=refusal.code, ip=request.remote_addr)


def _hook(name: str) -> Callable[[], Any]:
    """What only a house above knows (who asks, where the login is); the factory hands it in."""
    return cast("dict[str, Callable[[], Any]]", current_app.extensions["yinxu.errors"])[name]


def _page(status: int, text: Text, code: str) -> Response:
    template = "web/_refusal.html" if request.headers.get("HX-Request") else "web/refusal.html"
    return make_response(render_template(template, status=status, text=text, code=code), status)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    """Werkzeug's own errors, in our words."""
    refusal = _known(error)
    if refusal is not None:
        return answer(refusal)
    if error.response is not None:
        return error.response  # pyright: ignore[reportReturnType]
    text = Text("请求有误，请返回后重试", "The request cannot be answered; go back and try again")
    return _say(error.code or 400, text, f"http.{error.code}")


def _say(status: int, text: Text, code: str) -> ResponseReturnValue:
    if wants_json():
        return jsonify(error={"code": code, "zh": text.zh, "en": text.en, "fields": {}}), status
    return _page(status, text, code)


def _known(error: HTTPException) -> Refusal | None:
    if isinstance(error, CSRFError):
        return Forbidden(
            "web.csrf",
            zh="表单已过期或不是从本系统页面提交的。请刷新页面后重新提交",
            en="The form has expired or did not come from a page of this system. Reload the page and send it again",
        )
    if isinstance(error, RequestEntityTooLarge):
        return TooLarge(
            "web.too_large",
            zh="上传的内容太大。请压缩或拆分后再上传",
            en="The upload is too large. Make it smaller or split it, then upload again",
        )
    if error.code == 404:
        return NotFound(
            "web.no_page", zh="没有这个页面，请检查地址", en="There is no such page; check the address"
        )
    if error.code == 405:
        return NotThatWay(
            "web.wrong_method",
            zh="此地址不接受这种操作，请从页面上的按钮办理",
            en="This address does not take that kind of request; use the buttons of the pages",
        )
    if error.code == 429:
        return too_often()
    return None


def too_often() -> TooMany:
    return TooMany(
        "web.too_often",
        zh="操作太频繁，请稍候一分钟再试",
        en="Too many requests; wait a minute and try again",
    )


def _broken(error: Exception) -> ResponseReturnValue:
    """What nobody foresaw: logged with its trace for the administrator, one sentence for the reader."""
    if isinstance(error, DataError):
        db.session.rollback()
        return answer(gate.unstorable())
    log.exception("request.broken", path=request.path, method=request.method, error=type(error).__name__)
    db.session.rollback()
    g.broken = True  # the page below asks the database nothing
    if isinstance(error, OperationalError):
        text = Text(
            "数据库暂时没有响应，您的操作没有生效。请稍后重试",
            "The database does not answer and nothing was changed. Try again in a moment",
        )
        return _say(503, text, "database_silent")
    text = Text(
        "系统出错，您的操作没有生效。请稍后重试；若仍出错，请告知系统管理员",
        "Something broke and nothing was changed. Try again later; if it stays, tell the system administrator",
    )
    return _say(500, text, "broken")


def init_app(app: Flask, *, who: Callable[[], Actor], to_login: Callable[[], Any]) -> None:
    app.extensions["yinxu.errors"] = {"who": who, "to_login": to_login}
    app.register_error_handler(Refusal, answer)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _broken)
