"""Pages of the library: all impressions, one of them, and what a seal manager does to it."""

from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.flows.action import panel
from app.glossary import SEAL_KINDS
from app.imaging.watermark import thumbnail, watermarked
from app.impressions import changing, commands, opening, queries, rules
from app.impressions.consequences import touched
from app.people import queries as people
from app.people.guards import current_actor, requires
from app.refusal import Conflict, Invalid, Refusal
from app.web.errors import wants_json
from app.web.incoming import row_number
from app.web.language import t

blueprint = Blueprint("impressions", __name__, template_folder="templates")
_may_look = requires(*rules.MAY_LOOK)


PAGE = 60


@blueprint.get("/impressions")
@_may_look
def library() -> ResponseReturnValue:
    said, actor = request.args, current_actor()
    search, status, kind = said.get("q", "").strip(), said.get("status", ""), said.get("kind", "")
    rows = queries.library(
        actor,
        search=search,
        status=status if status in rules.STATUS_TEXT else "",
        kind=kind,
        before=row_number(said.get("before")) or 0,
        limit=PAGE,
    )
    if rows:
        commands.list_library([row.id for row, _ in rows], by=actor)
    if wants_json():
        return jsonify(impressions=[_as_json(row, state) for row, state in rows])
    return render_template(
        "impressions/library.html",
        rows=rows,
        more=rows[-1][0].id if len(rows) == PAGE else None,
        search=search,
        chosen=status,
        chosen_kind=kind,
        owners=owner_name,
        kinds=SEAL_KINDS,
        statuses=rules.STATUS_TEXT,
    )


def _as_json(found: Any, state: rules.State) -> dict[str, object]:
    return {
        "impression_id": found.id,
        "name": found.name,
        "kind": found.kind,
        "owner": owner_name(found),
        "width_mm": found.width_mm,
        "height_mm": found.height_mm,
        "digest": found.digest,
        "valid_from": found.valid_from.isoformat(),
        "status": state.status,
        "reason": state.reason,
    }


@blueprint.get("/impressions/<int:impression_id>")
@_may_look
def show(impression_id: int) -> ResponseReturnValue:
    return _show(impression_id)


def _show(impression_id: int, refusal: Refusal | None = None, verb: str = "") -> ResponseReturnValue:
    found, actor = queries.impression(impression_id), current_actor()
    path = queries.unit_path_of(found.owner_unit_id, found.owner_user_id)
    rules.check_may_look(actor, path)
    state, asked = queries.state(impression_id), queries.opening(impression_id)
    same = [(other, queries.state(other.id)) for other in queries.of_same_name(found)]
    page = render_template(
        "impressions/show.html",
        found=found,
        state=state,
        events=queries.events(impression_id),
        same=same,
        present=next((other for other, s in same if s.status == "effective" and other.id != found.id), None),
        touched=touched(impression_id),
        may_open_sample=state.status == "destroyed"
        and any(actor.has(role, path) for role in rules.MAY_WITNESS),
        opening=asked,
        is_open=asked is not None and queries.is_open(asked),
        me=actor.id,
        waiting=queries.open_change(impression_id),
        choices_for_seals=[(value, t(text)) for value, text in rules.FOR_SEALS.items()],
        verbs=rules.VERBS,
        may_change=actor.has("seal_manager", path),
        owner=owner_name(found),
        kinds=SEAL_KINDS,
        statuses=rules.STATUS_TEXT,
        text=refusal.text if refusal else None,
        wrong={f"{verb}_{name}": text for name, text in refusal.fields.items()} if refusal else {},
        said=request.form,
    )
    return page, refusal.status if refusal else 200


@blueprint.get("/impressions/<int:impression_id>/image.png")
@_may_look
def image(impression_id: int) -> ResponseReturnValue:
    """The impression with the viewer's name across it; each view stands in the log."""
    actor = current_actor()
    commands.view_image(impression_id, by=actor)
    return _picture(watermarked(queries.clear_png(impression_id), actor.name))


@blueprint.get("/impressions/<int:impression_id>/sample.png")
@_may_look
def sample(impression_id: int) -> ResponseReturnValue:
    """The sealed sample of a destroyed impression, for the two who opened it; each view stands in the log."""
    actor = current_actor()
    opening.view_sample(impression_id, by=actor)
    shown = _picture(watermarked(queries.clear_png(impression_id), actor.name))
    shown.headers["Cache-Control"] = "no-store"
    return shown


@blueprint.get("/impressions/<int:impression_id>/thumbnail.png")
@_may_look
def small(impression_id: int) -> ResponseReturnValue:
    """In small, for lists; the list it stands in is what the log names."""
    found = queries.impression(impression_id)
    rules.check_may_look(current_actor(), queries.unit_path_of(found.owner_unit_id, found.owner_user_id))
    rules.check_may_open(queries.state(impression_id))
    return _picture(thumbnail(queries.clear_png(impression_id)))


def _picture(png: bytes) -> Response:
    return Response(png, mimetype="image/png", headers={"Cache-Control": "private, max-age=300"})


@blueprint.post("/impressions/<int:impression_id>/<any(suspend, resume, destroy):verb>")
@requires("seal_manager")
def change(impression_id: int, verb: str) -> ResponseReturnValue:
    """Ask for the change: done at once, or once others have agreed, as the rule table has it."""
    said = request.form
    reason, seals = said.get(f"{verb}_reason", ""), said.get(f"{verb}_seals", "")
    try:
        asked = changing.ask_change(impression_id, verb, reason, seals=seals, by=current_actor())
    except (Invalid, Conflict) as refusal:
        if wants_json():
            raise
        return _show(impression_id, refusal, verb)
    if wants_json():
        return jsonify(asked.payload()), 201
    if queries.change(asked.change_id).state == "done":
        flash(t("已办理", "Done"))
    else:
        flash(t("已提交，等待复核", "Handed in; others decide now"))
    return redirect(url_for("impressions.show", impression_id=impression_id))


@blueprint.post("/impressions/<int:impression_id>/opening")
@_may_look
def ask_to_open(impression_id: int) -> ResponseReturnValue:
    try:
        opening.ask_to_open(impression_id, request.form.get("opening_reason", ""), by=current_actor())
    except (Invalid, Conflict) as refusal:
        if wants_json():
            raise
        return _show(impression_id, refusal, "opening")
    flash(t("已提交，等待另一人同意", "Handed in; another person agrees"))
    return redirect(url_for("impressions.show", impression_id=impression_id))


@blueprint.post("/impressions/<int:impression_id>/opening/<int:opening_id>/agree")
@_may_look
def agree_to_open(impression_id: int, opening_id: int) -> ResponseReturnValue:
    opening.agree_to_open(opening_id, by=current_actor())
    flash(t("样本已开启，一小时内可查看", "The sample is open for an hour"))
    return redirect(url_for("impressions.show", impression_id=impression_id))


@panel("impression_change")
def _panel(change_id: int, task: Any) -> Markup:
    asked = queries.change(change_id)
    found = queries.impression(asked.impression_id)
    return Markup(  # noqa: S704 - the template escapes
        render_template(
            "impressions/_change.html",
            asked=asked,
            found=found,
            state=queries.state(found.id),
            touched=touched(found.id),
            may_look=rules.may_look(
                current_actor(), queries.unit_path_of(found.owner_unit_id, found.owner_user_id)
            ),
            verbs=rules.VERBS,
            for_seals=rules.FOR_SEALS,
            statuses=rules.STATUS_TEXT,
            owner=owner_name(found),
            kinds=SEAL_KINDS,
        )
    )


def owner_name(found: Any) -> str:
    """The person or the unit whose it is."""
    if found.owner_user_id is not None:
        return people.user(found.owner_user_id).name
    return people.unit(found.owner_unit_id).name
