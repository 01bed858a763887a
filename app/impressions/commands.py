"""Verbs of the library: register, suspend, resume, destroy, view, list."""

import sqlalchemy as sa

from app import store
from app.actor import Actor
from app.command import command
from app.crypto import vault
from app.db import db, insert_unless_there, lock_row
from app.impressions import likeness, queries, rules
from app.impressions.facts import (
    ImpressionDestroyed,
    ImpressionRegistered,
    ImpressionResumed,
    ImpressionSuspended,
    ImpressionViewed,
    LibraryListed,
)
from app.impressions.models import Impression, ImpressionEvent, ImpressionName
from app.refusal import Invalid


@command
def register(
    *,
    owner_unit_id: int | None = None,
    owner_user_id: int | None = None,
    kind: str,
    name: str,
    png: bytes,
    width_mm: float,
    height_mm: float,
    by: Actor,
) -> ImpressionRegistered:
    """Enter an approved impression (A6): encrypted, effective from this moment, without end.

    `png`: RGBA, transparent background; its size on paper in mm. An earlier effective impression of the same
    owner, kind and name stops being effective in the same transaction (A9). Refuses Invalid without one owner,
    Forbidden to anyone but the seal office and the system.
    """
    if (owner_unit_id is None) == (owner_user_id is None):
        raise Invalid(
            "impression.one_owner", zh="印模须有且只有一个所有者", en="An impression has exactly one owner"
        )
    rules.check_may_register(by, queries.unit_path_of(owner_unit_id, owner_user_id))
    key = queries.owner_key(owner_unit_id, owner_user_id)
    _lock_name(key, kind, name)
    displaced = _displace(key, kind, name, by)
    digest = store.digest_of(png)
    envelope = store.put(vault.seal(png, context=queries.context(digest, key, kind, name)))
    found = Impression(
        owner_key=key,
        kind=kind,
        name=name,
        width_mm=width_mm,
        height_mm=height_mm,
        digest=digest,
        envelope=envelope,
        owner_unit_id=owner_unit_id,
        owner_user_id=owner_user_id,
        registered_by_id=by.id,
    )
    db.session.add(found)
    db.session.flush()
    likeness.remember(found, png)
    return ImpressionRegistered(
        impression_id=found.id,
        displaced_id=displaced,
        unit_id=owner_unit_id,
        owner_user_id=owner_user_id,
        kind=kind,
        impression_name=name,
        width_mm=width_mm,
        height_mm=height_mm,
        digest=digest,
    )


def _lock_name(key: str, kind: str, name: str) -> None:
    """Hold the one row of this owner, kind and name until the transaction ends, making it if it is the first.

    Without it, concurrent registrations under the partial unique index end in violations, not in order.
    """
    values = {"owner_key": key, "kind": kind, "name": name}
    db.session.execute(insert_unless_there(ImpressionName, **values))
    db.session.execute(sa.select(ImpressionName.id).filter_by(**values).with_for_update())


def _displace(key: str, kind: str, name: str, by: Actor) -> int | None:
    earlier = queries.effective(key, kind, name)
    if earlier is None:
        return None
    earlier.effective = False
    _note(earlier.id, "displaced", "同名印模被替换", by)
    db.session.flush()  # before the new one, or the unique index sees two
    return earlier.id


def _note(impression_id: int, verb: str, reason: str, by: Actor, witness: str = "") -> None:
    db.session.add(
        ImpressionEvent(
            impression_id=impression_id,
            verb=verb,
            reason=reason,
            by_id=by.id,
            by_name=by.name,
            witness=witness,
        )
    )


def _to_change(impression_id: int, by: Actor) -> Impression:
    """The impression, its name and itself locked, for one who may change it."""
    found = queries.impression(impression_id)
    rules.check_may_change(by, queries.unit_path_of(found.owner_unit_id, found.owner_user_id))
    _lock_name(found.owner_key, found.kind, found.name)
    return lock_row(Impression, impression_id)


@command
def suspend(impression_id: int, reason: str, *, by: Actor) -> ImpressionSuspended:
    """Stop an impression from making seals, until it is resumed (A7). Seals already made are not touched (D4)."""
    reason = rules.check_reason(reason)
    found = _to_change(impression_id, by)
    rules.check_change("suspend", queries.state(impression_id))
    found.effective = False
    _note(impression_id, "suspended", reason, by)
    return ImpressionSuspended(impression_id=impression_id, unit_id=found.owner_unit_id, reason=reason)


@command
def resume(impression_id: int, reason: str, *, by: Actor) -> ImpressionResumed:
    """Make a suspended or displaced impression effective again; one that is effective now is displaced (A9)."""
    reason = rules.check_reason(reason)
    found = _to_change(impression_id, by)
    rules.check_change("resume", queries.state(impression_id))
    displaced = _displace(found.owner_key, found.kind, found.name, by)
    found.effective = True
    _note(impression_id, "resumed", reason, by)
    return ImpressionResumed(
        impression_id=impression_id, unit_id=found.owner_unit_id, reason=reason, displaced_id=displaced
    )


@command
def destroy(impression_id: int, reason: str, witness: str, *, by: Actor) -> ImpressionDestroyed:
    """Make an impression unusable for ever (A7, D3). The sample stays, encrypted, for verification.

    `witness`: 监销人, not the one who destroys. Refuses Invalid without either, Conflict when destroyed already.
    """
    reason = rules.check_reason(reason)
    witness = rules.check_witness(witness, by)
    found = _to_change(impression_id, by)
    rules.check_change("destroy", queries.state(impression_id))
    found.effective = False
    _note(impression_id, "destroyed", reason, by, witness)
    return ImpressionDestroyed(
        impression_id=impression_id, unit_id=found.owner_unit_id, reason=reason, witness=witness
    )


@command
def view_image(impression_id: int, *, by: Actor) -> ImpressionViewed:
    """Somebody is about to see a clear impression: nobody does without an entry. Refuses Forbidden; Conflict when
    it was destroyed, since its sample is sealed (D3)."""
    found = queries.impression(impression_id)
    rules.check_may_look(by, queries.unit_path_of(found.owner_unit_id, found.owner_user_id))
    rules.check_may_open(queries.state(impression_id))
    return ImpressionViewed(impression_id=impression_id, unit_id=found.owner_unit_id)


@command
def list_library(impression_ids: list[int], *, by: Actor) -> LibraryListed:
    """Somebody is about to see these in small, too coarse to be used. Refuses Forbidden for any that is not theirs
    to see."""
    for found in map(queries.impression, impression_ids):
        rules.check_may_look(by, queries.unit_path_of(found.owner_unit_id, found.owner_user_id))
    return LibraryListed(impression_ids=impression_ids)
