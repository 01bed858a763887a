"""Pages of applications: mine, a new one of each kind, one of them, its correction; and its panel on a task."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.applications import commands, queries, rules
from app.flows.action import panel
from app.glossary import SEAL_KINDS
from app.impressions import queries as impressions
from app.people import queries as people
from app.people.guards import current_actor, requires
from app.refusal import Invalid, Refusal
from app.text import Text
from app.web.language import t

blueprint = Blueprint("applications", __name__, template_folder="templates")


@blueprint.get("/applications")
@requires("applicant")
def index() -> ResponseReturnValue:
    return render_template(
        "applications/index.html",
        found=queries.mine(current_actor()),
        kinds=SEAL_KINDS,
        status=rules.STATUS_TEXT,
    )


@blueprint.get("/applications/new")
@requires("applicant")
def choose() -> ResponseReturnValue:
    return render_template("applications/choose.html")


@blueprint.get("/applications/new/<kind>")
@requires("applicant")
def new(kind: str) -> ResponseReturnValue:
    checked = rules.check_kind(kind)
    actor = current_actor()
    first = {
        "size": rules.default_size(checked),
        "keeping": "unit",
        "seal_type": "department",
        "handler": actor.name,
    }
    return _form(checked, first, action=url_for("applications.submit", kind=kind))


@blueprint.post("/applications/new/<kind>")
@requires("applicant")
def submit(kind: str) -> ResponseReturnValue:
    checked, form = rules.check_kind(kind), request.form
    reference = form.get("scan_reference", "")
    try:
        reference = _uploaded() or reference
        _check_has_scan(reference)
        fact = commands.submit(
            checked,
            form,
            scan=reference,
            scan_name=_scan_name(),
            sensitivity=form.get("sensitivity", 1.0, type=float),
            by=current_actor(),
        )
    except Invalid as refusal:
        action = url_for("applications.submit", kind=kind)
        return _form(checked, form, action=action, refusal=refusal, reference=reference)
    flash(t("申请 {n} 已提交", "Application {n} was submitted", n=fact.number))
    return redirect(url_for("applications.show", application_id=fact.application_id))


@blueprint.post("/applications/preview")
@requires("applicant")
def preview() -> ResponseReturnValue:
    """The scan beside what was taken out of it, as a fragment; htmx asks for it at every change."""
    form = request.form
    size = rules.SIZES.get(form.get("size", ""), rules.SIZES["round-42"])
    reference = _uploaded() or form.get("scan_reference", "")
    _check_has_scan(reference)
    found = queries.extraction(
        queries.upload(reference, current_actor()),
        shape=size[1],
        width_mm=size[2],
        height_mm=size[3],
        sensitivity=form.get("sensitivity", 1.0, type=float),
    )
    return render_template(
        "applications/_preview.html",
        reference=reference,
        found=found,
        before=url_for("applications.uploaded", reference=reference),
        after=_data_url(found.png),
    )


@blueprint.get("/applications/uploads/<reference>")
@requires("applicant")
def uploaded(reference: str) -> ResponseReturnValue:
    return _picture(queries.upload(reference, current_actor()))


@blueprint.get("/applications/<int:application_id>")
def show(application_id: int) -> ResponseReturnValue:
    found = queries.visible(application_id, current_actor())
    return render_template("applications/show.html", **_context(found))


@blueprint.get("/applications/<int:application_id>/correct")
@requires("applicant")
def correction(application_id: int) -> ResponseReturnValue:
    found = queries.visible(application_id, current_actor())
    said = {
        **found.fields,
        "seal_name": found.seal_name,
        "size": found.size,
        "keeping": found.keeping,
        "owner_unit_id": str(found.owner_unit_id or ""),
        "owner_user_id": str(found.owner_user_id or ""),
    }
    return _form(rules.check_kind(found.kind), said, action=request.path, correcting=found)


@blueprint.post("/applications/<int:application_id>/correct")
@requires("applicant")
def correct(application_id: int) -> ResponseReturnValue:
    found, form = queries.visible(application_id, current_actor()), request.form
    reference = form.get("scan_reference", "")
    try:
        reference = _uploaded() or reference
        commands.correct(
            application_id,
            form,
            scan=reference or None,
            scan_name=_scan_name(),
            sensitivity=form.get("sensitivity", 1.0, type=float),
            by=current_actor(),
        )
    except Invalid as refusal:
        kind = rules.check_kind(found.kind)
        return _form(kind, form, action=request.path, refusal=refusal, reference=reference, correcting=found)
    flash(t("已补正并重新提交", "Corrected and submitted again"))
    return redirect(url_for("applications.show", application_id=application_id))


@blueprint.get("/applications/<int:application_id>/scan")
def scan(application_id: int) -> ResponseReturnValue:
    return _picture(queries.scan_picture(queries.visible(application_id, current_actor())))


@blueprint.get("/applications/<int:application_id>/impression.png")
def impression(application_id: int) -> ResponseReturnValue:
    found = queries.visible(application_id, current_actor())
    return _picture(queries.impression_png(found.id))


@panel("application")
def on_task_page(application_id: int, task: Any) -> Markup:
    """What the decider sees first: the facts, the consequences, the impression compared."""
    return Markup(  # noqa: S704  rendered by Jinja, which escapes
        render_template(
            "applications/_panel.html", task=task, **_context(queries.application(application_id))
        )
    )


def _context(found: Any) -> dict[str, Any]:
    key = impressions.owner_key(found.owner_unit_id, found.owner_user_id)
    owner = people.user(found.owner_user_id).name if found.owner_user_id else people.unit(found.unit_id).name
    return {
        "found": found,
        "owner": owner,
        "applicant": people.user(found.applicant_id),
        "unit": people.unit(found.unit_id),
        "kinds": SEAL_KINDS,
        "types": rules.SEAL_TYPES,
        "keepings": rules.KEEPINGS,
        "size": rules.SIZES[found.size][0],
        "status": rules.STATUS_TEXT,
        "present": impressions.effective(key, found.kind, found.seal_name)
        if found.status != "approved"
        else None,
    }


def _form(
    kind: rules.Kind,
    said: Mapping[str, str],
    *,
    action: str,
    refusal: Refusal | None = None,
    reference: str = "",
    correcting: Any = None,
) -> ResponseReturnValue:
    actor = current_actor()
    units = [u for u in people.units() if actor.has("applicant", people.unit_path(u.id))]
    persons = [p for u in units for p in people.people_of(u.id)]
    page = render_template(
        "applications/form.html",
        kind=kind,
        kinds=SEAL_KINDS,
        said=said,
        action=action,
        wrong=refusal.fields if refusal else {},
        text=refusal.text if refusal else None,
        reference=reference,
        correcting=correcting,
        units=[(u.id, u.name) for u in units],
        persons=[(p.id, p.name) for p in persons],
        sizes=[(name, t(rules.SIZES[name][0])) for name in rules.SIZES_OF[kind]],
        types=[(name, t(text)) for name, text in rules.SEAL_TYPES.items()],
        keepings=[(name, t(text)) for name, text in rules.KEEPINGS.items()],
    )
    return page, refusal.status if refusal else 200


def _uploaded() -> str:
    """The reference of the scan in this request, kept sealed; empty when none was sent."""
    file = request.files.get("scan")
    if file is None or not file.filename:
        return ""
    return commands.upload_scan(file.read(), file.filename, by=current_actor()).reference


def _scan_name() -> str:
    file = request.files.get("scan")
    return (file.filename if file else None) or request.form.get("scan_name", "") or "scan"


def _check_has_scan(reference: str) -> None:
    if not reference:
        text = Text("请上传印模扫描件(PNG 或 JPEG)", "Upload the scan of the impression (PNG or JPEG)")
        raise Invalid("application.no_scan", zh=text.zh, en=text.en, fields={"scan": text})


def _picture(data: bytes) -> Response:
    kind = "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
    return Response(data, mimetype=kind, headers={"Content-Disposition": "inline"})


def _data_url(png: bytes) -> str:
    import base64

    return "data:image/png;base64," + base64.b64encode(png).decode()
