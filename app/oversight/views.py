"""Pages of the log: search it, open one entry, take its proof."""

import json

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from app.oversight import commands, queries
from app.oversight.rules import READERS, scope_of
from app.people.guards import current_actor, requires
from app.refusal import Invalid
from app.web.incoming import row_number
from app.web.language import t

blueprint = Blueprint("oversight", __name__, template_folder="templates")


@blueprint.get("/log")
@requires(*READERS)
def index() -> ResponseReturnValue:
    actor, wanted = current_actor(), queries.cleaned(request.args.to_dict())
    try:
        commands.search_log(wanted, by=actor)
        page = queries.search(wanted, actor, row_number(request.args.get("before")))
    except Invalid as refusal:
        return _index(None, request.args.to_dict(), refusal), 422
    return _index(page, wanted), 200


def _index(page: queries.Page | None, wanted: dict[str, str], refusal: Invalid | None = None) -> str:
    scope = scope_of(current_actor())
    return render_template(
        "oversight/index.html",
        page=page,
        scope=scope,
        wanted=wanted,
        refusal=refusal,
        classes=[(value, t(queries.class_text(value))) for value in sorted(scope.classes)],
        folded_open=bool(set(wanted) - {"log_class", "person", "file_name"}),
        marks=queries.MARKS,
        units=queries.unit_names(),
        title=queries.title,
        class_text=queries.class_text,
    )


@blueprint.get("/log/<int:number>")
@requires(*READERS)
def entry(number: int) -> ResponseReturnValue:
    actor = current_actor()
    commands.read_entry(number, by=actor)
    opened = queries.entry(number, actor)
    return render_template(
        "oversight/entry.html",
        opened=opened,
        row=opened.row,
        lines=[(t(name), value) for name, value in queries.payload_lines(opened.row)],
        payload=json.dumps(opened.row.payload, ensure_ascii=False, indent=2, sort_keys=True),
        units=queries.unit_names(),
        title=queries.title,
        class_text=queries.class_text,
    )


@blueprint.get("/log/<int:number>/proof")
@requires(*READERS)
def proof(number: int) -> ResponseReturnValue:
    actor = current_actor()
    commands.take_proof(number, by=actor)
    return _file(queries.proof(number, actor), f"log-{number}.tlog-proof")


@blueprint.get("/log/checkpoint")
@requires(*READERS)
def checkpoint() -> ResponseReturnValue:
    return _file(queries.checkpoint(), "log.checkpoint")


def _file(text: str, name: str) -> Response:
    answer = Response(text, mimetype="text/plain")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
