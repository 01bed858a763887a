"""Filters of the inbox under a name, for each person their own. No act: it passes no gate and leaves no entry."""

from dataclasses import dataclass

import sqlalchemy as sa

from app.actor import Actor
from app.db import begin_writing, commit, db, insert_unless_there, roll_back
from app.flows.models_inbox import InboxFilter
from app.flows.wanted import Wanted
from app.refusal import Conflict, Invalid
from app.text import Text, hides_something

MOST = 20
LONGEST_NAME = 40


@dataclass(frozen=True)
class KeptFilter:
    id: int
    name: str
    wanted: Wanted


def of(actor: Actor) -> list[KeptFilter]:
    """In the order in which they were kept."""
    rows = db.session.scalars(
        sa.select(InboxFilter).where(InboxFilter.user_id == actor.id).order_by(InboxFilter.id)
    )
    return [KeptFilter(row.id, row.name, Wanted.of(row.wanted)) for row in rows]


def keep(name: str, wanted: Wanted, *, by: Actor) -> None:
    """Under this name, in the place of what was there before. Refuses `Invalid` for a name that is none or a filter
    that asks for nothing, `Conflict` for more than 20."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or hides_something(name):
        text = Text(f"请填写名称，最多 {LONGEST_NAME} 字", f"A name of at most {LONGEST_NAME} characters")
        raise Invalid("inbox.filter_name", zh=text.zh, en=text.en, fields={"name": text})
    if not wanted.address:
        raise Invalid("inbox.filter_empty", zh="请先选择筛选条件，再保存。", en="Choose a filter first.")
    begin_writing()
    kept = of(by)
    if len(kept) >= MOST and all(one.name != name for one in kept):
        roll_back()
        raise Conflict(
            "inbox.filters_full",
            zh=f"最多保存 {MOST} 个筛选，请先删除一个。",
            en=f"At most {MOST} filters are kept; remove one first.",
        )
    asked = wanted.address
    db.session.execute(insert_unless_there(InboxFilter, user_id=by.id, name=name, wanted=asked))
    mine = (InboxFilter.user_id == by.id, InboxFilter.name == name)
    db.session.execute(sa.update(InboxFilter).where(*mine).values(wanted=asked))
    commit()


def drop(filter_id: int, *, by: Actor) -> None:
    """One's own; anybody else's, or one that is gone, stays as it is."""
    begin_writing()
    db.session.execute(
        sa.delete(InboxFilter).where(InboxFilter.id == filter_id, InboxFilter.user_id == by.id)
    )
    commit()
