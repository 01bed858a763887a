"""How far each source was read, so that nothing is missed and nothing told twice.

A row's id is drawn before it is committed, so a row may appear *below* ids that were read already. On SQLite it may
not: one writes at a time. On PostgreSQL we therefore read everything above a `floor` each time, less what `notice_seen`
holds, and move the floor late: now and then we set a mark (the greatest id there is) and note the first transaction
id not given out yet. Whoever drew an id below the mark has a smaller transaction id; once the oldest transaction that
still runs (`pg_snapshot_xmin`) is not smaller any more, nothing can appear below the mark, and the floor moves there.
Between drawing an id and getting a transaction id lies a moment inside one statement: `GRACE` covers it. Transactions
that only read have no id and hold nothing up.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.db import begin_writing, commit, db, insert_unless_there
from app.notices.models import NoticeCursor, NoticeSeen

GRACE = timedelta(seconds=30)


@dataclass(frozen=True)
class Horizon:
    """What a database can say of its present: the oldest transaction that runs, the next to come."""

    oldest: int
    next: int


def horizon() -> Horizon | None:
    """None on SQLite, where ids appear in their order."""
    if db.engine.dialect.name != "postgresql":
        return None
    said = "SELECT pg_snapshot_xmin(s)::text, pg_snapshot_xmax(s)::text FROM pg_current_snapshot() s"
    oldest, next_one = db.session.execute(sa.text(said)).one()
    return Horizon(int(oldest), int(next_one))


def settled(mark_xid: int | None, marked_at: datetime, at: datetime, present: Horizon | None) -> bool:
    """Whether nothing can appear below the mark any more. Pure."""
    if present is None or mark_xid is None:
        return True
    return present.oldest >= mark_xid and at - marked_at >= GRACE


def unseen(source: str, model: Any, limit: int, *more: sa.ColumnElement[bool]) -> list[int]:
    """Ids of rows that nobody dealt with yet, the first first."""
    floor = sa.select(NoticeCursor.floor).where(NoticeCursor.source == source).scalar_subquery()
    seen = sa.exists().where(NoticeSeen.source == source, NoticeSeen.row_id == model.id)
    return list(
        db.session.scalars(
            sa.select(model.id)
            .where(model.id > sa.func.coalesce(floor, 0), sa.not_(seen), *more)
            .order_by(model.id)
            .limit(limit)
        )
    )


def claim(source: str, ids: list[int]) -> list[int]:
    """Inside a transaction: of these rows, those that nobody else deals with; from now on they are dealt with."""
    mine: list[int] = []
    for ident in ids:
        put = insert_unless_there(NoticeSeen, source=source, row_id=ident).returning(NoticeSeen.row_id)
        mine += db.session.scalars(put)
    return mine


def move(source: str, model: Any, at: datetime) -> None:
    """Set a mark, or move the floor to it once that is safe and everything below is dealt with."""
    row = db.session.get(NoticeCursor, source, populate_existing=True)
    if row is not None and row.mark is not None and row.marked_at is not None:
        safe = settled(row.mark_xid, row.marked_at, at, horizon())
        if not safe or unseen(source, model, 1, model.id <= row.mark):
            return
        mark = row.mark
        begin_writing()
        change = sa.update(NoticeCursor).where(NoticeCursor.source == source, NoticeCursor.mark == mark)
        db.session.execute(change.values(floor=mark, mark=None))
        db.session.execute(
            sa.delete(NoticeSeen).where(NoticeSeen.source == source, NoticeSeen.row_id <= mark)
        )
        commit()
        return
    # the id first, then the transactions: whoever drew a smaller one has begun by then
    top = db.session.scalar(sa.select(sa.func.max(model.id))) or 0
    if top <= (row.floor if row is not None else 0):
        return
    present = horizon()
    begin_writing()
    db.session.execute(insert_unless_there(NoticeCursor, source=source, floor=0))
    db.session.execute(
        sa.update(NoticeCursor)
        .where(NoticeCursor.source == source, NoticeCursor.mark.is_(None))
        .values(mark=top, mark_xid=present.next if present else None, marked_at=at)
    )
    commit()
