"""Reports that people asked for: the rows."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class Export(Base):
    """A report someone asked for. It waits until `ended_at`; then it has a file (`file_digest`, in the object
    store) or a reason why not (`failed_zh`, `failed_en`)."""

    __tablename__ = "export"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    report: Mapped[str] = mapped_column(sa.String(40))
    filters: Mapped[dict[str, Any]]
    language: Mapped[str] = mapped_column(sa.String(2))
    ordered_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    ordered_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None, index=True)
    file_digest: Mapped[str | None] = mapped_column(sa.String(80), default=None)
    file_name: Mapped[str | None] = mapped_column(sa.String(200), default=None)
    file_bytes: Mapped[int | None] = mapped_column(default=None)
    rows: Mapped[int | None] = mapped_column(default=None)
    failed_zh: Mapped[str | None] = mapped_column(sa.String(500), default=None)
    failed_en: Mapped[str | None] = mapped_column(sa.String(500), default=None)

    @property
    def state(self) -> str:
        """waiting, done or failed."""
        if self.ended_at is None:
            return "waiting"
        return "done" if self.file_digest else "failed"
