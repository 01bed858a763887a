"""What the editor's script asks of a draft, and how it saves: JSON in both directions, refusals in both languages."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Blueprint, g, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from app.people.guards import current_actor, login_required
from app.refusal import Invalid
from app.studio import choices, commands, presence, problems, queries
from app.studio.rules import Stale
from app.web.errors import as_json

blueprint = Blueprint("api", __name__, url_prefix="/studio/drafts/<int:draft_id>")
V = TypeVar("V", bound=Callable[..., Any])


def speaks_json(view: V) -> V:
    """Whatever the asker accepts, the answer is JSON, a refusal too."""

    @functools.wraps(view)
    def spoken(*args: Any, **kwargs: Any) -> Any:
        g.speaks_json = True
        return view(*args, **kwargs)

    return cast(V, spoken)


@blueprint.get("/model")
@speaks_json
@login_required
def model(draft_id: int) -> ResponseReturnValue:
    """With a token, for a page whose own went with the login that it was opened under."""
    draft = queries.draft(draft_id, current_actor())
    return jsonify(
        revision=draft.revision,
        key=draft.key,
        bpmn=draft.bpmn,
        tables=draft.tables,
        forms=draft.forms,
        token=generate_csrf(),
    )


@blueprint.put("/model")
@speaks_json
@login_required
def save(draft_id: int) -> ResponseReturnValue:
    actor, said = current_actor(), _said()
    try:
        fact = commands.save_draft(
            draft_id,
            said["revision"],
            bpmn=said.get("bpmn"),
            tables=said.get("tables"),
            forms=said.get("forms"),
            by=actor,
        )
    except Stale as stale:
        told = {"revision": stale.revision, "by": stale.by, "at": stale.at.isoformat()}
        return jsonify(error=as_json(stale), **told), stale.status
    draft = queries.draft(draft_id, actor)
    return jsonify(revision=fact.revision, problems=[p.as_json() for p in problems.of_draft(draft)])


@blueprint.post("/copies")
@speaks_json
@login_required
def copy(draft_id: int) -> ResponseReturnValue:
    """A draft of its own for whoever could not save into this one: their diagram, all else as it is here."""
    actor, said = current_actor(), _said()
    draft = queries.draft(draft_id, actor)
    fact = commands.open_draft(
        draft.key,
        draft.base_version,
        bpmn=said.get("bpmn") or draft.bpmn,
        tables=draft.tables,
        forms=draft.forms,
        scenarios=draft.scenarios,
        by=actor,
    )
    return jsonify(draft_id=fact.draft_id, address=url_for("studio.edit", draft_id=fact.draft_id)), 201


@blueprint.get("/choices")
@speaks_json
@login_required
def offered(draft_id: int) -> ResponseReturnValue:
    return jsonify(choices.of_draft(queries.draft(draft_id, current_actor())))


@blueprint.get("/problems")
@speaks_json
@login_required
def told(draft_id: int) -> ResponseReturnValue:
    found = problems.of_draft(queries.draft(draft_id, current_actor()))
    return jsonify([p.as_json() for p in found])


@blueprint.post("/presence")
@speaks_json
@login_required
def here(draft_id: int) -> ResponseReturnValue:
    found = presence.here(draft_id, current_actor())
    return jsonify(others=[{"name": other.name, "since": other.since.isoformat()} for other in found])


def _said() -> dict[str, Any]:
    """The request's JSON object with its revision. Refuses `Invalid`."""
    said: Any = request.get_json(silent=True)
    if not isinstance(said, dict) or not _fits(cast("dict[str, Any]", said)):
        raise Invalid(
            "studio.bad_request",
            zh="保存的请求不完整：需要 revision，以及 bpmn、tables 或 forms。",
            en="The request to save is incomplete: it needs a revision, and bpmn, tables or forms.",
        )
    return cast("dict[str, Any]", said)


def _fits(said: dict[str, Any]) -> bool:
    papers = (said.get("tables"), said.get("forms"))
    return (
        type(said.get("revision")) is int
        and isinstance(said.get("bpmn"), str | None)
        and all(paper is None or isinstance(paper, dict) for paper in papers)
    )
