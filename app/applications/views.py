"""Pages of applications: mine, a new one of each kind, one of them, its correction; and its panel on a task."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.applications import commands, drafts, queries, rules
from app.applications.ahead import deciders
from app.flows import form_views, uploads
from app.flows.action import panel
from app.flows.once import once, sent_key
from app.glossary import SEAL_KINDS
from app.imaging.workshop import ruler, work_of
from app.impressions import likeness
from app.impressions import queries as impressions
from app.impressions.rules import may_look
from app.impressions.views import owner_name
from app.people import queries as people
from app.people.guards import current_actor, login_required, requires
from app.refusal import Invalid, Refusal
from app.text import Text
from app.web.errors import wants_json
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
    checked, actor = rules.check_kind(kind), current_actor()
    first = {
        "size": rules.default_size(checked),
        "keeping": "unit",
        "seal_type": "department",
        "handler": actor.name,
        "owner_user_id": str(actor.id),
    }
    return _form(_Sheet(checked, url_for("applications.submit", kind=kind)), first)


@blueprint.post("/applications/new/<kind>")
@requires("applicant")
def submit(kind: str) -> ResponseReturnValue:
    checked, form = rules.check_kind(kind), request.form
    reference = form.get("scan_reference", "")
    try:
        asked = _asked()
        form, _ = form_views.with_files(request.form.to_dict())
        reference = _uploaded() or reference
        _check_has_scan(reference)
        fact = once(
            commands.submit,
            checked,
            form,
            scan=reference,
            scan_name=_scan_name(),
            work=work_of(request.form),
            key=sent_key(),
            about=asked,
            by=current_actor(),
        )
    except Invalid as refusal:
        if wants_json():
            raise
        return _form(_Sheet(checked, request.path), form, refusal=refusal, reference=reference)
    if wants_json():
        return jsonify(fact.payload()), 201
    flash(t("申请 {n} 已提交", "Application {n} was submitted", n=fact.number))
    return redirect(url_for("applications.show", application_id=fact.application_id))


@blueprint.post("/applications/preview")
@requires("applicant")
def preview() -> ResponseReturnValue:
    """The scan beside what was taken out of it, as a fragment; htmx asks for it at every change."""
    form, actor = request.form, current_actor()
    size = rules.SIZES.get(form.get("size", ""), rules.SIZES["round-42"])
    reference = _uploaded() or form.get("scan_reference", "")
    if not reference:
        return render_template("applications/_preview.html", found=None)
    if "draft_key" in form:  # the scan is part of the draft from the moment it is there
        kept = {**form, "scan_reference": reference, "scan_name": _scan_name()}
        drafts.keep(form["draft_key"], kept, by=actor)
    found = queries.extraction(
        queries.upload(reference, actor),
        shape=size[1],
        width_mm=size[2],
        height_mm=size[3],
        work=work_of(form),
    )
    return render_template(
        "applications/_preview.html",
        reference=reference,
        scan_name=_scan_name(),
        found=found,
        before=url_for("applications.uploaded", reference=reference),
        after=_data_url(found.png),
        ruler=list(ruler(size[2])),
        remarks=[*found.warnings, *_elsewhere(found.png, size[2], form)],
    )


def _elsewhere(png: bytes, width_mm: float, form: Mapping[str, str]) -> list[Text]:
    """Whether the applicant has to be told that the library holds this seal under another name."""
    kind, unit, person = (
        form.get("draft_key", ""),
        form.get("owner_unit_id", ""),
        form.get("owner_user_id", ""),
    )
    if kind not in rules.KINDS or not (rules.is_id(unit) or rules.is_id(person)):
        return []
    official = kind == "official"
    key = impressions.owner_key(int(unit), None) if official and rules.is_id(unit) else f"user:{person}"
    name = form.get("seal_name", "") if official else ""
    if not official and rules.is_id(person):
        name = people.user(int(person)).name
    found = likeness.twins(png, kind, width_mm, owner_key=key, name=name.strip())
    return [queries.ELSEWHERE] if queries.warned_of_twins(found, current_actor()) else []


@blueprint.post("/applications/letter")
@requires("applicant")
def letter() -> ResponseReturnValue:
    """The letter of authority, kept as soon as it is chosen."""
    answer, handle = form_views.kept_file("letter")
    if handle and "draft_key" in request.form:
        drafts.keep(request.form["draft_key"], {**request.form, "letter": handle}, by=current_actor())
    return answer


@blueprint.post("/applications/ahead/<kind>")
@requires("applicant")
def ahead(kind: str) -> ResponseReturnValue:
    """Who will decide, as a fragment: computed from the published rules at every change."""
    route = deciders(rules.check_kind(kind), request.form)
    return render_template("applications/_ahead.html", route=route)


@blueprint.post("/applications/drafts/<key>")
@requires("applicant")
def keep_draft(key: str) -> ResponseReturnValue:
    """What was typed so far, kept at every change; answers with the moment it was kept."""
    draft = drafts.keep(key, request.form, by=current_actor())
    return render_template("flows/_kept.html", draft=draft)


@blueprint.post("/applications/drafts/<key>/discard")
@requires("applicant")
def discard_draft(key: str) -> ResponseReturnValue:
    drafts.discard(key, by=current_actor())
    application_id = drafts.corrected_by(key)
    if application_id is not None:
        return redirect(url_for("applications.correction", application_id=application_id))
    return redirect(url_for("applications.new", kind=key))


@blueprint.get("/applications/uploads/<reference>")
@requires("applicant")
def uploaded(reference: str) -> ResponseReturnValue:
    return _picture(queries.upload(reference, current_actor()))


@blueprint.get("/applications/<int:application_id>")
@login_required
def show(application_id: int) -> ResponseReturnValue:
    found = queries.visible(application_id, current_actor())
    if wants_json():
        return jsonify(_as_json(found))
    return render_template("applications/show.html", **_context(found))


def _as_json(found: Any) -> dict[str, object]:
    return {
        "application_id": found.id,
        "number": found.number,
        "kind": found.kind,
        "seal_name": found.seal_name,
        "status": found.status,
        "returned_reason": found.returned_reason,
        "revision": found.revision,
        "instance_id": found.instance_id,
        "width_mm": found.width_mm,
        "height_mm": found.height_mm,
        "keeping": found.keeping,
        "fields": found.fields,
        "submitted_at": found.submitted_at.isoformat(),
    }


@blueprint.get("/applications/<int:application_id>/correct")
@requires("applicant")
def correction(application_id: int) -> ResponseReturnValue:
    found = _to_correct(application_id)
    said = {
        **found.fields,
        "seal_name": found.seal_name,
        "size": found.size,
        "keeping": found.keeping,
        "owner_unit_id": str(found.owner_unit_id or ""),
        "owner_user_id": str(found.owner_user_id or ""),
    }
    return _form(_Sheet(rules.check_kind(found.kind), request.path, found), said)


@blueprint.post("/applications/<int:application_id>/correct")
@requires("applicant")
def correct(application_id: int) -> ResponseReturnValue:
    found, form = queries.visible(application_id, current_actor()), request.form
    reference = form.get("scan_reference", "")
    try:
        asked = _asked()
        form, _ = form_views.with_files(request.form.to_dict())
        reference = _uploaded() or reference
        fact = once(
            commands.correct,
            application_id,
            form,
            scan=reference or None,
            scan_name=_scan_name(),
            work=work_of(request.form),
            key=sent_key(),
            about=asked,
            by=current_actor(),
        )
    except Invalid as refusal:
        if wants_json():
            raise
        sheet = _Sheet(rules.check_kind(found.kind), request.path, found)
        return _form(sheet, form, refusal=refusal, reference=reference)
    if wants_json():
        return jsonify(fact.payload())
    flash(t("已补正并重新提交", "Corrected and submitted again"))
    return redirect(url_for("applications.show", application_id=application_id))


def _to_correct(application_id: int) -> Any:
    """One's own application that was sent back. Refuses as the command would, before anything is typed."""
    found, actor = queries.visible(application_id, current_actor()), current_actor()
    rules.check_own(actor, found.applicant_id)
    rules.check_status(found.status, "sent_back")
    return found


@blueprint.get("/applications/<int:application_id>/scan")
@login_required
def scan(application_id: int) -> ResponseReturnValue:
    return _picture(queries.scan_picture(_about_to_see(application_id, "scan")))


@blueprint.get("/applications/<int:application_id>/impression.png")
@login_required
def impression(application_id: int) -> ResponseReturnValue:
    return _picture(queries.impression_png(_about_to_see(application_id, "impression").id))


def _about_to_see(application_id: int, part: str) -> Any:
    """The application, whose picture is about to be shown; a view by anybody but the applicant is logged."""
    actor = current_actor()
    found = queries.visible(application_id, actor)
    if found.applicant_id != actor.id:
        commands.view_picture(application_id, part, by=actor)
    return queries.application(application_id)


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
    present = impressions.effective(key, found.kind, found.seal_name) if found.status != "approved" else None
    return {
        "found": found,
        "owner": owner,
        "keeper": people.user(int(found.fields["keeper_user_id"])).name
        if found.fields.get("keeper_user_id")
        else "",
        "applicant": people.user(found.applicant_id),
        "unit": people.unit(found.unit_id),
        "kinds": SEAL_KINDS,
        "types": rules.SEAL_TYPES,
        "keepings": rules.KEEPINGS,
        "size": rules.SIZES[found.size][0],
        "status": rules.STATUS_TEXT,
        "present": present,
        "twins": _twins(found),
        "may_look": may_look(current_actor(), people.unit_path(found.unit_id)),
    }


def _twins(found: Any) -> list[tuple[Any, str]]:
    """What in the library looks the same, for those who decide: which one, only where the person may look at it."""
    actor = current_actor()
    if found.status != "submitted" or not any(
        actor.has(role, people.unit_path(found.unit_id)) for role in rules.DECIDES
    ):
        return []
    return [
        (twin.impression, owner_name(twin.impression)) if may_look(actor, twin.units) else (None, "")
        for twin in queries.twins(found)
    ]


@dataclass(frozen=True)
class _Sheet:
    """A form to be shown: of which kind, where it is sent, which application it corrects."""

    kind: rules.Kind
    action: str
    correcting: Any = None

    @property
    def draft_key(self) -> str:
        return drafts.key_of(self.kind, self.correcting.id if self.correcting else None)


def _form(
    sheet: _Sheet, said: Mapping[str, str], *, refusal: Refusal | None = None, reference: str = ""
) -> ResponseReturnValue:
    """The form. What was refused is shown as it was sent; otherwise a draft takes the place of `said`."""
    actor = current_actor()
    draft = drafts.of(sheet.draft_key, actor) if refusal is None else None
    said = {**said, **draft.values} if draft else said
    reference = reference or (str(said.get("scan_reference", "")) if draft else "")
    units = [u for u in people.living_units() if actor.has("applicant", people.unit_path(u.id))]
    persons = [p for u in units for p in people.people_of(u.id)]
    page = render_template(
        "applications/form.html",
        kind=sheet.kind,
        kinds=SEAL_KINDS,
        said=said,
        draft=draft,
        draft_key=sheet.draft_key,
        action=sheet.action,
        wrong=refusal.fields if refusal else {},
        text=refusal.text if refusal else None,
        reference=reference,
        letter=_letter(said, sheet),
        scan_name=said.get("scan_name") or request.form.get("scan_name", ""),
        correcting=sheet.correcting,
        units=[(u.id, u.name) for u in units],
        persons=[(p.id, p.name) for p in persons],
        sizes=[(name, t(rules.SIZES[name][0])) for name in rules.SIZES_OF[sheet.kind]],
        types=[(name, t(text)) for name, text in rules.SEAL_TYPES.items()],
        keepings=[(name, t(text)) for name, text in rules.KEEPINGS.items()],
    )
    return page, refusal.status if refusal else 200


def _letter(said: Mapping[str, Any], sheet: _Sheet) -> Mapping[str, Any] | None:
    """The letter that is kept already: of this form, or of the application that it corrects."""
    handle = str(said.get("letter") or "")
    found = uploads.known([handle], current_actor()).get(handle)
    if found is None and sheet.correcting is not None and sheet.correcting.fields.get("letter"):
        fields = sheet.correcting.fields
        return {"handle": fields["letter"], "name": fields["letter_name"], "size": 0}
    return found


def _uploaded() -> str:
    """The reference of the scan in this request, kept sealed; empty when none was sent."""
    file = request.files.get("scan")
    if file is None or not file.filename:
        return ""
    return commands.upload_scan(file.read(), file.filename, by=current_actor()).reference


def _asked() -> list[object]:
    """What the form says, and the scan that came with it: an upload is sealed anew each time, and never the same."""
    file = request.files.get("scan")
    data = file.read() if file else b""
    if file:
        file.seek(0)
    said = {name: value for name, value in request.form.items() if name not in form_views.NOT_ASKED}
    letter = request.files.get("letter" + form_views.CHOSEN_FILE)
    of_letter = letter.read() if letter else b""
    if letter:
        letter.seek(0)
    return [request.path, said, hashlib.sha256(data).hexdigest(), hashlib.sha256(of_letter).hexdigest()]


def _scan_name() -> str:
    file = request.files.get("scan")
    return (file.filename if file else None) or request.form.get("scan_name", "") or "scan"


def _check_has_scan(reference: str) -> None:
    if not reference:
        text = Text("请上传印模扫描件(PNG 或 JPEG)", "Upload the scan of the impression (PNG or JPEG)")
        raise Invalid("application.no_scan", zh=text.zh, en=text.en, fields={"scan": text})


def _picture(data: bytes) -> Response:
    kind = "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
    return Response(
        data, mimetype=kind, headers={"Content-Disposition": "inline", "Cache-Control": "private, no-store"}
    )


def _data_url(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()
