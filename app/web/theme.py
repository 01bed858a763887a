"""Light, dark, or as the reader's machine prefers: remembered in a cookie, so that no page flashes."""

from typing import Any, Literal, cast

from flask import Blueprint, Flask, Response, request

from app.web.language import remember

Theme = Literal["auto", "light", "dark"]
COOKIE = "theme"
NEXT: dict[str, Theme] = {"auto": "dark", "dark": "light", "light": "auto"}
"""What the switch leads to from each."""

blueprint = Blueprint("theme", __name__)


def current_theme() -> Theme:
    chosen = request.cookies.get(COOKIE) if request else None
    return chosen if chosen in ("light", "dark") else "auto"


@blueprint.get("/theme/<chosen>")
def choose(chosen: str) -> Response:
    """Remember the theme for a year and go back to where the reader was, on this site only."""
    return remember(COOKIE, chosen if chosen in NEXT else "auto")


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    cast(Any, app.jinja_env).globals.update(theme=current_theme, next_theme=NEXT)
