"""A locked card's PIN is given anew (解锁): one person asks, another of the seal office agrees, a third may stand at the station.

The station is given an order that names all of them; the SO PIN and the new PIN are typed there and never come here. What comes
back is the card's own signature over the order's nonce: proof that the new PIN opens the very card.
"""

import secrets
from datetime import timedelta

from app import clock
from app.actor import Actor
from app.cards import commands, queries, rules
from app.cards import unlock_rules as law
from app.cards.facts import CardJobOpened, UnlockAgreed, UnlockAsked, UnlockEnded
from app.cards.kinds import JobEnd, job_kind
from app.cards.models import Card, CardJob, CardUnlock
from app.command import command
from app.crypto import signing
from app.crypto.certificates import fingerprint
from app.crypto.keys import keyring
from app.db import db, lock_row, locked
from app.people import queries as people
from app.refusal import Conflict, Invalid
from app.settings import current_settings
from app.text import Text
from card_agent.protocol import names
from card_agent.protocol.codec import encode, from_json, parse_canonical
from card_agent.protocol.jobs import Authorise, Authorised, Begin, Line, Summary, UnlockBegun, Words
from card_agent.protocol.outcomes import Failed, Outcome, Unlocked
from card_agent.protocol.statements import (
    Operator,
    Signed,
    UnlockOrder,
    open_statement,
    payload,
    sealed,
    unlocked_possession,
)


@command
def ask_unlock(serial: str, reason: str, *, by: Actor) -> UnlockAsked:
    """The card's own person, or a manager, office or operator of its unit. One at a time for a card."""
    card = _locked_card(serial)
    law.check_may_ask(by, _path(card), owner_user_id=card.owner_user_id)
    rules.check_reason("card.reason_needed", reason)
    law.check_none_waits(waiting=queries.open_unlock(card.id) is not None)
    row = CardUnlock(
        card_id=card.id, reason=reason, asked_by_id=by.id or 0, asked_by_name=by.name, asked_at=clock.now()
    )
    db.session.add(row)
    db.session.flush()
    return UnlockAsked(unlock_id=row.id, card_serial=serial, unit_id=card.owner_unit_id, reason=reason)


@command
def agree_unlock(unlock_id: int, *, by: Actor) -> UnlockAgreed:
    """Another person, of the seal office."""
    row, card = _open(unlock_id)
    law.check_may_agree(by, _path(card), asked_by_id=row.asked_by_id, agreed=row.agreed_by_id is not None)
    row.agreed_by_id, row.agreed_by_name = by.id, by.name
    return UnlockAgreed(
        unlock_id=row.id, card_serial=card.serial, unit_id=card.owner_unit_id, asked_by=row.asked_by_name
    )


@command
def refuse_unlock(unlock_id: int, reason: str, *, by: Actor) -> UnlockEnded:
    """The seal office says no, or whoever asked takes it back; not while a station is at it."""
    row, card = _open(unlock_id)
    law.check_may_refuse(by, _path(card), asked_by_id=row.asked_by_id)
    rules.check_reason("card.reason_needed", reason)
    if row.job_id is not None:
        commands.cancel_job(row.job_id, reason, by=by)
    row.state = "refused"
    return UnlockEnded(unlock_id=row.id, card_serial=card.serial, unit_id=card.owner_unit_id, state="refused")


@command
def start_unlock(unlock_id: int, station_id: int, *, by: Actor) -> CardJobOpened:
    """An operator, not the one who agreed, takes it to a station. Refuses what `open_job` refuses."""
    row, card = _open(unlock_id)
    law.check_may_start(by, _path(card), agreed_by_id=row.agreed_by_id)
    if row.job_id is not None:
        commands.cancel_job(row.job_id, "重新下达", by=by)
    opened = commands.open_job(names.UNLOCK_PIN, station_id, card.serial, {"unlock_id": row.id}, by=by)
    row.job_id = opened.job_id
    return opened


@job_kind(names.UNLOCK_PIN)
class UnlockPin:
    """The station's half of it."""

    def summary(self, job: CardJob) -> Summary:
        row = _of(job)
        return Summary(
            title=Words(zh=f"解锁：卡 {job.card_serial}", en=f"Unlock card {job.card_serial}"),
            lines=(
                Line(zh="申请人", en="Asked by", value=row.asked_by_name),
                Line(zh="同意人", en="Agreed by", value=row.agreed_by_name),
                Line(zh="原因", en="Reason", value=row.reason),
            ),
        )

    def begin(self, job: CardJob, message: Begin, *, by: Actor) -> UnlockBegun:
        row, card = _of(job), _card(job.card_serial)
        rules.check_card_present(expected=job.card_serial, presented=message.card_serial)
        rules.check_same_certificate(card.cert_sha256, fingerprint(message.card_certificate), card.serial)
        if row.order_json is None or clock.now() >= _order(row).expires_at:
            row.order_json = encode(_signed(_new_order(row, job, card)))
        return UnlockBegun(order=from_json(Signed, parse_canonical(row.order_json), exact=True))

    def authorise(self, job: CardJob, message: Authorise, *, by: Actor) -> Authorised:
        raise Invalid(
            "card_job.no_such_step",
            zh="解锁任务没有写卡授权这一步，请升级工位程序",
            en="Unlocking has no such step; upgrade the station's agent",
        )

    def outcome(self, job: CardJob, message: Outcome, *, by: Actor) -> JobEnd:
        if isinstance(message, Failed):
            return JobEnd(done=False, reason=Text(message.zh or message.code, message.en or message.code))
        if not isinstance(message, Unlocked):
            raise Invalid(
                "card_job.wrong_outcome",
                zh="工位回报的结果与任务不符，请升级工位程序",
                en="The station reported an outcome of another kind of job; upgrade its agent",
            )
        row, card = _of(job), _card(job.card_serial)
        if row.order_json is None or message.order_id != _order(row).order_id:
            raise Conflict(
                "card_job.replayed",
                zh="回报的命令编号不是当前命令",
                en="The order reported is not the present one",
            )
        rules.check_same_certificate(card.cert_sha256, fingerprint(message.certificate), card.serial)
        wanted = payload(unlocked_possession(_order(row), alg=message.proof.alg))
        alg = message.proof.alg
        if (
            alg not in names.CARD_ALGORITHMS
            or signing.verify_by_certificate(alg, message.certificate, message.proof.value, wanted) != "good"
        ):
            raise law.proof_bad()
        return JobEnd(done=True)

    def ended(self, job: CardJob, end: JobEnd, *, by: Actor) -> None:
        """Done for good; given back or cancelled, it waits for a station once more."""
        row = _of(job)
        if end.done:
            row.state = "done"
        elif row.job_id == job.id:
            row.job_id = row.order_json = None


def _locked_card(serial: str) -> Card:
    found: Card = lock_row(Card, _card(serial).id)
    return found


def _card(serial: str) -> Card:
    found = queries.card(serial)
    rules.check_known(serial, found)
    assert found is not None
    return found


def _path(card: Card) -> frozenset[int]:
    return people.unit_path(people.unit_concerned(card.owner_unit_id, card.owner_user_id))


def _open(unlock_id: int) -> tuple[CardUnlock, Card]:
    row: CardUnlock = locked(CardUnlock, unlock_id)
    law.check_open(row.state)
    return row, db.session.get_one(Card, row.card_id)


def _of(job: CardJob) -> CardUnlock:
    return db.session.get_one(CardUnlock, int(job.payload["unlock_id"]))


def _order(row: CardUnlock) -> UnlockOrder:
    assert row.order_json is not None
    return open_statement(UnlockOrder, from_json(Signed, parse_canonical(row.order_json), exact=True))


def _new_order(row: CardUnlock, job: CardJob, card: Card) -> UnlockOrder:
    now = clock.now()
    return UnlockOrder(
        domain=UnlockOrder.DOMAIN,
        alg=names.ECDSA_SHA256,
        kid=f"order-v{keyring().newest('order')}",
        order_id=secrets.token_hex(16),
        job_id=job.id,
        nonce=secrets.token_hex(32),
        card_serial=card.serial,
        card_cert_sha256=card.cert_sha256,
        asked_by=Operator(id=row.asked_by_id, name=row.asked_by_name),
        agreed_by=Operator(id=row.agreed_by_id or 0, name=row.agreed_by_name),
        operator=Operator(id=job.operator_id, name=job.operator_name),
        station_id=job.station_id,
        issued_at=now,
        expires_at=now + timedelta(seconds=current_settings().order_life_s),
    )


def _signed(order: UnlockOrder) -> Signed:
    ring = keyring()
    _, kid, signature = ring.sign("order", payload(order))
    if kid != order.kid:
        raise Conflict(
            "keys.rotated", zh="服务器密钥刚刚轮换，请重试", en="The server's key was just rotated; try again"
        )
    return sealed(order, signature, ring.certificate("order"))
