"""Pages of notices: the list, and the way from one to what it tells of."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.notices import commands, kinds, queries
from app.people.guards import current_actor, login_required, maybe_actor
from app.web.incoming import row_number
from app.web.language import t

blueprint = Blueprint("notices", __name__, template_folder="templates")


@blueprint.app_context_processor
def offer_bell() -> dict[str, Any]:
    """For the shell: how many notices this person has not read; asked only where it is shown."""

    def bell() -> int:
        actor = maybe_actor()
        return queries.unread(actor) if actor is not None else 0

    return {"unread_notices": bell, "most_notices": queries.MOST_COUNTED}


@blueprint.get("/notices")
@login_required
def index() -> ResponseReturnValue:
    only = request.args.get("show") == "unread"
    before = row_number(request.args.get("before"))
    rows = queries.of(current_actor(), only_unread=only, before=before)
    older = rows[queries.PAGE - 1].id if len(rows) > queries.PAGE else None
    return render_template(
        "notices/index.html", rows=rows[: queries.PAGE], older=older, only=only, kinds=kinds.KINDS
    )


@blueprint.get("/notices/<int:notice_id>")
@login_required
def follow(notice_id: int) -> ResponseReturnValue:
    """To what it tells of; who goes there has read it."""
    row = queries.one(notice_id, current_actor())
    if not row.read and "prefetch" not in request.headers.get("Sec-Purpose", ""):
        commands.read(notice_id, by=current_actor())
    return redirect(_where(row))


def _where(row: queries.Row) -> str:
    """The task while it is open, else the flow; for a substitute what they may do in whose place."""
    if row.task_id is not None and not row.over and row.kind != "answered":
        return url_for("flows.task", task_id=row.task_id)
    if row.kind == "answered" and row.task_id is not None:
        return url_for("flows.task", task_id=row.task_id)
    if row.instance_id is not None:
        return url_for("flows.instance", instance_id=row.instance_id)
    return url_for("flows.hands.away")


@blueprint.post("/notices/read")
@login_required
def read_all() -> ResponseReturnValue:
    fact = commands.read(by=current_actor())
    flash(t("已将 {n} 条标为已读。", "{n} marked as read.", n=fact.count), "good")
    return redirect(url_for("notices.index"))


@blueprint.post("/notices/<int:notice_id>/read")
@login_required
def read(notice_id: int) -> ResponseReturnValue:
    commands.read(notice_id, by=current_actor())
    return _back()


@blueprint.post("/notices/<int:notice_id>/unread")
@login_required
def unread(notice_id: int) -> ResponseReturnValue:
    commands.unread(notice_id, by=current_actor())
    return _back()


def _back() -> ResponseReturnValue:
    return redirect(url_for("notices.index", show=request.form.get("show") or None))
