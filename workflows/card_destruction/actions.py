"""What the destruction of a card asks of Python: destroy it before its witness, or leave it."""

from app.actor import Actor
from app.cards import destroying
from app.fact import Fact
from app.flows.action import action


@action("card_destruction/destroy_card")
def destroy_card(destruction_id: int, *, by: Actor) -> Fact:
    """监销卡 | Destroy the card before its witness"""
    return destroying.destroy(destruction_id, by=by)


@action("card_destruction/refuse_destruction")
def refuse_destruction(destruction_id: int, reason: str, *, by: Actor) -> Fact:
    """不同意销毁 | Refuse to witness it"""
    return destroying.refuse_destruction(destruction_id, reason, by=by)
