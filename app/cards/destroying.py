"""A card is destroyed by two people (监销): one of the seal office asks, another is there and confirms it by name.

The diagram `workflows/card_destruction` brings it to the witness; what may never be left out stands here: nobody witnesses
their own asking, and only a card that may be destroyed is.
"""

from app import clock
from app.actor import SYSTEM, Actor
from app.cards import destroying_rules as law
from app.cards import queries, rules, standing
from app.cards.facts import CardDestroyed, DestructionAsked, DestructionEnded
from app.cards.models import Card, CardDestruction
from app.cards.moving import in_nobodys_hands, move
from app.command import command
from app.db import db, lock_row, locked
from app.flows import commands as flows
from app.flows import steering
from app.flows.action import cancelled
from app.people import queries as people

FLOW = "card_destruction"


@command
def ask_destruction(serial: str, reason: str, *, by: Actor) -> DestructionAsked:
    """One of the seal office asks. Refuses Conflict for a card in use or in a job, and while one waits; Forbidden,
    NotFound, Invalid without a reason."""
    card = _locked(serial)
    law.check_may_destroy(by, _path(card))
    standing.check_move(card.state, "destroyed", serial)
    rules.check_reason("card.reason_needed", reason)
    rules.check_no_open_job(queries.open_job_of_card(serial) is not None, serial)
    law.check_none_waits(serial, waiting=queries.open_destruction(card.id) is not None)
    row = CardDestruction(
        card_id=card.id,
        reason=reason.strip(),
        asked_by_id=by.id or 0,
        asked_by_name=by.name,
        asked_at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    started = flows.start(
        FLOW,
        {
            "destruction_id": row.id,
            "card_serial": serial,
            "reason": row.reason,
            "owner_unit_id": people.unit_concerned(card.owner_unit_id, card.owner_user_id),
        },
        business_key=f"card_destruction/{row.id}",
        by=by,
    )
    row.instance_id = started.instance_id
    return DestructionAsked(
        destruction_id=row.id,
        card_serial=serial,
        unit_id=card.owner_unit_id,
        reason=row.reason,
        instance_id=started.instance_id,
    )


@command
def destroy(destruction_id: int, *, by: Actor) -> CardDestroyed:
    """The witness confirms: it is destroyed for good. What has happened to the card meanwhile counts. Called by the
    diagram."""
    row, card = _open(destruction_id)
    law.check_may_witness(by, _path(card), asked_by_id=row.asked_by_id)
    rules.check_no_open_job(queries.open_job_of_card(card.serial) is not None, card.serial)
    before = card.state
    move(card, "destroyed", row.reason, Actor(id=row.asked_by_id, name=row.asked_by_name))
    in_nobodys_hands(card)
    row.state, row.ended_at = "done", clock.now()
    row.witness_id, row.witness_name = by.id, by.name
    return CardDestroyed(
        destruction_id=row.id,
        card_serial=card.serial,
        unit_id=card.owner_unit_id,
        before=before,
        reason=row.reason,
        asked_by=row.asked_by_name,
        witness=by.name,
    )


@command
def refuse_destruction(destruction_id: int, reason: str, *, by: Actor) -> DestructionEnded:
    """The witness does not confirm: the card stays as it is. Called by the diagram."""
    row, card = _open(destruction_id)
    law.check_may_witness(by, _path(card), asked_by_id=row.asked_by_id)
    rules.check_reason("card.reason_needed", reason or "")
    row.witness_id, row.witness_name = by.id, by.name
    return _ended(row, card, "refused", reason)


@command
def take_back_destruction(destruction_id: int, reason: str, *, by: Actor) -> DestructionEnded:
    """Whoever asked, or the seal office, takes it back before it is confirmed; its flow ends with it."""
    instance_id = queries.destruction(destruction_id).instance_id
    if instance_id is not None:
        steering.locked(
            instance_id
        )  # first, as the witness's step does: neither waits for the other crosswise
    row, card = _open(destruction_id)
    law.check_may_take_back(by, _path(card), asked_by_id=row.asked_by_id)
    rules.check_reason("card.reason_needed", reason)
    fact = _ended(row, card, "cancelled", f"{by.name}：{reason.strip()}")
    if instance_id is not None:
        steering.cancel(instance_id, fact.reason, by=SYSTEM)
    return fact


@cancelled("card_destruction")
def called_off(destruction_id: int, reason: str, *, by: Actor) -> None:
    """The flow was cancelled: the card stays as it is."""
    row: CardDestruction = locked(CardDestruction, destruction_id)
    if row.state == "open":
        row.state, row.answer, row.ended_at = "cancelled", reason[:500], clock.now()


def _ended(row: CardDestruction, card: Card, state: str, reason: str) -> DestructionEnded:
    row.state, row.answer, row.ended_at = state, reason[:500], clock.now()
    return DestructionEnded(
        destruction_id=row.id,
        card_serial=card.serial,
        unit_id=card.owner_unit_id,
        state=state,
        reason=row.answer,
    )


def _open(destruction_id: int) -> tuple[CardDestruction, Card]:
    """The asking and its card, both locked; refuses one that is over."""
    queries.destruction(destruction_id)
    row: CardDestruction = locked(CardDestruction, destruction_id)
    law.check_open(row.state)
    card: Card = lock_row(Card, row.card_id)
    return row, card


def _locked(serial: str) -> Card:
    found = queries.card(serial)
    rules.check_known(serial, found)
    assert found is not None
    card: Card = lock_row(Card, found.id)
    return card


def _path(card: Card) -> frozenset[int]:
    return people.unit_path(people.unit_concerned(card.owner_unit_id, card.owner_user_id))
