"""Buttons of comments, on the page of a task and of a flow."""

from typing import Any

from flask import Blueprint, flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.flows import comments, queries, uploads
from app.flows.once import once, sent_key
from app.flows.pages import on_instance, on_task
from app.people.guards import current_actor, login_required
from app.refusal import Invalid
from app.text import Text
from app.web.errors import wants_json
from app.web.language import t

blueprint = Blueprint("comments", __name__)


@blueprint.post("/inbox/<int:task_id>/comments")
@login_required
def on_a_task(task_id: int) -> ResponseReturnValue:
    instance_id = queries.task(task_id, current_actor()).instance_id
    back = url_for("flows.task", task_id=task_id, _anchor="comments")
    return on_task(task_id, "comment", lambda: _write(instance_id), lambda fact: _done(fact, back))


@blueprint.post("/inbox/flow/<int:instance_id>/comments")
@login_required
def on_a_flow(instance_id: int) -> ResponseReturnValue:
    back = url_for("flows.instance", instance_id=instance_id, _anchor="comments")
    return on_instance(instance_id, "comment", lambda: _write(instance_id), lambda fact: _done(fact, back))


@blueprint.post("/inbox/flow/<int:instance_id>/comments/<int:comment_id>/withdraw")
@login_required
def withdraw(instance_id: int, comment_id: int) -> ResponseReturnValue:
    actor = current_actor()
    back = url_for("flows.instance", instance_id=instance_id, _anchor="comments")
    return on_instance(
        instance_id,
        "withdraw-comment",
        lambda: comments.withdraw(comment_id, by=actor),
        lambda fact: _done(fact, back, taken=True),
    )


def _write(instance_id: int) -> Any:
    """The words are looked at before any file is kept, and files before any word is written."""
    actor, said = current_actor(), request.form.get("comment", "")
    queries.check_may_see(instance_id, actor)
    comments.check_text(said)
    sent = [file for file in request.files.getlist("files") if file.filename]
    if len(sent) > comments.MOST_FILES:
        text = Text(f"附件最多 {comments.MOST_FILES} 个", f"At most {comments.MOST_FILES} files")
        raise Invalid("flow.comment_files", zh=text.zh, en=text.en, fields={"files": text})
    handles = [
        uploads.send(file.read(), file.filename or "", field="files", by=actor).handle for file in sent
    ]
    return once(
        comments.write,
        instance_id,
        said,
        handles,
        about=[instance_id, said, len(sent)],
        key=sent_key(),
        by=actor,
    )


def _done(fact: Any, back: str, *, taken: bool = False) -> ResponseReturnValue:
    if wants_json():
        return jsonify(fact.payload())
    flash(t("意见已撤回。", "Withdrawn.") if taken else t("意见已发表。", "Said."), "good")
    return redirect(back)
