"""Comments on a flow, with files: whoever may see it may say something, also when it is over, as questions come later.

They decide nothing and stop nothing. Within ten minutes the writer can take one back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.actor import Actor
from app.clock import now
from app.command import command
from app.db import db, lock_row
from app.flows import engine, queries, rules, uploads
from app.flows.facts import CommentWithdrawn, CommentWritten
from app.flows.models import FlowInstance
from app.flows.models_comments import FlowComment
from app.flows.models_forms import FormUpload
from app.refusal import Conflict, Invalid, NotFound
from app.text import Text

LONGEST, MOST_FILES = 2000, 5
"""Characters; files of one comment."""
REGRET = timedelta(minutes=10)


@dataclass(frozen=True)
class Comment:
    """As it is shown. `text` is None once it was withdrawn; `mine`: this reader may withdraw it still."""

    id: int
    who: str
    at: datetime
    text: str | None
    files: list[FormUpload]
    mine: bool


def check_text(said: str) -> str:
    """The words without blanks around them. Refuses Invalid: none, too many, or hidden ones."""
    words = said.strip()
    if not words or len(words) > LONGEST or rules.badly_said(words):
        text = rules.badly_said(words) or Text(
            f"请填写意见，最多 {LONGEST} 字", f"Say something, in at most {LONGEST} characters"
        )
        raise Invalid("flow.comment_needed", zh=text.zh, en=text.en, fields={"comment": text})
    return words


@command
def write(instance_id: int, said: str, handles: Sequence[str] = (), *, by: Actor) -> CommentWritten:
    """Say something about a flow. `handles`: one's own uploads that belong to nothing yet. Refuses NotFound,
    Forbidden (who may not see it), Invalid."""
    instance: FlowInstance | None = lock_row(FlowInstance, instance_id)
    if instance is None:
        raise rules.no_such_instance(instance_id)
    queries.check_may_see(instance_id, by)
    words, at = check_text(said), now()
    files = uploads.known(handles, by)
    if len(handles) > MOST_FILES or set(files) != set(handles):
        text = Text(
            f"附件最多 {MOST_FILES} 个，且须重新选择已失效的附件",
            f"At most {MOST_FILES} files; choose again those that are gone",
        )
        raise Invalid("flow.comment_files", zh=text.zh, en=text.en, fields={"files": text})
    row = FlowComment(instance_id=instance_id, by_id=by.id or 0, by_name=by.name, text=words, at=at)
    db.session.add(row)
    db.session.flush()
    uploads.hand_in(files, instance_id)
    db.session.execute(
        sa.update(FormUpload).where(FormUpload.handle.in_(list(files))).values(comment_id=row.id)
    )
    engine.note(instance, "commented", by, at)
    digests = [str(file["digest"]) for file in files.values()]
    return CommentWritten(instance_id=instance_id, comment_id=row.id, said=words, digests=digests)


@command
def withdraw(comment_id: int, *, by: Actor) -> CommentWithdrawn:
    """Take one's own comment back; again changes nothing. Refuses NotFound for anybody else's, Conflict when ten
    minutes have gone."""
    row: FlowComment | None = lock_row(FlowComment, comment_id)
    if row is None or row.by_id != by.id:
        raise NotFound(
            "flow.no_such_comment", zh="没有这条意见，或不是您写的", en="There is no such comment of yours"
        )
    at = now()
    if row.withdrawn_at is None:
        if at - row.at > REGRET:
            raise Conflict(
                "flow.comment_stands",
                zh="写下超过 10 分钟的意见不能撤回；可以再写一条说明",
                en="After 10 minutes a comment stands; write another one to explain",
            )
        row.withdrawn_at = at
    return CommentWithdrawn(instance_id=row.instance_id, comment_id=row.id)


def of(instance_id: int, reader: Actor) -> list[Comment]:
    """What was said, oldest first. Whoever calls has asked whether the reader may see the flow."""
    rows = db.session.scalars(
        sa.select(FlowComment).where(FlowComment.instance_id == instance_id).order_by(FlowComment.id)
    ).all()
    files: dict[int | None, list[FormUpload]] = {}
    if rows:
        for file in db.session.scalars(
            sa.select(FormUpload)
            .where(FormUpload.comment_id.in_([row.id for row in rows]))
            .order_by(FormUpload.id)
        ):
            files.setdefault(file.comment_id, []).append(file)
    at = now()
    return [
        Comment(
            row.id,
            row.by_name,
            row.at,
            row.text,
            files.get(row.id, []),
            row.by_id == reader.id and at - row.at <= REGRET,
        )
        if row.withdrawn_at is None
        else Comment(row.id, row.by_name, row.at, None, [], False)
        for row in rows
    ]
