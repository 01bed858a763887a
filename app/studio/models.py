"""The tables of the studio: drafts, and who has one open at this moment."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class StudioDraft(Base):
    """A flow as somebody is changing it. Once published or discarded it stays as a record of that."""

    __tablename__ = "studio_draft"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    key: Mapped[str] = mapped_column(sa.String(80), index=True)
    base_version: Mapped[int | None]
    """The version it began as; None for one that came as files and has none."""
    bpmn: Mapped[str] = mapped_column(sa.Text)
    tables: Mapped[dict[str, Any]]
    """Rule tables: file name → DMN text."""
    forms: Mapped[dict[str, Any]]
    """Forms: name → definition as in the JSON file."""
    scenarios: Mapped[dict[str, Any]]
    """Example stories: name → YAML text."""
    revision: Mapped[int]
    """Counts the savings, from 1."""
    state: Mapped[str] = mapped_column(sa.String(20))
    """`open`, `published`, `discarded`."""
    started_at: Mapped[datetime]
    started_by_id: Mapped[int | None]
    started_by_name: Mapped[str] = mapped_column(sa.String(120))
    updated_at: Mapped[datetime]
    updated_by_id: Mapped[int | None]
    updated_by_name: Mapped[str] = mapped_column(sa.String(120))
    proposal: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True), default=None)
    """What waits for a second person: `revision`, `effective_from`, `move`, `note`. Another saving takes it back."""
    proposed_at: Mapped[datetime | None] = mapped_column(default=None)
    proposed_by_id: Mapped[int | None] = mapped_column(default=None)
    proposed_by_name: Mapped[str | None] = mapped_column(sa.String(120), default=None)
    published_version: Mapped[int | None] = mapped_column(default=None)


class StudioPresence(Base):
    """Somebody has a draft open. No record: it says nothing once they have left."""

    __tablename__ = "studio_presence"
    __table_args__ = (sa.UniqueConstraint("draft_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    draft_id: Mapped[int] = mapped_column(sa.ForeignKey("studio_draft.id"))
    user_id: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(120))
    since: Mapped[datetime]
    seen_at: Mapped[datetime]
