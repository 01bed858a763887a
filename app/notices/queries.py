"""Reading notices: one's own, newest first, and how many are unread."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.actor import Actor
from app.db import db
from app.flows.models import FlowTask
from app.notices import kinds
from app.notices.models import Notice, NoticeChannel, NoticeDelivery
from app.people.models import User
from app.refusal import NotFound
from app.text import Text

MOST_COUNTED = 99
PAGE = 50


@dataclass(frozen=True)
class Row:
    """A notice as the list shows it."""

    id: int
    kind: str
    tone: str
    title: str
    told: Text
    who: str
    said: Text
    at: datetime
    read: bool
    over: bool
    """It asked for something that is done by now, by whomever."""
    instance_id: int | None
    task_id: int | None


def own(notice_id: int, actor: Actor) -> Notice:
    """Refuses `NotFound` for anybody else's."""
    found = db.session.get(Notice, notice_id)
    if found is None or found.user_id != actor.id or actor.id is None:
        raise NotFound("notice.none", zh="没有这条通知。", en="There is no such notice.", notice_id=notice_id)
    return found


def _open() -> sa.ColumnElement[bool]:
    """Unread, and not about a task that is over."""
    asking = sa.and_(Notice.kind.in_(kinds.ASKING), Notice.task_id.is_not(None))
    task = aliased(FlowTask)
    over = sa.exists().where(task.id == Notice.task_id, task.status != "open")
    return sa.and_(Notice.read_at.is_(None), sa.not_(sa.and_(asking, over)))


def unread(actor: Actor) -> int:
    """How many wait to be read, at most `MOST_COUNTED` + 1."""
    some = (
        sa.select(Notice.id)
        .where(Notice.user_id == actor.id, Notice.shown, _open())
        .limit(MOST_COUNTED + 1)
        .subquery()
    )
    return db.session.scalar(sa.select(sa.func.count()).select_from(some)) or 0


def of(actor: Actor, *, only_unread: bool = False, before: int | None = None) -> list[Row]:
    """One's own, the newest first: a page's worth and one more, so that it is seen whether there are older ones."""
    where = [Notice.user_id == actor.id, Notice.shown]
    where += [_open()] if only_unread else []
    where += [Notice.id < before] if before is not None else []
    found = db.session.execute(
        sa.select(Notice, FlowTask.status)
        .outerjoin(FlowTask, FlowTask.id == Notice.task_id)
        .where(*where)
        .order_by(Notice.id.desc())
        .limit(PAGE + 1)
    )
    return [_row(notice, status) for notice, status in found]


def one(notice_id: int, actor: Actor) -> Row:
    """Refuses `NotFound` for anybody else's."""
    found = own(notice_id, actor)
    task = db.session.get(FlowTask, found.task_id) if found.task_id is not None else None
    return _row(found, task.status if task else None)


def _row(notice: Notice, status: str | None) -> Row:
    over = notice.kind in kinds.ASKING and status not in (None, "open")
    return Row(
        id=notice.id,
        kind=notice.kind,
        tone=kinds.KINDS[notice.kind].tone if notice.kind in kinds.KINDS else "neutral",
        title=notice.title,
        told=kinds.sentence(notice.kind, Text(notice.step_zh, notice.step_en)),
        who=notice.who,
        said=Text(notice.said_zh, notice.said_en),
        at=notice.at,
        read=notice.read_at is not None or over,
        over=over,
        instance_id=notice.instance_id,
        task_id=notice.task_id,
    )


@dataclass(frozen=True)
class Way:
    """How a way outside does."""

    channel: str
    ok_at: datetime | None
    error: str
    error_at: datetime | None
    rests_until: datetime | None
    waiting: int
    failed: int


def ways() -> list[Way]:
    """Mail and webhooks, for the administrator."""
    counts = {
        (channel, status): number
        for channel, status, number in db.session.execute(
            sa.select(NoticeDelivery.channel, NoticeDelivery.status, sa.func.count())
            .where(NoticeDelivery.status.in_(("waiting", "failed")))
            .group_by(NoticeDelivery.channel, NoticeDelivery.status)
        )
    }
    found: list[Way] = []
    for channel in ("mail", "hook"):
        row = db.session.get(NoticeChannel, channel, populate_existing=True) or NoticeChannel(channel=channel)
        waiting, failed = counts.get((channel, "waiting"), 0), counts.get((channel, "failed"), 0)
        found.append(Way(channel, row.ok_at, row.error, row.error_at, row.rests_until, waiting, failed))
    return found


@dataclass(frozen=True)
class Failure:
    """What did not go out. It tells whom and of what kind, not what the notice says."""

    id: int
    name: str
    channel: str
    kind: str
    tries: int
    error: str
    at: datetime | None


def failures(limit: int = 100) -> list[Failure]:
    """The newest first."""
    rows = db.session.execute(
        sa.select(NoticeDelivery, User.name, Notice.kind)
        .join(User, User.id == NoticeDelivery.user_id)
        .join(Notice, Notice.id == NoticeDelivery.notice_id)
        .where(NoticeDelivery.status == "failed")
        .order_by(NoticeDelivery.id.desc())
        .limit(limit)
    )
    return [Failure(d.id, name, d.channel, kind, d.tries, d.error, d.changed_at) for d, name, kind in rows]
