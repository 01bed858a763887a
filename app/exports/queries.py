"""Reading exports: one's own, and those that wait."""

from collections.abc import Sequence

import sqlalchemy as sa

from app.actor import Actor
from app.db import db
from app.exports import rules
from app.exports.models import Export

SHOWN = 30


def export(export_id: int) -> Export:
    found = db.session.get(Export, export_id)
    if found is None:
        raise rules.unknown()
    return found


def own_export(export_id: int, actor: Actor) -> Export:
    """The export, if this person ordered it. Refuses NotFound."""
    found = export(export_id)
    rules.check_own(found.ordered_by_id, actor)
    return found


def own_exports(actor: Actor) -> Sequence[Export]:
    """The last ones that this person ordered, newest first."""
    return db.session.scalars(
        sa.select(Export).where(Export.ordered_by_id == actor.id).order_by(Export.id.desc()).limit(SHOWN)
    ).all()


def waiting(actor: Actor) -> int:
    """How many exports of this person are under way."""
    return (
        db.session.scalar(
            sa.select(sa.func.count(Export.id)).where(
                Export.ordered_by_id == actor.id, Export.ended_at.is_(None)
            )
        )
        or 0
    )


def all_waiting() -> Sequence[int]:
    """The ids of every export under way, oldest first."""
    return db.session.scalars(sa.select(Export.id).where(Export.ended_at.is_(None)).order_by(Export.id)).all()
