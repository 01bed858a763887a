"""The operator's pages: what is stopped or held, and the buttons for it."""

import json
from collections.abc import Callable
from typing import Any, cast

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.actor import Actor
from app.fact import Fact
from app.flows import commands, mending, operators, steering
from app.flows.once import once, sent_key
from app.flows.pages import on_instance
from app.people.guards import current_actor, login_required
from app.refusal import Invalid, Refusal
from app.text import Text
from app.web.errors import wants_json
from app.web.incoming import inside
from app.web.language import t

blueprint = Blueprint("steering", __name__)


@blueprint.get("/flows/incidents")
@login_required
def incidents() -> ResponseReturnValue:
    """The flows that need somebody."""
    actor = current_actor()
    rows = operators.needing_somebody(actor)
    if wants_json():
        return jsonify(incidents=[_as_json(row) for row in rows])
    return render_template("flows/incidents.html", rows=rows, mends=actor.has("process_owner"))


@blueprint.post("/flows/<int:instance_id>/suspend")
@login_required
def suspend(instance_id: int) -> ResponseReturnValue:
    return _do(
        instance_id,
        "suspend",
        lambda by: once(steering.suspend, instance_id, _said("reason"), key=sent_key(), by=by),
    )


@blueprint.post("/flows/<int:instance_id>/resume")
@login_required
def resume(instance_id: int) -> ResponseReturnValue:
    return _do(instance_id, "resume", lambda by: once(steering.resume, instance_id, key=sent_key(), by=by))


@blueprint.post("/flows/<int:instance_id>/cancel")
@login_required
def cancel(instance_id: int) -> ResponseReturnValue:
    return _do(
        instance_id,
        "cancel",
        lambda by: once(steering.cancel, instance_id, _said("reason"), key=sent_key(), by=by),
    )


@blueprint.post("/flows/<int:instance_id>/retry")
@login_required
def retry(instance_id: int) -> ResponseReturnValue:
    return _do(instance_id, "retry", lambda by: once(commands.retry, instance_id, key=sent_key(), by=by))


@blueprint.post("/flows/<int:instance_id>/skip")
@login_required
def skip(instance_id: int) -> ResponseReturnValue:
    return _do(
        instance_id,
        "skip",
        lambda by: once(
            mending.skip, instance_id, _said("reason"), outputs=_object("outputs"), key=sent_key(), by=by
        ),
    )


@blueprint.post("/flows/<int:instance_id>/correct")
@login_required
def correct(instance_id: int) -> ResponseReturnValue:
    return _do(
        instance_id,
        "correct",
        lambda by: once(
            mending.correct, instance_id, _object("changes") or {}, _said("reason"), key=sent_key(), by=by
        ),
    )


def _do(instance_id: int, form: str, do: Callable[[Actor], Fact]) -> ResponseReturnValue:
    """From the flow's own page, or from the list (`back`): what is refused is told on the same page."""
    actor = current_actor()
    back = _said("back")
    if back and not wants_json():
        try:
            return _done(instance_id, do(actor))
        except Refusal as refusal:
            if refusal.status in (401, 403, 404):
                raise
            flash(t(refusal.text), "bad")
            return redirect(inside(back))
    return on_instance(instance_id, form, lambda: do(actor), lambda fact: _done(instance_id, fact))


def _done(instance_id: int, fact: Fact) -> ResponseReturnValue:
    if wants_json():
        return jsonify(fact.payload())
    if getattr(fact, "solved", True):
        flash(t(f"已完成：{fact.text.zh}。", f"Done: {fact.text.en}."), "good")
    else:
        flash(t("仍然受阻，原因见下。", "It is still stopped; see why below."), "bad")
    return redirect(inside(_said("back") or url_for("flows.instance", instance_id=instance_id)))


def _said(name: str) -> str:
    if request.is_json:
        said = request.get_json(silent=True)
        return str(cast("dict[str, Any]", said).get(name, "")) if isinstance(said, dict) else ""
    return request.form.get(name, "")


def _object(name: str) -> dict[str, Any] | None:
    """A JSON object, from a program's request or a form's box; None when nothing was said. Refuses `Invalid`."""
    said: Any = request.get_json(silent=True) if request.is_json else request.form
    value = said.get(name) if hasattr(said, "get") else None
    if value is None or value == "":
        return None
    try:
        read: Any = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        text = Text("请写成 JSON 对象，写法见提示", "Write a JSON object, as the hint shows")
        raise Invalid("flow.no_object", zh=text.zh, en=text.en, fields={name: text})
    return cast("dict[str, Any]", read)


def _as_json(row: operators.IncidentRow) -> dict[str, Any]:
    return {
        "instance_id": row.instance_id,
        "flow": row.key,
        "title": row.title,
        "status": row.status,
        "node": row.node,
        "text": {"zh": row.text.zh, "en": row.text.en} if row.text else None,
        "at": row.at.isoformat(),
        "tries": row.tries,
        "next_try_at": row.next_try_at.isoformat() if row.next_try_at else None,
    }
