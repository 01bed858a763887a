"""Pages of the library: all impressions, one of them, and what a seal manager does to it."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.glossary import SEAL_KINDS
from app.imaging.watermark import watermarked
from app.impressions import commands, queries, rules
from app.people import queries as people
from app.people.guards import current_actor, requires
from app.refusal import Refusal
from app.web.language import t

blueprint = Blueprint("impressions", __name__, template_folder="templates")
_may_look = requires("seal_manager", "seal_office", "seal_office_head", "overseer")


@blueprint.get("/impressions")
@_may_look
def library() -> ResponseReturnValue:
    search, status = request.args.get("q", "").strip(), request.args.get("status", "")
    return render_template(
        "impressions/library.html",
        rows=queries.library(search=search, status=status),
        search=search,
        chosen=status,
        owners=_owner_name,
        kinds=SEAL_KINDS,
        statuses=rules.STATUS_TEXT,
    )


@blueprint.get("/impressions/<int:impression_id>")
@_may_look
def show(impression_id: int) -> ResponseReturnValue:
    return _show(impression_id)


def _show(impression_id: int, refusal: Refusal | None = None) -> ResponseReturnValue:
    found = queries.impression(impression_id)
    page = render_template(
        "impressions/show.html",
        found=found,
        state=queries.state(impression_id),
        events=queries.events(impression_id),
        same=[(other, queries.state(other.id)) for other in queries.of_same_name(found)],
        owner=_owner_name(found),
        kinds=SEAL_KINDS,
        statuses=rules.STATUS_TEXT,
        refusal=refusal,
        said=request.form,
    )
    return page, refusal.status if refusal else 200


@blueprint.get("/impressions/<int:impression_id>/image.png")
@_may_look
def image(impression_id: int) -> ResponseReturnValue:
    """The impression with the viewer's name across it; each view stands in the log."""
    actor = current_actor()
    commands.view_image(impression_id, by=actor)
    png = watermarked(queries.clear_png(impression_id), actor.name)
    return Response(png, mimetype="image/png", headers={"Cache-Control": "private, max-age=300"})


@blueprint.post("/impressions/<int:impression_id>/suspend")
@requires("seal_manager")
def suspend(impression_id: int) -> ResponseReturnValue:
    return _change(
        impression_id, lambda: commands.suspend(impression_id, _said("reason"), by=current_actor())
    )


@blueprint.post("/impressions/<int:impression_id>/resume")
@requires("seal_manager")
def resume(impression_id: int) -> ResponseReturnValue:
    return _change(impression_id, lambda: commands.resume(impression_id, _said("reason"), by=current_actor()))


@blueprint.post("/impressions/<int:impression_id>/destroy")
@requires("seal_manager")
def destroy(impression_id: int) -> ResponseReturnValue:
    return _change(
        impression_id,
        lambda: commands.destroy(impression_id, _said("reason"), _said("witness"), by=current_actor()),
    )


def _said(name: str) -> str:
    return request.form.get(name, "")


def _change(impression_id: int, act: Callable[[], Any]) -> ResponseReturnValue:
    try:
        act()
    except Refusal as refusal:
        return _show(impression_id, refusal)
    flash(t("已办理", "Done"))
    return redirect(url_for("impressions.show", impression_id=impression_id))


def _owner_name(found: Any) -> str:
    if found.owner_user_id is not None:
        return people.user(found.owner_user_id).name
    return people.unit(found.owner_unit_id).name
