"""What every form of a flow needs beside being sent: its draft, its files, and how what was said is shown."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, cast

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.flows import acting, drafts, forms, queries, rules, uploads
from app.flows.form_values import FILES
from app.flows.forms import Choice, Field, Form
from app.flows.queries import TaskView
from app.people.guards import current_actor, login_required
from app.refusal import Invalid, NotFound, Refusal
from app.web.errors import wants_json
from app.web.language import t

blueprint = Blueprint("forms", __name__)

CHOSEN_FILE = "__file"
"""The file input of a field is called so, behind the field's name; the field itself holds the handle."""
NOT_ASKED = ("csrf_token", "request_key", "draft_window")


def key_of(task_id: int) -> str:
    return f"task-{task_id}"


@blueprint.post("/inbox/<int:task_id>/draft")
@login_required
def keep(task_id: int) -> ResponseReturnValue:
    """What was filled in so far, kept at every change; answers with the moment it was kept."""
    view, form = _open_form(task_id)
    draft = drafts.keep(
        key_of(view.id),
        forms.kept(form, sent()),
        window=drafts.window_of(request.form.get("draft_window")),
        by=current_actor(),
    )
    return render_template("flows/_kept.html", draft=draft)


@blueprint.post("/inbox/<int:task_id>/draft/discard")
@login_required
def discard(task_id: int) -> ResponseReturnValue:
    drafts.discard(key_of(task_id), by=current_actor())
    return redirect(url_for("flows.task", task_id=task_id))


@blueprint.post("/inbox/<int:task_id>/files/<name>")
@login_required
def send_file(task_id: int, name: str) -> ResponseReturnValue:
    """A file that was chosen, kept at once; the answer holds its handle for the form."""
    view, form = _open_form(task_id)
    field = form.field(name)
    if field is None or field.type not in FILES or field.access != "edit":
        raise NotFound("form.no_field", zh="表单中没有这个附件项", en="The form asks for no such file")
    before = drafts.of(key_of(view.id), current_actor())
    answer, handle = kept_file(name)
    if handle:
        values = {**(before.values if before else {}), **forms.kept(form, sent()), name: handle}
        window = drafts.window_of(request.form.get("draft_window"))
        drafts.keep(key_of(view.id), values, window=window, by=current_actor())
    return answer


@blueprint.get("/inbox/files/<handle>")
@login_required
def file(handle: str) -> ResponseReturnValue:
    """A file of a form. A picture is shown, anything else is saved; every opening stands in the log."""
    uploads.view(handle, by=current_actor())
    data, name, kind = uploads.opened(handle)
    answer = Response(data, mimetype=kind)
    how = "inline" if kind.startswith("image/") else "attachment"
    answer.headers.set("Content-Disposition", how, filename=name)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _open_form(task_id: int) -> tuple[TaskView, Form]:
    """An open task and its form, for whoever may do it."""
    hand = acting.hand(task_id, current_actor())
    view = queries.task(task_id, current_actor())
    rules.check_open(view.status, view.done_by, view.done_at)
    if view.form is None or (view.assignee_id is not None and view.assignee_id not in hand.persons):
        raise rules.not_yours()
    return view, view.form


# --- for the pages that show a form ---


def kept_file(name: str) -> tuple[ResponseReturnValue, str]:
    """The one file of this request, kept under a handle: the fragment that stands for it, and the handle; a
    sentence instead when it is none that we take."""
    sent_file = request.files.get(name + CHOSEN_FILE)
    try:
        if sent_file is None or not sent_file.filename:
            text = ("没有收到文件，请重新选择", "No file arrived; choose it again")
            raise Invalid("form.no_file", zh=text[0], en=text[1])
        fact = uploads.send(sent_file.read(), sent_file.filename, field=name, by=current_actor())
    except Refusal as refusal:
        if wants_json():
            raise
        page = render_template("flows/_file.html", name=name, file=None, error=refusal.text)
        return (page, refusal.status), ""
    found = {"handle": fact.handle, "name": fact.file_name, "size": fact.bytes, "digest": fact.digest}
    if wants_json():
        return (jsonify(found), 201), fact.handle
    return render_template("flows/_file.html", name=name, file=found, error=None), fact.handle


def sent() -> dict[str, Any]:
    """The form's fields, from a page or as JSON; one that was sent several times is a list."""
    if request.is_json:
        said = request.get_json(silent=True)
        return cast("dict[str, Any]", said) if isinstance(said, dict) else {}
    every = {name: request.form.getlist(name) for name in request.form if name not in NOT_ASKED}
    return {name: values[0] if len(values) == 1 else values for name, values in every.items()}


def with_files(values: dict[str, Any]) -> tuple[dict[str, Any], object]:
    """The values with the handles of the files that came with this very request, as from a page without script;
    and what was asked, the same however often it is sent. Refuses Invalid at the field."""
    asked, found = dict(values), dict(values)
    for name, sent_file in request.files.items():
        if sent_file.filename and name.endswith(CHOSEN_FILE):
            field, data = name.removesuffix(CHOSEN_FILE), sent_file.read()
            asked[field] = hashlib.sha256(data).hexdigest()
            sent_file.seek(0)
            found[field] = uploads.send(data, sent_file.filename, field=field, by=current_actor()).handle
    return found, asked


def files_of(form: Form | None, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The uploads that a form's values name, by handle, for a page that shows them again."""
    return uploads.offered(form, values, current_actor()) if form is not None and form.takes_files else {}


@blueprint.app_template_filter("as_said")
def as_said(value: Any, field: Field, offered: Sequence[Choice] | None = None) -> str:
    """A value that is only read, in words."""
    if value is None or value in ("", []):
        return "—"
    if isinstance(value, list):
        return "、".join(as_said(one, field, offered) for one in cast("list[Any]", value))
    if isinstance(value, dict):
        return str(cast("dict[str, Any]", value).get("name", "—"))
    if field.type == "money" and isinstance(value, int | float):
        return f"¥ {value:,.2f}"
    known = {c.value: t(c.label) for c in (offered if offered is not None else field.choices)}
    return known.get(str(value), str(value))


@blueprint.app_context_processor
def offer_windows() -> dict[str, Any]:
    """`draft_window(draft)` in a form, as the hidden field of that name."""
    return {"draft_window": _window}


def _window(draft: drafts.Draft | None) -> str:
    return str(drafts.opened(draft))
