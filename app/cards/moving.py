"""How a card comes to stand otherwise: the one place that writes it. Whoever calls holds the card's row locked, inside a
command, and has asked whether they may."""

import sqlalchemy as sa

from app import clock
from app.actor import Actor
from app.cards import standing
from app.cards.models import Card, CardMove, Custody
from app.db import db


def move(card: Card, to: standing.Standing | str, reason: str, by: Actor) -> None:
    """Refuses Conflict what does not lead from here to there."""
    standing.check_move(card.state, to, card.serial)
    db.session.add(
        CardMove(
            card_id=card.id, before=card.state, after=to, at=clock.now(), reason=reason[:500], by_name=by.name
        )
    )
    card.state = to


def in_nobodys_hands(card: Card) -> None:
    """A maker card that came back, or is no more, has no keeper."""
    for custody in db.session.scalars(
        sa.select(Custody).where(Custody.card_id == card.id, Custody.returned_at.is_(None))
    ):
        custody.returned_at = clock.now()
