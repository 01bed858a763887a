"""What a change of an impression or a unit, or the end of a card, touches here: the seals, and who may use them (D4)."""

from collections.abc import Iterable

from app.cards.consequences import touched_by_cards
from app.impressions.consequences import touched_by_impressions
from app.people.consequences import touched_by_units
from app.seals import queries
from app.seals.models import Seal
from app.text import Text
from app.touched import Touched


@touched_by_impressions("seals")
def seals_of(impression_id: int) -> Iterable[Touched]:
    """Every seal made from the impression that has not been cancelled."""
    return _told(queries.seals_of_impression(impression_id))


@touched_by_units("seals")
def seals_of_unit(unit_id: int) -> Iterable[Touched]:
    """Every seal of the unit that has not been cancelled."""
    return _told(queries.seals_of_unit(unit_id))


def _told(seals: Iterable[Seal]) -> Iterable[Touched]:
    for seal in seals:
        if queries.cancellation(seal.id) is not None:
            continue
        users = _users(seal)
        yield Touched(
            seal.name,
            Text(
                f"印章卡 {seal.card_serial} · 使用者：{users.zh}",
                f"card {seal.card_serial} · used by {users.en}",
            ),
            href=f"/seals/{seal.id}",
        )


@touched_by_cards("seals")
def seal_on(card_serial: str) -> Iterable[Touched]:
    """The seal on the card that has not been cancelled."""
    seal = queries.live_seal_on_card(card_serial)
    if seal is not None:
        users = _users(seal)
        yield Touched(seal.name, Text(f"使用者：{users.zh}", f"used by {users.en}"), href=f"/seals/{seal.id}")


def _users(seal: Seal) -> Text:
    users = [row.to for row in queries.grants(seal.id) if row.withdrawn is None]
    return Text("、".join(u.zh for u in users) or "尚未授权", ", ".join(u.en for u in users) or "nobody yet")
