"""Pages of the ledger and of one seal."""

from io import BytesIO
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.cards import queries as cards
from app.flows.action import panel
from app.glossary import DOCUMENT_CLASSES, SEAL_KINDS
from app.pdf.paper import form
from app.people import queries as people
from app.people.guards import current_actor, login_required, requires
from app.refusal import Refusal
from app.seals import card_login as _card_login  # noqa: F401  # pyright: ignore[reportUnusedImport] registers
from app.seals import changing, changing_rules, commands, queries, remaking, remaking_rules, remakings, rules
from app.seals import choices as _choices  # noqa: F401  # pyright: ignore[reportUnusedImport] registers
from app.seals import consequences as _consequences  # noqa: F401  # pyright: ignore[reportUnusedImport] registers
from app.text import Text
from app.web.errors import wants_json
from app.web.incoming import end_of_day, row_number
from app.web.language import local, t

blueprint = Blueprint("seals", __name__, template_folder="templates")

STATUS: dict[str, tuple[Text, str]] = {
    "active": (Text("使用中", "In use"), "good"),
    "unissued": (Text("待发放", "Not issued yet"), "warn"),
    "suspended": (Text("已停用", "Suspended"), "bad"),
    "expired": (Text("已过期", "Expired"), "bad"),
    "cancelled": (Text("已注销", "Cancelled"), "neutral"),
}


@blueprint.get("/seals")
@login_required
def ledger() -> ResponseReturnValue:
    rows = queries.ledger(
        current_actor(),
        search=request.args.get("q", "").strip(),
        status=request.args.get("status", ""),
        kind=request.args.get("kind", ""),
    )
    if wants_json():
        return jsonify(seals=[_as_json(row) for row in rows])
    return render_template("seals/ledger.html", rows=rows, statuses=STATUS, kinds=SEAL_KINDS)


def _as_json(row: queries.LedgerRow) -> dict[str, object]:
    found = row.seal
    return {
        "seal_id": found.id,
        "es_id": found.es_id,
        "name": found.name,
        "kind": found.kind,
        "status": row.status,
        "owner": row.owner_name,
        "card_serial": found.card_serial,
        "valid_until": found.valid_until.isoformat(),
    }


@blueprint.get("/seals/<int:seal_id>")
@login_required
def seal(seal_id: int) -> ResponseReturnValue:
    return _page(seal_id, None)


def _page(seal_id: int, refusal: Refusal | None, dialog: str = "") -> ResponseReturnValue:
    actor = current_actor()
    found = queries.visible_seal(seal_id, actor)
    page = render_template(
        "seals/seal.html",
        seal=found,
        status=queries.status_of(found),
        statuses=STATUS,
        owner=queries.owner_name(found),
        decision=queries.may_use(seal_id, actor),
        life=sorted([*queries.life(seal_id), *remakings.life(seal_id)], key=lambda e: e.at),
        remaking=remakings.open_remaking(seal_id),
        causes=remaking_rules.CAUSES,
        grants=queries.grants(seal_id),
        functions=rules.FUNCTION_TEXT,
        because=rules.because_text,
        card=cards.card(found.card_serial),
        manages=queries.manages(found, actor),
        limits_of=queries.limits_of,
        filing=queries.filing(seal_id),
        issued=queries.last_issue(seal_id) is not None,
        was_issued=queries.was_issued(seal_id),
        files=actor.has("seal_office", people.unit_path(found.owner_unit_id) or None),
        classes=DOCUMENT_CLASSES,
        asks=rules.may_ask_for_use(actor),
        authorises=actor.has("seal_manager", people.unit_path(found.owner_unit_id) or None),
        people=people.people(),
        users=[row.to for row in queries.grants(seal_id) if row.withdrawn is None],
        change=queries.open_change(seal_id),
        verbs=changing_rules.VERBS,
        refusal=None if dialog else refusal,
        refused={dialog: (refusal.fields, refusal.text)} if refusal and dialog else {},
        values=request.form,
    )
    return page, refusal.status if refusal else 200


@blueprint.get("/seals/<int:seal_id>/receipt.pdf")
@requires("seal_manager", "seal_office")
def receipt(seal_id: int) -> ResponseReturnValue:
    """领用交接单: what was handed to whom, to be signed by both (A16)."""
    found = queries.managed_seal(seal_id, current_actor())
    issue = queries.issued(seal_id)
    said = [
        (t("印章", "Seal"), found.name),
        (t("种类", "Kind"), t(SEAL_KINDS[found.kind])),
        (t("所有者", "Owner"), queries.owner_name(found)),
        (t("印章卡号", "Card"), found.card_serial),
        (t("印章标识", "Seal id"), found.es_id),
        (t("领用人", "Collected by"), issue.collector_name),
        (t("出示证件", "Document shown"), issue.collector_document),
        (t("代谁领用", "On behalf of"), issue.on_behalf_of),
        (t("领用时间", "Collected at"), local(issue.collected_at, "%Y-%m-%d %H:%M")),
        (t("发放人", "Handed out by"), issue.by_name),
        (
            t("说明", "Note"),
            t("领用人不因领用取得使用权（A16）。", "Collecting gives no right to use it (A16)."),
        ),
    ]
    paper = form(
        t("电子印章领用交接单", "Handover of an electronic seal"),
        said,
        (t("领用人签字", "Collector"), t("发放人签字", "Handed out by"), t("日期", "Date")),
    )
    return send_file(
        BytesIO(paper), "application/pdf", as_attachment=True, download_name=f"{found.name}-领用交接单.pdf"
    )


@blueprint.post("/seals/<int:seal_id>/<any(suspend, resume, cancel):verb>")
@requires("seal_manager", "seal_office")
def change(seal_id: int, verb: str) -> ResponseReturnValue:
    queries.visible_seal(seal_id, current_actor())
    try:
        asked = changing.ask_change(seal_id, verb, request.form.get("reason", ""), by=current_actor())
    except Refusal as refusal:
        return _refused(seal_id, refusal, verb)
    if queries.change(asked.change_id).state == "done":
        flash(t("已办理", "Done"), "good")
    else:
        flash(t("已提交，等待印章管理部门复核", "Handed in; the seal office decides"), "good")
    return redirect(url_for("seals.seal", seal_id=seal_id))


@blueprint.post("/seals/<int:seal_id>/remaking")
@requires(*remaking_rules.ASKERS)
def ask_remaking(seal_id: int) -> ResponseReturnValue:
    queries.visible_seal(seal_id, current_actor())
    said = request.form
    try:
        remaking.ask_remaking(seal_id, said.get("cause", ""), said.get("reason", ""), by=current_actor())
    except Refusal as refusal:
        return _refused(seal_id, refusal)
    flash(t("已提交，等待印章管理部门审批", "Handed in; the seal office decides"), "good")
    return redirect(url_for("seals.seal", seal_id=seal_id))


@panel("seal_change")
def _change_panel(change_id: int, task: Any) -> Markup:
    asked = queries.change(change_id)
    found = queries.seal(asked.seal_id)
    return Markup(  # noqa: S704 - the template escapes
        render_template(
            "seals/_change.html",
            asked=asked,
            seal=found,
            verbs=changing_rules.VERBS,
            status=STATUS[queries.status_of(found)],
            users=[row.to for row in queries.grants(found.id) if row.withdrawn is None],
            owner=queries.owner_name(found),
        )
    )


@panel("remaking")
def _panel(remaking_id: int, task: Any) -> Markup:
    asked = remakings.remaking(remaking_id)
    found = queries.seal(asked.seal_id)
    return Markup(  # noqa: S704 - the template escapes
        render_template(
            "seals/_remaking.html",
            asked=asked,
            seal=found,
            causes=remaking_rules.CAUSES,
            card=cards.card(found.card_serial),
            owner=queries.owner_name(found),
        )
    )


@blueprint.post("/seals/<int:seal_id>/grants")
@requires("seal_manager")
def authorize(seal_id: int) -> ResponseReturnValue:
    """To a person (`user_id`), or to the seal users of the owner's unit when none is chosen."""
    queries.visible_seal(seal_id, current_actor())
    chosen = request.form.get("user_id", "").strip()
    found = queries.seal(seal_id)
    try:
        commands.authorize(
            seal_id,
            user_id=(row_number(chosen) or 0) if chosen else None,
            role=None if chosen else "seal_user",
            unit_id=None if chosen else found.owner_unit_id,
            functions=request.form.getlist("functions"),
            document_classes=_classes(),
            uses_allowed=_uses(),
            valid_until=end_of_day(request.form.get("valid_until", ""), code="seal.bad_date"),
            because=request.form.get("because", "").strip(),
            by=current_actor(),
        )
    except Refusal as refusal:
        return _refused(seal_id, refusal)
    flash(t("已授权", "Authorised"), "good")
    return redirect(url_for("seals.seal", seal_id=seal_id))


def _classes() -> list[str] | None:
    """None: any document, when all are ticked or the form has no such field."""
    said = request.form.getlist("document_classes")
    return None if not said or set(said) == set(DOCUMENT_CLASSES) else said


def _uses() -> int | None:
    said = request.form.get("uses_allowed", "").strip()
    return (row_number(said) or 0) if said else None


@blueprint.post("/seals/<int:seal_id>/filing")
@requires("seal_office")
def record_filing(seal_id: int) -> ResponseReturnValue:
    queries.visible_seal(seal_id, current_actor())
    said = request.form
    try:
        commands.record_filing(seal_id, said.get("number", ""), said.get("authority", ""), by=current_actor())
    except Refusal as refusal:
        return _refused(seal_id, refusal)
    flash(t("已登记备案", "The filing is recorded"), "good")
    return redirect(url_for("seals.seal", seal_id=seal_id))


@blueprint.post("/seals/<int:seal_id>/return")
@requires("seal_office")
def take_back(seal_id: int) -> ResponseReturnValue:
    queries.visible_seal(seal_id, current_actor())
    try:
        commands.take_back(seal_id, request.form.get("reason", ""), by=current_actor())
    except Refusal as refusal:
        return _refused(seal_id, refusal, "return")
    flash(t("已登记交回", "The return is recorded"), "good")
    return redirect(url_for("seals.seal", seal_id=seal_id))


@blueprint.post("/seals/<int:seal_id>/issue")
@requires("seal_office")
def issue_again(seal_id: int) -> ResponseReturnValue:
    """One that came back; the first time it is handed out in its flow."""
    queries.visible_seal(seal_id, current_actor())
    said, by = request.form, current_actor()
    try:
        commands.issue_again(
            seal_id,
            said.get("collector_name", ""),
            said.get("collector_document", ""),
            said.get("on_behalf_of", ""),
            by=by,
        )
    except Refusal as refusal:
        return _refused(seal_id, refusal, "issue")
    flash(t("已登记发放", "The hand-over is recorded"), "good")
    return redirect(url_for("seals.seal", seal_id=seal_id))


@blueprint.post("/seals/<int:seal_id>/by-request")
@requires("seal_manager")
def by_request(seal_id: int) -> ResponseReturnValue:
    """`on`: empty for no longer."""
    queries.visible_seal(seal_id, current_actor())
    try:
        commands.require_requests(seal_id, bool(request.form.get("on")), by=current_actor())
    except Refusal as refusal:
        return _refused(seal_id, refusal)
    return redirect(url_for("seals.seal", seal_id=seal_id))


@blueprint.post("/seals/<int:seal_id>/grants/<int:grant_id>/withdraw")
@requires("seal_manager")
def withdraw_grant(seal_id: int, grant_id: int) -> ResponseReturnValue:
    queries.visible_seal(seal_id, current_actor())
    try:
        commands.withdraw_grant(grant_id, request.form.get("reason", ""), by=current_actor())
    except Refusal as refusal:
        return _refused(seal_id, refusal)
    return redirect(url_for("seals.seal", seal_id=seal_id))


def _refused(seal_id: int, refusal: Refusal, dialog: str = "") -> ResponseReturnValue:
    """`dialog`: the one it was said in, which opens again with what was written."""
    if wants_json():
        raise refusal
    return _page(seal_id, refusal, dialog)
