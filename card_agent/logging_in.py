"""A person is logged in with their card: 读卡 → 核对 → 签名. The server's order names the address, the person and a code; the person has
compared the code with the login page's before giving the PIN. The card signs exactly that and is never changed. Source: A21, A23.
"""

from datetime import UTC, datetime

from card_agent.card.interface import OpenCard
from card_agent.fault import Untrusted
from card_agent.pin import Pin
from card_agent.protocol.codec import to_json
from card_agent.protocol.jobs import Begin, Job, LoginBegun
from card_agent.protocol.outcomes import Proved
from card_agent.protocol.statements import LoginOrder, Signed, hex_digest, login_proof, payload
from card_agent.ritual import Bench, Progress, Step, job_path
from card_agent.signing import check_inserted
from card_agent.trust import CLOCK_SLACK


def login_steps() -> list[Step]:
    return [
        Step("read_cards", "读卡", "Read the card"),
        Step("check_order", "核对", "Check the order"),
        Step("prove", "签名", "Sign"),
    ]


def log_in(job: Job, bench: Bench, progress: Progress, *, card_pin: Pin) -> Proved:
    """Does the job up to the journalled outcome; sending that is the caller's."""
    with bench.reader.session():
        with progress.step("read_cards"):
            check_inserted(job, bench.reader.cards())
            card = bench.reader.open(job.card_serial, card_pin)
        with progress.step("check_order"):
            begin = Begin(card_serial=card.serial, card_certificate=card.certificate)
            begun = bench.server.post(job_path(job.job_id, "begin"), begin, LoginBegun)
            order = checked_login_order(job, bench, begun.order, card)
        with progress.step("prove"):
            proof = card.sign(payload(login_proof(order, alg=card.alg)))
            proved = Proved(
                order_id=order.order_id,
                proof=proof,
                certificate=card.certificate,
                host=bench.host,
                mac=bench.mac,
            )
            bench.journal.note(job.job_id, "outcome", order_id=order.order_id, body=to_json(proved))
    return proved


def checked_login_order(job: Job, bench: Bench, signed: Signed, card: OpenCard) -> LoginOrder:
    """The order, once it is proved to be the server's, fresh, for this card, and with the address and code that were shown."""
    order = bench.trust.open(LoginOrder, signed)
    now = datetime.now(UTC)
    shown = {line.value for line in job.summary.lines}
    faults = {
        "job": order.job_id != job.job_id,
        "station": order.station_id != bench.station_id,
        "card": (order.card_serial, order.card_cert_sha256) != (card.serial, hex_digest(card.certificate)),
        "expired": not order.issued_at - CLOCK_SLACK <= now <= order.expires_at + CLOCK_SLACK,
        "person": order.operator != job.operator,
        "shown": not {order.origin, order.code} <= shown,
    }
    if wrong := [name for name, bad in faults.items() if bad]:
        raise Untrusted(f"login order: {', '.join(wrong)}")
    return order
