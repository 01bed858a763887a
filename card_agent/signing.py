"""The signing of one document with a seal's card: 读卡 → 核对 → 签名. The person has seen the document's name and
hash before giving the PIN; the card signs only what the server has ordered for exactly that document. Source:
A23, A24.
"""

from datetime import UTC, datetime

from card_agent.card.interface import OpenCard
from card_agent.card.seal_card import SealCard, SealOnCard
from card_agent.fault import CardAbsent, NoSuchSealOnCard, Untrusted, WrongCard
from card_agent.pin import Pin
from card_agent.protocol.codec import Malformed, to_json
from card_agent.protocol.jobs import Begin, CardSeen, Document, Job, SignBegun
from card_agent.protocol.outcomes import DocumentSigned
from card_agent.protocol.statements import Signed, SignOrder, hex_digest
from card_agent.ritual import Bench, Progress, Step, job_path
from card_agent.seal_info import check_signed_attributes
from card_agent.trust import CLOCK_SLACK, is_maker


def signing_steps() -> list[Step]:
    return [
        Step("read_cards", "读卡", "Read the card"),
        Step("check_order", "核对", "Check the order"),
        Step("sign", "签名", "Sign"),
    ]


def sign_document(job: Job, bench: Bench, progress: Progress, *, card_pin: Pin) -> DocumentSigned:
    """Does the job up to the journalled outcome; sending that is the caller's. The card is never changed."""
    with bench.reader.session():
        # 1 读卡
        with progress.step("read_cards"):
            check_inserted(job, bench.reader.cards())
            card = bench.reader.open(job.card_serial, card_pin)
        # 2 核对: the order is the server's, for the document that was shown, and this card carries the seal
        with progress.step("check_order"):
            begin = Begin(card_serial=card.serial, card_certificate=card.certificate)
            begun = bench.server.post(job_path(job.job_id, "begin"), begin, SignBegun)
            order = checked_sign_order(job, bench, begun.order, card)
            seal = _seal_of(order, SealCard(card, bench.trust))
            bench.press("begun")
        # 3 签名
        with progress.step("sign"):
            signature = card.sign(order.to_sign)
            signed = DocumentSigned(
                order_id=order.order_id,
                signature=signature,
                certificate=card.certificate,
                envelope_sha256=seal.envelope_sha256,
                host=bench.host,
                mac=bench.mac,
            )
            bench.journal.note(job.job_id, "outcome", order_id=order.order_id, body=to_json(signed))
            bench.press("journalled")
    return signed


def check_inserted(job: Job, seen: list[CardSeen]) -> None:
    if any(c.serial == job.card_serial for c in seen):
        return
    others = [c.serial for c in seen if not is_maker(c.certificate)]
    raise WrongCard(job.card_serial, others[0]) if others else CardAbsent(job.card_serial)


def checked_sign_order(job: Job, bench: Bench, signed: Signed, card: OpenCard) -> SignOrder:
    """The order, once it is proved to be the server's, fresh, for this card, and for the document shown."""
    order = bench.trust.open(SignOrder, signed)
    now = datetime.now(UTC)
    faults = {
        "job": order.job_id != job.job_id,
        "station": order.station_id != bench.station_id,
        "document": Document(name=order.document_name, sha256=order.document_sha256) != job.summary.document,
        "card": (order.card_serial, order.card_cert_sha256) != (card.serial, hex_digest(card.certificate)),
        "expired": not order.issued_at - CLOCK_SLACK <= now <= order.expires_at + CLOCK_SLACK,
        "mechanism": order.mechanism != card.alg,
    }
    if wrong := [name for name, bad in faults.items() if bad]:
        raise Untrusted(f"sign order: {', '.join(wrong)}")
    try:
        check_signed_attributes(order.to_sign, card.certificate)
    except Malformed as error:
        raise Untrusted(f"sign order: {error}") from error
    return order


def _seal_of(order: SignOrder, card: SealCard) -> SealOnCard:
    seal = card.current()
    if seal is None or seal.token.es_id != order.es_id:
        raise NoSuchSealOnCard(order.card_serial)
    return seal
