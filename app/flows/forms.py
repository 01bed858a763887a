"""A task's form: read from its JSON beside the diagram, filled in, and checked here on the server. Pure.

    {"title": {"zh", "en"}, "fields": [{"name", "type", "label": {"zh", "en"}, "required": true | FEEL, …}]}

Types: text, textarea, choice, number, date, user, file. Optional for a field: `hint`, `choices` or `source` (the
name under which a house offers choices), `as: "integer"`, `widget: "buttons"`, `max_length`, `min`, `max`.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, cast, get_args

from app.bpmn.expressions import compiled
from app.bpmn.votes import YES
from app.refusal import Invalid
from app.text import HIDDEN, Text, hides_something

FieldType = Literal["text", "textarea", "choice", "number", "date", "user", "file"]
LENGTH = {"text": 200, "textarea": 2000}


@dataclass(frozen=True)
class Choice:
    value: str
    label: Text
    tone: str = "plain"


@dataclass(frozen=True)
class Field:
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


@dataclass(frozen=True)
class Form:
    name: str
    title: Text
    fields: tuple[Field, ...]

    @property
    def offers(self) -> bool:
        """Whether a house, or the register of people, must be asked what may be chosen."""
        return any(f.source is not None or f.type == "user" for f in self.fields)

    def field(self, name: str) -> Field | None:
        return next((f for f in self.fields if f.name == name), None)


def form_of(name: str, said: Mapping[str, Any]) -> Form:
    """The form that a JSON definition describes. Refuses `Invalid` when it is not one."""
    try:
        fields = tuple(_field(f) for f in said["fields"])
        if len({f.name for f in fields}) != len(fields):
            raise ValueError("two fields of one name")
        return Form(name, _text(said["title"]), fields)
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid(
            "form.malformed",
            zh=f"表单「{name}」的定义有误：{error}",
            en=f'the form "{name}" is malformed: {error}',
            form=name,
        ) from error


def _field(said: Mapping[str, Any]) -> Field:
    if said["type"] not in get_args(FieldType):
        raise ValueError(f"unknown type {said['type']!r}")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,60}", said["name"]):
        raise ValueError(f"a field's name is lower-case letters, digits and _, not {said['name']!r}")
    if isinstance(said.get("required"), str):
        compiled(said["required"])
    offered = tuple(
        Choice(str(c["value"]), _text(c["label"]), c.get("tone", "plain")) for c in said.get("choices", ())
    )
    if said["type"] == "choice" and not offered and not said.get("source"):
        raise ValueError(f"{said['name']}: a choice needs choices or a source")
    return Field(
        name=said["name"],
        type=said["type"],
        label=_text(said["label"]),
        hint=_text(said["hint"]) if "hint" in said else None,
        required=said.get("required", False),
        choices=offered,
        source=said.get("source"),
        integer=said.get("as") == "integer",
        widget=said.get("widget"),
        max_length=int(said.get("max_length", LENGTH.get(said["type"], 200))),
        min=said.get("min"),
        max=said.get("max"),
    )


def _text(said: Mapping[str, str]) -> Text:
    return Text(said["zh"], said["en"])


OPINION = Field("opinion", "textarea", Text("意见", "Opinion"), required=True, max_length=2000)


def of_the_added(form: Form | None) -> Form:
    """What somebody who was added to a task is asked: its decision and opinion; without a decision, an opinion."""
    known = {f.name: f for f in form.fields if not f.source} if form else {}
    asked = (known["decision"],) if "decision" in known else ()
    title = form.title if form else Text("加签意见", "Opinion of who was added")
    return Form(form.name if form else "", title, (*asked, known.get("opinion") or OPINION))


def agreement(form: Form | None) -> str | None:
    """The word by which a form's `decision` agrees: its primary choice. None where nothing is decided."""
    field = form.field("decision") if form else None
    if field is None:
        return None
    primary = next((c.value for c in field.choices if c.tone == "primary"), None)
    return primary or YES


class _Wrong(Exception):
    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


def fill(
    form: Form,
    values: Mapping[str, Any],
    *,
    offered: Mapping[str, Sequence[Choice]] | None = None,
    data: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The fields' values, checked and in their types; what the form does not ask for is left out.

    `offered`: for each field with a `source` (and each `user` field), what this person may choose.
    `data`: what the instance knows, for conditions of `required`. Refuses `Invalid` with a sentence a field.
    """
    clean: dict[str, Any] = {}
    wrong: dict[str, Text] = {}
    for field in form.fields:
        try:
            clean[field.name] = _value(field, values.get(field.name), (offered or {}).get(field.name))
        except _Wrong as error:
            wrong[field.name] = error.text
    for field in form.fields:
        if (
            field.name not in wrong
            and clean[field.name] is None
            and _required(field, {**(data or {}), **clean})
        ):
            label = field.label
            wrong[field.name] = Text(f"请填写{label.zh}", f"Please fill in: {label.en}")
    if wrong:
        raise Invalid(
            "form.invalid",
            zh=f"有 {len(wrong)} 处需要改正，已在表单中标出",
            en=f"{len(wrong)} fields need correction; they are marked in the form",
            fields=wrong,
        )
    return clean


def _required(field: Field, known: Mapping[str, Any]) -> bool:
    if isinstance(field.required, bool):
        return field.required
    return compiled(field.required)(known) is True


def _value(field: Field, raw: Any, offered: Sequence[Choice] | None) -> Any:
    if isinstance(raw, str):
        raw = raw.strip()
    if raw is None or raw == "":
        return None
    match field.type:
        case "text" | "textarea":
            return _words(field, raw)
        case "number":
            return _number(field, raw)
        case "date":
            return _date(raw)
        case "choice" | "user":
            return _chosen(field, raw, field.choices if offered is None else offered)
        case "file":
            return _file(raw)


def _words(field: Field, raw: Any) -> str:
    if not isinstance(raw, str):
        raise _Wrong("应当是文字", "This should be text")
    if len(raw) > field.max_length:
        raise _Wrong(f"最多 {field.max_length} 个字", f"At most {field.max_length} characters")
    if hides_something(raw):
        raise _Wrong(HIDDEN.zh, HIDDEN.en)
    return raw


def _number(field: Field, raw: Any) -> int | float:
    try:
        value = float(raw)
    except (TypeError, ValueError, OverflowError):
        raise _Wrong("应当是数字", "This should be a number") from None
    if not math.isfinite(value):
        raise _Wrong("应当是数字", "This should be a number")
    if field.min is not None and value < field.min:
        raise _Wrong(f"不能小于 {field.min:g}", f"Not less than {field.min:g}")
    if field.max is not None and value > field.max:
        raise _Wrong(f"不能大于 {field.max:g}", f"Not more than {field.max:g}")
    if field.integer and value != int(value):
        raise _Wrong("应当是整数", "This should be a whole number")
    return int(value) if value == int(value) else value


def _date(raw: Any) -> str:
    try:
        return date.fromisoformat(str(raw)).isoformat()
    except ValueError:
        raise _Wrong("应当是日期，如 2026-11-22", "This should be a date such as 2026-11-22") from None


def _chosen(field: Field, raw: Any, offered: Sequence[Choice]) -> str | int:
    value = str(raw)
    if not any(c.value == value for c in offered):
        raise _Wrong("请从列出的选项中选择", "Choose one of those listed")
    return int(value) if field.integer or field.type == "user" else value


def _file(raw: Any) -> dict[str, Any]:
    """A file already put into the object store: its name, digest and size."""
    said = cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}
    if set(said) != {"name", "digest", "size"}:
        raise _Wrong("请选择文件", "Choose a file")
    return said
