"""The making of a seal, step by step, with cards in memory: what a station's agent does, without the agent."""

import base64
from dataclasses import dataclass, field

from app.cards import commands as cards
from app.impressions import commands as impressions
from app.seals import commands as seals
from card_agent.protocol import names
from card_agent.protocol.codec import decode, to_json
from card_agent.protocol.jobs import Authorise, Authorised, Begin, MakeBegun
from card_agent.protocol.outcomes import Made
from card_agent.protocol.statements import (
    CardSignature,
    Order,
    WriteToken,
    hex_digest,
    open_statement,
    payload,
    possession,
    receipt,
)
from tests.cards.makers import World
from tests.crypto.pki import Holder

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


def impression_of(world: World, **changes: object) -> int:
    """An effective impression of the department's official seal; its id."""
    values: dict[str, object] = {
        "owner_unit_id": world.finance,
        "kind": "official",
        "name": "预算处",
        "png": PNG,
        "width_mm": 42.0,
        "height_mm": 42.0,
        **changes,
    }
    return impressions.register(**values, by=world.office).impression_id  # type: ignore[arg-type]


def signature_of(holder: Holder, data: bytes) -> CardSignature:
    return CardSignature(alg=names.ECDSA_SHA256, value=holder.sign(data))


@dataclass
class Ritual:
    """One production as a station does it. Each step may be called again."""

    world: World
    job_id: int
    maker: Holder = field(init=False)
    card: Holder = field(init=False)

    def __post_init__(self) -> None:
        self.maker, self.card = self.world.maker, self.world.card

    def begin(self, **changes: object) -> MakeBegun:
        values: dict[str, object] = {
            "card_serial": "SC1",
            "card_certificate": self.card.der,
            "maker_serial": "MK1",
            "maker_certificate": self.maker.der,
            **changes,
        }
        fact = cards.begin(self.job_id, Begin(**values), by=self.world.station_actor())  # type: ignore[arg-type]
        assert isinstance(fact.reply, MakeBegun)
        return fact.reply

    def authorisation(self, begun: MakeBegun) -> Authorise:
        """What the two cards sign: the seal, and that they have their keys."""
        order = open_statement(Order, begun.order)
        proofs = {
            role: signature_of(holder, payload(possession(order, role=role, alg=names.ECDSA_SHA256)))
            for role, holder in (("maker", self.maker), ("seal", self.card))
        }
        return Authorise(
            order_id=order.order_id,
            maker_signature=signature_of(self.maker, begun.seal_info),
            maker_proof=proofs["maker"],
            card_proof=proofs["seal"],
        )

    def authorise(self, begun: MakeBegun, **changes: object) -> Authorised:
        message = self.authorisation(begun)
        for name, value in changes.items():
            object.__setattr__(message, name, value)
        fact = cards.authorise(self.job_id, message, by=self.world.station_actor())
        assert isinstance(fact.reply, Authorised)
        return fact.reply

    def made(self, begun: MakeBegun, authorised: Authorised, **changes: object) -> Made:
        """The receipt, both cards having signed what was read back."""
        order, token = open_statement(Order, begun.order), open_statement(WriteToken, authorised.token)
        receipts = {
            role: signature_of(holder, payload(receipt(order, token, role=role, alg=names.ECDSA_SHA256)))
            for role, holder in (("maker", self.maker), ("seal", self.card))
        }
        values: dict[str, object] = {
            "order_id": order.order_id,
            "envelope_sha256": hex_digest(authorised.envelope),
            "seq": token.seq,
            "card_receipt": receipts["seal"],
            "maker_receipt": receipts["maker"],
            "host": "station-1",
            "mac": "02:00:00:00:00:01",
            **changes,
        }
        return Made(**values)  # type: ignore[arg-type]

    def report(self, message: Made) -> str:
        return cards.accept_outcome(self.job_id, message, by=self.world.station_actor()).state

    def run(self) -> int:
        """From the order to the ledger; the seal's id."""
        begun = self.begin()
        self.report(self.made(begun, self.authorise(begun)))
        return seals.record_made(self.job_id, by=self.world.operator).seal_id


def ordered(world: World, impression_id: int | None = None) -> Ritual:
    """Cards registered, an impression in the library, the job at the station."""
    impression_id = impression_id or impression_of(world)
    fact = seals.order_making(impression_id, "SC1", world.station.id, by=world.operator)
    return Ritual(world, fact.job_id)


def made_seal(world: World) -> int:
    """A seal in the ledger, not issued yet; its id."""
    return ordered(world).run()


def issued_seal(world: World) -> int:
    seal_id = made_seal(world)
    seals.issue(seal_id, "周领", "工作证 0017", "预算处", by=world.office)
    return seal_id


__all__ = ["PNG", "Ritual", "decode", "to_json"]
