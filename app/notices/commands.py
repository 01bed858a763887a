"""The verbs of notices: read, unread."""

from typing import Any, cast

import sqlalchemy as sa

from app.actor import Actor
from app.clock import now
from app.command import command
from app.db import db
from app.notices import queries
from app.notices.facts import NoticesRead, NoticeUnread
from app.notices.models import Notice


@command
def read(notice_id: int | None = None, *, by: Actor) -> NoticesRead:
    """Mark one of one's own notices as read; all when none is named. Refuses `NotFound` for anybody else's."""
    mine = [Notice.user_id == by.id, Notice.read_at.is_(None)]
    if notice_id is not None:
        mine.append(Notice.id == queries.own(notice_id, by).id)
    done = db.session.execute(sa.update(Notice).where(*mine).values(read_at=now()))
    return NoticesRead(count=cast("sa.CursorResult[Any]", done).rowcount)


@command
def unread(notice_id: int, *, by: Actor) -> NoticeUnread:
    """Take that back. Refuses `NotFound` for anybody else's."""
    queries.own(notice_id, by)
    db.session.execute(sa.update(Notice).where(Notice.id == notice_id).values(read_at=None))
    return NoticeUnread(notice_id=notice_id)
