"""The pages of the studio: the flows, one flow, the editor, the publish gate."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.flows import queries as flows
from app.people.guards import current_actor, login_required
from app.studio import api, commands, queries, rules, tables_views
from app.web.incoming import row_number

blueprint = Blueprint("studio", __name__, template_folder="templates")
blueprint.register_blueprint(api.blueprint)
blueprint.register_blueprint(tables_views.blueprint)


@blueprint.get("/studio/")
@login_required
def index() -> ResponseReturnValue:
    rules.check_may_own(current_actor())
    return render_template("studio/index.html", flows=flows.flow_labels(), drafts=queries.drafts())


@blueprint.get("/studio/flows/<key>")
@login_required
def flow(key: str) -> ResponseReturnValue:
    rules.check_may_own(current_actor())
    versions = [row for row in flows.definitions() if row.key == key]
    return render_template("studio/flow.html", key=key, versions=versions, drafts=queries.drafts(key))


@blueprint.post("/studio/flows/<key>/drafts")
@login_required
def start(key: str) -> ResponseReturnValue:
    fact = commands.start_draft(key, row_number(request.form.get("version")), by=current_actor())
    return redirect(url_for("studio.edit", draft_id=fact.draft_id))


@blueprint.get("/studio/drafts/<int:draft_id>")
@login_required
def edit(draft_id: int) -> ResponseReturnValue:
    return render_template("studio/editor.html", draft=queries.draft(draft_id, current_actor()))


@blueprint.post("/studio/drafts/<int:draft_id>/discard")
@login_required
def discard(draft_id: int) -> ResponseReturnValue:
    fact = commands.discard_draft(draft_id, by=current_actor())
    return redirect(url_for("studio.flow", key=fact.key))


@blueprint.get("/studio/drafts/<int:draft_id>/publish")
@login_required
def gate(draft_id: int) -> ResponseReturnValue:
    return render_template("studio/gate.html", draft=queries.draft(draft_id, current_actor()))
