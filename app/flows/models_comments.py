"""A table: what people say about a flow beside deciding in it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class FlowComment(Base):
    """`withdrawn_at`: its writer took it back; it is no longer shown, but stays where it was written."""

    __tablename__ = "flow_comment"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    instance_id: Mapped[int] = mapped_column(sa.ForeignKey("flow_instance.id"), index=True)
    by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    by_name: Mapped[str] = mapped_column(sa.String(100))
    text: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None] = mapped_column(default=None)
