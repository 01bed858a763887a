"""Reading stations, cards and jobs."""

import base64
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from app import clock
from app.cards import rules, standing
from app.cards.kinds import kind_of
from app.cards.models import (
    Card,
    CardDestruction,
    CardJob,
    CardJobStep,
    CardLoss,
    CardMove,
    CardUnlock,
    Custody,
    Station,
    StationPresence,
)
from app.crypto.certificates import (
    CertificateVerdict,
    Trust,
    check_certificate,
    common_name,
    fingerprint,
    trust_from,
)
from app.db import db, reading
from app.refusal import NotFound
from app.settings import current_settings
from card_agent.protocol.jobs import Job
from card_agent.protocol.statements import Operator


@dataclass(frozen=True, kw_only=True)
class StationRow:
    """A station as the overview shows it. `cards`: what its agent last saw in its readers."""

    station: Station
    seen_at: datetime | None
    present: bool
    cards: Sequence[dict[str, Any]]
    ip: str | None
    waiting: int

    @property
    def state(self) -> str:
        """revoked, announced (its code not yet redeemed), connected or silent."""
        if self.station.revoked_at is not None:
            return "revoked"
        if self.station.public_key is None:
            return "announced"
        return "connected" if self.present else "silent"


@dataclass(frozen=True, kw_only=True)
class CardRow:
    """A card as the register shows it. `days_left`: whole days to its certificate's end."""

    card: Card
    lost: CardLoss | None
    keeper_id: int | None
    days_left: int


def stations() -> list[StationRow]:
    """All stations, by name."""
    found = db.session.scalars(sa.select(Station).order_by(Station.name)).all()
    return [_station_row(s) for s in found]


def station(station_id: int) -> StationRow:
    found = db.session.get(Station, station_id)
    if found is None:
        raise NotFound(
            "station.unknown",
            zh="没有这个制章工位，请返回工位列表",
            en="There is no such card station; go back to the list",
        )
    return _station_row(found)


def station_by_id(number: str) -> Station | None:
    """By the number in a request's header, whatever stands there."""
    return (
        db.session.get(Station, int(number))
        if number.isascii() and number.isdigit() and len(number) < 10
        else None
    )


def _station_row(found: Station) -> StationRow:
    presence = db.session.get(StationPresence, found.id)
    waiting = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(CardJob)
        .where(CardJob.station_id == found.id, CardJob.state.in_(rules.OPEN_STATES))
    )
    seen = presence.seen_at if presence else None
    return StationRow(
        station=found,
        seen_at=seen,
        present=found.revoked_at is None and rules.is_present(seen, clock.now()),
        cards=presence.cards if presence else [],
        ip=presence.ip if presence else None,
        waiting=waiting or 0,
    )


# --- cards ---


def card(serial: str) -> Card | None:
    return db.session.scalar(sa.select(Card).where(Card.serial == serial))


def loss_of(card_id: int) -> CardLoss | None:
    return db.session.get(CardLoss, card_id)


def moves_of(card_id: int, limit: int = 30) -> list[CardMove]:
    """How it came to stand as it does, newest first."""
    query = sa.select(CardMove).where(CardMove.card_id == card_id).order_by(CardMove.id.desc()).limit(limit)
    return list(db.session.scalars(query))


def standing_before(card_id: int) -> str:
    """What a card goes back to that was in production, suspended or returned: how it stood when it was in its place."""
    settled = ("enrolled", "assigned", "active")
    query = (
        sa.select(CardMove.before)
        .where(CardMove.card_id == card_id, CardMove.before.in_(settled))
        .order_by(CardMove.id.desc())
        .limit(1)
    )
    return db.session.scalar(query) or "enrolled"


def destruction(destruction_id: int) -> CardDestruction:
    """Refuses NotFound."""
    found = db.session.get(CardDestruction, destruction_id)
    if found is None:
        raise NotFound("card.no_destruction", zh="没有这次销毁", en="There is no such destruction")
    return found


def open_destruction(card_id: int) -> CardDestruction | None:
    """The asking to destroy this card that waits for its witness."""
    return db.session.scalar(
        sa.select(CardDestruction).where(CardDestruction.card_id == card_id, CardDestruction.state == "open")
    )


def destruction_of(card_id: int) -> CardDestruction | None:
    """How it was destroyed, if it was, and before whom."""
    return db.session.scalar(
        sa.select(CardDestruction).where(CardDestruction.card_id == card_id, CardDestruction.state == "done")
    )


def to_be_destroyed() -> frozenset[int]:
    """The ids of all cards that wait for a witness."""
    return frozenset(
        db.session.scalars(sa.select(CardDestruction.card_id).where(CardDestruction.state == "open"))
    )


def card_of(destruction: CardDestruction) -> Card:
    return db.session.get_one(Card, destruction.card_id)


def open_unlock(card_id: int) -> CardUnlock | None:
    """The unlocking of this card that is under way."""
    return db.session.scalar(
        sa.select(CardUnlock).where(CardUnlock.card_id == card_id, CardUnlock.state == "open")
    )


def keeper_of(card_id: int) -> int | None:
    """The person who has a maker card in hand now."""
    return db.session.scalar(
        sa.select(Custody.keeper_id).where(Custody.card_id == card_id, Custody.returned_at.is_(None))
    )


def cards(
    *, role: Literal["maker", "seal"] | None = None, search: str = "", limit: int = 200
) -> list[CardRow]:
    """The register, newest first. `search`: part of a serial or a subject."""
    query = sa.select(Card).order_by(Card.id.desc()).limit(limit)
    if role:
        query = query.where(Card.role == role)
    if search:
        like = f"%{search.replace('%', '').replace('_', '')}%"
        query = query.where(sa.or_(Card.serial.ilike(like), Card.subject.ilike(like)))
    return [_card_row(c) for c in db.session.scalars(query)]


def card_row(serial: str) -> CardRow:
    found = card(serial)
    rules.check_known(serial, found)
    assert found is not None
    return _card_row(found)


def _card_row(found: Card) -> CardRow:
    return CardRow(
        card=found,
        lost=loss_of(found.id),
        keeper_id=keeper_of(found.id),
        days_left=(found.valid_until - clock.now()).days,
    )


def cards_seen() -> dict[str, bytes]:
    """Serial → certificate (DER) of every card that a live station has in a reader now."""
    found: dict[str, bytes] = {}
    for row in stations():
        for seen in row.cards if row.present else ():
            if seen.get("certificate"):
                found[str(seen["serial"])] = base64.b64decode(str(seen["certificate"]))
    return found


def certificate_seen(serial: str) -> bytes | None:
    return cards_seen().get(serial)


def unregistered_cards() -> list[tuple[str, str]]:
    """(serial, common name) of cards in readers that the register does not know."""
    return [
        (serial, common_name(certificate))
        for serial, certificate in sorted(cards_seen().items())
        if card(serial) is None
    ]


def jobs_of_card(serial: str, limit: int = 20) -> list[CardJob]:
    query = sa.select(CardJob).where(CardJob.card_serial == serial).order_by(CardJob.id.desc()).limit(limit)
    return list(db.session.scalars(query))


def trust() -> Trust:
    """What this server believes now: roots and revocation lists from its trust folder."""
    settings = current_settings()
    assert settings.trust_dir is not None
    return trust_from(settings.trust_dir, crl_required=settings.crl_required)


def check_registered_card(
    serial: str, role: Literal["maker", "seal"], *, certificate: bytes | None = None, at: datetime
) -> tuple[Card, CertificateVerdict]:
    """The card when it may be used now: known, of that role, not lost, its certificate good (A11).

    `certificate`: what the reader saw, DER; it must be the registered one. Refuses with the reason otherwise.
    """
    found = card(serial)
    rules.check_known(serial, found)
    assert found is not None
    rules.check_role(found.role, role, serial)
    standing.check_usable(found.state, serial)
    if certificate is not None:
        rules.check_same_certificate(found.cert_sha256, fingerprint(certificate), serial)
    return found, check_certificate(found.certificate, trust(), at=at, usage=role)


def cards_of(user_id: int) -> Sequence[Card]:
    """The seal cards that are this person's own, and in use."""
    return db.session.scalars(
        sa.select(Card)
        .where(Card.owner_user_id == user_id, Card.role == "seal", Card.state.in_(standing.USABLE))
        .order_by(Card.id.desc())
    ).all()


def station_holding(serial: str) -> int | None:
    """The station in service whose reader holds the card now."""
    for row in stations():
        if (
            row.station.revoked_at is None
            and row.present
            and any(c.get("serial") == serial for c in row.cards)
        ):
            return row.station.id
    return None


# --- jobs ---


def kind_of_job(job_id: int, station_id: int | None) -> str | None:
    """What a job of this station's is; None for what is not this station's."""
    return db.session.scalar(
        sa.select(CardJob.kind).where(CardJob.id == job_id, CardJob.station_id == station_id)
    )


def job(job_id: int) -> CardJob:
    found = db.session.get(CardJob, job_id)
    if found is None:
        raise NotFound(
            "card_job.unknown",
            zh="没有这个任务，请刷新任务列表",
            en="There is no such job; refresh the list of jobs",
        )
    return found


def open_jobs(station_id: int) -> list[CardJob]:
    """All jobs this station has not ended, oldest first."""
    return list(
        db.session.scalars(
            sa.select(CardJob)
            .where(CardJob.station_id == station_id, CardJob.state.in_(rules.OPEN_STATES))
            .order_by(CardJob.id)
        )
    )


def open_job_ids(station_id: int) -> tuple[int, ...]:
    found = sa.select(CardJob.id).where(
        CardJob.station_id == station_id, CardJob.state.in_(rules.OPEN_STATES)
    )
    return tuple(sorted(db.session.scalars(found)))


def open_job_ids_now(station_id: int) -> tuple[int, ...]:
    """As `open_job_ids`, and lets the session go: for who waits."""
    with reading():
        return open_job_ids(station_id)


def jobs(*, station_id: int | None = None, open_only: bool = False, limit: int = 10) -> list[CardJob]:
    """Jobs, newest first."""
    query = sa.select(CardJob).order_by(CardJob.id.desc()).limit(limit)
    if station_id is not None:
        query = query.where(CardJob.station_id == station_id)
    if open_only:
        query = query.where(CardJob.state.in_(rules.OPEN_STATES))
    return list(db.session.scalars(query))


def open_job_of_card(serial: str, *, besides: Collection[str] = ()) -> CardJob | None:
    """A job that the card waits for, of another kind than these."""
    query = sa.select(CardJob).where(CardJob.card_serial == serial, CardJob.state.in_(rules.OPEN_STATES))
    if besides:
        query = query.where(CardJob.kind.not_in(besides))
    return db.session.scalar(query.order_by(CardJob.id).limit(1))


def open_jobs_of_kind(kind: str) -> list[CardJob]:
    """Those of one kind that no station has ended yet, oldest first."""
    return list(
        db.session.scalars(
            sa.select(CardJob)
            .where(CardJob.kind == kind, CardJob.state.in_(rules.OPEN_STATES))
            .order_by(CardJob.id)
        )
    )


def steps(job_id: int) -> list[CardJobStep]:
    """A job's steps in the order they happened."""
    return list(
        db.session.scalars(
            sa.select(CardJobStep).where(CardJobStep.job_id == job_id).order_by(CardJobStep.id)
        )
    )


def as_job(found: CardJob) -> Job:
    """A job as its station is told of it."""
    return Job(
        job_id=found.id,
        kind=found.kind,
        card_serial=found.card_serial,
        state=found.state,
        operator=Operator(id=found.operator_id, name=found.operator_name),
        created_at=found.created_at,
        summary=kind_of(found.kind).summary(found),
    )
