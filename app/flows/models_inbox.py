"""A table: the filters of the inbox that somebody keeps under a name."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class InboxFilter(Base):
    """`wanted`: the arguments of the address (`wanted.Wanted.address`). Its owner's own; no part of any record."""

    __tablename__ = "inbox_filter"
    __table_args__ = (sa.UniqueConstraint("user_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    name: Mapped[str] = mapped_column(sa.String(40))
    wanted: Mapped[dict[str, Any]]
