"""What can be done with stations, cards and jobs. A job's life reads from open_job downwards."""

from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

import sqlalchemy as sa

from app import clock
from app.actor import Actor
from app.cards import queries, rules, standing
from app.cards.believing import Authority
from app.cards.codes import hash_code, new_code
from app.cards.facts import (
    AuthorityBelieved,
    CardJobAuthorised,
    CardJobBegun,
    CardJobEnded,
    CardJobOpened,
    CardLost,
    CardMoved,
    CardRegistered,
    MakerCardHandedOver,
    StationCodeRedeemed,
    StationEnrolled,
    StationRevoked,
)
from app.cards.kinds import BRINGS, PRODUCTIONS, SEVERAL_AT_ONCE, JobEnd, kind_of
from app.cards.models import Card, CardJob, CardJobStep, CardLoss, Custody, EnrolmentCode, Station
from app.cards.moving import in_nobodys_hands, move
from app.command import command
from app.crypto.certificates import check_certificate
from app.db import db, lock_row
from app.people.queries import unit, unit_concerned, unit_path
from app.people.queries import user as person
from app.refusal import Conflict, Forbidden, Invalid
from app.text import Text
from card_agent.protocol.codec import to_json
from card_agent.protocol.jobs import Authorise, Begin
from card_agent.protocol.outcomes import Outcome

# --- stations ---


@command
def enrol_station(name: str, unit_id: int, *, by: Actor) -> StationEnrolled:
    """Announce a station; its agent redeems the fact's `code` once, within half an hour.

    A name in use by a station that never connected gets a new code. Refuses Forbidden without the system
    administrator's role (D6), Conflict when the name belongs to a connected station.
    """
    _need(by, {"system_administrator"})
    rules.check_station_name(name)
    unit(unit_id)
    now = clock.now()
    station = db.session.scalar(sa.select(Station).where(Station.name == name))
    if station is None:
        station = Station(name=name, unit_id=unit_id)
        db.session.add(station)
        db.session.flush()
    elif station.public_key is not None or station.revoked_at is not None:
        raise Conflict(
            "station.name_taken",
            zh=f"工位名称“{name}”已被使用，请换一个名称",
            en=f"The name “{name}” belongs to another station; choose another",
        )
    code = new_code()
    db.session.add(
        EnrolmentCode(
            station_id=station.id,
            code_hash=hash_code(code),
            created_at=now,
            expires_at=now + rules.CODE_LIFE,
        )
    )
    return StationEnrolled(
        station_id=station.id,
        station_name=name,
        unit_id=station.unit_id,
        code_expires_at=now + rules.CODE_LIFE,
        code=code,
    )


@command
def redeem(
    code: str, public_key: bytes, *, host: str | None, mac: str | None, agent_version: str, by: Actor
) -> StationCodeRedeemed:
    """The agent's one-time code makes its key the station's. `public_key`: raw Ed25519, 32 bytes.

    Refuses Forbidden for a code that is unknown, spent or expired.
    """
    found = db.session.scalar(
        sa.select(EnrolmentCode).where(EnrolmentCode.code_hash == hash_code(code)).with_for_update()
    )
    if found is None:
        raise Forbidden(
            "station.code_unknown",
            zh="登记码不正确，请核对后重新输入，或请系统管理员重新生成",
            en="This enrolment code is not right; check it, or ask the system administrator for a new one",
        )
    now = clock.now()
    rules.check_code(found.expires_at, found.used_at, now)
    if len(public_key) != 32:
        raise Invalid(
            "station.bad_key",
            zh="工位公钥格式不正确",
            en="The station's public key must be 32 bytes of Ed25519",
        )
    station: Station = lock_row(Station, found.station_id)
    found.used_at = now
    station.public_key, station.enrolled_at = public_key, now
    station.host, station.mac, station.agent_version = host, mac, agent_version
    return StationCodeRedeemed(
        station_id=station.id,
        unit_id=station.unit_id,
        host=host,
        mac=mac,
        agent_version=agent_version,
        public_key_sha256=sha256(public_key).hexdigest(),
    )


@command
def revoke_station(station_id: int, reason: str, *, by: Actor) -> StationRevoked:
    """From now on the station's signature opens nothing. Refuses Invalid without a reason."""
    _need(by, {"system_administrator"})
    queries.station(station_id)
    rules.check_reason("station.reason_needed", reason)
    station: Station = lock_row(Station, station_id)
    if station.revoked_at is not None:
        raise Conflict(
            "station.revoked_already", zh="该工位已停用", en="This station has been revoked already"
        )
    station.revoked_at = clock.now()
    return StationRevoked(station_id=station.id, unit_id=station.unit_id, reason=reason.strip())


# --- cards ---


@command
def register_card(
    serial: str,
    role: Literal["maker", "seal"],
    certificate: bytes,
    *,
    owner_unit_id: int | None = None,
    owner_user_id: int | None = None,
    keeping: Literal["unit", "personal"] = "unit",
    by: Actor,
) -> CardRegistered:
    """Take a card into the inventory. `certificate`: DER; it must be good for the role today (A11).

    Refuses what check_certificate refuses, Conflict when serial or certificate is known already, Invalid when
    nobody fitting owns it, Forbidden without a role for the owner's unit.
    """
    _need(by, {"seal_office", "station_operator"}, unit_concerned(owner_unit_id, owner_user_id))
    rules.check_owner(owner_unit_id, owner_user_id, role, keeping)
    now = clock.now()
    verdict = check_certificate(certificate, queries.trust(), at=now, usage=role)
    taken = sa.select(Card.id).where(sa.or_(Card.serial == serial, Card.cert_sha256 == verdict.fingerprint))
    if db.session.scalar(taken) is not None:
        raise Conflict(
            "card.known_already",
            zh=f"卡 {serial} 或卡内证书已经登记，请在卡列表中查找",
            en=f"Card {serial} or its certificate is registered already; look it up in the list of cards",
        )
    assert verdict.valid_from is not None and verdict.valid_until is not None
    db.session.add(
        Card(
            serial=serial,
            role=role,
            keeping=keeping,
            certificate=certificate,
            cert_sha256=verdict.fingerprint,
            subject=verdict.subject,
            valid_from=verdict.valid_from,
            valid_until=verdict.valid_until,
            registered_at=now,
            registered_by_id=by.id,
            owner_unit_id=owner_unit_id,
            owner_user_id=owner_user_id,
        )
    )
    db.session.flush()
    return CardRegistered(
        card_serial=serial,
        role=role,
        keeping=keeping,
        subject=verdict.subject,
        cert_sha256=verdict.fingerprint,
        valid_until=verdict.valid_until,
        unit_id=owner_unit_id,
        user_id=owner_user_id,
    )


@command
def hand_over(serial: str, keeper_id: int, *, by: Actor) -> MakerCardHandedOver:
    """A maker card passes into a person's hands; it stays the institution's (D2)."""
    _need(by, {"seal_office"})
    card = _locked_card(serial)
    _need(by, {"seal_office"}, unit_concerned(card.owner_unit_id, card.owner_user_id))
    rules.check_role(card.role, "maker", serial)
    standing.check_usable(card.state, serial)
    person(keeper_id)
    now = clock.now()
    previous = db.session.scalar(
        sa.select(Custody).where(Custody.card_id == card.id, Custody.returned_at.is_(None))
    )
    if previous is not None:
        previous.returned_at = now
        db.session.flush()
    db.session.add(Custody(card_id=card.id, keeper_id=keeper_id, taken_at=now))
    if card.state == "enrolled":
        move(card, "assigned", "", by)
    return MakerCardHandedOver(
        card_serial=serial,
        unit_id=card.owner_unit_id,
        user_id=keeper_id,
        previous_keeper_id=previous.keeper_id if previous else None,
    )


@command
def report_lost(serial: str, reason: str, *, since: datetime | None = None, by: Actor) -> CardLost:
    """挂失: from this moment nothing is made on the card and nothing sealed with it, by anybody. `since`: when it was last
    known to be in hand; its uses from then on are told apart (D14). Refuses Invalid a moment that is still to come."""
    card = _locked_card(serial)
    if by.id is None or by.id != card.owner_user_id:
        unit_id = unit_concerned(card.owner_unit_id, card.owner_user_id)
        _need(by, {"seal_office", "seal_manager", "station_operator"}, unit_id)
    standing.check_move(card.state, "lost", serial)
    rules.check_reason("card.reason_needed", reason)
    at = clock.now()
    rules.check_lost_since(since, at)
    move(card, "lost", reason, by)
    db.session.add(CardLoss(card_id=card.id, at=at, reason=reason, by_id=by.id, since=since))
    return CardLost(card_serial=serial, unit_id=card.owner_unit_id, reason=reason, since=since)


@command
def suspend_card(serial: str, reason: str, *, by: Actor) -> CardMoved:
    """停用: nothing is made on it or sealed with it until the office takes it up again."""
    return _moved_by_hand(serial, "suspended", reason, by)


@command
def take_back(serial: str, reason: str, *, by: Actor) -> CardMoved:
    """交回: it lies with the office. A maker card is in nobody's hands then."""
    fact = _moved_by_hand(serial, "returned", reason, by)
    in_nobodys_hands(_locked_card(serial))
    return fact


@command
def take_up(serial: str, reason: str, *, by: Actor) -> CardMoved:
    """恢复使用: a suspended or returned card stands as it did before; a maker card that came back waits for a keeper."""
    card = _locked_card(serial)
    before = queries.standing_before(card.id)
    return _moved_by_hand(
        serial, "enrolled" if card.state == "returned" and card.role == "maker" else before, reason, by
    )


def _moved_by_hand(serial: str, to: standing.Standing | str, reason: str, by: Actor) -> CardMoved:
    card = _locked_card(serial)
    _need(by, {"seal_office"}, unit_concerned(card.owner_unit_id, card.owner_user_id))
    standing.check_move(card.state, to, serial)
    rules.check_reason("card.reason_needed", reason)
    rules.check_no_open_job(queries.open_job_of_card(serial) is not None, serial)
    before = card.state
    move(card, to, reason, by)
    return CardMoved(card_serial=serial, unit_id=card.owner_unit_id, before=before, after=to, reason=reason)


# --- a job's life ---


@command
def open_job(
    kind: str,
    station_id: int,
    card_serial: str,
    payload: dict[str, Any],
    *,
    operator: Actor | None = None,
    by: Actor,
) -> CardJobOpened:
    """Ask a station to do something with a card. `operator`: the person who stands there, when `by` is not (somebody who
    is still to log in); `payload`: JSON.

    The house that owns the kind has checked whether this person may. Refuses Conflict when the card is in
    another open job or the station has been revoked, Forbidden when no person asks.
    """
    person = operator or by
    if person.kind != "person" or person.id is None:
        raise Forbidden(
            "card_job.person_needed",
            zh="卡任务须由登录的本人发起",
            en="A job for a card is opened by a person who is logged in",
        )
    kind_of(kind)
    station = queries.station(station_id).station
    if station.revoked_at is not None:
        raise Conflict(
            "station.revoked",
            zh="该工位已停用，请选择其他工位",
            en="This station has been revoked; choose another",
        )
    card = _locked_card(card_serial)
    standing.check_usable(card.state, card_serial)
    busy = queries.open_job_of_card(card_serial, besides=SEVERAL_AT_ONCE if kind in SEVERAL_AT_ONCE else ())
    if busy is not None:
        raise Conflict(
            "card.busy",
            zh=f"卡 {card_serial} 还有未完成的任务（{busy.id}），请先完成或取消该任务",
            en=f"Card {card_serial} is still in job {busy.id}; finish or cancel that first",
            job_id=busy.id,
        )
    if kind in PRODUCTIONS:
        move(card, "in_production", "", by)
    job = CardJob(
        kind=kind,
        station_id=station_id,
        card_serial=card_serial,
        operator_id=person.id,
        operator_name=person.name,
        payload=payload,
        created_at=clock.now(),
    )
    db.session.add(job)
    db.session.flush()
    _note(job, "ordered", Text("任务已下达", "Ordered"))
    return CardJobOpened(
        job_id=job.id, kind=kind, station_id=station_id, card_serial=card_serial, unit_id=card.owner_unit_id
    )


@command
def begin(job_id: int, message: Begin, *, by: Actor) -> CardJobBegun:
    """Step 1: the cards are in; the kind answers with the server's signed order. Repeating gives the same."""
    job = _locked_job(job_id, by)
    repeated = job.state != "ordered"
    if job.state != "authorised":
        rules.check_step(job.state, "begun")
    reply = kind_of(job.kind).begin(job, message, by=by)
    if job.state != "authorised":
        job.state = "begun"
    if not repeated:
        _note(job, "begun", Text("已读卡并验证证书", "Cards read, certificates checked"))
    return CardJobBegun(
        job_id=job.id,
        kind=job.kind,
        station_id=job.station_id,
        card_serial=job.card_serial,
        maker_serial=message.maker_serial,
        repeated=repeated,
        reply=reply,
    )


@command
def authorise(job_id: int, message: Authorise, *, by: Actor) -> CardJobAuthorised:
    """Step 2: the cards have proved their keys; the kind answers with the write token (A12)."""
    job = _locked_job(job_id, by)
    rules.check_step(job.state, "authorised")
    repeated = job.state == "authorised"
    reply = kind_of(job.kind).authorise(job, message, by=by)
    job.state = "authorised"
    if not repeated:
        _note(job, "authorised", Text("服务器已授权写卡", "The server has authorised the card"))
    return CardJobAuthorised(
        job_id=job.id,
        kind=job.kind,
        station_id=job.station_id,
        card_serial=job.card_serial,
        repeated=repeated,
        reply=reply,
    )


@command
def accept_outcome(job_id: int, message: Outcome, *, brought: object = None, by: Actor) -> CardJobEnded:
    """Step 3: what came of it. The kind judges and keeps it; then whoever waits is told. `brought`: what the kind got ready
    outside of any transaction (`kinds.bring`).

    Repeating the outcome of an ended job answers as before and changes nothing. What comes of a job that was taken
    back meanwhile is kept beside it for whoever looks into it, and makes nothing true.
    """
    job = _locked_job(job_id, by)
    if job.state in rules.ENDED_STATES and _same_word(job, message):
        return _ended(job)
    if job.state == "cancelled" and job.outcome is None:
        job.outcome = to_json(message)
        _note(job, "late", rules.late_word(message))
        return _ended(job)
    rules.check_step(job.state, "failed" if job.state == "ordered" else "done")
    handler = kind_of(job.kind)
    more = {"brought": brought} if job.kind in BRINGS else {}
    end = handler.outcome(job, message, by=by, **more)
    job.outcome = to_json(message)
    _end(job, "done" if end.done else "failed", end, by)
    handler.ended(job, end, by=by)
    return _ended(job)


@command
def cancel_job(job_id: int, reason: str, *, by: Actor) -> CardJobEnded:
    """Take an order back before the server has authorised it: the operator who asked, the seal office, or the system
    where what asked for it is no more."""
    queries.job(job_id)
    job: CardJob = lock_row(CardJob, job_id)
    if by.kind != "system" and by.id != job.operator_id:
        card = queries.card(job.card_serial)
        _need(by, {"seal_office"}, unit_concerned(card.owner_unit_id, card.owner_user_id) if card else None)
    rules.check_step(job.state, "cancelled")
    end = JobEnd(done=False, reason=Text(f"已取消：{reason}", f"Cancelled: {reason}"))
    _end(job, "cancelled", end, by)
    kind_of(job.kind).ended(job, end, by=by)
    return _ended(job)


def _locked_job(job_id: int, by: Actor) -> CardJob:
    job: CardJob = lock_row(CardJob, job_id) or queries.job(job_id)  # which refuses it
    if by.kind != "station" or by.station_id is None:
        raise Forbidden(
            "card_job.station_needed", zh="只有制章工位可以办理卡任务", en="Only a card station works on jobs"
        )
    rules.check_own_job(job.station_id, by.station_id)
    return job


def _same_word(job: CardJob, message: Outcome) -> bool:
    """Whether the station says again what it said: the same status of the same order."""
    said = job.outcome or {}
    return said.get("status") == message.status and said.get("order_id") == message.order_id


def _end(job: CardJob, state: rules.JobState, end: JobEnd, by: Actor) -> None:
    rules.check_step(job.state, state)
    if job.kind in PRODUCTIONS:
        card = _locked_card(job.card_serial)
        if card.state == "in_production":  # it may have been lost meanwhile
            move(card, "active" if state == "done" else queries.standing_before(card.id), "", by)
    job.state, job.ended_at = state, clock.now()
    if end.reason is not None:
        job.reason_zh, job.reason_en = end.reason.zh[:1000], end.reason.en[:1000]
    _note(job, state, end.reason or Text("完成", "Done"))


def _ended(job: CardJob) -> CardJobEnded:
    return CardJobEnded(
        job_id=job.id,
        kind=job.kind,
        station_id=job.station_id,
        card_serial=job.card_serial,
        state=job.state,
        reason=job.reason_zh,
    )


def _note(job: CardJob, step: str, note: Text, at: datetime | None = None) -> None:
    db.session.add(
        CardJobStep(
            job_id=job.id, at=at or clock.now(), step=step, note_zh=note.zh[:1000], note_en=note.en[:1000]
        )
    )


def _locked_card(serial: str) -> Card:
    found = queries.card(serial)
    rules.check_known(serial, found)
    assert found is not None
    card: Card = lock_row(Card, found.id)
    return card


def _need(by: Actor, roles: set[str], unit_id: int | None = None) -> None:
    """One of the roles, for that unit when one is named; the system itself (the command line) passes."""
    if by.kind == "system":
        return
    units = unit_path(unit_id) if unit_id is not None else None
    if not any(by.has(role, units) for role in roles):
        raise Forbidden(
            "card.role_needed",
            zh="您没有办理此事的角色，请联系印章管理部门或系统管理员",
            en="You do not hold the role this needs; ask the seal office or the system administrator",
            roles=sorted(roles),
        )


@command
def believe(authority: Authority, *, by: Actor) -> AuthorityBelieved:
    """That this authority's certificates are believed from now on; `believing.lay_down` makes it so once it is logged."""
    return AuthorityBelieved(
        subject=authority.subject,
        fingerprint=authority.fingerprint,
        is_root=authority.is_root,
        valid_until=authority.certificate.not_valid_after_utc,
    )
