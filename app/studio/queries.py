"""Reading the studio: drafts, and who has one open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.actor import Actor
from app.clock import now
from app.db import db
from app.studio import rules
from app.studio.models import StudioDraft, StudioPresence

HERE = timedelta(seconds=40)
"""Whoever was not heard of for so long has left; the editor's page says every 15 s that it is there."""


@dataclass(frozen=True)
class Other:
    """Somebody else who has the draft open."""

    name: str
    since: datetime


def draft(draft_id: int, actor: Actor) -> StudioDraft:
    """One draft. Refuses `Forbidden`, `NotFound`."""
    rules.check_may_own(actor)
    found = db.session.get(StudioDraft, draft_id, populate_existing=True)
    if found is None:
        raise rules.no_such_draft(draft_id)
    return found


def drafts(key: str | None = None, *, state: str | None = "open") -> Sequence[StudioDraft]:
    """Drafts, the last changed first."""
    where = [StudioDraft.key == key] if key is not None else []
    where += [StudioDraft.state == state] if state is not None else []
    return db.session.scalars(
        sa.select(StudioDraft).where(*where).order_by(StudioDraft.updated_at.desc(), StudioDraft.id.desc())
    ).all()


def others(draft_id: int, actor: Actor) -> list[Other]:
    """Who else has it open now, the first to come first."""
    found = db.session.scalars(
        sa.select(StudioPresence)
        .where(
            StudioPresence.draft_id == draft_id,
            StudioPresence.user_id != actor.id,
            StudioPresence.seen_at > now() - HERE,
        )
        .order_by(StudioPresence.since, StudioPresence.id)
    )
    return [Other(row.name, row.since) for row in found]
