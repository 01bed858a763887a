"""Tables: forms that are not sent yet, and the files that came with them."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import now
from app.db import Base


class FormDraft(Base):
    """A form as its writer left it. `key`: which form (`task-7`, the kind of a new application, `correct-3`);
    `values`: as they were typed, right or wrong, files by their handle. `revision` counts the savings, `window` is
    the page that saved last, so that a second one is noticed."""

    __tablename__ = "form_draft"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    key: Mapped[str] = mapped_column(sa.String(60))
    values: Mapped[dict[str, Any]]
    revision: Mapped[int] = mapped_column(default=0)
    window: Mapped[str] = mapped_column(sa.String(20), default="")
    saved_at: Mapped[datetime] = mapped_column(default_factory=now)

    __table_args__ = (sa.UniqueConstraint("user_id", "key"),)


class FormUpload(Base):
    """A file that came with a form, sealed in the object store under its handle. `instance_id`: the flow that it
    was handed in to; None while only its sender knows it."""

    __tablename__ = "form_upload"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    handle: Mapped[str] = mapped_column(sa.String(32), unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    type: Mapped[str] = mapped_column(sa.String(100))
    size: Mapped[int]
    digest: Mapped[str] = mapped_column(sa.String(80))
    envelope: Mapped[str] = mapped_column(sa.String(80))
    sent_at: Mapped[datetime] = mapped_column(default_factory=now)
    instance_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("flow_instance.id"), default=None, index=True
    )
    comment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("flow_comment.id"), default=None, index=True)
