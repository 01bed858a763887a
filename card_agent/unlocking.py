"""A card's PIN is given anew: 读卡 → 核对 → 重设 PIN → 验证. The server's order names the two people who stand for it; the SO PIN
and the new PIN are typed here and go to the card only. Done again after a power cut, it sets the PIN again and does no harm.
Source: card.md (PIN), A23.
"""

from datetime import UTC, datetime

from card_agent.card.interface import OpenCard
from card_agent.fault import PinUnfit, Untrusted
from card_agent.pin import Pin
from card_agent.protocol.codec import to_json
from card_agent.protocol.jobs import Begin, Job, UnlockBegun
from card_agent.protocol.outcomes import Unlocked
from card_agent.protocol.statements import Signed, UnlockOrder, hex_digest, payload, unlocked_possession
from card_agent.ritual import Bench, Progress, Step, job_path
from card_agent.signing import check_inserted
from card_agent.trust import CLOCK_SLACK

NEW_PIN_LEAST = 6
"""Characters."""


def unlocking_steps() -> list[Step]:
    return [
        Step("read_cards", "读卡", "Read the card"),
        Step("check_order", "核对", "Check the order"),
        Step("renew_pin", "重设 PIN", "Set the new PIN"),
        Step("prove", "验证", "Try it"),
    ]


def unlock_pin(job: Job, bench: Bench, progress: Progress, *, so_pin: Pin, new_pin: Pin) -> Unlocked:
    """Does the job up to the journalled outcome; sending that is the caller's."""
    if len(new_pin.secret()) < NEW_PIN_LEAST:
        raise PinUnfit(job.card_serial)
    with bench.reader.session():
        with progress.step("read_cards"):
            seen = bench.reader.cards()
            check_inserted(job, seen)
            certificate = next(c.certificate for c in seen if c.serial == job.card_serial) or b""
        with progress.step("check_order"):
            begin = Begin(card_serial=job.card_serial, card_certificate=certificate)
            begun = bench.server.post(job_path(job.job_id, "begin"), begin, UnlockBegun)
            order = checked_unlock_order(job, bench, begun.order, certificate)
            bench.press("begun")
        with progress.step("renew_pin"):
            bench.reader.renew_pin(job.card_serial, so_pin, new_pin)
            bench.press("renewed")
        with progress.step("prove"):
            card = bench.reader.open(job.card_serial, new_pin)
            unlocked = _proved(order, card, bench)
            bench.journal.note(job.job_id, "outcome", order_id=order.order_id, body=to_json(unlocked))
            bench.press("journalled")
    return unlocked


def _proved(order: UnlockOrder, card: OpenCard, bench: Bench) -> Unlocked:
    proof = card.sign(payload(unlocked_possession(order, alg=card.alg)))
    return Unlocked(
        order_id=order.order_id, proof=proof, certificate=card.certificate, host=bench.host, mac=bench.mac
    )


def checked_unlock_order(job: Job, bench: Bench, signed: Signed, certificate: bytes) -> UnlockOrder:
    """The order, once it is proved to be the server's, fresh, for this card, and to stand for two people."""
    order = bench.trust.open(UnlockOrder, signed)
    now = datetime.now(UTC)
    faults = {
        "job": order.job_id != job.job_id,
        "station": order.station_id != bench.station_id,
        "card": (order.card_serial, order.card_cert_sha256) != (job.card_serial, hex_digest(certificate)),
        "expired": not order.issued_at - CLOCK_SLACK <= now <= order.expires_at + CLOCK_SLACK,
        "people": order.agreed_by.id in (order.asked_by.id, order.operator.id)
        or order.operator != job.operator,
    }
    if wrong := [name for name, bad in faults.items() if bad]:
        raise Untrusted(f"unlock order: {', '.join(wrong)}")
    return order
