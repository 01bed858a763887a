"""What forms may be filled with: blank seal cards that fit the seal to be made."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.actor import Actor
from app.cards import queries as cards
from app.cards.models import Card
from app.flows.action import choices
from app.people import queries as people
from app.seals import queries
from app.seals.rules import PERSONAL_KINDS
from app.text import Text


@choices("blank_seal_cards")
def blank_seal_cards(task: Any, by: Actor) -> Iterable[tuple[str, Text]]:
    """Seal cards without a living seal, not lost, in date, that fit the seal's owner and keeping."""
    if not by.has("station_operator"):
        return
    wanted: Mapping[str, Any] = task.data if task is not None else {}
    for row in cards.cards(role="seal"):
        card = row.card
        if row.lost is not None or row.days_left < 0 or not _fits(card, wanted):
            continue
        if queries.live_seal_on_card(card.serial) is None:
            said = f"{_owner(card)} · {card.serial}"
            yield card.serial, Text(said, said)


def _fits(card: Card, wanted: Mapping[str, Any]) -> bool:
    """What the flow knows of the seal decides; what it does not know, the command will (`order_making`)."""
    if wanted.get("kind") in PERSONAL_KINDS:
        return card.owner_user_id is not None and wanted.get("owner_user_id") in (None, card.owner_user_id)
    if wanted.get("keeping") not in (None, card.keeping):
        return False
    return card.keeping == "personal" or wanted.get("owner_unit_id") in (None, card.owner_unit_id)


def _owner(card: Card) -> str:
    if card.owner_user_id is not None:
        return people.user(card.owner_user_id).name
    return people.unit(card.owner_unit_id or 0).name
