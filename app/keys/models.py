"""Who holds the shares, and the sealed keys that these open: the rows. No share and no key is stored."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class KeyCeremony(Base):
    """One splitting. `public_key`: 32 bytes, X25519; keys are sealed to it. `share_set`: the number on its shares.
    `rehearsed_at`: when shares last opened what it sealed. The newest is in force."""

    __tablename__ = "key_ceremony"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    share_set: Mapped[int]
    needed: Mapped[int]
    custodians: Mapped[list[str]]
    alg: Mapped[str] = mapped_column(sa.String(60))
    public_key: Mapped[bytes] = mapped_column(sa.LargeBinary)
    held_at: Mapped[datetime]
    rehearsed_at: Mapped[datetime | None] = mapped_column(default=None)


class KeyBackup(Base):
    """One master key (`kek-v2`). `sealed`: by HPKE to the ceremony's public key; None for a key that was made inside a
    token and cannot leave it. `public`: SubjectPublicKeyInfo, DER, of a signing key."""

    __tablename__ = "key_backup"

    label: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    made_at: Mapped[datetime]
    ceremony_id: Mapped[int | None] = mapped_column(sa.ForeignKey("key_ceremony.id"), default=None)
    alg: Mapped[str | None] = mapped_column(sa.String(60), default=None)
    sealed: Mapped[bytes | None] = mapped_column(sa.LargeBinary, default=None)
    public: Mapped[bytes | None] = mapped_column(sa.LargeBinary, default=None)
