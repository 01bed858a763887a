"""One value of a form, as it came, and as it is kept: checked and in its type. Pure.

A person, a unit or one of several is what was offered, never what was typed. Money is an amount in 元 with at most
two decimals. A file is the handle of one's own upload (`uploads.py`); a handle that was not offered is no file.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, cast

from app.text import HIDDEN, Text, hides_something

FieldType = Literal[
    "text", "textarea", "number", "money", "date", "choice", "several", "user", "unit", "file", "image", "signature"
]  # fmt: skip
FILES: tuple[FieldType, ...] = ("file", "image", "signature")
"""Fields that hold an upload; the last two a PNG or JPEG."""
CHOSEN: tuple[FieldType, ...] = ("choice", "several", "user", "unit")
Access = Literal["edit", "read", "hide"]
LARGEST_AMOUNT = Decimal("9999999999999.99")
"""Exact to the 分 as a JSON number."""


@dataclass(frozen=True)
class Choice:
    value: str
    label: Text
    tone: str = "plain"


@dataclass(frozen=True)
class Field:
    """One question. `access`: what the step that asks may do with it; the form itself says `edit`."""

    name: str
    type: FieldType
    label: Text
    hint: Text | None = None
    required: bool | str = False
    choices: tuple[Choice, ...] = ()
    source: str | None = None
    integer: bool = False
    widget: str | None = None
    max_length: int = 200
    min: float | None = None
    max: float | None = None
    access: Access = "edit"


class Wrong(Exception):
    """What is said at the field."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


def value_of(
    field: Field,
    raw: Any,
    offered: Sequence[Choice] | None = None,
    files: Mapping[str, Mapping[str, Any]] | None = None,
) -> Any:
    """The value in its type; None when nothing was said. `files`: the uploads, by handle, that may be handed in;
    None where no person fills the form (a story, a test), and a file is said whole. Raises Wrong."""
    if isinstance(raw, str):
        raw = raw.strip()
    if raw is None or raw in ("", []):
        return None
    if field.type in FILES:
        return _file(field, raw, files)
    if field.type in CHOSEN:
        choices = field.choices if offered is None else offered
        return _several(field, raw, choices) if field.type == "several" else _chosen(field, raw, choices)
    return _READ[field.type](field, raw)


def _words(field: Field, raw: Any) -> str:
    if not isinstance(raw, str):
        raise Wrong("应当是文字", "This should be text")
    if len(raw) > field.max_length:
        raise Wrong(f"最多 {field.max_length} 个字", f"At most {field.max_length} characters")
    if hides_something(raw):
        raise Wrong(HIDDEN.zh, HIDDEN.en)
    return raw


def _number(field: Field, raw: Any) -> int | float:
    try:
        value = float(raw)
    except (TypeError, ValueError, OverflowError):
        raise Wrong("应当是数字", "This should be a number") from None
    if not math.isfinite(value):
        raise Wrong("应当是数字", "This should be a number")
    _check_within(field, value)
    if field.integer and value != int(value):
        raise Wrong("应当是整数", "This should be a whole number")
    return int(value) if value == int(value) else value


def _check_within(field: Field, value: float) -> None:
    if field.min is not None and value < field.min:
        raise Wrong(f"不能小于 {field.min:g}", f"Not less than {field.min:g}")
    if field.max is not None and value > field.max:
        raise Wrong(f"不能大于 {field.max:g}", f"Not more than {field.max:g}")


_AMOUNT = re.compile(r"-?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,16})(?:\.[0-9]+)?")


def _money(field: Field, raw: Any) -> int | float:
    """`1,234.50`, `¥1234.5`, `1234.5 元`: also as people write it."""
    said = str(raw).strip().removeprefix("¥").removeprefix("￥").removesuffix("元").strip().replace("，", ",")
    try:
        amount = Decimal(said.replace(",", "")) if _AMOUNT.fullmatch(said) else None
    except InvalidOperation:
        amount = None
    if amount is None or abs(amount) > LARGEST_AMOUNT:
        raise Wrong("应当是金额，如 1234.50", "This should be an amount such as 1234.50")
    if amount != amount.quantize(Decimal("0.01")):
        raise Wrong("金额最多两位小数", "An amount has at most two decimals")
    _check_within(field, float(amount))
    return int(amount) if amount == int(amount) else float(amount)


def _date(field: Field, raw: Any) -> str:
    try:
        return date.fromisoformat(str(raw)).isoformat()
    except ValueError:
        raise Wrong("应当是日期，如 2026-11-22", "This should be a date such as 2026-11-22") from None


def _chosen(field: Field, raw: Any, offered: Sequence[Choice]) -> str | int:
    value = str(raw)
    if not any(c.value == value for c in offered):
        raise Wrong("请从列出的选项中选择", "Choose one of those listed")
    return int(value) if field.integer or field.type in ("user", "unit") else value


def _several(field: Field, raw: Any, offered: Sequence[Choice]) -> list[str | int]:
    """Each once, in the order in which they are offered."""
    said = cast("list[Any]", raw) if isinstance(raw, list) else [raw]
    wanted = {str(_chosen(field, one, offered)) for one in said}
    return [_chosen(field, c.value, offered) for c in offered if c.value in wanted]


def _file(field: Field, raw: Any, files: Mapping[str, Mapping[str, Any]] | None) -> dict[str, Any]:
    """A file already put into the object store: its name, digest and size; of a person's, also the handle."""
    if files is None:
        said = cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}
        if set(said) - {"handle", "type"} != {"name", "digest", "size"}:
            raise Wrong("请选择文件", "Choose a file")
        return said
    found = files.get(raw) if isinstance(raw, str) else None
    if found is None:
        raise Wrong("文件没有收到，请重新选择", "The file did not arrive; choose it again")
    if field.type != "file" and not str(found.get("type", "")).startswith("image/"):
        raise Wrong("请选择 PNG 或 JPEG 图片", "Choose a PNG or JPEG picture")
    return dict(found)


_READ: dict[str, Callable[[Field, Any], Any]] = {
    "text": _words,
    "textarea": _words,
    "number": _number,
    "money": _money,
    "date": _date,
}
