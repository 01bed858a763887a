"""Pages of the reports: choose, watch it being built, download."""

import io

from flask import Blueprint, jsonify, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from app import store
from app.exports import commands, queries
from app.exports.rules import MAY_ORDER
from app.glossary import SEAL_KINDS
from app.people.guards import current_actor, login_required, requires
from app.refusal import Invalid, NotFound, Refusal
from app.text import Text
from app.web.errors import wants_json
from app.web.language import current_language, t
from reports.catalogue import REPORTS
from reports.ledger import STATUSES

blueprint = Blueprint("reports", __name__, template_folder="templates")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/reports")
@requires(*MAY_ORDER)
def index() -> ResponseReturnValue:
    return _index(None)


def _index(refusal: Refusal | None) -> ResponseReturnValue:
    page = render_template(
        "reports/index.html",
        reports=REPORTS,
        kinds=[(value, t(text)) for value, text in SEAL_KINDS.items()],
        statuses=[(value, t(text)) for value, text in STATUSES.items()],
        exports=queries.own_exports(current_actor()),
        refusal=refusal,
        values=request.form,
    )
    return page, refusal.status if refusal else 200


@blueprint.post("/reports/<report>")
@requires(*MAY_ORDER)
def order(report: str) -> ResponseReturnValue:
    """Ask for the file; the page that follows shows how far it is."""
    if report not in REPORTS:
        raise NotFound(
            "report.unknown", zh="没有这种报表，请返回报表页选择", en="No such report; choose one on Reports"
        )
    try:
        fact = commands.order(report, _filters(), current_language(), by=current_actor())
    except Refusal as refusal:
        if wants_json():
            raise
        return _index(refusal)
    if wants_json():
        return jsonify(_as_json(queries.export(fact.export_id))), 202
    return redirect(url_for("reports.export", export_id=fact.export_id))


def _filters() -> dict[str, str]:
    filters = {name: request.form.get(name, "").strip() for name in ("search", "status", "kind")}
    wrong = {
        name: Text("请从列表中选择", "Choose one of the list")
        for name, known in (("status", STATUSES), ("kind", SEAL_KINDS))
        if filters[name] and filters[name] not in known
    }
    if len(filters["search"]) > 100:
        wrong["search"] = Text("最多 100 个字符", "At most 100 characters")
    if wrong:
        raise Invalid(
            "report.filters",
            zh="筛选条件有误，请更正后重新导出",
            en="Correct the filter and export again",
            fields=wrong,
        )
    return {name: value for name, value in filters.items() if value}


@blueprint.get("/reports/exports/<int:export_id>")
@login_required
def export(export_id: int) -> ResponseReturnValue:
    found = queries.own_export(export_id, current_actor())
    if wants_json():
        return jsonify(_as_json(found))
    return render_template("reports/export.html", export=found, report=REPORTS[found.report])


@blueprint.get("/reports/exports/<int:export_id>/live")
@login_required
def export_live(export_id: int) -> ResponseReturnValue:
    """The part of the page that changes while the file is being built."""
    found = queries.own_export(export_id, current_actor())
    return render_template("reports/_export.html", export=found, report=REPORTS[found.report])


@blueprint.get("/reports/exports/<int:export_id>.xlsx")
@login_required
def download(export_id: int) -> ResponseReturnValue:
    fact = commands.fetch(export_id, by=current_actor())
    return send_file(
        io.BytesIO(store.get(fact.document_digest)),
        mimetype=XLSX,
        as_attachment=True,
        download_name=fact.file_name,
        etag=False,
    )


def _as_json(found: queries.Export) -> dict[str, object]:
    return {
        "export_id": found.id,
        "report": found.report,
        "state": found.state,
        "rows": found.rows,
        "progress": url_for("reports.export", export_id=found.id),
        "file": url_for("reports.download", export_id=found.id) if found.state == "done" else None,
        "reason": {"zh": found.failed_zh, "en": found.failed_en} if found.state == "failed" else None,
    }
