"""Reading what is made again: what is under way, what came of what."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from app.db import db
from app.refusal import NotFound
from app.seals import queries
from app.seals.models import Seal, SealRemaking
from app.seals.queries import LifeEvent
from app.seals.remaking_rules import CAUSES
from app.text import Text


def remaking(remaking_id: int) -> SealRemaking:
    """Refuses NotFound."""
    found = db.session.get(SealRemaking, remaking_id)
    if found is None:
        raise NotFound("seal.no_remaking", zh="没有这次重新制章", en="There is no such remaking")
    return found


def open_remaking(seal_id: int) -> SealRemaking | None:
    """Whether the seal is being made again."""
    return db.session.scalar(
        sa.select(SealRemaking).where(SealRemaking.seal_id == seal_id, SealRemaking.state == "open")
    )


def remade_from(seal_id: int) -> SealRemaking | None:
    """The remaking that this seal came out of."""
    return db.session.scalar(sa.select(SealRemaking).where(SealRemaking.new_seal_id == seal_id))


def remakings(seal_id: int) -> Sequence[SealRemaking]:
    """Every asking to make it again, oldest first."""
    return db.session.scalars(
        sa.select(SealRemaking).where(SealRemaking.seal_id == seal_id).order_by(SealRemaking.id)
    ).all()


def agreed_to_remake(impression_id: int) -> frozenset[int]:
    """Who agreed that a seal of this impression is made again now: none of them operates the making."""
    found = db.session.scalars(
        sa.select(SealRemaking.agreed_by_id)
        .join(Seal, Seal.id == SealRemaking.seal_id)
        .where(Seal.impression_id == impression_id, SealRemaking.state == "open")
    )
    return frozenset(i for i in found if i is not None)


def life(seal_id: int) -> list[LifeEvent]:
    """What it came out of, and what was asked to come after it."""
    events: list[LifeEvent] = []
    came = remade_from(seal_id)
    if came is not None:
        old = queries.seal(came.seal_id)
        said = Text(
            f"原印章 {old.es_id}（卡 {old.card_serial}）",
            f"the former one: {old.es_id}, card {old.card_serial}",
        )
        events.append(
            _event(came.asked_at, "接替原印章", "Made in place of another", came.asked_by_name, said)
        )
    for row in remakings(seal_id):
        cause = CAUSES[row.cause]
        events.append(
            _event(
                row.asked_at,
                f"申请重新制章（{cause.zh}）",
                f"To be made again: {cause.en}",
                row.asked_by_name,
                row.reason,
            )
        )
    return events


def _event(at: datetime, zh: str, en: str, who: str, detail: str | Text) -> LifeEvent:
    said = detail if isinstance(detail, Text) else Text(detail, detail)
    return LifeEvent(at=at, what=Text(zh, en), who=who, detail=said)
