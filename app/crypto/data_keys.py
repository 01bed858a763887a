"""Data keys: AES-256 keys that live in the database, each wrapped by the token's master key (KEK).

One key for each purpose and period ("log" 2026-11). A row is made on first use, inside whatever transaction
needs it, and may vanish with it; so a key is known by its random id, never by the order of its making, and
the way from period to id is remembered only once it has been read as committed.
"""

import os
import threading
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.clock import now
from app.crypto.key_backend import KeyBackend, KeyFault
from app.db import Base, db, insert_unless_there

WRAP_AES_256_GCM = "AES-256-GCM"
_MADE = "data_keys_made"
"""Where a session keeps the ids of keys that its transaction made and nobody else has seen yet."""
KEY_BYTES, NONCE_BYTES, ID_BYTES = 32, 12, 16


class DataKey(Base):
    """`wrapped`: nonce (12) ‖ AES-256-GCM ciphertext and tag under `kek-v<kek_version>`."""

    __tablename__ = "data_key"
    __table_args__ = (sa.UniqueConstraint("purpose", "period"),)

    id: Mapped[bytes] = mapped_column(sa.LargeBinary(ID_BYTES), primary_key=True)
    purpose: Mapped[str] = mapped_column(sa.String(32))
    period: Mapped[str] = mapped_column(sa.String(16))
    alg: Mapped[str] = mapped_column(sa.String(32))
    kek_version: Mapped[int]
    wrapped: Mapped[bytes] = mapped_column(sa.LargeBinary)
    made_at: Mapped[datetime]


def wrap(backend: KeyBackend, kek_version: int, secret: bytes, aad: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + backend.encrypt(f"kek-v{kek_version}", nonce, secret, aad)


def unwrap(backend: KeyBackend, kek_version: int, wrapped: bytes, aad: bytes) -> bytes:
    nonce, ciphertext = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
    return backend.decrypt(f"kek-v{kek_version}", nonce, ciphertext, aad)


def binding(key_id: bytes, purpose: str, period: str) -> bytes:
    """What a wrapped key is tied to, so that no row can stand in for another."""
    return b"YINXU-DATA-KEY/1\n" + key_id.hex().encode() + f"\n{purpose}\n{period}".encode()


class DataKeys:
    """The database's data keys, opened ones remembered for this process."""

    def __init__(self, backend: KeyBackend) -> None:
        self._backend = backend
        self._secrets: dict[bytes, bytes] = {}
        self._current: dict[tuple[str, str], bytes] = {}
        self._lock = threading.Lock()

    def current(self, purpose: str, period: str, kek_version: int) -> tuple[bytes, bytes]:
        """(id, secret) of the period's key, made if there is none."""
        known = self._current.get((purpose, period))
        if known is not None:
            return known, self._secrets[known]
        row = self._row(purpose, period)
        if row is None:
            self._make(purpose, period, kek_version)
            row = self._row(purpose, period)
            assert row is not None
        secret = self._open(row)
        if row.id not in self._made_here():
            with self._lock:
                self._current[(purpose, period)] = row.id
        return row.id, secret

    def remembers(self, purpose: str, period: str) -> bool:
        """Whether the period's key is at hand without asking the database."""
        return (purpose, period) in self._current

    def secret(self, key_id: bytes) -> bytes:
        """The key with this id. Raises KeyFault if there is none (any more)."""
        known = self._secrets.get(key_id)
        if known is not None:
            return known
        row = db.session.get(DataKey, key_id)
        if row is None:
            raise KeyFault(f"there is no data key {key_id.hex()}")
        return self._open(row)

    def rewrap(self, kek_version: int) -> int:
        """Wrap every key under the newer KEK, in the caller's transaction. Answers how many were changed."""
        changed = 0
        for row in db.session.scalars(sa.select(DataKey).where(DataKey.kek_version != kek_version)):
            aad = binding(row.id, row.purpose, row.period)
            secret = unwrap(self._backend, row.kek_version, row.wrapped, aad)
            row.wrapped = wrap(self._backend, kek_version, secret, aad)
            row.kek_version, row.alg = kek_version, WRAP_AES_256_GCM
            changed += 1
        return changed

    def _row(self, purpose: str, period: str) -> DataKey | None:
        return db.session.scalar(
            sa.select(DataKey).where(DataKey.purpose == purpose, DataKey.period == period)
        )

    def _open(self, row: DataKey) -> bytes:
        aad = binding(row.id, row.purpose, row.period)
        secret = unwrap(self._backend, row.kek_version, row.wrapped, aad)
        with self._lock:
            self._secrets[row.id] = secret
        return secret

    def _make(self, purpose: str, period: str, kek_version: int) -> None:
        """Insert unless someone else did in the meantime (whose transaction we then wait for)."""
        key_id, secret = os.urandom(ID_BYTES), os.urandom(KEY_BYTES)
        values = {
            "id": key_id,
            "purpose": purpose,
            "period": period,
            "alg": WRAP_AES_256_GCM,
            "kek_version": kek_version,
            "wrapped": wrap(self._backend, kek_version, secret, binding(key_id, purpose, period)),
            "made_at": now(),
        }
        db.session.execute(insert_unless_there(DataKey, **values))
        self._made_here().add(key_id)

    @staticmethod
    def _made_here() -> set[bytes]:
        made: set[bytes] = db.session.info.setdefault(_MADE, set())
        return made


def _settled(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info.pop(_MADE, None)


event.listen(db.session, "after_commit", _settled)
event.listen(db.session, "after_rollback", _settled)
