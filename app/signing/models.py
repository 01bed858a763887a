"""Documents to be sealed, sealings, the register of uses, the register of withdrawals: the rows."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class Document(Base):
    """An uploaded PDF. `digest`: in the object store. `pages`: [[width, height], …] in points, as seen.
    `document_class`: what it is, as whoever handed it in says (A22). `sealed_digest`: the newest sealed revision; the
    next seal goes onto that one, so that those who seal together end with one document (B11)."""

    __tablename__ = "document"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    digest: Mapped[str] = mapped_column(sa.String(80), index=True)
    file_name: Mapped[str] = mapped_column(sa.String(200))
    pages: Mapped[list[Any]]
    uploaded_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    uploaded_at: Mapped[datetime]
    document_class: Mapped[str] = mapped_column(sa.String(20), default="other")
    sealed_digest: Mapped[str | None] = mapped_column(sa.String(80), default=None, index=True)


class Sealing(Base):
    """One seal going onto one document: asked by a person, signed by a card at a station.

    `press_object`, `press_state`: what the press prepared, in the object store and as JSON. `order_id`,
    `order_json`: the signed order as sent, canonical JSON. A new order replaces an expired one. `base_digest`: the
    revision it was prepared on; when another seal came first, it is prepared again. `batch`: those ordered together share it.
    `straddle_pt`: 骑缝章 besides, so far above the lower edge of each page.
    """

    __tablename__ = "sealing"
    __table_args__ = (
        sa.CheckConstraint("state in ('ordered','prepared','sealed','failed','cancelled')", name="state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    document_id: Mapped[int] = mapped_column(sa.ForeignKey("document.id"), index=True)
    seal_id: Mapped[int] = mapped_column(sa.ForeignKey("seal.id"), index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    user_name: Mapped[str] = mapped_column(sa.String(100))
    station_id: Mapped[int] = mapped_column(sa.ForeignKey("station.id"))
    card_serial: Mapped[str] = mapped_column(sa.String(64))
    page: Mapped[int]
    x_pt: Mapped[float]
    y_pt: Mapped[float]
    width_mm: Mapped[float]
    height_mm: Mapped[float]
    ordered_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(sa.String(12), default="ordered")
    ip: Mapped[str | None] = mapped_column(sa.String(64), default=None)
    base_digest: Mapped[str | None] = mapped_column(sa.String(80), default=None)
    batch: Mapped[str | None] = mapped_column(sa.String(32), default=None, index=True)
    straddle_pt: Mapped[float | None] = mapped_column(default=None)
    job_id: Mapped[int | None] = mapped_column(sa.ForeignKey("card_job.id"), unique=True, default=None)
    press_object: Mapped[str | None] = mapped_column(sa.String(80), default=None)
    press_state: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON, default=None)
    order_id: Mapped[str | None] = mapped_column(sa.String(64), unique=True, default=None)
    order_json: Mapped[bytes | None] = mapped_column(sa.LargeBinary, default=None)
    order_expires_at: Mapped[datetime | None] = mapped_column(default=None)
    reason_zh: Mapped[str | None] = mapped_column(sa.String(1000), default=None)
    reason_en: Mapped[str | None] = mapped_column(sa.String(1000), default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class SealUse(Base):
    """用印登记: one row a seal on a document, append-only. Person and card (A18), file (A24), computer.

    `signature_id`: digest of what the card signed, with its algorithm (D8). `host`, `mac`: reported by the
    station under its signature. `name` columns repeat what was true then.
    """

    __tablename__ = "seal_use"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    sealing_id: Mapped[int] = mapped_column(sa.ForeignKey("sealing.id"), unique=True)
    seal_id: Mapped[int] = mapped_column(sa.ForeignKey("seal.id"), index=True)
    es_id: Mapped[str] = mapped_column(sa.String(64))
    seal_name: Mapped[str] = mapped_column(sa.String(200))
    unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"), index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    user_name: Mapped[str] = mapped_column(sa.String(100))
    card_serial: Mapped[str] = mapped_column(sa.String(64), index=True)
    document_digest: Mapped[str] = mapped_column(sa.String(80), index=True)
    sealed_digest: Mapped[str] = mapped_column(sa.String(80), index=True)
    file_name: Mapped[str] = mapped_column(sa.String(200))
    signature_id: Mapped[str] = mapped_column(sa.String(80), unique=True)
    signature_alg: Mapped[str] = mapped_column(sa.String(40))
    at: Mapped[datetime] = mapped_column(index=True)
    station_id: Mapped[int] = mapped_column(sa.ForeignKey("station.id"))
    host: Mapped[str] = mapped_column(sa.String(255))
    mac: Mapped[str] = mapped_column(sa.String(64))
    ip: Mapped[str | None] = mapped_column(sa.String(64), default=None)
    grant_id: Mapped[int | None] = mapped_column(sa.ForeignKey("seal_grant.id"), default=None, index=True)
    document_class: Mapped[str] = mapped_column(sa.String(20), default="other")


class Withdrawal(Base):
    """撤章: one row a withdrawn signature, append-only; every verification that can, asks (D5)."""

    __tablename__ = "withdrawal"

    signature_id: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    seal_use_id: Mapped[int] = mapped_column(sa.ForeignKey("seal_use.id"), unique=True)
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(sa.String(500))
    by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    by_name: Mapped[str] = mapped_column(sa.String(100))


class DocumentTaking(Base):
    """That a sealed document was taken out of the house, by whom: from then on it counts as sent (D5). Append-only."""

    __tablename__ = "document_taking"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    sealed_digest: Mapped[str] = mapped_column(sa.String(80), index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    at: Mapped[datetime]


class WithdrawalRequest(Base):
    """撤章 that somebody asked for (D5). `sent`: as it stood when it was asked. `state`: open, done, refused, cancelled.
    `answer`: what was said by whoever decided. At most one open a use."""

    __tablename__ = "withdrawal_request"
    __table_args__ = (
        sa.Index(
            "uq_withdrawal_request_open",
            "seal_use_id",
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    seal_use_id: Mapped[int] = mapped_column(sa.ForeignKey("seal_use.id"))
    reason: Mapped[str] = mapped_column(sa.String(500))
    sent: Mapped[bool]
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    asked_by_name: Mapped[str] = mapped_column(sa.String(100))
    asked_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(sa.String(10), default="open")
    instance_id: Mapped[int | None] = mapped_column(default=None)
    agreed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    agreed_by_name: Mapped[str] = mapped_column(sa.String(100), default="")
    answer: Mapped[str] = mapped_column(sa.String(500), default="")


class UseRequest(Base):
    """用印申请: one seal on one document, so many times, asked for and decided on (A22). `presser`: who presses it, the
    asker (self) or the seal's users (keeper). `state`: open, agreed, used, refused, cancelled, expired. At most one is
    under way for a seal on a document."""

    __tablename__ = "use_request"
    __table_args__ = (
        sa.Index(
            "uq_use_request_open",
            "document_id",
            "seal_id",
            unique=True,
            sqlite_where=sa.text("state in ('open','agreed')"),
            postgresql_where=sa.text("state in ('open','agreed')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    document_id: Mapped[int] = mapped_column(sa.ForeignKey("document.id"), index=True)
    seal_id: Mapped[int] = mapped_column(sa.ForeignKey("seal.id"), index=True)
    purpose: Mapped[str] = mapped_column(sa.String(500))
    uses: Mapped[int]
    presser: Mapped[str] = mapped_column(sa.String(10))
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    asked_by_name: Mapped[str] = mapped_column(sa.String(100))
    asked_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(sa.String(10), default="open")
    instance_id: Mapped[int | None] = mapped_column(default=None)
    grant_id: Mapped[int | None] = mapped_column(sa.ForeignKey("seal_grant.id"), default=None, unique=True)
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    decided_by_name: Mapped[str] = mapped_column(sa.String(100), default="")
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    answer: Mapped[str] = mapped_column(sa.String(500), default="")
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
