"""What comes in with a request, made safe before anybody reads it: text, row numbers, days, addresses to go back to.

Both databases must be able to hold it: PostgreSQL takes no NUL in text and ends a row's number at 2**31 - 1,
SQLite takes both, so the door refuses for both.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from flask import Flask, request
from werkzeug.routing import IntegerConverter, Map

from app.refusal import Invalid
from app.settings import current_settings
from app.text import Text

LARGEST_ROW = 2**31 - 1
DEEPEST_JSON = 20
AGENTS_DOOR = "/agent/"
"""Its bodies are signed as they are, and read by the protocol's own codec."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ROW = re.compile("[0-9]{1,10}")


class RowConverter(IntegerConverter):
    """`<int:…>` in an address: what no row can have as its number is no page."""

    regex = _ROW.pattern

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=LARGEST_ROW)


class Unreadable(Invalid):
    """No page of ours sends this; somebody tries what happens."""

    status = 400


def row_number(said: str | None) -> int | None:
    """The number of a row that a form or an address names; None for anything else."""
    if said is None or not _ROW.fullmatch(said.strip()) or int(said) > LARGEST_ROW:
        return None
    return int(said)


def end_of_day(said: str, *, code: str) -> datetime | None:
    """The end of the day chosen, in the organisation's zone; None when none was chosen. Refuses Invalid."""
    return _midnight(said, timedelta(days=1), code)


def start_of_day(said: str, *, code: str) -> datetime | None:
    """Its beginning. Refuses Invalid."""
    return _midnight(said, timedelta(), code)


def _midnight(said: str, later: timedelta, code: str) -> datetime | None:
    if not said.strip():
        return None
    try:
        day = date.fromisoformat(said.strip()) + later
        return datetime.combine(day, time.min, ZoneInfo(current_settings().time_zone))
    except (ValueError, OverflowError):
        text = Text("日期不正确，请重新选择", "This is no date; choose again")
        raise Invalid(code, zh=text.zh, en=text.en, fields={"valid_until": text}) from None


def local_moment(said: str, *, code: str, field: str = "since") -> datetime | None:
    """The moment chosen (`2026-11-22T08:30`), in the organisation's zone; None when none was chosen. Refuses Invalid."""
    if not said.strip():
        return None
    try:
        found = datetime.fromisoformat(said.strip())
        return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(current_settings().time_zone))
    except (ValueError, OverflowError):
        text = Text("时间不正确，请重新选择", "This is no moment; choose again")
        raise Invalid(code, zh=text.zh, en=text.en, fields={field: text}) from None


def inside(target: str) -> str:
    """The address to go back to, if it is one of our own; else the first page.

    Browsers drop tabs and newlines from an address and read a backslash as a slash, so none of them may stand in it.
    """
    own = target.startswith("/") and not target.startswith("//")
    return target if own and "\\" not in target and target.isprintable() else "/"


def check_readable() -> None:
    """Refuses Unreadable: text that no database takes, JSON that no page of ours sends."""
    for said in _texts():
        if _UNSTORABLE.search(said):
            raise Unreadable(
                "web.unreadable",
                zh="内容含有无法保存的字符。请删去后重新提交",
                en="It contains characters that cannot be stored. Remove them and send it again",
            )


def _texts() -> Iterator[str]:
    yield request.path
    for name, value in request.args.items(multi=True):
        yield from (name, value)
    if request.endpoint is None or request.path.startswith(AGENTS_DOOR):
        return
    for name, value in request.form.items(multi=True):
        yield from (name, value)
    for name, file in request.files.items(multi=True):
        yield from (name, file.filename or "")
    if request.is_json:
        yield from _texts_of(_json())


def _json() -> Any:
    try:
        return request.get_json(silent=True)
    except RecursionError:
        raise _too_deep() from None


def _texts_of(value: Any) -> Iterator[str]:
    """All keys and strings of a JSON value."""
    level: list[Any] = [value]
    for _ in range(DEEPEST_JSON):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, str):
                yield item
            elif isinstance(item, dict):
                for name, held in cast("dict[str, Any]", item).items():
                    yield name
                    inner.append(held)
            elif isinstance(item, list):
                inner.extend(cast("list[Any]", item))
        if not inner:
            return
        level = inner
    raise _too_deep()


def _too_deep() -> Unreadable:
    return Unreadable("web.too_deep", zh="内容嵌套太深，无法读取", en="It is nested too deeply to be read")


def init_app(app: Flask) -> None:
    """Before any address is added and before any other check reads the request."""
    app.url_map.converters["int"] = RowConverter
    app.before_request(check_readable)
