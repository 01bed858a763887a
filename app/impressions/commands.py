"""Verbs of the library: register, suspend, resume, view, list. `changing.py`: changes that go through a flow."""

from app import store
from app.actor import Actor
from app.command import command
from app.crypto import vault
from app.db import db
from app.impressions import following as _following  # noqa: F401  # pyright: ignore[reportUnusedImport] registers
from app.impressions import likeness, moving, queries, rules
from app.impressions.facts import (
    ImpressionRegistered,
    ImpressionResumed,
    ImpressionSuspended,
    ImpressionViewed,
    LibraryListed,
)
from app.impressions.models import Impression
from app.people import queries as people
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
    if owner_unit_id is not None:
        people.living_unit(owner_unit_id)
    key = queries.owner_key(owner_unit_id, owner_user_id)
    moving.lock_name(key, kind, name)
    displaced = moving.displace(key, kind, name, by)
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


@command
def suspend(impression_id: int, reason: str, *, by: Actor) -> ImpressionSuspended:
    """Stop an impression from making seals, until it is resumed (A7). Seals already made are not touched (D4)."""
    reason = rules.check_reason(reason)
    queries.check_may_change(impression_id, by)
    return moving.suspend(impression_id, reason, by)


@command
def resume(impression_id: int, reason: str, *, by: Actor) -> ImpressionResumed:
    """Make a suspended or displaced impression effective again; one that is effective now is displaced (A9)."""
    reason = rules.check_reason(reason)
    queries.check_may_change(impression_id, by)
    return moving.resume(impression_id, reason, by)


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
