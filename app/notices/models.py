"""Tables: what each person was told, how far we have read, what each wishes, and what is sent outside."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class Notice(Base):
    """One person is told of one happening, once: `key` names the happening."""

    __tablename__ = "notice"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "key"),
        sa.Index("ix_notice_user_id_read_at", "user_id", "read_at", "id"),
        sa.Index("ix_notice_task_id", "task_id", "read_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    user_id: Mapped[int]
    kind: Mapped[str] = mapped_column(sa.String(20))
    """One of `kinds.KINDS`."""
    key: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[datetime]
    """When it happened; `made_at`: when we told."""
    made_at: Mapped[datetime] = mapped_column(index=True)
    instance_id: Mapped[int | None]
    task_id: Mapped[int | None]
    title: Mapped[str] = mapped_column(sa.String(200))
    step_zh: Mapped[str] = mapped_column(sa.String(200))
    step_en: Mapped[str] = mapped_column(sa.String(200))
    who: Mapped[str] = mapped_column(sa.String(120))
    """Whose act it was; empty for the system's."""
    said_zh: Mapped[str] = mapped_column(sa.Text)
    said_en: Mapped[str] = mapped_column(sa.Text)
    """The reason, note or message, in their words."""
    shown: Mapped[bool]
    """Whether it is shown in the product; else it is only sent outside."""
    read_at: Mapped[datetime | None] = mapped_column(default=None)


class NoticeCursor(Base):
    """How far a source was read for good (`floor`), and the mark that the floor moves to next (`cursor.py`)."""

    __tablename__ = "notice_cursor"

    source: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    floor: Mapped[int]
    mark: Mapped[int | None] = mapped_column(default=None)
    mark_xid: Mapped[int | None] = mapped_column(sa.BigInteger, default=None)
    """PostgreSQL: the first transaction id that was not given out yet when the mark was set."""
    marked_at: Mapped[datetime | None] = mapped_column(default=None)


class NoticeSeen(Base):
    """A row above the floor that was dealt with."""

    __tablename__ = "notice_seen"

    source: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    row_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class NoticeProfile(Base):
    """What a person wishes to be told, where, and how often. No row: `kinds.USUAL`."""

    __tablename__ = "notice_profile"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), primary_key=True)
    language: Mapped[str] = mapped_column(sa.String(2))
    mail: Mapped[str] = mapped_column(sa.String(254))
    webhook: Mapped[str] = mapped_column(sa.String(500))
    webhook_number: Mapped[int]
    """Counts the secrets that the webhook had."""
    pace: Mapped[str] = mapped_column(sa.String(10))
    """Of mail: `at_once`, `hourly`, `daily`."""
    choices: Mapped[dict[str, Any]]
    """Kind → channels."""


class NoticeDelivery(Base):
    """A notice on its way outside, once for each channel. `status`: `waiting`, `sending`, `sent`,
    `failed`, `dropped` (read in the product, or dealt with, before it was due)."""

    __tablename__ = "notice_delivery"
    __table_args__ = (
        sa.UniqueConstraint("notice_id", "channel"),
        sa.Index("ix_notice_delivery_status_due_at", "status", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    notice_id: Mapped[int] = mapped_column(sa.ForeignKey("notice.id"))
    user_id: Mapped[int]
    channel: Mapped[str] = mapped_column(sa.String(10))
    status: Mapped[str] = mapped_column(sa.String(10))
    due_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(sa.Text, default="")
    changed_at: Mapped[datetime | None] = mapped_column(default=None)


class NoticeChannel(Base):
    """How a way outside does: when it last worked, what last went wrong, until when it rests."""

    __tablename__ = "notice_channel"

    channel: Mapped[str] = mapped_column(sa.String(10), primary_key=True)
    ok_at: Mapped[datetime | None] = mapped_column(default=None)
    error: Mapped[str] = mapped_column(sa.Text, default="")
    error_at: Mapped[datetime | None] = mapped_column(default=None)
    rests_until: Mapped[datetime | None] = mapped_column(default=None)
