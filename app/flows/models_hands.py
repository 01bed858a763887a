"""Tables: who stands in for whom, what was handed on, who was told, and which days are worked."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class FlowSubstitution(Base):
    """代理 and 离职: between two moments `substitute_id` may do what comes to `user_id`, on their behalf. Never
    deleted; it lapses at `valid_until`. `kind`: `absent` (all that a person and their roles may do, while the person
    is there to answer for it) or `left` (only what is filed under the person, who is gone for good)."""

    __tablename__ = "flow_substitution"
    __table_args__ = (
        sa.Index("ix_flow_substitution_substitute_id", "substitute_id", "valid_until"),
        sa.Index("ix_flow_substitution_user_id", "user_id", "valid_until"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    kind: Mapped[str] = mapped_column(sa.String(10))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    substitute_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    flow_key: Mapped[str | None] = mapped_column(sa.String(80))
    """The one flow it is for; None: all."""
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(sa.Text)
    set_at: Mapped[datetime]
    set_by_id: Mapped[int | None]
    set_by_name: Mapped[str] = mapped_column(sa.String(120))


class FlowHanding(Base):
    """A task went from one person to another. `kind`: `handed` (转办), `asked` (委派: it comes back), `left` (离职)."""

    __tablename__ = "flow_handing"
    __table_args__ = (sa.Index("ix_flow_handing_to_id", "to_id", "task_id"),)

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    task_id: Mapped[int] = mapped_column(sa.ForeignKey("flow_task.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(10))
    from_id: Mapped[int | None]
    from_name: Mapped[str] = mapped_column(sa.String(120))
    to_id: Mapped[int]
    to_name: Mapped[str] = mapped_column(sa.String(120))
    reason: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    """When one who was asked answered, or was called back."""
    answer: Mapped[str | None] = mapped_column(sa.Text, default=None)


class FlowCopy(Base):
    """抄送: a person is told of a step, and may look at the instance. No right to act comes with it."""

    __tablename__ = "flow_copy"
    __table_args__ = (sa.Index("ix_flow_copy_user_id", "user_id", "read_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    instance_id: Mapped[int] = mapped_column(sa.ForeignKey("flow_instance.id"), index=True)
    user_id: Mapped[int]
    label_zh: Mapped[str] = mapped_column(sa.String(200))
    label_en: Mapped[str] = mapped_column(sa.String(200))
    """The step it tells of."""
    from_name: Mapped[str] = mapped_column(sa.String(120))
    note: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[datetime]
    read_at: Mapped[datetime | None] = mapped_column(default=None)


class FlowNudge(Base):
    """催办, and reminders by a timeout: whoever holds the open task is told that somebody waits."""

    __tablename__ = "flow_nudge"
    __table_args__ = (sa.Index("ix_flow_nudge_task_id", "task_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    task_id: Mapped[int] = mapped_column(sa.ForeignKey("flow_task.id"))
    at: Mapped[datetime]
    by_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(sa.String(120))
    note: Mapped[str] = mapped_column(sa.Text)


class CalendarDay(Base):
    """A day that differs from the week: a holiday, or a weekend that is worked (调休)."""

    __tablename__ = "calendar_day"

    day: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    working: Mapped[bool]
    name: Mapped[str] = mapped_column(sa.String(80))
