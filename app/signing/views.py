"""Pages of sealing and verifying. Verifying needs no login."""

import base64
import io
from typing import Any, TypedDict, cast

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.cards import queries as cards
from app.flows.action import panel
from app.glossary import DOCUMENT_CLASSES
from app.pdf.geometry import POINTS_PER_MM
from app.pdf.straddling import strips
from app.pdf.verifying import Report, as_json
from app.people.guards import current_actor, login_required, who
from app.refusal import Refusal
from app.seals.rules import may_ask_for_use
from app.settings import current_settings
from app.signing import (
    batch_views,
    commands,
    losses,
    queries,
    report_views,
    request_rules,
    request_views,
    requests,
    rules,
    withdrawing,
    words,
)
from app.signing import sign_document as _sign_document  # noqa: F401  # pyright: ignore[reportUnusedImport] registers
from app.signing.uploads import chosen, measure, uploaded
from app.web.errors import wants_json
from app.web.incoming import row_number
from app.web.language import t
from app.web.limits import limiter

blueprint = Blueprint("signing", __name__, template_folder="templates")
blueprint.register_blueprint(request_views.blueprint)
blueprint.register_blueprint(batch_views.blueprint)
blueprint.register_blueprint(report_views.blueprint)

VERIFY_RATE = "30 per minute"
"""Files verified for one address: the page is open to everybody, and each file costs a process."""


# --- sealing ---


@blueprint.get("/sealing")
@login_required
def index() -> ResponseReturnValue:
    actor = current_actor()
    rows, seals = queries.sealings_of(actor), queries.usable_seals(actor)
    if wants_json():
        return jsonify(
            seals=[{"seal_id": s.id, "name": s.name, "card_serial": s.card_serial} for s in seals],
            sealings=[_row_json(row) for row in rows],
        )
    return render_template(
        "signing/index.html",
        rows=rows,
        seals=seals,
        states=rules.STATE_TEXT,
        asked=requests.requests_of(actor),
        may_ask=may_ask_for_use(actor),
        request_states=request_rules.STATES,
    )


@blueprint.get("/sealing/new")
@login_required
def new() -> ResponseReturnValue:
    return _new(None)


def _new(refusal: Refusal | None) -> ResponseReturnValue:
    actor = current_actor()
    page = render_template(
        "signing/new.html",
        seals=queries.usable_seals(actor),
        may_ask=may_ask_for_use(actor),
        classes=DOCUMENT_CLASSES,
        said=request.form,
        refusal=refusal,
    )
    return page, refusal.status if refusal else 200


@blueprint.post("/sealing/new")
@login_required
def upload() -> ResponseReturnValue:
    """A file alone: uploaded, then its place is chosen. A file with seal and place: ordered at once."""
    actor, form = current_actor(), request.form
    try:
        document, name = uploaded()
        if "seal_id" in form:
            ordered = commands.prepare(document, name, chosen("seal_id"), **_place(), by=actor)
            return _ordered(ordered.sealing_id, ordered.job_id)
        fact = commands.upload(document, name, document_class=form.get("document_class") or "other", by=actor)
    except Refusal as refusal:
        if wants_json():
            raise
        return _new(refusal)
    return redirect(url_for("signing.place", document_id=fact.document_id), 303)


@blueprint.get("/sealing/new/<int:document_id>")
@login_required
def place(document_id: int) -> ResponseReturnValue:
    return _place_page(queries.document(document_id, current_actor()), None)


def _place_page(document: queries.Document, refusal: Refusal | None) -> ResponseReturnValue:
    seals = queries.usable_seals(current_actor(), document)
    wanted = request.form.get("seal_id") or request.args.get("seal")
    chosen = next((s for s in seals if str(s.id) == wanted), seals[0] if seals else None)
    stations, holding = queries.stations_for(chosen) if chosen else ([], None)
    values = {
        "station_id": holding or (stations[0].station.id if len(stations) == 1 else ""),
        **(_first_place(document, chosen) if chosen else {}),
        **request.form,
    }
    page = render_template(
        "signing/place.html",
        document=document,
        seals=seals,
        chosen=chosen,
        stations=stations,
        strips=[[strip.index, strip.of] for strip in strips(len(document.pages))],
        may_straddle=len(document.pages) > 1 and document.sealed_digest is None,
        values=values,
        refusal=refusal,
    )
    return page, refusal.status if refusal else 200


def _first_place(document: queries.Document, seal: queries.Seal) -> dict[str, object]:
    """Where a seal usually stands: at the lower right of the last page, two centimetres from the edge."""
    width, _height = cast("list[list[float]]", document.pages)[-1]
    margin = 20 * POINTS_PER_MM
    x = max(0.0, width - seal.width_mm * POINTS_PER_MM - margin)
    half = (document.pages[0][1] - seal.height_mm * POINTS_PER_MM) / 2
    return {
        "page": len(document.pages),
        "x_pt": round(x, 1),
        "y_pt": round(2.5 * margin, 1),
        "straddle_pt": round(max(0.0, half), 1),
    }


@blueprint.post("/sealing/new/<int:document_id>")
@login_required
def order(document_id: int) -> ResponseReturnValue:
    actor = current_actor()
    try:
        fact = commands.order(document_id, chosen("seal_id"), **_place(), by=actor)
    except Refusal as refusal:
        if wants_json():
            raise
        return _place_page(queries.document(document_id, actor), refusal)
    return _ordered(fact.sealing_id, fact.job_id)


def _ordered(sealing_id: int, job_id: int) -> ResponseReturnValue:
    address = url_for("signing.sealing", sealing_id=sealing_id)
    if wants_json():
        return jsonify(sealing_id=sealing_id, job_id=job_id, address=address), 201
    return redirect(address, 303)


@blueprint.get("/sealing/new/<int:document_id>/page/<int:page>.png")
@login_required
def page_picture(document_id: int, page: int) -> Response:
    return _file(queries.page_picture(document_id, page, current_actor()), "image/png")


@blueprint.get("/sealing/seals/<int:seal_id>.png")
@login_required
def seal_picture(seal_id: int) -> Response:
    """`?document=`: also for those who may use it on that document alone."""
    actor, on = current_actor(), row_number(request.args.get("document"))
    document = queries.document(on, actor) if on is not None else None
    return _file(queries.seal_picture(seal_id, actor, document), "image/png")


@blueprint.get("/sealing/<int:sealing_id>")
@login_required
def sealing(sealing_id: int) -> ResponseReturnValue:
    return _sealing_page(sealing_id, None)


def _sealing_page(sealing_id: int, refusal: Refusal | None, dialog: str = "") -> ResponseReturnValue:
    row = queries.sealing(sealing_id, current_actor())
    if wants_json():
        return jsonify(_row_json(row))
    report = None
    if row.use is not None:
        report = queries.report_on(queries.permitted_file(row.use.sealed_digest, current_actor())[1])
    page = render_template(
        "signing/sealing.html", **_progress(row), **_told(report), **_withdrawable(row, refusal, dialog)
    )
    return page, refusal.status if refusal else 200


def _withdrawable(row: queries.SealingRow, refusal: Refusal | None, dialog: str) -> dict[str, object]:
    """`dialog`: the one it was refused in, which opens again."""
    used, actor = row.use, current_actor()
    return {
        "refusal": None if dialog else refusal,
        "refused": (refusal.fields, refusal.text) if refusal and dialog else None,
        "waiting": queries.open_withdrawal(used.id) if used else None,
        "alone": used is not None and actor.id == used.user_id and not queries.is_sent(used),
        "said": request.form,
    }


@blueprint.get("/sealing/<int:sealing_id>/progress")
@login_required
def progress(sealing_id: int) -> ResponseReturnValue:
    """The fragment that the page asks for each second, until it ends."""
    row = queries.sealing(sealing_id, current_actor())
    answer = Response(render_template("signing/_progress.html", **_progress(row)))
    if row.sealing.state not in rules.OPEN_STATES:
        answer.headers["HX-Refresh"] = "true"
    return answer


def _progress(row: queries.SealingRow) -> dict[str, object]:
    job_id = row.sealing.job_id
    return {
        "row": row,
        "steps": cards.steps(job_id) if job_id is not None else [],
        "station": cards.station(row.sealing.station_id),
        "states": rules.STATE_TEXT,
        "open": row.sealing.state in rules.OPEN_STATES,
        "agent_page": current_settings().station_page_url,
    }


@blueprint.post("/sealing/<int:sealing_id>/cancel")
@login_required
def cancel(sealing_id: int) -> ResponseReturnValue:
    actor = current_actor()
    row = queries.sealing(sealing_id, actor)
    try:
        commands.cancel(row.sealing.id, by=actor)
    except Refusal as refusal:
        return _sealing_page(sealing_id, refusal)
    flash(t("已取消", "Cancelled"))
    return redirect(url_for("signing.sealing", sealing_id=sealing_id), 303)


@blueprint.post("/sealing/<int:sealing_id>/withdraw")
@login_required
def withdraw(sealing_id: int) -> ResponseReturnValue:
    actor = current_actor()
    row = queries.sealing(sealing_id, actor)
    try:
        fact = withdrawing.ask(row.use.id if row.use else 0, request.form.get("reason", ""), by=actor)
    except Refusal as refusal:
        if wants_json():
            raise
        return _sealing_page(sealing_id, refusal, "withdraw")
    done = queries.withdrawal_request(fact.withdrawal_id).state == "done"
    if wants_json():
        return jsonify(signature_id=fact.signature_id, withdrawn=done, instance_id=fact.instance_id)
    if done:
        flash(t("已撤章，今后验章结果为“已撤章”", "Withdrawn; verification will say so from now on"))
    else:
        flash(t("文件已发出，撤章已提交审批", "The document was sent, so others decide on the withdrawal"))
    return redirect(url_for("signing.sealing", sealing_id=sealing_id), 303)


@panel("withdrawal")
def _withdrawal_panel(withdrawal_id: int, task: Any) -> Markup:
    asked = queries.withdrawal_request(withdrawal_id)
    return Markup(  # noqa: S704 - the template escapes
        render_template(
            "signing/_withdrawal.html",
            asked=asked,
            used=queries.known_use(asked.seal_use_id),
            takings=queries.takings(asked.seal_use_id),
        )
    )


@blueprint.get("/documents/<digest>.pdf")
@login_required
def document(digest: str) -> Response:
    name, data = queries.permitted_file(digest, current_actor())
    if queries.is_sealed(digest):
        commands.take([digest], name, by=current_actor())
    return send_file(io.BytesIO(data), "application/pdf", as_attachment=True, download_name=name)


# --- verifying ---


@blueprint.get("/verify")
def verify() -> ResponseReturnValue:
    return render_template("signing/verify.html", **_told(None), refusal=None, file_name="")


@blueprint.post("/verify")
@limiter.limit(VERIFY_RATE)
def verified() -> ResponseReturnValue:
    try:
        data, name = uploaded()
    except Refusal as refusal:
        if wants_json():
            raise
        page = render_template("signing/verify.html", **_told(None), refusal=refusal, file_name="")
        return page, refusal.status
    report = queries.report_on(data)
    commands.verify(report, name, by=who())
    if wants_json():
        return jsonify({**as_json(report), **losses.as_json(report)})
    return render_template(
        "signing/verify.html",
        **{**_told(report), "carried": report_views.carried(report, rules.clean_name(name))},
        refusal=None,
        file_name=rules.clean_name(name),
        changes=queries.changes_in(data, report),
    )


def _told(report: Report | None) -> dict[str, object]:
    """What the report's fragment needs."""
    return {
        "report": report,
        "losses": losses.of_report(report) if report else [],
        "filings": queries.filings_in(report) if report else {},
        "verdicts": words.VERDICTS,
        "aspects": words.aspects(report) if report else [],
        "coverage": words.COVERAGE,
        "modification": words.MODIFICATION,
        "as_json": as_json(report) if report else None,
        "carried": None,
        "data_uri": _data_uri,
    }


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


# --- what the forms say ---


class _Place(TypedDict):
    page: int
    x_pt: float
    y_pt: float
    station_id: int
    straddle_pt: float | None


def _place() -> _Place:
    return _Place(
        page=chosen("page"),
        x_pt=measure("x_pt"),
        y_pt=measure("y_pt"),
        station_id=chosen("station_id"),
        straddle_pt=measure("straddle_pt") if request.form.get("straddle") else None,
    )


def _row_json(row: queries.SealingRow) -> dict[str, object]:
    one, used = row.sealing, row.use
    return {
        "sealing_id": one.id,
        "job_id": one.job_id,
        "state": one.state,
        "file_name": row.document.file_name,
        "document_digest": row.document.digest,
        "seal": row.seal.name,
        "sealed_digest": used.sealed_digest if used else None,
        "sealed_pdf": url_for("signing.document", digest=used.sealed_digest) if used else None,
        "signature_id": used.signature_id if used else None,
        "withdrawn": row.withdrawal is not None,
        "reason": {"zh": one.reason_zh, "en": one.reason_en} if one.reason_zh else None,
    }


def _file(data: bytes, kind: str) -> Response:
    return Response(data, content_type=kind)
