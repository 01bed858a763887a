"""`POST /api/v1/verify`: the verdict on a file, for programs, without login (B13). Stateless: no cookie counts, so no form's token
is asked for. The JSON is that of docs/verify.md."""

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from app.pdf.verifying import as_json
from app.people.guards import who
from app.signing import commands, losses, queries
from app.signing.uploads import uploaded
from app.web.limits import limiter

blueprint = Blueprint("verify_api", __name__, url_prefix="/api/v1")

RATE = "60 per minute"
"""Files of one address: each costs a process."""


@blueprint.post("/verify")
@limiter.limit(RATE)
def verify() -> ResponseReturnValue:
    """The file as the body itself, or as `document` of a form. 200 with a verdict for any file at all; 413 for one that is too
    large, 422 for none, 429 for too many."""
    if request.mimetype == "multipart/form-data":
        data, name = uploaded()
    else:
        data, name = request.get_data(cache=False), request.args.get("name", "")
    report = queries.report_on(data)
    commands.verify(report, name, by=who())
    return jsonify({**as_json(report), **losses.as_json(report)})
