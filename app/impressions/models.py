"""Tables: impressions, and what happened to them as records (a state is a row that says who, when and why)."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import now
from app.db import Base


class ImpressionName(Base):
    """One row for each owner, kind and name: the lock that serialises who is effective."""

    __tablename__ = "impression_name"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    owner_key: Mapped[str] = mapped_column(sa.String(40))
    kind: Mapped[str] = mapped_column(sa.String(30))
    name: Mapped[str] = mapped_column(sa.String(200))

    __table_args__ = (sa.UniqueConstraint("owner_key", "kind", "name"),)


class Impression(Base):
    """An approved impression. `owner_key`: `unit:3` or `user:7`. `digest`: of the clear PNG; `envelope`: the
    ciphertext's digest in the object store. Effective from `valid_from` without end (A6)."""

    __tablename__ = "impression"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    owner_key: Mapped[str] = mapped_column(sa.String(40))
    kind: Mapped[str] = mapped_column(sa.String(30))
    name: Mapped[str] = mapped_column(sa.String(200))
    width_mm: Mapped[float]
    height_mm: Mapped[float]
    digest: Mapped[str] = mapped_column(sa.String(80))
    envelope: Mapped[str] = mapped_column(sa.String(80))
    valid_from: Mapped[datetime] = mapped_column(default_factory=now)
    effective: Mapped[bool] = mapped_column(default=True)
    owner_unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"), default=None, index=True)
    owner_user_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user_account.id"), default=None, index=True
    )
    registered_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)

    __table_args__ = (
        # A9, guaranteed by the database itself
        sa.Index(
            "uq_impression_effective",
            "owner_key",
            "kind",
            "name",
            unique=True,
            sqlite_where=sa.text("effective = 1"),
            postgresql_where=sa.text("effective"),
        ),
        sa.CheckConstraint("(owner_unit_id IS NULL) <> (owner_user_id IS NULL)", name="one_owner"),
        sa.CheckConstraint("width_mm > 0 AND height_mm > 0", name="has_size"),
    )


class ImpressionLikeness(Base):
    """What tells two impressions alike, in a sealed envelope: it shows a seal's layout."""

    __tablename__ = "impression_likeness"

    impression_id: Mapped[int] = mapped_column(
        sa.ForeignKey("impression.id"), primary_key=True, autoincrement=False
    )
    sealed: Mapped[bytes] = mapped_column(sa.LargeBinary)


class ImpressionEvent(Base):
    """What was done to an impression: suspended, resumed, displaced, destroyed. Only ever appended."""

    __tablename__ = "impression_event"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    impression_id: Mapped[int] = mapped_column(sa.ForeignKey("impression.id"), index=True)
    verb: Mapped[str] = mapped_column(sa.String(20))
    reason: Mapped[str] = mapped_column(sa.String(500))
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    by_name: Mapped[str] = mapped_column(sa.String(100), default="")
    witness: Mapped[str] = mapped_column(sa.String(100), default="")
    at: Mapped[datetime] = mapped_column(default_factory=now)


class ImpressionChange(Base):
    """A change that somebody asked for (A7, D3, D4). `verb`: suspend, resume, destroy. `seals`: what becomes of the seals
    made from it: keep, suspend, cancel. `state`: open, done, refused, cancelled. `answer`: what the seal office said."""

    __tablename__ = "impression_change"
    __table_args__ = (
        sa.Index(
            "uq_impression_change_open",
            "impression_id",
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    impression_id: Mapped[int] = mapped_column(sa.ForeignKey("impression.id"))
    verb: Mapped[str] = mapped_column(sa.String(20))
    reason: Mapped[str] = mapped_column(sa.String(500))
    seals: Mapped[str] = mapped_column(sa.String(10))
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    asked_by_name: Mapped[str] = mapped_column(sa.String(100))
    asked_at: Mapped[datetime] = mapped_column(default_factory=now)
    state: Mapped[str] = mapped_column(sa.String(10), default="open")
    instance_id: Mapped[int | None] = mapped_column(default=None)
    agreed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    agreed_by_name: Mapped[str] = mapped_column(sa.String(100), default="")
    agreed_at: Mapped[datetime | None] = mapped_column(default=None)
    answer: Mapped[str] = mapped_column(sa.String(500), default="")


class ImpressionOpening(Base):
    """That the sealed sample of a destroyed impression is opened (D3): asked by one, agreed by another, until a moment."""

    __tablename__ = "impression_opening"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    impression_id: Mapped[int] = mapped_column(sa.ForeignKey("impression.id"), index=True)
    reason: Mapped[str] = mapped_column(sa.String(500))
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    asked_by_name: Mapped[str] = mapped_column(sa.String(100))
    asked_at: Mapped[datetime] = mapped_column(default_factory=now)
    agreed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    agreed_by_name: Mapped[str] = mapped_column(sa.String(100), default="")
    agreed_at: Mapped[datetime | None] = mapped_column(default=None)
    open_until: Mapped[datetime | None] = mapped_column(default=None)
