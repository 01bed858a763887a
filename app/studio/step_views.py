"""A draft as the plain list of its steps, each told by choosing: without script, by keyboard, on a phone."""

import re
from collections.abc import Callable
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.actor import Actor
from app.bpmn import step_list
from app.bpmn.parse import parse
from app.bpmn.reading import Element, read
from app.bpmn.step_list import NoRoom, Step
from app.glossary import OFFICERS, ROLES
from app.people.guards import current_actor, login_required
from app.refusal import Invalid, Refusal
from app.studio import commands, papers_views, problems, queries, sheets
from app.studio.durations import spoken
from app.studio.models import StudioDraft
from app.text import Text
from app.web.incoming import row_number

UNITS: dict[str, Text] = {
    "WD": Text("个工作日", "working days"),
    "WH": Text("个工作小时", "working hours"),
    "D": Text("天", "days"),
    "H": Text("小时", "hours"),
}
TIMEOUTS: dict[str, Text] = {
    "": Text("什么也不做", "Nothing"),
    "remind": Text("提醒办理人", "Remind whoever has it"),
    "escalate": Text("交给上级", "Pass it to those above"),
    "pass": Text("自动同意", "Agree by itself"),
    "refuse": Text("自动退回", "Send back by itself"),
}
BY_ITSELF: dict[str, tuple[Text, dict[str, Text]]] = {
    "repeat": (
        Text("同一人此前已同意时", "When the same person agreed before"),
        {"": Text("仍要办理", "Ask again"), "pass": Text("自动通过", "Pass by itself")},
    ),
    "own": (
        Text("审批人就是发起人时", "When it is one's own application"),
        {
            "": Text("仍要办理", "Ask them"),
            "pass": Text("自动通过", "Pass by itself"),
            "superior": Text("交给其他有权的人或上级", "Ask others, or those above"),
        },
    ),
    "nobody": (
        Text("找不到办理人时", "When nobody is found"),
        {
            "": Text("等待", "Wait"),
            "incident": Text("停下并报告", "Stop and report"),
            "admin": Text("交给流程管理员", "Ask the administrators"),
            "pass": Text("自动通过", "Pass by itself"),
        },
    ),
}
_DUE = re.compile(r"P(?:(\d+)(WD|D)|T(\d+)(WH|H))")
MOST_DUE = 999


@login_required
def page(draft_id: int) -> ResponseReturnValue:
    return _page(queries.draft(draft_id, current_actor()), request.args.get("step"))


@login_required
def change(draft_id: int) -> ResponseReturnValue:
    """One change of the list: `act` is `insert`, `remove`, `up`, `down` or `save`, with the step after the colon."""
    by = current_actor()
    draft = queries.draft(draft_id, by)
    verb, _, ident = request.form.get("act", "").partition(":")
    try:
        step = _change(draft, verb, ident, by)
    except Refusal as refusal:
        return _page(queries.draft(draft_id, by), ident, refusal), refusal.status
    return redirect(url_for("studio.steps", draft_id=draft_id, step=step, _anchor="step" if step else None))


def _change(draft: StudioDraft, verb: str, ident: str, by: Actor) -> str | None:
    """The step to be looked at afterwards. Refuses `Invalid`, `Stale`, `Conflict`."""
    act = _ACTS.get(verb)
    if act is None:
        raise _invalid(
            Text("不知道要做什么，请刷新后重试", "that is nothing that can be done here; reload the page")
        )
    root = read(draft.bpmn.encode())
    try:
        shown = act(root, ident)
    except NoRoom as error:
        raise _invalid(error.text) from error
    commands.save_draft(
        draft.id, row_number(request.form.get("revision")) or 0, bpmn=step_list.written(root), by=by
    )
    return shown


def _insert(root: Element, after: str) -> str:
    given = {"role": _chosen("role", _roles()), "form": _form_like(root, after), "dueIn": "P2WD"}
    return step_list.insert_after(root, after, _name(), given)


def _form_like(root: Element, after: str) -> str:
    """A new step asks what the step before it asks, until another form is chosen."""
    found = next((s for s in step_list.steps(root) if s.id == after), None)
    return (found.settings.get("form") or found.id) if found is not None and found.is_a_persons else ""


def _save(root: Element, ident: str) -> str:
    timeout = _chosen("onTimeout", TIMEOUTS)
    settings: dict[str, str | None] = {
        "dueIn": _due(),
        "onTimeout": timeout or None,
        "escalateTo": _chosen("escalateTo", _roles()) if timeout == "escalate" else None,
        "ownHand": "true" if request.form.get("ownHand") else None,
        "batch": "yes" if request.form.get("batch") else None,
        **{name: _chosen(name, choices) or None for name, (_label, choices) in BY_ITSELF.items()},
    }
    if request.form.get("role") is not None:
        settings["role"] = _chosen("role", _roles()) or None
    if request.form.get("form") is not None:
        settings["form"] = str(request.form["form"])[:80] or None
    step_list.tell(root, ident, _name(), settings)
    return ident


def _remove(root: Element, ident: str) -> None:
    step_list.remove(root, ident)


def _moved(by: int) -> Callable[[Element, str], str]:
    def act(root: Element, ident: str) -> str:
        step_list.move(root, ident, by)
        return ident

    return act


_ACTS: dict[str, Callable[[Element, str], str | None]] = {
    "insert": _insert, "save": _save, "remove": _remove, "up": _moved(-1), "down": _moved(1),
}  # fmt: skip


def _name() -> Text:
    zh = str(request.form.get("name_zh", "")).strip()[:80]
    if not zh or any(ord(c) < 32 for c in zh):
        raise _invalid(Text("请填写步骤名称", "Give the step a name"), "name_zh")
    return Text(zh, str(request.form.get("name_en", "")).strip()[:80] or zh)


def _due() -> str | None:
    number, unit = str(request.form.get("due", "")).strip(), _chosen("unit", UNITS)
    if not number:
        return None
    if not number.isascii() or not number.isdigit() or not 0 < int(number[:6]) <= MOST_DUE:
        raise _invalid(
            Text(f"时限请填 1 到 {MOST_DUE} 的整数", f"The time is a whole number from 1 to {MOST_DUE}"),
            "due",
        )
    return f"P{'T' if unit in ('WH', 'H') else ''}{int(number)}{unit or 'WD'}"


def _chosen(name: str, among: Any) -> str:
    said = str(request.form.get(name, ""))
    if said and said not in among:
        raise _invalid(Text("请从列表中选择", "Choose one of the list"), name)
    return said


def _roles() -> dict[str, Text]:
    return {role: text for role, text in ROLES.items() if role not in OFFICERS}


def _invalid(text: Text, name: str = "") -> Invalid:
    return Invalid(
        "studio.step",
        zh=text.zh + "。",
        en=text.en[0].upper() + text.en[1:] + ".",
        fields={name: text} if name else None,
    )


def _page(draft: StudioDraft, chosen: str | None, refusal: Refusal | None = None) -> str:
    told = problems.of_draft(draft)
    found, picture = _read(draft)
    by_id = {step.id: step for step in found}
    step = by_id.get(chosen or "")
    marked = {t.element: ("changed", "") for t in told if t.place == "diagram" and t.severity == "error"}
    if step is not None:
        marked[step.id] = ("moved", "")
    return render_template(
        "studio/steps.html",
        names_of_tables=sheets.names(draft.tables),
        draft=draft,
        steps=found,
        step=step,
        due=_due_of(step, refusal),
        lanes={zh.zh: zh for zh in ROLES.values()},
        roles=_roles(),
        units=UNITS,
        timeouts=TIMEOUTS,
        by_itself=BY_ITSELF,
        troubles=told,
        worst={t.element for t in told if t.severity == "error"},
        picture=papers_views.draw(picture, Text(draft.key, draft.key), marked) if picture else None,
        others=queries.others(draft.id, current_actor()),
        refusal=refusal,
        given=request.form if refusal is not None else {},
        spoken=spoken,
    )


def _read(draft: StudioDraft) -> tuple[list[Step], Any]:
    """The steps and the picture, as far as the diagram can be read."""
    try:
        root = read(draft.bpmn.encode())
        found = step_list.steps(root)
    except Refusal:
        return [], None
    try:
        tables = {name: str(text).encode() for name, text in draft.tables.items()}
        return found, parse(draft.bpmn.encode(), tables).picture
    except Refusal:
        return found, None


def _due_of(step: Step | None, refusal: Refusal | None) -> tuple[str, str]:
    """Number and unit; as they were filled in where that was refused."""
    if refusal is not None and "due" in request.form:
        return request.form["due"], request.form.get("unit", "WD")
    said = _DUE.fullmatch(step.settings.get("dueIn", "")) if step is not None else None
    return (said[1] or said[3], said[2] or said[4]) if said else ("", "WD")
