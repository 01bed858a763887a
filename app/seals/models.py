"""Seals, how they were made, given out and authorised: the rows. State is a record, not a flag."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base

OPEN = "ended_at IS NULL"


class SealMaking(Base):
    """What one job's ritual holds: at most one seal a job, whatever is repeated.

    `order_json`, `token_json`: the signed order and write token as sent, canonical JSON. `seal_info`: what
    the maker card signs. `seal_object`, `envelope_object`: digests in the object store; the SESeal lies there
    sealed by the vault, the envelope as the card holds it. `seq`: how often a seal was written to this card.
    `written_at`: the station's receipt was verified.
    """

    __tablename__ = "seal_making"

    job_id: Mapped[int] = mapped_column(sa.ForeignKey("card_job.id"), primary_key=True)
    es_id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    impression_id: Mapped[int] = mapped_column(sa.ForeignKey("impression.id"))
    card_serial: Mapped[str] = mapped_column(sa.String(64))
    card_cert_sha256: Mapped[str] = mapped_column(sa.String(64))
    maker_serial: Mapped[str] = mapped_column(sa.String(64))
    seq: Mapped[int]
    order_id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    order_json: Mapped[bytes] = mapped_column(sa.LargeBinary)
    seal_info: Mapped[bytes] = mapped_column(sa.LargeBinary)
    expires_at: Mapped[datetime]
    seal_sha256: Mapped[str | None] = mapped_column(sa.String(64), default=None)
    seal_object: Mapped[str | None] = mapped_column(sa.String(80), default=None)
    envelope_object: Mapped[str | None] = mapped_column(sa.String(80), default=None)
    envelope_sha256: Mapped[str | None] = mapped_column(sa.String(64), default=None)
    token_json: Mapped[bytes | None] = mapped_column(sa.LargeBinary, default=None)
    token_expires_at: Mapped[datetime | None] = mapped_column(default=None)
    receipt: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON, default=None)
    written_at: Mapped[datetime | None] = mapped_column(default=None)


class Seal(Base):
    """An electronic seal on a card. `card_cert_sha256` binds it to the card's key; `keeping` is the card's.
    `by_request`: each use of it is asked for and agreed to first (A22).

    `maker_name`, `operator_*`: the institution that made it and the person who stood there (D2).
    """

    __tablename__ = "seal"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    es_id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    job_id: Mapped[int] = mapped_column(sa.ForeignKey("card_job.id"), unique=True)
    impression_id: Mapped[int] = mapped_column(sa.ForeignKey("impression.id"), index=True)
    application_id: Mapped[int | None]
    kind: Mapped[str] = mapped_column(sa.String(30))
    name: Mapped[str] = mapped_column(sa.String(200))
    keeping: Mapped[str] = mapped_column(sa.String(10))
    card_serial: Mapped[str] = mapped_column(sa.String(64), index=True)
    card_cert_sha256: Mapped[str] = mapped_column(sa.String(64))
    maker_serial: Mapped[str] = mapped_column(sa.String(64))
    maker_name: Mapped[str] = mapped_column(sa.String(300))
    operator_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    operator_name: Mapped[str] = mapped_column(sa.String(100))
    seal_sha256: Mapped[str] = mapped_column(sa.String(64))
    seal_object: Mapped[str] = mapped_column(sa.String(80))
    width_mm: Mapped[float]
    height_mm: Mapped[float]
    made_at: Mapped[datetime]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    owner_unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"), default=None, index=True)
    owner_user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)
    use_count: Mapped[int] = mapped_column(default=0)
    by_request: Mapped[bool] = mapped_column(default=False)


class SealIssue(Base):
    """A hand-over: who collected it, with which document, for whom. The collector gains no right to use. It ends with
    `returned_at`: the seal came back, and may be handed out again."""

    __tablename__ = "seal_issue"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    seal_id: Mapped[int] = mapped_column(sa.ForeignKey("seal.id"), index=True)
    collector_name: Mapped[str] = mapped_column(sa.String(100))
    collector_document: Mapped[str] = mapped_column(sa.String(200))
    on_behalf_of: Mapped[str] = mapped_column(sa.String(200))
    collected_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    by_name: Mapped[str] = mapped_column(sa.String(100))
    returned_at: Mapped[datetime | None] = mapped_column(default=None)
    returned_reason: Mapped[str | None] = mapped_column(sa.String(500), default=None)
    returned_by_name: Mapped[str | None] = mapped_column(sa.String(100), default=None)


class SealSuspension(Base):
    """停用: from `at` until `ended_at`; at most one open row a seal."""

    __tablename__ = "seal_suspension"
    __table_args__ = (
        sa.Index(
            "uq_seal_suspension_open",
            "seal_id",
            unique=True,
            sqlite_where=sa.text(OPEN),
            postgresql_where=sa.text(OPEN),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    seal_id: Mapped[int] = mapped_column(sa.ForeignKey("seal.id"))
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(sa.String(500))
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    by_name: Mapped[str] = mapped_column(sa.String(100))
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_reason: Mapped[str | None] = mapped_column(sa.String(500), default=None)
    ended_by_name: Mapped[str | None] = mapped_column(sa.String(100), default=None)


class SealCancellation(Base):
    """注销: final."""

    __tablename__ = "seal_cancellation"

    seal_id: Mapped[int] = mapped_column(sa.ForeignKey("seal.id"), primary_key=True)
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(sa.String(500))
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    by_name: Mapped[str] = mapped_column(sa.String(100))


class SealFiling(Base):
    """备案 with the authority that files seals: its number, since when. A seal without one is for use inside only (D1)."""

    __tablename__ = "seal_filing"

    seal_id: Mapped[int] = mapped_column(sa.ForeignKey("seal.id"), primary_key=True)
    number: Mapped[str] = mapped_column(sa.String(60), unique=True)
    authority: Mapped[str] = mapped_column(sa.String(100))
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    by_name: Mapped[str] = mapped_column(sa.String(100))


class SealGrant(Base):
    """Who may use a seal: one person, or whoever holds a role for a unit; from when until when; for which
    functions (A21). `document_digest`: only this one document; `document_classes`: only documents of these classes;
    `uses_allowed`: only so often, counted in `used` (A22). None: any, without end. `because`: the reason."""

    __tablename__ = "seal_grant"
    __table_args__ = (
        sa.CheckConstraint("(user_id is null) <> (role is null)", name="to_person_or_role"),
        sa.CheckConstraint("(role is null) = (unit_id is null)", name="role_for_unit"),
        sa.CheckConstraint("uses_allowed is null or used <= uses_allowed", name="not_used_too_often"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    seal_id: Mapped[int] = mapped_column(sa.ForeignKey("seal.id"), index=True)
    functions: Mapped[list[str]]
    valid_from: Mapped[datetime]
    granted_at: Mapped[datetime]
    granted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    granted_by_name: Mapped[str] = mapped_column(sa.String(100))
    because: Mapped[str] = mapped_column(sa.String(300))
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    role: Mapped[str | None] = mapped_column(sa.String(40), default=None)
    unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"), default=None)
    valid_until: Mapped[datetime | None] = mapped_column(default=None)
    document_digest: Mapped[str | None] = mapped_column(sa.String(80), default=None)
    document_classes: Mapped[list[str] | None] = mapped_column(default=None)
    uses_allowed: Mapped[int | None] = mapped_column(default=None)
    used: Mapped[int] = mapped_column(default=0)


class GrantWithdrawal(Base):
    """A grant taken back; it counts from the next use on."""

    __tablename__ = "grant_withdrawal"

    grant_id: Mapped[int] = mapped_column(sa.ForeignKey("seal_grant.id"), primary_key=True)
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(sa.String(500))
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    by_name: Mapped[str] = mapped_column(sa.String(100))


class SealRemaking(Base):
    """补办、换发: a seal is to be made again. `cause`: lost, expiring, damaged. `state`: open, done, refused, cancelled.
    At most one open a seal, and at most one that the system asked for because it ends."""

    __tablename__ = "seal_remaking"
    __table_args__ = (
        sa.Index(
            "uq_seal_remaking_open",
            "seal_id",
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
        sa.Index(
            "uq_seal_remaking_expiring",
            "seal_id",
            unique=True,
            sqlite_where=sa.text("cause = 'expiring' AND asked_by_id IS NULL"),
            postgresql_where=sa.text("cause = 'expiring' AND asked_by_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    seal_id: Mapped[int] = mapped_column(sa.ForeignKey("seal.id"))
    cause: Mapped[str] = mapped_column(sa.String(20))
    reason: Mapped[str] = mapped_column(sa.String(500))
    asked_by_name: Mapped[str] = mapped_column(sa.String(100))
    asked_at: Mapped[datetime]
    asked_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    state: Mapped[str] = mapped_column(sa.String(10), default="open")
    instance_id: Mapped[int | None] = mapped_column(default=None)
    agreed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    agreed_by_name: Mapped[str] = mapped_column(sa.String(100), default="")
    answer: Mapped[str] = mapped_column(sa.String(500), default="")
    new_seal_id: Mapped[int | None] = mapped_column(sa.ForeignKey("seal.id"), default=None, unique=True)


class SealChange(Base):
    """停用、启用、注销 that somebody asked for (D1). `verb`: suspend, resume, cancel. `state`: open, done, refused, cancelled.
    `answer`: what the seal office said. At most one open a seal."""

    __tablename__ = "seal_change"
    __table_args__ = (
        sa.Index(
            "uq_seal_change_open",
            "seal_id",
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    seal_id: Mapped[int] = mapped_column(sa.ForeignKey("seal.id"))
    verb: Mapped[str] = mapped_column(sa.String(10))
    reason: Mapped[str] = mapped_column(sa.String(500))
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    asked_by_name: Mapped[str] = mapped_column(sa.String(100))
    asked_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(sa.String(10), default="open")
    instance_id: Mapped[int | None] = mapped_column(default=None)
    agreed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    agreed_by_name: Mapped[str] = mapped_column(sa.String(100), default="")
    answer: Mapped[str] = mapped_column(sa.String(500), default="")


class CardLogin(Base):
    """Somebody at a login page says who they are, and their card is asked to prove it (A21, A23). `token_hash`: SHA-256 of what
    that browser alone holds. `code`: shown there and at the station. `state`: open, proved, used, ended."""

    __tablename__ = "card_login"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True, repr=False)
    card_serial: Mapped[str] = mapped_column(sa.String(64), index=True)
    code: Mapped[str] = mapped_column(sa.String(4))
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ip: Mapped[str | None] = mapped_column(sa.String(64), default=None)
    state: Mapped[str] = mapped_column(sa.String(10), default="open")
    job_id: Mapped[int | None] = mapped_column(sa.ForeignKey("card_job.id"), default=None, unique=True)
    order_id: Mapped[str | None] = mapped_column(sa.String(64), default=None)
    order_json: Mapped[bytes | None] = mapped_column(sa.LargeBinary, default=None)
