"""Documents to be sealed, sealings, the register of uses, the register of withdrawals: the rows."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class Document(Base):
    """An uploaded PDF. `digest`: in the object store. `pages`: [[width, height], …] in points, as seen."""

    __tablename__ = "document"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    digest: Mapped[str] = mapped_column(sa.String(80), index=True)
    file_name: Mapped[str] = mapped_column(sa.String(200))
    pages: Mapped[list[Any]]
    uploaded_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    uploaded_at: Mapped[datetime]


class Sealing(Base):
    """One seal going onto one document: asked by a person, signed by a card at a station.

    `press_object`, `press_state`: what the press prepared, in the object store and as JSON. `order_id`,
    `order_json`: the signed order as sent, canonical JSON. A new order replaces an expired one.
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


class Withdrawal(Base):
    """撤章: one row a withdrawn signature, append-only; every verification that can, asks (D5)."""

    __tablename__ = "withdrawal"

    signature_id: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    seal_use_id: Mapped[int] = mapped_column(sa.ForeignKey("seal_use.id"), unique=True)
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(sa.String(500))
    by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    by_name: Mapped[str] = mapped_column(sa.String(100))
