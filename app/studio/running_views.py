"""The page of what runs by a version, and its buttons."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.flows.migrating import Outcome
from app.people.guards import current_actor, login_required
from app.refusal import Refusal
from app.studio import overview, rules, running
from app.text import Text
from app.web.incoming import row_number
from app.web.language import t

blueprint = Blueprint("running", __name__, url_prefix="/studio")


@blueprint.get("/flows/<key>/running")
@login_required
def listed(key: str) -> ResponseReturnValue:
    """What runs by one version of the flow, or by any."""
    rules.check_may_own(current_actor())
    return _page(key, request.args)


@blueprint.post("/flows/<key>/running")
@login_required
def move(key: str) -> ResponseReturnValue:
    """Try it, or do it: those that are ticked, or all of the version."""
    actor, said = current_actor(), request.form
    rules.check_may_own(actor)
    number = row_number(said.get("version"))
    trying = said.get("do") != "move"
    try:
        ticked = [n for one in said.getlist("instance") if (n := row_number(one)) is not None]
        to = row_number(said.get("to"))
        ids = running.all_of(key, number, to) if said.get("all") and to is not None else ticked
        told, left = running.move(key, ids, to, dry_run=trying, by=actor)
    except Refusal as refusal:
        if refusal.status in (401, 403, 404):
            raise
        return _page(key, said, refusal=refusal)
    if trying:
        return _page(key, said, told=told, left=left)
    _tell(told, left)
    return redirect(url_for("studio.running.listed", key=key, version=number, q=said.get("q") or None))


def _page(
    key: str,
    said: Any,
    *,
    refusal: Refusal | None = None,
    told: list[Outcome] | None = None,
    left: int = 0,
) -> ResponseReturnValue:
    flow, number = overview.flow_row(key), row_number(said.get("version"))
    search = str(said.get("q") or "").strip()[:100]
    tried: Mapping[int, Outcome] = {one.instance_id: one for one in told or ()}
    page = render_template(
        "studio/running.html",
        flow=flow,
        number=number,
        search=search,
        page=running.listed(key, number, search, row_number(said.get("before"))),
        before=row_number(said.get("before")),
        targets=[v for v in running.targets(flow.versions) if v.version != number],
        ticked=set(said.getlist("instance")),
        form=said,
        refusal=refusal,
        tried=tried,
        would=sum(one.outcome == "would move" for one in tried.values()),
        left=left,
        reasons=running.reasons(told or ()),
    )
    return page, refusal.status if refusal else 200


def _tell(told: list[Outcome], left: int) -> None:
    moved = sum(one.outcome == "moved" for one in told)
    words = Text(
        "{moved} 件改按新选的版本办理，{stay} 件仍按原版本。",
        "{moved} go on by the version chosen, {stay} stay on theirs.",
    )
    flash(t(words, moved=moved, stay=len(told) - moved), "good")
    for why, count in running.reasons(told)[:5]:
        flash(f"{count} × {t(why)[:300]}", "warn")
    if left:
        words = Text(
            "另有 {left} 件尚未处理：请再按一次，或请系统管理员用 yinxu flows migrate 办理。",
            "{left} are still to be moved: press once more, or have the administrators use yinxu flows migrate.",
        )
        flash(t(words, left=left), "warn")
