"""The inbox: what waits for a person, one task with all that is needed to decide it, what they started and did."""

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.fact import Fact
from app.flows import (
    commands,
    comment_views,
    drafts,
    form_views,
    hands_views,
    inbox_views,
    queries,
    returning,
    steering_views,
    timeline,
    voting,
)
from app.flows.forms import Form
from app.flows.once import new_key, once, sent_key
from app.flows.pages import instance_page, on_instance, on_task, task_page
from app.flows.panes import next_of, pane_of, present_address
from app.flows.queries import InstanceRow, TaskRow, TaskView
from app.flows.signers import people_ids
from app.flows.wanted import Wanted
from app.people.guards import current_actor, login_required
from app.text import Text
from app.web.errors import wants_json
from app.web.language import local, t

blueprint = Blueprint("flows", __name__, template_folder="templates")
blueprint.register_blueprint(steering_views.blueprint)
blueprint.register_blueprint(hands_views.blueprint)
blueprint.register_blueprint(form_views.blueprint)
blueprint.register_blueprint(comment_views.blueprint)
blueprint.register_blueprint(inbox_views.blueprint)


@blueprint.get("/")
def home() -> ResponseReturnValue:
    return redirect(url_for("flows.inbox"))


@blueprint.get("/inbox")
@login_required
def inbox() -> ResponseReturnValue:
    """The list, and on a wide screen the first task beside it."""
    pane = pane_of(current_actor())
    if wants_json():
        following = url_for("flows.inbox", **pane.further) if pane.more else None
        return jsonify(tasks=[_as_json(row) for row in pane.rows], next=following)
    if not pane.rows:
        return render_template("flows/inbox.html", pane=pane, view=None, chosen=False)
    return task_page(pane.rows[0].id, pane, chosen=False)


@blueprint.get("/inbox/<int:task_id>")
@login_required
def task(task_id: int) -> ResponseReturnValue:
    if wants_json():
        view = queries.task(task_id, current_actor())
        return jsonify(task=_view_as_json(view))
    return task_page(task_id, pane_of(current_actor()), chosen=True)


@blueprint.post("/inbox/<int:task_id>/claim")
@login_required
def claim(task_id: int) -> ResponseReturnValue:
    actor = current_actor()
    return on_task(task_id, "", lambda: commands.claim(task_id, by=actor), lambda _: _to_task(task_id))


@blueprint.post("/inbox/<int:task_id>/release")
@login_required
def release(task_id: int) -> ResponseReturnValue:
    actor = current_actor()
    return on_task(task_id, "", lambda: commands.release(task_id, by=actor), lambda _: _to_task(task_id))


@blueprint.post("/inbox/<int:task_id>/complete")
@login_required
def complete(task_id: int) -> ResponseReturnValue:
    """Do the task; the next one opens. A form with mistakes comes back with its values and what is wrong."""
    actor, values = current_actor(), _sent()

    def do() -> Fact:
        whole, asked = form_views.with_files(values)
        values.update(whole)
        return once(commands.complete, task_id, whole, about=[task_id, asked], key=sent_key(), by=actor)

    def following(_: Any) -> ResponseReturnValue:
        if "draft_window" in request.form:
            drafts.discard(form_views.key_of(task_id), by=actor)
        ident = next_of(actor)
        if wants_json():
            return jsonify(task_id=task_id, next=ident)
        flash(
            t("已办理。", "Done.") + (t("下面是下一项。", " Here is the next one.") if ident else ""), "good"
        )
        return redirect(_address(ident))

    return on_task(task_id, "complete", do, following, values)


@blueprint.post("/inbox/<int:task_id>/signers")
@login_required
def add_signer(task_id: int) -> ResponseReturnValue:
    """Ask somebody else too, found by their login (several, parted by commas)."""
    actor, said = current_actor(), _sent()

    def add() -> Fact:
        return voting.add_signers(
            task_id,
            people_ids(str(said.get("login") or "")),
            str(said.get("place") or ""),
            reason=str(said.get("reason") or ""),
            weight=str(said.get("weight") or "1"),
            by=actor,
        )

    return on_task(task_id, "signers", add, lambda _: _to_task(task_id, Text("已加签。", "Asked.")))


@blueprint.post("/inbox/<int:task_id>/signers/<int:person_id>/off")
@login_required
def take_off(task_id: int, person_id: int) -> ResponseReturnValue:
    actor, reason = current_actor(), str(_sent().get("reason") or "")

    def gone(_: Any) -> ResponseReturnValue:
        mine = person_id == actor.id  # a voter who has stepped back is asked no more
        return (
            _on("flows.inbox", Text("已退出会签。", "You are asked no more."))
            if mine
            else _to_task(task_id, Text("已减签。", "Taken off."))
        )

    return on_task(
        task_id, f"off-{person_id}", lambda: voting.take_off(task_id, person_id, reason, by=actor), gone
    )


@blueprint.post("/inbox/<int:task_id>/back")
@login_required
def send_back(task_id: int) -> ResponseReturnValue:
    """退回: to an earlier step, with a reason."""
    actor, said = current_actor(), {n: str(v) for n, v in _sent().items()}
    to, mode = said.get("to", ""), said.get("mode") or None

    def sent(fact: Any) -> ResponseReturnValue:
        if wants_json():
            return jsonify(task_id=task_id, to=fact.to, mode=fact.mode)
        flash(t("已退回。", "Sent back."), "good")
        return redirect(_address(None))

    return on_task(
        task_id,
        "back",
        lambda: returning.send_back(task_id, to, reason=said.get("reason", ""), mode=mode, by=actor),
        sent,
    )


@blueprint.post("/inbox/<int:task_id>/take-back")
@login_required
def take_back(task_id: int) -> ResponseReturnValue:
    """拿回: what one has just done."""
    actor = current_actor()

    def taken(fact: Any) -> ResponseReturnValue:
        if wants_json():
            return jsonify(task_id=task_id, node=fact.node)
        return _on("flows.inbox", Text("已拿回，可以重新办理。", "Taken back; you may do it anew."))

    return on_task(task_id, "", lambda: returning.take_back(task_id, by=actor), taken)


@blueprint.post("/inbox/flow/<int:instance_id>/withdraw")
@login_required
def withdraw(instance_id: int) -> ResponseReturnValue:
    """撤回: the applicant's own flow."""
    actor, reason = current_actor(), str(_sent().get("reason", ""))

    def withdrawn(fact: Any) -> ResponseReturnValue:
        if wants_json():
            return jsonify(instance_id=instance_id, to=fact.to)
        return _on(
            "flows.inbox", Text("已撤回，可以修改后重新提交。", "Withdrawn; correct it and send it again.")
        )

    return on_instance(
        instance_id, "withdraw", lambda: returning.withdraw(instance_id, reason=reason, by=actor), withdrawn
    )


@blueprint.get("/inbox/started")
@login_required
def started() -> ResponseReturnValue:
    """What this person set going, and where it stands."""
    found = queries.started_by(current_actor(), search=_searched())
    if wants_json():
        return jsonify(instances=[_instance_as_json(row) for row in found])
    return render_template("flows/started.html", rows=found, search=_searched())


@blueprint.get("/inbox/done")
@login_required
def done() -> ResponseReturnValue:
    """What this person has done."""
    found = queries.done_by(current_actor(), search=_searched())
    if wants_json():
        return jsonify(tasks=[_as_json(row) for row in found])
    return render_template("flows/done.html", rows=found, search=_searched(), outcomes=timeline.OUTCOMES)


@blueprint.get("/inbox/flow/<int:instance_id>")
@login_required
def instance(instance_id: int) -> ResponseReturnValue:
    """One flow: its subject, where it stands, its whole history."""
    return instance_page(instance_id)


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
    return form.is_decision


# --- small things ---


_sent = form_views.sent


@blueprint.app_context_processor
def offer_keys() -> dict[str, Any]:
    """`request_key()` in a form, as the hidden field of that name: however often it is sent, it works once."""
    return {"request_key": new_key}


def _address(task_id: int | None) -> str:
    """A task, or the first, beside the list as it is filtered now."""
    if task_id is None:
        return url_for("flows.inbox", **present_address())
    return url_for("flows.task", task_id=task_id, **present_address())


def _searched() -> str:
    return Wanted.of(request.args).q


def _to_task(task_id: int, words: Text | None = None) -> ResponseReturnValue:
    if wants_json():
        return jsonify(task_id=task_id)
    if words is not None:
        flash(t(words), "good")
    return redirect(_address(task_id))


def _on(endpoint: str, words: Text) -> ResponseReturnValue:
    if wants_json():
        return jsonify(ok=True)
    flash(t(words), "good")
    return redirect(url_for(endpoint))


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
