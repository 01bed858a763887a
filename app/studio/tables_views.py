"""A rule table of a draft as a page of its own."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app.people.guards import current_actor, login_required
from app.refusal import NotFound
from app.studio import queries

blueprint = Blueprint("tables", __name__, url_prefix="/studio/drafts/<int:draft_id>/tables")


@blueprint.get("/<file>")
@login_required
def table(draft_id: int, file: str) -> ResponseReturnValue:
    draft = queries.draft(draft_id, current_actor())
    if file not in draft.tables:
        raise NotFound(
            "studio.no_such_table",
            zh="草稿里没有这张规则表。",
            en="There is no such rule table in the draft.",
        )
    return render_template("studio/table.html", draft=draft, file=file)
