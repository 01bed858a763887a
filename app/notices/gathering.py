"""One sweep: read what the flows wrote since, tell the people, remember how far. Run twice, or lost, nothing changes.

Each batch is one transaction: its rows are claimed, its notices and what is to be sent are written, or none of it is.
The key of a notice is unique for its person, so that even a row claimed twice is told once.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.clock import now
from app.db import begin_writing, commit, db, insert_unless_there, roll_back
from app.flows.models import FlowInstance, FlowTask
from app.notices import audience, cursor, kinds, sources, wishes
from app.notices.models import Notice, NoticeDelivery, NoticeSeen
from app.notices.sources import Told
from app.settings import current_settings

log = structlog.get_logger()
BATCH = 200


def gather(at: datetime | None = None) -> int:
    """Tell of everything that was written since; gives how many notices came of it."""
    at = at or now()
    roll_back()
    return sum(_gather(name, model, told, at) for name, (model, told) in sources.SOURCES.items())


def _gather(name: str, model: Any, told: Callable[[Any, datetime], Told | None], at: datetime) -> int:
    made = 0
    while ids := cursor.unseen(name, model, BATCH):
        made += _tell_of(name, model, told, ids, at)
        if len(ids) < BATCH:
            break
    return made


def look_at_due(at: datetime | None = None) -> int:
    """Tell of open tasks that are due soon, or were due. Once a task each."""
    at = at or now()
    soon = at + timedelta(seconds=current_settings().notice_due_soon_s)
    made = _look("late", sources.of_late, at, FlowTask.due_at <= at)
    return made + _look("due", sources.of_due, at, sa.and_(FlowTask.due_at > at, FlowTask.due_at <= soon))


def _look(
    name: str, told: Callable[[Any, datetime], Told | None], at: datetime, which: sa.ColumnElement[bool]
) -> int:
    made = 0
    while True:
        seen = sa.exists().where(NoticeSeen.source == name, NoticeSeen.row_id == FlowTask.id)
        running = sa.and_(FlowInstance.id == FlowTask.instance_id, FlowInstance.status == "running")
        ids = list(
            db.session.scalars(
                sa.select(FlowTask.id)
                .join(FlowInstance, running)
                # written out, so that the index of open tasks by when they are due is known to match
                .where(FlowTask.status == sa.literal("open", literal_execute=True), which, sa.not_(seen))
                .order_by(FlowTask.id)
                .limit(BATCH)
            )
        )
        made += _tell_of(name, FlowTask, told, ids, at) if ids else 0
        if len(ids) < BATCH:
            return made


def _tell_of(
    name: str, model: Any, told: Callable[[Any, datetime], Told | None], ids: list[int], at: datetime
) -> int:
    begin_writing()
    try:
        mine = cursor.claim(name, ids)
        rows = db.session.scalars(sa.select(model).where(model.id.in_(mine)).order_by(model.id)).all()
        made = _write([said for row in rows if (said := _read(name, row, told, at)) is not None], at)
        commit()
    except BaseException:
        roll_back()
        raise
    return made


def _read(name: str, row: Any, told: Callable[[Any, datetime], Told | None], at: datetime) -> Told | None:
    """A row that we cannot make sense of is passed over and told in our log: it must not hold up the others."""
    try:
        return told(row, at)
    except SQLAlchemyError:
        raise
    except Exception:
        log.exception("notices.unreadable", source=name, row=row.id)
        return None


def _write(happenings: list[Told], at: datetime) -> int:
    everybody = audience.active({person for told in happenings for person in told.who})
    wanted = wishes.of_people(everybody)
    made = 0
    for told in happenings:
        for person in told.who:
            if person in everybody:
                made += _notice(person, told, wanted[person], at)
    return made


def _notice(person: int, told: Told, wish: wishes.Wish, at: datetime) -> int:
    where = wish.channels(told.kind)
    if not where:
        return 0
    put = insert_unless_there(
        Notice,
        user_id=person,
        kind=told.kind,
        key=told.key,
        at=told.at,
        made_at=at,
        instance_id=told.instance_id,
        task_id=told.task_id,
        title=told.title,
        step_zh=told.step.zh,
        step_en=told.step.en,
        who=told.by,
        said_zh=told.said.zh,
        said_en=told.said.en,
        shown="page" in where,
        read_at=None,
    ).returning(Notice.id)
    ident = db.session.scalar(put)
    if ident is None:
        return 0
    for channel in sorted(where - {"page"}):
        due = wish.due(channel, at)
        row = NoticeDelivery(notice_id=ident, user_id=person, channel=channel, status="waiting", due_at=due)
        db.session.add(row)
    return 1


def tidy(at: datetime | None = None) -> None:
    """Move the floors; forget what was seen of tasks that are over; mark as read what nobody has to do any more; drop
    what is older than the setting."""
    at = at or now()
    for name, (model, _) in sources.SOURCES.items():
        cursor.move(name, model, at)
    over = sa.select(FlowTask.id).where(FlowTask.id == Notice.task_id, FlowTask.status != "open").exists()
    idle = sa.select(FlowTask.id).where(FlowTask.id == NoticeSeen.row_id, FlowTask.status == "open").exists()
    before = at - timedelta(days=current_settings().notices_kept_days)
    old = sa.select(Notice.id).where(Notice.made_at < before)
    begin_writing()
    db.session.execute(
        sa.update(Notice)
        .where(Notice.read_at.is_(None), Notice.task_id.is_not(None), Notice.kind.in_(kinds.ASKING), over)
        .values(read_at=at)
    )
    db.session.execute(sa.delete(NoticeSeen).where(NoticeSeen.source.in_(("due", "late")), sa.not_(idle)))
    db.session.execute(sa.delete(NoticeDelivery).where(NoticeDelivery.notice_id.in_(old)))
    db.session.execute(sa.delete(Notice).where(Notice.made_at < before))
    commit()
