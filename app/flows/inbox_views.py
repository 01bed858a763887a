"""What the list of the inbox asks for by itself or for many: what is new, the next page, filters kept, tasks decided together."""

from typing import Any

from flask import Blueprint, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.flows import batching, desk, kept_filters
from app.flows.once import new_key, sent_key
from app.flows.panes import filters_of, pane_of, present_address, waits
from app.flows.wanted import Wanted
from app.people.guards import current_actor, login_required, maybe_actor
from app.refusal import Invalid, Refusal
from app.web.errors import wants_json
from app.web.incoming import row_number
from app.web.language import t

blueprint = Blueprint("desk", __name__)


@blueprint.app_context_processor
def offer_badge() -> dict[str, Any]:
    """For the shell: how many tasks wait for this person; asked only where it is shown."""

    def badge() -> int:
        actor = maybe_actor()
        return waits(actor) if actor is not None else 0

    return {"inbox_waits": badge}


@blueprint.get("/inbox/badge")
@login_required
def badge() -> ResponseReturnValue:
    """The number in the navigation, asked for every half minute while a page can be seen."""
    return render_template("web/_badge.html")


@blueprint.get("/inbox/live")
@login_required
def live() -> ResponseReturnValue:
    """The filters' counts anew, and how many tasks have come to this list since the page was shown: told, not
    put under the reader's eyes."""
    seen, had = row_number(request.args.get("seen")) or 0, row_number(request.args.get("had")) or 0
    actor = current_actor()
    filters = filters_of(actor, since=seen)
    come = max(filters.tally.fresh, filters.tally.shown - had)
    return render_template("flows/_live.html", filters=filters, seen=seen, had=had, come=come)


@blueprint.get("/inbox/rows")
@login_required
def rows() -> ResponseReturnValue:
    """The next page of the list, to be put below this one."""
    return render_template("flows/_rows.html", pane=pane_of(current_actor()), view=None)


# --- filters under a name ---


@blueprint.post("/inbox/filters")
@login_required
def keep() -> ResponseReturnValue:
    """Keep the filters of the present address."""
    try:
        kept_filters.keep(request.form.get("name", ""), Wanted.of(request.args), by=current_actor())
    except Refusal as refusal:
        if wants_json():
            raise
        flash(t(refusal.text), "bad")
    else:
        flash(t("筛选已保存。", "The filter is kept."), "good")
    return redirect(url_for("flows.inbox", **present_address()))


@blueprint.post("/inbox/filters/<int:filter_id>/drop")
@login_required
def drop(filter_id: int) -> ResponseReturnValue:
    kept_filters.drop(filter_id, by=current_actor())
    flash(t("筛选已删除。", "The filter is removed."), "good")
    return redirect(url_for("flows.inbox", **present_address()))


# --- several at once ---


@blueprint.get("/inbox/batch")
@login_required
def ticked() -> ResponseReturnValue:
    """Before it is done: what was ticked, by step, with the decision that they will all get."""
    return _confirmation(_ticked(request.args.getlist("task")))


@blueprint.post("/inbox/batch")
@login_required
def decide() -> ResponseReturnValue:
    """Each by its own command; what became of each. What is wrong with the form itself is said before the first."""
    actor, ids = current_actor(), _ticked(request.form.getlist("task"))
    said = {
        name: value
        for name, value in request.form.items()
        if name not in ("csrf_token", "request_key", "task", "listed", "rest")
    }
    try:
        outcomes = batching.decide(ids, said, key=sent_key(), by=actor)
    except Invalid as refusal:
        if wants_json() or not refusal.fields:
            raise
        return _confirmation(ids, said, refusal)
    if wants_json():
        return jsonify(outcomes=[_as_json(one) for one in outcomes])
    return render_template(
        "flows/batch_done.html",
        done=[one for one in outcomes if one.refused is None],
        refused=[one for one in outcomes if one.refused is not None],
        rest=_ticked(request.form.getlist("rest")),
        address=present_address(),
    )


def _confirmation(
    ids: list[int], said: dict[str, str] | None = None, refusal: Refusal | None = None
) -> ResponseReturnValue:
    every = _ticked(request.form.getlist("listed") + request.form.getlist("rest")) or ids
    groups = batching.groups(every, current_actor())
    listed = {row.id for group in groups for row in group.rows}
    page = render_template(
        "flows/batch.html",
        groups=groups,
        alone=len(set(every) - listed),
        tried=set(ids) if refusal else set(),
        said=said or {},
        refusal=refusal,
        key=request.form.get("request_key") or new_key(),
        address=present_address(),
    )
    return make_response(page, refusal.status if refusal else 200)


def _ticked(said: list[str]) -> list[int]:
    """The numbers of tasks, each once; what is none is not there."""
    numbers = (row_number(one) for one in said[: desk.PAGE * 4])
    return list(dict.fromkeys(number for number in numbers if number is not None))


def _as_json(one: batching.Outcome) -> dict[str, Any]:
    refused = {"zh": one.refused.zh, "en": one.refused.en} if one.refused else None
    return {"task_id": one.task_id, "title": one.title, "done": refused is None, "refused": refused}
