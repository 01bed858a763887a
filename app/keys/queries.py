"""Reads: the ceremony in force, and the sealed keys."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from app.crypto.key_material import SEALED_ALG
from app.db import db
from app.keys import rules
from app.keys.models import KeyBackup, KeyCeremony

FORMAT = "yinxu-key-backup/1"


@dataclass(frozen=True)
class Ceremony:
    """A splitting, as the backup tells it."""

    id: int
    share_set: int
    needed: int
    custodians: list[str]
    public_key: bytes


@dataclass(frozen=True)
class Sealed:
    """A key in the backup. `ceremony_id` and `sealed` are None for one of which only `public` was ever outside."""

    label: str
    ceremony_id: int | None
    sealed: bytes | None = field(repr=False)
    public: bytes | None


@dataclass(frozen=True)
class Backup:
    """All that a restoring needs besides the shares."""

    ceremonies: list[Ceremony]
    keys: list[Sealed]


def in_force() -> KeyCeremony | None:
    """The newest ceremony."""
    return db.session.scalar(sa.select(KeyCeremony).order_by(KeyCeremony.id.desc()).limit(1))


def backed_up() -> dict[str, int | None]:
    """Each known key and the ceremony whose custodians open it; None where nobody could restore it."""
    rows = db.session.execute(sa.select(KeyBackup.label, KeyBackup.ceremony_id))
    return {label: ceremony for label, ceremony in rows}


def labels_of(purpose: str) -> Sequence[str]:
    return db.session.scalars(
        sa.select(KeyBackup.label).where(KeyBackup.label.startswith(f"{purpose}-v"))
    ).all()


def backup() -> Backup:
    """As the database has it."""
    ceremonies = db.session.scalars(sa.select(KeyCeremony).order_by(KeyCeremony.id))
    keys = db.session.scalars(sa.select(KeyBackup).order_by(KeyBackup.label))
    return Backup(
        [Ceremony(c.id, c.share_set, c.needed, c.custodians, c.public_key) for c in ceremonies],
        [Sealed(k.label, k.ceremony_id, k.sealed, k.public) for k in keys],
    )


def written(found: Backup) -> str:
    """The backup as a file: JSON, bytes in base64. It opens nothing without the shares."""
    told = {
        "format": FORMAT,
        "alg": SEALED_ALG,
        "ceremonies": [{**vars(c), "public_key": _text(c.public_key)} for c in found.ceremonies],
        "keys": [{**vars(k), "sealed": _text(k.sealed), "public": _text(k.public)} for k in found.keys],
    }
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def read(text: str) -> Backup:
    """Refuses Conflict for what is no such file."""
    try:
        told: Any = json.loads(text)
        if told["format"] != FORMAT or told["alg"] != SEALED_ALG:
            raise rules.nothing_backed_up()
        return Backup(
            [
                Ceremony(
                    int(c["id"]), int(c["share_set"]), int(c["needed"]),
                    [str(name) for name in c["custodians"]], base64.b64decode(c["public_key"], validate=True),
                )
                for c in told["ceremonies"]
            ],
            [Sealed(str(k["label"]), k["ceremony_id"], _bytes(k["sealed"]), _bytes(k["public"])) for k in told["keys"]],
        )  # fmt: skip
    except (ValueError, KeyError, TypeError) as error:
        raise rules.nothing_backed_up() from error


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else base64.b64decode(value, validate=True)
