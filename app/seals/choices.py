"""What forms may be filled with: blank seal cards that fit the seal to be made."""

from collections.abc import Iterable
from typing import Any

from app.actor import Actor
from app.cards import queries as cards
from app.flows.action import choices
from app.people import queries as people
from app.seals import queries
from app.text import Text


@choices("blank_seal_cards")
def blank_seal_cards(task: Any, by: Actor) -> Iterable[tuple[str, Text]]:
    """Seal cards without a living seal, not lost, in date; those of the seal's owner first."""
    if not by.has("station_operator"):
        return
    wanted = task.data.get("owner_unit_id") if task is not None else None
    rows = [r for r in cards.cards(role="seal") if r.lost is None and r.days_left >= 0]
    for row in sorted(rows, key=lambda r: (r.card.owner_unit_id != wanted, r.card.serial)):
        card = row.card
        if queries.live_seal_on_card(card.serial) is not None:
            continue
        owner = (
            people.user(card.owner_user_id).name
            if card.owner_user_id is not None
            else people.unit(card.owner_unit_id or 0).name
        )
        yield card.serial, Text(f"{owner} · {card.serial}", f"{owner} · {card.serial}")
