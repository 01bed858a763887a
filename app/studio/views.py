"""The pages of the studio: the flows, one flow, the editor."""

from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.flows import versions
from app.people.guards import current_actor, login_required
from app.studio import (
    api,
    commands,
    gate_views,
    overview,
    papers_views,
    queries,
    rules,
    running_views,
    sheets,
    step_views,
    tables_views,
)
from app.text import Text
from app.web.incoming import row_number
from app.web.language import t

blueprint = Blueprint("studio", __name__, template_folder="templates")
for part in (api, tables_views, papers_views, running_views):
    blueprint.register_blueprint(part.blueprint)
_GATE = "/studio/drafts/<int:draft_id>/publish"
_STEPS = "/studio/drafts/<int:draft_id>/steps"
blueprint.add_url_rule(_STEPS, "steps", step_views.page)
blueprint.add_url_rule(_STEPS, "change_steps", step_views.change, methods=["POST"])
blueprint.add_url_rule(_GATE, "gate", gate_views.page)
blueprint.add_url_rule(_GATE, "decide", gate_views.decide, methods=["POST"])


@blueprint.get("/studio/")
@login_required
def index() -> ResponseReturnValue:
    rules.check_may_own(current_actor())
    rows = overview.flow_rows()
    known = {row.key for row in rows}
    unpublished = [draft for draft in queries.drafts() if draft.key not in known]
    return render_template("studio/index.html", rows=rows, unpublished=unpublished)


@blueprint.get("/studio/flows/<key>")
@login_required
def flow(key: str) -> ResponseReturnValue:
    """Its versions, drafts, and where it takes long."""
    rules.check_may_own(current_actor())
    row = overview.flow_row(key)
    present = versions.in_force(key, now(), made=True) or versions.version(key)
    waiting = overview.waiting(present)
    heat = {w.node: (f"heat-{w.degree}", f"· {lasting(w.average)}") for w in waiting if w.average is not None}
    return render_template(
        "studio/flow.html",
        row=row,
        over=queries.drafts(key, state=None),
        waiting=waiting,
        picture=papers_views.draw(overview.picture_of(present), row.label, heat),
    )


@blueprint.post("/studio/flows/<key>/drafts")
@login_required
def start(key: str) -> ResponseReturnValue:
    fact = commands.start_draft(key, row_number(request.form.get("version")), by=current_actor())
    return redirect(url_for("studio.edit", draft_id=fact.draft_id))


@blueprint.get("/studio/drafts/<int:draft_id>")
@login_required
def edit(draft_id: int) -> ResponseReturnValue:
    draft = queries.draft(draft_id, current_actor())
    return render_template("studio/editor.html", draft=draft, names=sheets.names(draft.tables))


@blueprint.post("/studio/drafts/<int:draft_id>/discard")
@login_required
def discard(draft_id: int) -> ResponseReturnValue:
    commands.discard_draft(draft_id, by=current_actor())
    return redirect(url_for("studio.index"))


@blueprint.app_template_filter("lasting")
def lasting(span: timedelta | None) -> str:
    """How long something took, in the largest unit that says it: 3 天, 5 小时, 12 分钟."""
    if span is None:
        return "—"
    minutes = max(1, round(span.total_seconds() / 60))
    for size, words in ((1440, Text("{n} 天", "{n} d")), (60, Text("{n} 小时", "{n} h"))):
        if minutes >= size:
            return t(words, n=f"{minutes / size:.1f}".removesuffix(".0"))
    return t("{n} 分钟", "{n} min", n=minutes)
