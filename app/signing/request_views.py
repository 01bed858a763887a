"""Pages of asking for the use of a seal (用印申请), the register of uses (用印登记), and the one decision as an API (A22)."""

from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.flows.action import panel
from app.glossary import DOCUMENT_CLASSES
from app.people.guards import current_actor, login_required, requires
from app.refusal import Refusal
from app.seals import queries as seals
from app.seals.rules import USE_ASKERS
from app.signing import request_rules as law
from app.signing import requesting, requests
from app.signing.uploads import uploaded
from app.web.errors import wants_json
from app.web.incoming import end_of_day, row_number, start_of_day
from app.web.language import t

blueprint = Blueprint("uses", __name__)
_askers = requires(*USE_ASKERS)


# --- asking ---


@blueprint.get("/uses/new")
@_askers
def new() -> ResponseReturnValue:
    return _new(None)


def _new(refusal: Refusal | None) -> ResponseReturnValue:
    page = render_template(
        "signing/ask.html",
        seals=requests.askable(current_actor()),
        classes=DOCUMENT_CLASSES,
        pressers=law.PRESSERS,
        refusal=refusal,
        errors=refusal.fields if refusal else {},
        said=request.form,
        chosen=request.form.getlist("seal_ids") or request.args.getlist("seal"),
    )
    return page, refusal.status if refusal else 200


@blueprint.post("/uses/new")
@_askers
def ask() -> ResponseReturnValue:
    form = request.form
    try:
        document, name = uploaded()
        fact = requesting.ask(
            document,
            name,
            [row_number(value) or 0 for value in form.getlist("seal_ids")],
            document_class=form.get("document_class", ""),
            purpose=form.get("purpose", ""),
            presser=form.get("presser", "self"),
            uses=row_number(form.get("uses", "1")) or 0,
            by=current_actor(),
        )
    except Refusal as refusal:
        if wants_json():
            raise
        return _new(refusal)
    if wants_json():
        return jsonify(document_id=fact.document_id, request_ids=fact.request_ids), 201
    flash(t("已提交用印申请", "Your request was handed in"), "good")
    return redirect(url_for("signing.uses.one", request_id=fact.request_ids[0]), 303)


@blueprint.get("/uses/<int:request_id>")
@login_required
def one(request_id: int) -> ResponseReturnValue:
    row = requests.request(request_id, current_actor())
    if wants_json():
        return jsonify(_as_json(row))
    return render_template(
        "signing/request.html",
        row=row,
        all=requests.requests_for(row.document.id),
        states=law.STATES,
        classes=DOCUMENT_CLASSES,
        pressers=law.PRESSERS,
        decision=_decision(row),
    )


def _as_json(row: requests.RequestRow) -> dict[str, object]:
    asked = row.request
    return {
        "request_id": asked.id,
        "state": asked.state,
        "document_id": row.document.id,
        "document_digest": row.document.digest,
        "seal_id": row.seal.id,
        "answer": asked.answer,
        "instance_id": asked.instance_id,
    }


def _decision(row: requests.RequestRow) -> Any:
    """What the decision point says of whoever looks, for this document."""
    return seals.may_use(
        row.seal.id,
        current_actor(),
        document_digest=row.document.digest,
        document_class=row.document.document_class,
    )


@panel("use_request")
def _panel(request_id: int, task: Any) -> Markup:
    row = requests.request(request_id, current_actor())
    return Markup(  # noqa: S704 - the template escapes
        render_template(
            "signing/_request.html",
            row=row,
            states=law.STATES,
            classes=DOCUMENT_CLASSES,
            pressers=law.PRESSERS,
            decision=_decision(row),
        )
    )


# --- the register ---


@blueprint.get("/uses")
@login_required
def register() -> ResponseReturnValue:
    said = request.args
    rows = requests.register(
        current_actor(),
        search=said.get("q", "").strip(),
        since=start_of_day(said.get("from", ""), code="uses.bad_date"),
        until=end_of_day(said.get("to", ""), code="uses.bad_date"),
    )
    if wants_json():
        return jsonify(uses=[_use_json(row) for row in rows])
    return render_template("signing/register.html", rows=rows, classes=DOCUMENT_CLASSES, said=said)


def _use_json(row: requests.UseRow) -> dict[str, object]:
    used = row.use
    return {
        "use_id": used.id,
        "at": used.at.isoformat(),
        "seal_id": used.seal_id,
        "seal": used.seal_name,
        "user": used.user_name,
        "card_serial": used.card_serial,
        "file_name": used.file_name,
        "document_digest": used.document_digest,
        "request_id": row.request.id if row.request else None,
        "withdrawn": row.withdrawn,
    }


# --- the decision, for programs ---


@blueprint.get("/api/v1/seals/<int:seal_id>/may-use")
@login_required
def may_use(seal_id: int) -> ResponseReturnValue:
    """May the one who asks use this seal now? `function`: pdf, office, web, login; `document`: its digest,
    sha256:…; `class`: one of the glossary's. The answer says why."""
    actor, said = current_actor(), request.args
    found = seals.visible_seal(seal_id, actor)
    decision = seals.may_use(
        found.id,
        actor,
        function=said.get("function", "pdf"),
        document_digest=said.get("document") or None,
        document_class=said.get("class") or None,
    )
    return jsonify(
        allowed=decision.allowed,
        code=decision.code,
        because={"zh": decision.because.zh, "en": decision.because.en},
        grant_id=decision.grant_id,
    )
