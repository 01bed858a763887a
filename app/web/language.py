"""Which of the two languages this reader sees, and how moments, numbers and sizes are written in it."""

from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, g, redirect, request

from app.settings import current_settings
from app.text import Language, Text
from app.web.incoming import inside

COOKIE = "language"
blueprint = Blueprint("language", __name__)


def current_language() -> Language:
    """What the reader chose, else what the browser prefers, else Chinese. Outside a request: Chinese."""
    if not request:
        return "zh"
    if "language" not in g:
        chosen = request.cookies.get(COOKIE)
        if chosen not in ("zh", "en"):
            chosen = request.accept_languages.best_match(["zh", "zh-CN", "en"], default="zh")
        g.language = "en" if chosen == "en" else "zh"
    return g.language


def t(zh: str | Text, en: str = "", **values: object) -> str:
    """One sentence in the reader's language: `t('共 {n} 枚', '{n} seals', n=3)` or `t(a_text)`."""
    text = zh if isinstance(zh, Text) else Text(zh, en)
    sentence = text.in_(current_language())
    return sentence.format(**values) if values else sentence


def pick(value: Any) -> str:
    """The reader's half of a Text, of a {"zh":…, "en":…}, or of a plain string."""
    if isinstance(value, Text):
        return value.in_(current_language())
    if isinstance(value, dict):
        return str(value.get(current_language()) or value.get("zh") or "")  # pyright: ignore[reportUnknownArgumentType]
    return str(value)


def local(moment: datetime | None, form: str = "%Y-%m-%d %H:%M") -> str:
    """A moment in the organisation's time zone; a dash for none."""
    if moment is None:
        return "—"
    return moment.astimezone(ZoneInfo(current_settings().time_zone)).strftime(form)


def size(count: int) -> str:
    """A number of bytes for people."""
    return f"{count / 1024:.0f} KB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MB"


def this_address() -> str:
    """Where the reader is, as an address to come back to: a page that answers a POST cannot be asked for again."""
    if request.method == "GET":
        return request.full_path.rstrip("?")
    from_page = urlsplit(request.referrer or "")
    same_site = from_page.netloc == request.host
    return f"{from_page.path}?{from_page.query}".rstrip("?") if same_site and from_page.path else "/"


def remember(cookie: str, value: str) -> Response:
    """Keep a reader's preference for a year and go back to `next`, on this site only."""
    answer = redirect(inside(request.args.get("next", "/")))
    answer.set_cookie(
        cookie, value, max_age=31_536_000, samesite="Lax", httponly=True, secure=current_settings().https
    )
    return answer  # type: ignore[return-value]


@blueprint.get("/language/<chosen>")
def choose(chosen: str) -> Response:
    return remember(COOKIE, chosen if chosen in ("zh", "en") else "zh")


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    jinja = cast(Any, app.jinja_env)
    jinja.globals.update(t=t, language=current_language, this_address=this_address)
    jinja.filters.update(pick=pick, local=local, size=size)
