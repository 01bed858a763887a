"""The making of a seal: 读卡 → 验证书 → 授权 → 写入 → 回读校验. One job makes at most one seal, whatever is repeated.

Neither side can do it alone: the server orders (signed) and gives leave to write (signed), the maker card
signs the seal's structure, the seal card proves its key and takes the ciphertext. Interrupted anywhere, the
same job is begun again from the top; the server answers the same, the card sorts itself out
(`card/seal_card.py`), and the maker's signature is taken from the journal, so that the maker card signs an
order once. Source: A11–A15, D2.
"""

from datetime import UTC, datetime

from card_agent.card.interface import OpenCard
from card_agent.card.maker_card import MakerCard, check_seal_info
from card_agent.card.seal_card import SealCard, SealOnCard
from card_agent.fault import CardAbsent, Fault, NoMakerCard, SeveralMakerCards, Untrusted, WrongCard
from card_agent.pin import Pin
from card_agent.protocol.codec import to_json
from card_agent.protocol.jobs import Authorise, Authorised, Begin, CardSeen, Job, MakeBegun
from card_agent.protocol.outcomes import Made
from card_agent.protocol.statements import (
    CardSignature,
    Order,
    Signed,
    WriteToken,
    hex_digest,
    payload,
    possession,
    receipt,
)
from card_agent.ritual import Bench, Progress, Step, as_json, from_journal, job_path
from card_agent.trust import CLOCK_SLACK, is_maker


def making_steps() -> list[Step]:
    return [
        Step("read_cards", "读卡", "Read the cards"),
        Step("check_certificates", "验证书", "Check the certificates"),
        Step("authorise", "授权", "Authorise"),
        Step("write", "写入", "Write"),
        Step("verify", "回读校验", "Read back and check"),
    ]


def make_seal(job: Job, bench: Bench, progress: Progress, *, maker_pin: Pin, card_pin: Pin) -> Made:
    """Does the job up to the journalled outcome; sending that is the caller's. Raises Fault, with
    `card_changed`."""
    with bench.reader.session():
        # 1 读卡: the maker card first, then the seal card; each opens with its PIN
        with progress.step("read_cards"):
            maker_seen, _ = cards_for(job, bench.reader.cards())
            maker = bench.reader.open(maker_seen.serial, maker_pin)
            card = bench.reader.open(job.card_serial, card_pin)
            seal_card = SealCard(card, bench.trust, bench.press)
        try:
            return _with_cards(job, bench, progress, MakerCard(maker), seal_card)
        except Fault as fault:
            fault.card_changed = seal_card.changed
            raise


def _with_cards(job: Job, bench: Bench, progress: Progress, maker: MakerCard, seal_card: SealCard) -> Made:
    card = seal_card.card
    # 2 验证书: the server checks both certificates and orders; we check the order, and what it is about
    with progress.step("check_certificates"):
        begun = bench.server.post(job_path(job.job_id, "begin"), _begin(maker.card, card), MakeBegun)
        order = checked_order(job, bench, begun.order, maker.card, card)
        info = check_seal_info(begun.seal_info, order, begun.order, card.certificate)
        progress.picture = info.picture
        bench.journal.note(job.job_id, "begun", order_id=order.order_id)
        bench.press("begun")
    # 3 授权: the maker signs the structure, both cards prove their keys, the server gives leave to write
    with progress.step("authorise"):
        signature = _maker_signature(job, bench, begun, order, maker=maker, card=card)
        authorised = bench.server.post(
            job_path(job.job_id, "authorise"),
            Authorise(
                order_id=order.order_id,
                maker_signature=signature,
                maker_proof=_proof(order, "maker", maker.card),
                card_proof=_proof(order, "seal", card),
            ),
            Authorised,
        )
        token = checked_token(bench, authorised, order)
        bench.journal.note(job.job_id, "authorised", order_id=order.order_id, seq=token.seq)
        bench.press("authorised")
    # 4 写入: envelope, then manifest; the old pair goes last
    with progress.step("write"):
        written = seal_card.write(authorised.token, token, authorised.envelope)
        bench.press("written")
    # 5 回读校验: what the card now says, signed by both cards; on our disk before anyone is told
    with progress.step("verify"):
        made = _made(bench, order, written, maker=maker.card, card=card)
        bench.journal.note(job.job_id, "outcome", order_id=order.order_id, body=to_json(made))
        bench.press("journalled")
    return made


def cards_for(job: Job, seen: list[CardSeen]) -> tuple[CardSeen, CardSeen]:
    """The maker card and the job's seal card among those in the readers; a fault says which is missing."""
    makers = [c for c in seen if is_maker(c.certificate) and c.serial != job.card_serial]
    seals = [c for c in seen if c.serial == job.card_serial]
    others = [c for c in seen if not is_maker(c.certificate)]
    if not makers:
        raise NoMakerCard
    if len(makers) > 1:
        raise SeveralMakerCards
    if not seals:
        raise WrongCard(job.card_serial, others[0].serial) if others else CardAbsent(job.card_serial)
    return makers[0], seals[0]


def checked_order(job: Job, bench: Bench, signed: Signed, maker: OpenCard, card: OpenCard) -> Order:
    """The order, once it is proved to be the server's, for this job, this station and these two cards, and
    fresh. An expired one is taken only when it is the one this job was begun with: then nothing new is made
    by it."""
    order = bench.trust.open(Order, signed)
    faults = {
        "job": order.job_id != job.job_id,
        "station": order.station_id != bench.station_id,
        "maker card": (order.maker_serial, order.maker_cert_sha256)
        != (maker.serial, hex_digest(maker.certificate)),
        "seal card": (order.card_serial, order.card_cert_sha256)
        != (card.serial, hex_digest(card.certificate)),
        "expired": _stale(order.issued_at, order.expires_at)
        and bench.journal.read(job.job_id).order_id("authorised") != order.order_id,
    }
    if wrong := [name for name, bad in faults.items() if bad]:
        raise Untrusted(f"order: {', '.join(wrong)}")
    return order


def checked_token(bench: Bench, authorised: Authorised, order: Order) -> WriteToken:
    """Leave to write exactly this envelope for exactly this order, now."""
    token = bench.trust.open(WriteToken, authorised.token)
    faults = {
        "order": (token.order_id, token.job_id, token.es_id) != (order.order_id, order.job_id, order.es_id),
        "card": (token.card_serial, token.card_cert_sha256) != (order.card_serial, order.card_cert_sha256),
        "envelope": token.envelope_sha256 != hex_digest(authorised.envelope),
        "number": token.seq < 1,
        "expired": _stale(token.issued_at, token.expires_at),
    }
    if wrong := [name for name, bad in faults.items() if bad]:
        raise Untrusted(f"write token: {', '.join(wrong)}")
    return token


def _stale(issued_at: datetime, expires_at: datetime) -> bool:
    now = datetime.now(UTC)
    return now > expires_at + CLOCK_SLACK or now < issued_at - CLOCK_SLACK


def _begin(maker: OpenCard, card: OpenCard) -> Begin:
    return Begin(
        card_serial=card.serial,
        card_certificate=card.certificate,
        maker_serial=maker.serial,
        maker_certificate=maker.certificate,
    )


def _maker_signature(
    job: Job, bench: Bench, begun: MakeBegun, order: Order, *, maker: MakerCard, card: OpenCard
) -> CardSignature:
    """One signature an order: the journal's, when an interruption came after it."""
    entry = bench.journal.read(job.job_id).steps.get("maker_signed")
    if entry is not None and entry["seal_info_sha256"] == hex_digest(begun.seal_info):
        return from_journal(entry["signature"])
    signature = maker.sign_seal(begun.seal_info, order, begun.order, card.certificate)
    bench.journal.note(
        job.job_id,
        "maker_signed",
        order_id=order.order_id,
        seal_info_sha256=hex_digest(begun.seal_info),
        signature=as_json(signature),
    )
    bench.press("maker signed")
    return signature


def _proof(order: Order, role: str, card: OpenCard) -> CardSignature:
    return card.sign(payload(possession(order, role=role, alg=card.alg)))


def _made(bench: Bench, order: Order, written: SealOnCard, *, maker: OpenCard, card: OpenCard) -> Made:
    token = written.token
    return Made(
        order_id=order.order_id,
        envelope_sha256=written.envelope_sha256,
        seq=written.token.seq,
        card_receipt=card.sign(payload(receipt(order, token, role="seal", alg=card.alg))),
        maker_receipt=maker.sign(payload(receipt(order, token, role="maker", alg=maker.alg))),
        host=bench.host,
        mac=bench.mac,
    )
