"""A task's form: read from its JSON beside the diagram, filled in, and checked here on the server. Pure.

    {"title": {"zh", "en"}, "fields": [{"name", "type", "label": {"zh", "en"}, "required": true | FEEL, …}]}

Types: text, textarea, number, money, date, choice, several, user, unit, file, image, signature. Optional for a
field: `hint`, `choices` or `source` (the name under which a house offers choices), `as: "integer"`,
`widget: "buttons"`, `max_length`, `min`, `max`. What a step may do with a field stands in its diagram
(`fields`: `opinion=read, amount=hide`) and is taken by `permitted`.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

from app.bpmn.expressions import compiled
from app.bpmn.votes import YES
from app.flows.form_values import CHOSEN, FILES, Access, Choice, Field, FieldType, Wrong, value_of
from app.refusal import Invalid
from app.text import Text

__all__ = [
    "Choice",
    "Field",
    "FieldType",
    "Form",
    "agreement",
    "fill",
    "form_of",
    "kept",
    "of_the_added",
    "permitted",
]

LENGTH = {"text": 200, "textarea": 2000}
_ACCESS = re.compile(r"\s*([A-Za-z0-9_]+)\s*[=:]\s*(edit|read|hide)\s*")


@dataclass(frozen=True)
class Form:
    name: str
    title: Text
    fields: tuple[Field, ...]

    @property
    def offers(self) -> bool:
        """Whether a house, or the register of people, must be asked what may be chosen."""
        return any(f.source is not None or f.type in ("user", "unit") for f in self.fields)

    @property
    def takes_files(self) -> bool:
        return any(f.type in FILES and f.access == "edit" for f in self.fields)

    @property
    def asked(self) -> tuple[Field, ...]:
        """The fields that are filled in; the others are only read."""
        return tuple(f for f in self.fields if f.access == "edit")

    @property
    def is_decision(self) -> bool:
        """Whether it fits into a bar: buttons, and at most a line of words."""
        return any(f.widget == "buttons" for f in self.fields) and all(
            f.widget == "buttons" or f.type in ("text", "textarea") for f in self.fields
        )

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
    if said["type"] in ("choice", "several") and not offered and not said.get("source"):
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


def permitted(form: Form | None, said: str | None) -> Form | None:
    """The form as a step may see it: hidden fields are not there at all, those to read are not asked for. `said`:
    the step's property `fields`. What it names wrongly is found before publishing (`studio/checks.py`)."""
    found = [m for m in map(_ACCESS.fullmatch, (said or "").split(",")) if m]
    if form is None or not found:
        return form
    access = {m[1]: cast(Access, m[2]) for m in found}
    kept = (dataclasses.replace(f, access=access.get(f.name, "edit")) for f in form.fields)
    return Form(form.name, form.title, tuple(f for f in kept if f.access != "hide"))


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


def fill(
    form: Form,
    values: Mapping[str, Any],
    *,
    offered: Mapping[str, Sequence[Choice]] | None = None,
    files: Mapping[str, Mapping[str, Any]] | None = None,
    data: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The fields' values, checked and in their types; what the form does not ask for is left out, and so is what
    this step may only read.

    `offered`: for each field with a `source` (and each `user` or `unit` field), what this person may choose.
    `files`: the uploads this person may hand in, by handle. `data`: what the instance knows, for conditions of
    `required`. Refuses `Invalid` with a sentence a field.
    """
    clean: dict[str, Any] = {}
    wrong: dict[str, Text] = {}
    for field in form.asked:
        try:
            clean[field.name] = value_of(
                field, values.get(field.name), (offered or {}).get(field.name), files
            )
        except Wrong as error:
            wrong[field.name] = error.text
    known = {**(data or {}), **clean}
    for field in form.asked:
        if field.name not in wrong and clean[field.name] is None and _required(field, known):
            verb = (
                Text("请选择", "Please choose: ")
                if field.type in CHOSEN
                else Text("请填写", "Please fill in: ")
            )
            wrong[field.name] = Text(f"{verb.zh}{field.label.zh}", f"{verb.en}{field.label.en}")
    if wrong:
        raise Invalid(
            "form.invalid",
            zh=f"有 {len(wrong)} 处需要改正，已在表单中标出",
            en=f"{len(wrong)} fields need correction; they are marked in the form",
            fields={f.name: wrong[f.name] for f in form.fields if f.name in wrong},
        )
    return clean


def _required(field: Field, known: Mapping[str, Any]) -> bool:
    if isinstance(field.required, bool):
        return field.required
    return compiled(field.required)(known) is True


LONGEST_DRAFT = 20_000
"""Characters of one field that are kept of an unfinished form."""


def kept(form: Form, values: Mapping[str, Any]) -> dict[str, Any]:
    """What is remembered of an unfinished form: what it asks for, as it was typed, right or wrong; bounded."""
    found: dict[str, Any] = {}
    for field in form.asked:
        said = values.get(field.name)
        if isinstance(said, str):
            found[field.name] = said[:LONGEST_DRAFT]
        elif isinstance(said, list) and field.type == "several":
            found[field.name] = [str(one)[:200] for one in cast("list[Any]", said)[:200]]
    return found
