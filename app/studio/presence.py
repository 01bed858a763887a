"""Two people at one draft see each other. Like a login's last request, this is no command: it leaves no record."""

import sqlalchemy as sa

from app.actor import Actor
from app.clock import now
from app.db import begin_writing, commit, db, insert_unless_there
from app.studio import queries
from app.studio.models import StudioPresence


def here(draft_id: int, actor: Actor) -> list[queries.Other]:
    """Say that somebody has the draft open; gives who else has. Refuses `Forbidden`, `NotFound`."""
    queries.draft(draft_id, actor)
    at = now()
    begin_writing()
    db.session.execute(
        sa.delete(StudioPresence).where(
            StudioPresence.draft_id == draft_id, StudioPresence.seen_at <= at - queries.HERE
        )
    )
    db.session.execute(
        insert_unless_there(
            StudioPresence, draft_id=draft_id, user_id=actor.id, name=actor.name, since=at, seen_at=at
        )
    )
    db.session.execute(
        sa.update(StudioPresence)
        .where(StudioPresence.draft_id == draft_id, StudioPresence.user_id == actor.id)
        .values(seen_at=at)
    )
    commit()
    return queries.others(draft_id, actor)
