"""Master keys come back from the backup, by M of N shares, into an empty token (D9).

Nothing reaches the token before every key of the backup has opened and fits what is known of it.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from app.actor import Actor
from app.crypto import cipher, key_material, shares
from app.crypto.data_keys import DataKey, binding, unwrap
from app.crypto.key_backend import KeyFault
from app.crypto.key_material import Material
from app.crypto.keys import KeyRing, keyring
from app.db import db
from app.keys import commands, rules
from app.keys.facts import KeysRehearsed, KeysRestored
from app.keys.queries import Backup, Ceremony, Sealed


@dataclass(frozen=True)
class Opened:
    """What the shares gave back. `public_only`: label → public half, of keys that these shares do not open."""

    ceremony: Ceremony
    share_numbers: list[int]
    materials: list[Material] = field(repr=False)
    public_only: dict[str, bytes]


def open_backup(backup: Backup, given: Sequence[tuple[str, str]]) -> Opened:
    """`given`: (where it is from, words) of each share. Refuses Invalid naming the share that is wrong, or how many are
    missing; Conflict when there is no backup, or it is another system's."""
    if not backup.ceremonies:
        raise rules.nothing_backed_up()
    try:
        secret = shares.combine([words for _, words in given])
    except shares.ShareFault as fault:
        where = "" if fault.position is None else given[fault.position][0]
        needed = shares.face(given[0][1]).needed if given and fault.code == "too_few" else 0
        needed = needed or backup.ceremonies[-1].needed
        raise rules.share_refused(fault.code, where, given=len(given), needed=needed) from fault
    private = key_material.recipient(secret)
    public = key_material.public_of(private)
    ceremony = next((c for c in backup.ceremonies if c.public_key == public), None)
    if ceremony is None:
        raise rules.backup_of_others()
    theirs = [k for k in backup.keys if k.sealed is not None and k.ceremony_id == ceremony.id]
    try:
        materials = [key_material.open_sealed(k.label, k.sealed or b"", private) for k in theirs]
    except KeyFault as error:
        raise rules.backup_of_others() from error
    known = {k.label: k for k in theirs}
    if any(m.public != known[m.label].public for m in materials):
        raise rules.backup_of_others()
    numbers = sorted(shares.face(words).number for _, words in given)
    opened = {m.label for m in materials}
    return Opened(ceremony, numbers, materials, _public_only(backup.keys, opened))


def _public_only(keys: Sequence[Sealed], opened: set[str]) -> dict[str, bytes]:
    return {k.label: k.public for k in keys if k.public is not None and k.label not in opened}


def rehearse(opened: Opened, *, by: Actor) -> KeysRehearsed:
    """Put on record that these shares open these keys, and change nothing."""
    labels = [m.label for m in opened.materials]
    return commands.rehearse(opened.ceremony.id, opened.share_numbers, labels, by=by)


def bring_back(opened: Opened, *, by: Actor) -> KeysRestored:
    """Into the token, which must exist. A key that is there already is left alone. Refuses Conflict before anything is
    changed when the token holds another key of that label, or when the data needs a key that these shares do not open."""
    ring = keyring()
    there = set(ring.backend.labels())
    for material in opened.materials:
        if material.label in there and not _same(ring, material):
            raise rules.token_of_others(material.label)
    brought = there | {m.label for m in opened.materials}
    versions = db.session.scalars(sa.select(DataKey.kek_version).distinct().order_by(DataKey.kek_version))
    missing = [label for label in (f"kek-v{version}" for version in versions) if label not in brought]
    if missing:
        raise rules.other_shares_needed(missing)
    for material in opened.materials:
        if material.label not in there:
            ring.bring_in(material.label, material.secret)
    kept = set(ring.backend.public_labels())
    lost = {label: public for label, public in opened.public_only.items() if label not in there}
    for label, public in lost.items():
        if label not in kept:
            ring.backend.bring_in_public(label, public)
    total, unopened = _try_data_keys(ring)
    return commands.restore(
        opened.ceremony.id,
        opened.share_numbers,
        [m.label for m in opened.materials],
        sorted(lost),
        data_keys=total,
        unopened=unopened,
        by=by,
    )


def _same(ring: KeyRing, material: Material) -> bool:
    """Whether the token's key of this label is this one: what it wraps, the material opens."""
    if material.public is not None:
        return ring.backend.public_key(material.label) == material.public
    nonce, text = os.urandom(cipher.NONCE_BYTES), b"the same key?"
    try:
        sealed = ring.backend.encrypt(material.label, nonce, text, b"")
        return cipher.decrypt(material.secret, nonce, sealed, b"") == text
    except cipher.DoesNotOpen:
        return False


def _try_data_keys(ring: KeyRing) -> tuple[int, int]:
    """(data keys in the database, how many of them do not open)."""
    total = unopened = 0
    for row in db.session.scalars(sa.select(DataKey)):
        total += 1
        try:
            unwrap(ring.backend, row.kek_version, row.wrapped, binding(row.id, row.purpose, row.period))
        except KeyFault:
            unopened += 1
    return total, unopened
