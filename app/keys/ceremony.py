"""The ceremony, in order, and every key that is made after it.

 1 prepare  a secret of 32 bytes, split into shares for named custodians; nothing is stored yet
 2 hand     the caller gives each custodian their share and has enough of them read back (`check`)
 3 hold     the public half is stored, the secret forgotten; every master key is made anew outside the token, sealed
            to the public half, stored, and only then brought into the token, which never lets it out again

A key is backed up before it is used: whoever dies between the steps leaves a backup without a key, never the reverse.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.actor import Actor
from app.crypto import key_material, shares
from app.crypto.keys import PURPOSES, SIGNING_PURPOSES, KeyRing, keyring
from app.keys import commands, queries, rules
from app.keys.facts import KeyRotated


@dataclass(frozen=True)
class Prepared:
    """`shares`: one for each custodian, in words. `public_key`: 32 bytes."""

    custodians: list[str]
    needed: int
    share_set: int
    public_key: bytes
    shares: list[str] = field(repr=False)


def prepare(custodians: Sequence[str], needed: int) -> Prepared:
    """Refuses what `hold_ceremony` refuses."""
    names = rules.check_custodians(custodians, needed)
    rules.check_one_is_left(needed, len(names))
    secret = secrets.token_bytes(shares.SECRET_BYTES)
    words = shares.split(secret, needed=needed, shares=len(names))
    public = key_material.public_of(key_material.recipient(secret))
    return Prepared(names, needed, shares.face(words[0]).set, public, words)


def check(prepared: Prepared, read_back: Sequence[str]) -> None:
    """Refuses Invalid unless what the custodians read back gives the secret of this ceremony."""
    try:
        secret = shares.combine(read_back)
    except shares.ShareFault as fault:
        where = "" if fault.position is None else str(fault.position + 1)
        raise rules.share_refused(fault.code, where, given=len(read_back), needed=prepared.needed) from fault
    if key_material.public_of(key_material.recipient(secret)) != prepared.public_key:
        raise rules.backup_of_others()


def hold(prepared: Prepared, *, by: Actor) -> list[KeyRotated]:
    """From here on the custodians' shares restore whatever the server uses. What was made in the token before keeps its
    public half in the backup, so that its signatures stay verifiable."""
    ring = keyring()
    commands.hold_ceremony(
        prepared.custodians, prepared.needed, prepared.share_set, prepared.public_key, by=by
    )
    known = queries.backed_up()
    for purpose in SIGNING_PURPOSES:
        for version in ring.public_versions(purpose):
            label = f"{purpose}-v{version}"
            if label not in known:
                public = ring.public_key(purpose, version)
                commands.back_up(label, ceremony_id=None, sealed=None, public=public, by=by)
    return [rotate(purpose, by=by) for purpose in PURPOSES]


def rotate(purpose: str, *, by: Actor) -> KeyRotated:
    """A new version of the key of this purpose: made outside and backed up where a ceremony was held, in the token else."""
    ring = keyring()
    version = _next_version(ring, purpose)
    label = f"{purpose}-v{version}"
    held = queries.in_force()
    if held is None:
        ring.make(purpose, version)
    else:
        material = key_material.new(label)
        commands.back_up(
            label,
            ceremony_id=held.id,
            sealed=key_material.seal(material, held.public_key),
            public=material.public,
            by=by,
        )
        ring.bring_in(label, material.secret)
    return commands.take_up(label, backed_up=held is not None, by=by)


def _next_version(ring: KeyRing, purpose: str) -> int:
    """Never a number that was used: also not by a key that was backed up and did not reach the token."""
    taken = {int(label.partition("-v")[2]) for label in queries.labels_of(purpose)}
    return max([0, *taken, *ring.versions(purpose)]) + 1
