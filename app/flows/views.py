"""The inbox: what waits for a person, one task with all that is needed to decide it, what they started and did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.actor import Actor
from app.clock import now
from app.flows import (
    acting,
    commands,
    drafts,
    drawing,
    form_views,
    hands_views,
    informing,
    operators,
    queries,
    returning,
    signers,
    steering_views,
    timeline,
    voting,
    ways_back,
)
from app.flows.action import PANELS
from app.flows.forms import Form
from app.flows.once import new_key, once, sent_key
from app.flows.queries import InstanceRow, TaskRow, TaskView
from app.flows.signers import people_ids
from app.glossary import ROLES
from app.people.guards import current_actor, login_required
from app.refusal import Invalid
from app.text import Text
from app.web.errors import wants_json
from app.web.incoming import row_number
from app.web.language import current_language, local, t

blueprint = Blueprint("flows", __name__, template_folder="templates")
blueprint.register_blueprint(steering_views.blueprint)
blueprint.register_blueprint(hands_views.blueprint)
blueprint.register_blueprint(form_views.blueprint)


@blueprint.get("/")
def home() -> ResponseReturnValue:
    return redirect(url_for("flows.inbox"))


@blueprint.get("/inbox")
@login_required
def inbox() -> ResponseReturnValue:
    """The list, and on a wide screen the first task beside it."""
    pane = _pane(current_actor())
    if wants_json():
        return jsonify(tasks=[_as_json(row) for row in pane.rows])
    if not pane.rows:
        return render_template("flows/inbox.html", pane=pane, view=None, chosen=False)
    return _page(pane.rows[0].id, pane, chosen=False)


@blueprint.get("/inbox/<int:task_id>")
@login_required
def task(task_id: int) -> ResponseReturnValue:
    if wants_json():
        view = queries.task(task_id, current_actor())
        return jsonify(task=_view_as_json(view))
    return _page(task_id, _pane(current_actor()), chosen=True)


@blueprint.post("/inbox/<int:task_id>/claim")
@login_required
def claim(task_id: int) -> ResponseReturnValue:
    commands.claim(task_id, by=current_actor())
    return _to_task(task_id)


@blueprint.post("/inbox/<int:task_id>/release")
@login_required
def release(task_id: int) -> ResponseReturnValue:
    commands.release(task_id, by=current_actor())
    return _to_task(task_id)


@blueprint.post("/inbox/<int:task_id>/complete")
@login_required
def complete(task_id: int) -> ResponseReturnValue:
    """Do the task; the next one opens. A form with mistakes comes back with its values and what is wrong."""
    actor, values = current_actor(), _sent()
    try:
        values, asked = form_views.with_files(values)
        once(commands.complete, task_id, values, about=[task_id, asked], key=sent_key(), by=actor)
    except Invalid as refusal:
        if wants_json() or not refusal.fields:
            raise
        page = _page(task_id, _pane(actor), chosen=True, values=values, refusal=refusal)
        return make_response(page, refusal.status)
    if "draft_window" in request.form:
        drafts.discard(form_views.key_of(task_id), by=actor)
    pane = _pane(actor)
    following = pane.rows[0].id if pane.rows else None
    if wants_json():
        return jsonify(task_id=task_id, next=following)
    flash(
        t("已办理。", "Done.") + (t("下面是下一项。", " Here is the next one.") if following else ""), "good"
    )
    return redirect(_address(following, pane))


@blueprint.post("/inbox/<int:task_id>/signers")
@login_required
def add_signer(task_id: int) -> ResponseReturnValue:
    """Ask somebody else too, found by their login (several, parted by commas)."""
    said = _sent()
    ids = people_ids(str(said.get("login") or ""))
    voting.add_signers(
        task_id,
        ids,
        str(said.get("place") or ""),
        reason=str(said.get("reason") or ""),
        weight=str(said.get("weight") or "1"),
        by=current_actor(),
    )
    return _to_task(task_id)


@blueprint.post("/inbox/<int:task_id>/signers/<int:person_id>/off")
@login_required
def take_off(task_id: int, person_id: int) -> ResponseReturnValue:
    voting.take_off(task_id, person_id, str(_sent().get("reason") or ""), by=current_actor())
    return _to_task(task_id)


@blueprint.post("/inbox/<int:task_id>/back")
@login_required
def send_back(task_id: int) -> ResponseReturnValue:
    """退回: to an earlier step, with a reason."""
    actor, said = current_actor(), {n: str(v) for n, v in _sent().items()}
    to, mode = said.get("to", ""), said.get("mode") or None
    try:
        fact = returning.send_back(task_id, to, reason=said.get("reason", ""), mode=mode, by=actor)
    except Invalid as refusal:
        if wants_json() or not refusal.fields:
            raise
        page = _page(task_id, _pane(actor), chosen=True, values=said, refusal=refusal)
        return make_response(page, refusal.status)
    if wants_json():
        return jsonify(task_id=task_id, to=fact.to, mode=fact.mode)
    flash(t("已退回。", "Sent back."), "good")
    return redirect(_address(None, _pane(actor)))


@blueprint.post("/inbox/<int:task_id>/take-back")
@login_required
def take_back(task_id: int) -> ResponseReturnValue:
    """拿回: what one has just done."""
    fact = returning.take_back(task_id, by=current_actor())
    if wants_json():
        return jsonify(task_id=task_id, node=fact.node)
    return redirect(url_for("flows.inbox"))


@blueprint.post("/inbox/flow/<int:instance_id>/withdraw")
@login_required
def withdraw(instance_id: int) -> ResponseReturnValue:
    """撤回: the applicant's own flow."""
    fact = returning.withdraw(instance_id, reason=str(_sent().get("reason", "")), by=current_actor())
    if wants_json():
        return jsonify(instance_id=instance_id, to=fact.to)
    flash(t("已撤回，可以修改后重新提交。", "Withdrawn; correct it and send it again."), "good")
    return redirect(url_for("flows.inbox"))


@blueprint.get("/inbox/started")
@login_required
def started() -> ResponseReturnValue:
    """What this person set going, and where it stands."""
    found = queries.started_by(current_actor(), search=_search())
    if wants_json():
        return jsonify(instances=[_instance_as_json(row) for row in found])
    return render_template("flows/started.html", rows=found, search=_search())


@blueprint.get("/inbox/done")
@login_required
def done() -> ResponseReturnValue:
    """What this person has done."""
    found = queries.done_by(current_actor(), search=_search())
    if wants_json():
        return jsonify(tasks=[_as_json(row) for row in found])
    return render_template("flows/done.html", rows=found, search=_search(), outcomes=timeline.OUTCOMES)


@blueprint.get("/inbox/flow/<int:instance_id>")
@login_required
def instance(instance_id: int) -> ResponseReturnValue:
    """One flow: its subject, where it stands, its whole history."""
    queries.check_may_see(instance_id, current_actor())
    return render_template(
        "flows/instance.html",
        told=hands_views.told(instance_id, current_actor()),
        story=_story(instance_id),
        row=queries.instance(instance_id),
        steer=operators.may(instance_id, current_actor()),
        may_withdraw=ways_back.may_withdraw(instance_id, current_actor()),
    )


# --- what the templates are given ---


@dataclass(frozen=True)
class Filter:
    label: Text
    value: str
    count: int
    chosen: bool


@dataclass(frozen=True)
class Pane:
    """The list on the left: its rows, the filters over them (each an address), what was searched for."""

    rows: list[TaskRow]
    filters: list[Filter]
    search: str
    show: str
    reminders: list[queries.Reminder]
    nudges: list[informing.Nudge]


@dataclass(frozen=True)
class Story:
    """What a task's page tells about its flow."""

    panel: Markup | None
    drawings: list[tuple[Text, Markup]]
    stages: list[queries.Stage]
    entries: list[timeline.Entry]
    incidents: list[Text]
    held: bool
    """Whether an operator has suspended the flow."""


def _pane(actor: Actor) -> Pane:
    every = queries.inbox(actor, search=_search())
    show = request.args.get("show", "")
    steps = {f"at-{row.node}": row.label for row in every}
    labels = {
        "": Text("全部", "All"),
        "free": Text("可领取", "Unclaimed"),
        "soon": Text("将超时", "Due soon"),
    }
    labels |= steps if len(steps) > 1 else {}
    show = show if show in labels else ""
    kept = {value: [row for row in every if _is_shown(row, value)] for value in labels}
    filters = [Filter(labels[value], value, len(rows), value == show) for value, rows in kept.items()]
    offered = [f for f in filters if f.count or f.chosen or not f.value]
    return Pane(kept[show], offered, _search(), show, queries.reminders(actor), hands_views.nudges_of(every))


def _is_shown(row: TaskRow, show: str) -> bool:
    if show == "free":
        return row.claimable
    return _soon(row) if show == "soon" else not show or show == f"at-{row.node}"


def _soon(row: TaskRow) -> bool:
    return queries.urgency(row.due_at) in ("overdue", "today", "tomorrow")


def _page(
    task_id: int,
    pane: Pane,
    *,
    chosen: bool,
    values: Mapping[str, Any] | None = None,
    refusal: Invalid | None = None,
) -> str:
    actor = current_actor()
    view = queries.task(task_id, actor)
    hand = acting.hand(task_id, actor)
    draft = drafts.of(form_views.key_of(task_id), actor) if values is None and view.status == "open" else None
    values = values or (draft.values if draft else {})
    return render_template(
        "flows/inbox.html",
        hand=hand,
        pane=pane,
        view=view,
        chosen=chosen,
        story=_story(view.instance_id, view),
        values=values,
        draft=draft,
        files=form_views.files_of(view.form, values),
        errors=refusal.fields if refusal else {},
        sentence=refusal.text if refusal else None,
        offered=queries.offered(view, hand.acting or actor) if view.status == "open" else {},
        beside=signers.beside(view, actor),
        mine=view.assignee_id in hand.persons,
        others=hand.owner_id is not None
        or (view.assignee_id is not None and view.assignee_id not in hand.persons),
        ways=(ways := ways_back.ways_of_task(task_id, actor)),
        closed=ways_back.closed_of_task(task_id) if ways else [],
        may_take_back=ways_back.could_take_back(task_id, actor),
    )


def _story(instance_id: int, view: TaskView | None = None) -> Story:
    row = queries.instance(instance_id)
    entries = timeline.entries(queries.history(instance_id))
    for waiting in queries.open_tasks(instance_id):
        who = Text(waiting.assignee, waiting.assignee) if waiting.assignee else ROLES.get(waiting.role or "")
        entries.append(timeline.waiting(waiting.label, who))
    entries += [timeline.waiting(label, None) for label in queries.awaited(instance_id)]
    return Story(
        panel=_panel(row.business_key, view),
        drawings=_drawings(instance_id),
        stages=queries.stages(instance_id),
        entries=entries,
        incidents=[Text(i.text_zh, i.text_en) for i in queries.incidents(instance_id)],
        held=row.status == "suspended",
    )


def _panel(business_key: str, view: TaskView | None) -> Markup | None:
    """What the house that owns the subject shows of it."""
    subject, _, ident = business_key.partition("/")
    show = PANELS.get(subject)
    number = row_number(ident)
    return show(number, view) if show is not None and number is not None else None


def _drawings(instance_id: int) -> list[tuple[Text, Markup]]:
    """The diagram the instance stands in, drawn; the main flow's own is told by the stages instead."""
    places = queries.places(instance_id)
    return [
        (
            place.label,
            drawing.svg(
                place.picture,
                done=place.done,
                current=place.current,
                language=current_language(),
                title=place.label.in_(current_language()),
            ),
        )
        for place in places[-1:]
    ]


@blueprint.app_template_filter("due_chip")
def due_chip(due_at: datetime | None) -> tuple[str, str]:
    """The words and the tone of a due moment: 超时 3 小时, 今天 18:00, 明天, 剩 2 天."""
    how = queries.urgency(due_at)
    if due_at is None or how == "none":
        return "", "neutral"
    if how == "overdue":
        hours = int((now() - due_at).total_seconds() // 3600)
        if hours < 48:
            return t("超时 {n} 小时", "{n} h late", n=max(1, hours)), "bad"
        return t("超时 {n} 天", "{n} days late", n=hours // 24), "bad"
    if how == "today":
        return t("今天 {at}", "today {at}", at=local(due_at, "%H:%M")), "warn"
    if how == "tomorrow":
        return t("明天", "tomorrow"), "warn"
    days = max(2, round((due_at - now()).total_seconds() / 86_400))
    return t("剩 {n} 天", "{n} days left", n=days), "neutral"


@blueprint.app_template_filter("is_decision")
def is_decision(form: Form) -> bool:
    """Whether the form fits into the bar: buttons, and at most a line of words."""
    return any(f.widget == "buttons" for f in form.fields) and all(
        f.widget == "buttons" or f.type in ("text", "textarea") for f in form.fields
    )


# --- small things ---


def _search() -> str:
    return request.args.get("q", "").strip()[:100]


_sent = form_views.sent


@blueprint.app_context_processor
def offer_keys() -> dict[str, Any]:
    """`request_key()` in a form, as the hidden field of that name: however often it is sent, it works once."""
    return {"request_key": new_key}


def _address(task_id: int | None, pane: Pane) -> str:
    show, q = pane.show or None, pane.search or None
    if task_id is None:
        return url_for("flows.inbox", show=show, q=q)
    return url_for("flows.task", task_id=task_id, show=show, q=q)


def _to_task(task_id: int) -> ResponseReturnValue:
    if wants_json():
        return jsonify(task_id=task_id)
    return redirect(url_for("flows.task", task_id=task_id))


def _as_json(row: TaskRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "instance_id": row.instance_id,
        "flow": row.key,
        "business_key": row.business_key,
        "node": row.node,
        "label": {"zh": row.label.zh, "en": row.label.en},
        "title": row.title,
        "initiator": row.initiator,
        "due_at": row.due_at.isoformat() if row.due_at else None,
        "claimable": row.claimable,
        "status": row.status,
        "outcome": row.outcome,
    }


def _view_as_json(view: TaskView) -> dict[str, Any]:
    return {
        "id": view.id,
        "instance_id": view.instance_id,
        "flow": view.key,
        "business_key": view.business_key,
        "node": view.node,
        "label": {"zh": view.label.zh, "en": view.label.en},
        "title": view.title,
        "status": view.status,
        "page": view.page,
        "fields": [f.name for f in view.form.fields] if view.form else [],
    }


def _instance_as_json(row: InstanceRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "flow": row.key,
        "business_key": row.business_key,
        "title": row.title,
        "status": row.status,
        "waits_for": [{"zh": w.zh, "en": w.en} for w in row.waits_for],
    }
