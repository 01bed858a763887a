"""Tables: units, users, roles held, logins."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import now
from app.db import Base


class Unit(Base):
    """A unit or department. `code`: 统一社会信用代码, 18 characters; departments have none. `level`: 1 at the top.
    `ended_at`: closed, or merged into `merged_into_id`, since then; the row stays, since seals and records name it."""

    __tablename__ = "unit"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    name: Mapped[str] = mapped_column(sa.String(200))
    code: Mapped[str | None] = mapped_column(sa.String(18), default=None, unique=True)
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"), default=None, index=True)
    level: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default_factory=now)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"), default=None)


class UnitFormerName(Base):
    """What a unit was called, until when."""

    __tablename__ = "unit_former_name"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("unit.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    until: Mapped[datetime]


class User(Base):
    """A person who can log in. `password_hash`: argon2id, with its parameters.

    `password_is_first`: someone else chose the password, so its owner must change it before anything else.
    """

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    login: Mapped[str] = mapped_column(sa.String(64), unique=True)
    name: Mapped[str] = mapped_column(sa.String(100))
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("unit.id"), index=True)
    password_hash: Mapped[str] = mapped_column(sa.String(200), repr=False)
    active: Mapped[bool] = mapped_column(default=True)
    password_is_first: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default_factory=now)


class RoleGrant(Base):
    """A role held from a moment on, for one unit and what is under it, or everywhere. Never deleted: ended."""

    __tablename__ = "role_grant"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    role: Mapped[str] = mapped_column(sa.String(40), index=True)
    unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"), default=None)
    valid_from: Mapped[datetime] = mapped_column(default_factory=now)
    valid_until: Mapped[datetime | None] = mapped_column(default=None)
    granted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)


class LoginFailure(Base):
    """A wrong password, kept only as long as it counts against the next try; the log keeps it for good.

    `login_hash`: SHA-256 of what was typed as login, since people type passwords there by mistake.
    """

    __tablename__ = "login_failure"
    __table_args__ = (sa.Index(None, "login_hash", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    login_hash: Mapped[str] = mapped_column(sa.String(64))
    ip: Mapped[str] = mapped_column(sa.String(45))
    at: Mapped[datetime] = mapped_column(default_factory=now, index=True)


class LoginSession(Base):
    """A login, kept on the server. Only the SHA-256 of the cookie's token is stored."""

    __tablename__ = "login_session"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True, repr=False)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    ip: Mapped[str | None] = mapped_column(sa.String(45), default=None)
    user_agent: Mapped[str | None] = mapped_column(sa.String(300), default=None)
    created_at: Mapped[datetime] = mapped_column(default_factory=now)
    seen_at: Mapped[datetime] = mapped_column(default_factory=now)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class SecondFactor(Base):
    """A person's authenticator (TOTP, RFC 6238). `sealed`: its key in an envelope; `confirmed_at`: it counts from then on;
    `last_step`: the 30-second step of the last code that was taken, so that none is taken twice."""

    __tablename__ = "second_factor"

    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user_account.id"), primary_key=True, autoincrement=False
    )
    sealed: Mapped[bytes] = mapped_column(sa.LargeBinary, repr=False)
    confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    last_step: Mapped[int] = mapped_column(sa.BigInteger, default=0)
