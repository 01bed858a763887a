"""Verbs of the keys' keeping. `ceremony.py` and `restoring.py` call them in their order."""

from app import clock
from app.actor import Actor
from app.command import command
from app.crypto.key_material import SEALED_ALG
from app.crypto.keys import keyring
from app.db import db
from app.keys import rules
from app.keys.facts import KeyBackedUp, KeyCeremonyHeld, KeyRotated, KeysRehearsed, KeysRestored
from app.keys.models import KeyBackup, KeyCeremony


@command
def hold_ceremony(
    custodians: list[str], needed: int, share_set: int, public_key: bytes, *, by: Actor
) -> KeyCeremonyHeld:
    """From now on new keys are sealed to this public key. Refuses Invalid and Conflict for the number of people."""
    names = rules.check_custodians(custodians, needed)
    rules.check_one_is_left(needed, len(names))
    row = KeyCeremony(
        share_set=share_set,
        needed=needed,
        custodians=names,
        alg=SEALED_ALG,
        public_key=public_key,
        held_at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    return KeyCeremonyHeld(ceremony_id=row.id, share_set=share_set, needed=needed, custodians=names)


@command
def back_up(
    label: str, *, ceremony_id: int | None, sealed: bytes | None, public: bytes | None, by: Actor
) -> KeyBackedUp:
    """Keep a key's backup before the key is used. `sealed` None: only the public half, the key was made in a token."""
    alg = SEALED_ALG if sealed is not None else None
    db.session.add(
        KeyBackup(
            label=label, made_at=clock.now(), ceremony_id=ceremony_id, alg=alg, sealed=sealed, public=public
        )
    )
    db.session.flush()
    return KeyBackedUp(key=label, ceremony_id=ceremony_id)


@command
def take_up(label: str, *, backed_up: bool, by: Actor) -> KeyRotated:
    """The token holds this newest key now. For a KEK every data key is wrapped anew; older KEKs still open."""
    purpose, _, version = label.partition("-v")
    rewrapped = keyring().data_keys.rewrap(int(version)) if purpose == "kek" else 0
    return KeyRotated(key=label, rewrapped=rewrapped, backed_up=backed_up)


@command
def rehearse(ceremony_id: int, share_numbers: list[int], keys: list[str], *, by: Actor) -> KeysRehearsed:
    """These shares have opened these keys."""
    row = db.session.get_one(KeyCeremony, ceremony_id)
    row.rehearsed_at = clock.now()
    return KeysRehearsed(ceremony_id=ceremony_id, share_numbers=share_numbers, keys=keys)


@command
def restore(
    ceremony_id: int,
    share_numbers: list[int],
    keys: list[str],
    public_only: list[str],
    *,
    data_keys: int,
    unopened: int,
    by: Actor,
) -> KeysRestored:
    """These keys are in the token again; the log, which they open, says so."""
    return KeysRestored(
        ceremony_id=ceremony_id,
        share_numbers=share_numbers,
        keys=keys,
        public_only=public_only,
        data_keys=data_keys,
        unopened=unopened,
    )
