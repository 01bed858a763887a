"""Sealing a document, step by step, with the seal's card in memory: what a station's agent does, without it."""

from dataclasses import dataclass, field
from hashlib import sha256

from app.cards import commands as cards
from app.seals import commands as seals
from app.seals import queries as seal_queries
from app.signing import commands, queries
from app.signing.facts import SealingOrdered
from card_agent.protocol import names
from card_agent.protocol.jobs import Begin, SignBegun
from card_agent.protocol.outcomes import DocumentSigned
from card_agent.protocol.statements import CardSignature, SignOrder, open_statement
from tests.cards.makers import World
from tests.crypto.pki import Holder
from tests.pdf.makers import small_pdf
from tests.seals.makers import issued_seal


def usable_seal(world: World) -> int:
    """The department's seal: made, issued, authorised to its seal users by the keeping of the card (A18)."""
    seal_id = issued_seal(world)
    seals.authorize_by_keeping(seal_id, by=world.office)
    return seal_id


def ordered(world: World, seal_id: int, **changes: object) -> SealingOrdered:
    """A sealing that waits at the station; its fact."""
    values: dict[str, object] = {
        "document": small_pdf(),
        "file_name": "合同.pdf",
        "seal_id": seal_id,
        "page": 1,
        "x_pt": 300.0,
        "y_pt": 100.0,
        "station_id": world.station.id,
        "by": world.user,
        **changes,
    }
    document, name, seal = values.pop("document"), values.pop("file_name"), values.pop("seal_id")
    return commands.prepare(document, name, seal, **values)  # type: ignore[arg-type]


@dataclass
class Ritual:
    """One sealing as a station does it. Each step may be called again."""

    world: World
    fact: SealingOrdered
    card: Holder = field(init=False)

    def __post_init__(self) -> None:
        self.card = self.world.card

    def begin(self, **changes: object) -> SignOrder:
        values: dict[str, object] = {"card_serial": "SC1", "card_certificate": self.card.der, **changes}
        fact = cards.begin(self.fact.job_id, Begin(**values), by=self.world.station_actor())  # type: ignore[arg-type]
        assert isinstance(fact.reply, SignBegun)
        return open_statement(SignOrder, fact.reply.order)

    def signed(self, order: SignOrder, **changes: object) -> DocumentSigned:
        """The card's answer."""
        value = self.card.sign(order.to_sign)
        values: dict[str, object] = {
            "order_id": order.order_id,
            "signature": CardSignature(alg=names.ECDSA_SHA256, value=value),
            "certificate": self.card.der,
            "envelope_sha256": seal_queries.envelope_sha256(self.fact.seal_id),
            "host": "station-1",
            "mac": "02:00:00:00:00:01",
            **changes,
        }
        return DocumentSigned(**values)  # type: ignore[arg-type]

    def report(self, message: DocumentSigned) -> str:
        return cards.accept_outcome(self.fact.job_id, message, by=self.world.station_actor()).state

    def run(self) -> bytes:
        """From the order to the sealed document."""
        self.report(self.signed(self.begin()))
        return self.document()

    def document(self) -> bytes:
        row = queries.sealing(self.fact.sealing_id, self.world.user)
        assert row.use is not None
        return queries.permitted_file(row.use.sealed_digest, self.world.user)[1]


def sealed(world: World) -> Ritual:
    """A document sealed with the department's seal."""
    ritual = Ritual(world, ordered(world, usable_seal(world)))
    ritual.run()
    return ritual


def digest_of(data: bytes) -> str:
    return f"sha256:{sha256(data).hexdigest()}"
