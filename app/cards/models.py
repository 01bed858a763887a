"""Stations, cards, jobs: the rows."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class Station(Base):
    """A card station: one agent program with a key of its own. `public_key`: raw Ed25519, None until the
    one-time code is redeemed. `host`, `mac`: signed reports of the agent, never observed (A24)."""

    __tablename__ = "station"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    name: Mapped[str] = mapped_column(sa.String(100), unique=True)
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("unit.id"))
    enrolled_at: Mapped[datetime | None] = mapped_column(default=None)
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)
    key_alg: Mapped[str] = mapped_column(sa.String(20), default="ed25519")
    public_key: Mapped[bytes | None] = mapped_column(sa.LargeBinary, default=None)
    host: Mapped[str | None] = mapped_column(sa.String(255), default=None)
    mac: Mapped[str | None] = mapped_column(sa.String(17), default=None)
    agent_version: Mapped[str | None] = mapped_column(sa.String(40), default=None)


class StationPresence(Base):
    """A station's last sign of life; overwritten by each heartbeat, so it is no record (`presence.py`)."""

    __tablename__ = "station_presence"

    station_id: Mapped[int] = mapped_column(sa.ForeignKey("station.id"), primary_key=True)
    seen_at: Mapped[datetime]
    cards: Mapped[list[Any]]
    ip: Mapped[str | None] = mapped_column(sa.String(64), default=None)


class StationNonce(Base):
    """A nonce a station has used; a second use is a replay. Old ones are swept once their time is stale."""

    __tablename__ = "station_nonce"

    station_id: Mapped[int] = mapped_column(sa.ForeignKey("station.id"), primary_key=True)
    nonce: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    used_at: Mapped[datetime] = mapped_column(index=True)


class EnrolmentCode(Base):
    """A one-time code, kept only as its hash (`hash_alg`: sha256 of 160 random bits needs no stretching)."""

    __tablename__ = "enrolment_code"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    station_id: Mapped[int] = mapped_column(sa.ForeignKey("station.id"))
    code_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    hash_alg: Mapped[str] = mapped_column(sa.String(20), default="sha256")
    used_at: Mapped[datetime | None] = mapped_column(default=None)


class Card(Base):
    """A card in the inventory. `role`: maker or seal. `keeping`: unit (单独 USBKEY) or personal (A18, A19).

    A maker card is its institution's (`owner_unit_id`); the person who has it in hand is a `Custody` (D2).
    """

    __tablename__ = "card"
    __table_args__ = (
        sa.CheckConstraint("role in ('maker', 'seal')", name="role"),
        sa.CheckConstraint("keeping in ('unit', 'personal')", name="keeping"),
        sa.CheckConstraint("owner_unit_id is not null or owner_user_id is not null", name="owned"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    serial: Mapped[str] = mapped_column(sa.String(64), unique=True)
    role: Mapped[str] = mapped_column(sa.String(10))
    keeping: Mapped[str] = mapped_column(sa.String(10))
    certificate: Mapped[bytes] = mapped_column(sa.LargeBinary)
    cert_sha256: Mapped[str] = mapped_column(sa.String(64), unique=True)
    subject: Mapped[str] = mapped_column(sa.String(500))
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    registered_at: Mapped[datetime]
    registered_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    owner_unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"), default=None)
    owner_user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    state: Mapped[str] = mapped_column(sa.String(20), default="enrolled", server_default="enrolled")
    """How it stands (`standing.py`)."""


class CardMove(Base):
    """That a card came to stand otherwise: from what to what, when, why and by whom."""

    __tablename__ = "card_move"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    card_id: Mapped[int] = mapped_column(sa.ForeignKey("card.id"), index=True)
    before: Mapped[str] = mapped_column(sa.String(20))
    after: Mapped[str] = mapped_column(sa.String(20))
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(sa.String(500))
    by_name: Mapped[str] = mapped_column(sa.String(100))


class CardLoss(Base):
    """挂失: the card is lost from `at` on; nothing may be made on it or sealed with it any more. `since`: when it was last
    known to be in hand; what was done with it between the two may be another's doing (D14). None: nobody can say."""

    __tablename__ = "card_loss"

    card_id: Mapped[int] = mapped_column(sa.ForeignKey("card.id"), primary_key=True)
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(sa.String(500))
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    since: Mapped[datetime | None] = mapped_column(default=None)


class Custody(Base):
    """Who has a maker card in hand, from when until when. At most one open row a card."""

    __tablename__ = "custody"
    __table_args__ = (
        sa.Index(
            "uq_custody_open",
            "card_id",
            unique=True,
            sqlite_where=sa.text("returned_at IS NULL"),
            postgresql_where=sa.text("returned_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    card_id: Mapped[int] = mapped_column(sa.ForeignKey("card.id"))
    keeper_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    taken_at: Mapped[datetime]
    returned_at: Mapped[datetime | None] = mapped_column(default=None)


class CardJob(Base):
    """Something a station was asked to do. `state`: ordered → begun → authorised → done | failed | cancelled.

    `operator_id`: the person who asked for it and stands at the station (D2). `payload`: what the kind
    needs, JSON. `held`: what the kind keeps between its steps, JSON. `outcome`: the station's last word.
    """

    __tablename__ = "card_job"
    __table_args__ = (sa.Index("ix_card_job_station_state", "station_id", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    kind: Mapped[str] = mapped_column(sa.String(40))
    station_id: Mapped[int] = mapped_column(sa.ForeignKey("station.id"))
    card_serial: Mapped[str] = mapped_column(sa.String(64), index=True)
    operator_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    operator_name: Mapped[str] = mapped_column(sa.String(100))
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(sa.String(12), default="ordered")
    held: Mapped[dict[str, Any]] = mapped_column(default_factory=dict[str, Any])
    outcome: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON, default=None)
    reason_zh: Mapped[str | None] = mapped_column(sa.String(1000), default=None)
    reason_en: Mapped[str | None] = mapped_column(sa.String(1000), default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class CardJobStep(Base):
    """One step of a job as it happened, for the station's page and the ledger. Append-only."""

    __tablename__ = "card_job_step"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    job_id: Mapped[int] = mapped_column(sa.ForeignKey("card_job.id"), index=True)
    at: Mapped[datetime]
    step: Mapped[str] = mapped_column(sa.String(40))
    note_zh: Mapped[str] = mapped_column(sa.String(1000), default="")
    note_en: Mapped[str] = mapped_column(sa.String(1000), default="")


class CardUnlock(Base):
    """解锁: a card's PIN is to be given anew. `state`: open, done, refused. `order_json`: the station's signed order, canonical
    JSON, as long as it serves."""

    __tablename__ = "card_unlock"
    __table_args__ = (
        sa.Index(
            "uq_card_unlock_open",
            "card_id",
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    card_id: Mapped[int] = mapped_column(sa.ForeignKey("card.id"))
    reason: Mapped[str] = mapped_column(sa.String(500))
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    asked_by_name: Mapped[str] = mapped_column(sa.String(100))
    asked_at: Mapped[datetime]
    agreed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    agreed_by_name: Mapped[str] = mapped_column(sa.String(100), default="")
    state: Mapped[str] = mapped_column(sa.String(10), default="open")
    job_id: Mapped[int | None] = mapped_column(sa.ForeignKey("card_job.id"), default=None)
    order_json: Mapped[bytes | None] = mapped_column(sa.LargeBinary, default=None)


class CardDestruction(Base):
    """监销: a card is to be destroyed by two people. `state`: open, done, refused, cancelled. `answer`: why it was not done.
    At most one is open for a card."""

    __tablename__ = "card_destruction"
    __table_args__ = (
        sa.Index(
            "uq_card_destruction_open",
            "card_id",
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    card_id: Mapped[int] = mapped_column(sa.ForeignKey("card.id"))
    reason: Mapped[str] = mapped_column(sa.String(500))
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    asked_by_name: Mapped[str] = mapped_column(sa.String(100))
    asked_at: Mapped[datetime]
    witness_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    witness_name: Mapped[str] = mapped_column(sa.String(100), default="")
    state: Mapped[str] = mapped_column(sa.String(10), default="open")
    answer: Mapped[str] = mapped_column(sa.String(500), default="")
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    instance_id: Mapped[int | None] = mapped_column(default=None)
