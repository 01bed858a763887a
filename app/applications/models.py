"""Tables: applications, and the counter of their numbers."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import now
from app.db import Base


class Application(Base):
    """An application for a seal. `unit_id`: the unit it is for (the owner's own, for a person's seal).

    `scan`, `impression`: references of sealed envelopes in the object store, bound to `uid`.
    `fields`: the kind's own answers. `returned_reason`: of the last time it was sent back.
    """

    __tablename__ = "application"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    uid: Mapped[str] = mapped_column(sa.String(32), unique=True)
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(30))
    seal_name: Mapped[str] = mapped_column(sa.String(200))
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("unit.id"), index=True)
    applicant_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    keeping: Mapped[str] = mapped_column(sa.String(20))
    size: Mapped[str] = mapped_column(sa.String(30))
    width_mm: Mapped[float]
    height_mm: Mapped[float]
    fields: Mapped[dict[str, Any]]
    scan: Mapped[str] = mapped_column(sa.String(80))
    scan_name: Mapped[str] = mapped_column(sa.String(200))
    impression: Mapped[str] = mapped_column(sa.String(80))
    owner_unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"), default=None)
    owner_user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    status: Mapped[str] = mapped_column(sa.String(20), default="submitted")
    returned_reason: Mapped[str] = mapped_column(sa.String(500), default="")
    revision: Mapped[int] = mapped_column(default=1)
    instance_id: Mapped[int | None] = mapped_column(default=None)
    submitted_at: Mapped[datetime] = mapped_column(default_factory=now)
    decided_at: Mapped[datetime | None] = mapped_column(default=None)


class ApplicationCounter(Base):
    """The last number given in a year."""

    __tablename__ = "application_counter"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(default=0)
