"""Reading the library."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from app import store
from app.actor import Actor
from app.clock import now
from app.crypto import vault
from app.db import db
from app.impressions import rules
from app.impressions.models import Impression, ImpressionChange, ImpressionEvent, ImpressionOpening
from app.impressions.rules import MAY_LOOK, State, Status, may_look
from app.people import queries as people
from app.refusal import NotFound

_STATUS_AFTER: dict[str, Status] = {
    "suspended": "suspended",
    "displaced": "displaced",
    "destroyed": "destroyed",
    "resumed": "effective",
}


def owner_key(owner_unit_id: int | None, owner_user_id: int | None) -> str:
    return f"unit:{owner_unit_id}" if owner_unit_id is not None else f"user:{owner_user_id}"


def unit_path_of(owner_unit_id: int | None, owner_user_id: int | None) -> frozenset[int]:
    """The unit whose people may deal with an owner's impression, and all units above it."""
    if owner_unit_id is None and owner_user_id is not None:
        owner_unit_id = people.user(owner_user_id).unit_id
    return people.unit_path(owner_unit_id)


def impression(impression_id: int) -> Impression:
    """Refuses NotFound."""
    found = db.session.get(Impression, impression_id)
    if found is None:
        raise NotFound(
            "impression.unknown",
            zh="没有这个印模",
            en="There is no such impression",
            impression_id=impression_id,
        )
    return found


def events(impression_id: int) -> Sequence[ImpressionEvent]:
    """What was done to it, oldest first."""
    return db.session.scalars(
        sa.select(ImpressionEvent)
        .where(ImpressionEvent.impression_id == impression_id)
        .order_by(ImpressionEvent.id)
    ).all()


def state(impression_id: int) -> State:
    """Where it stands: what the last event says; effective when there was none."""
    found = impression(impression_id)
    last = next(iter(reversed(events(impression_id))), None)
    return _state(found, last.verb, last.reason) if last else _state(found, None, None)


def _state(found: Impression, verb: str | None, reason: str | None) -> State:
    if verb is None:
        return State("effective" if found.effective else "displaced")
    return State(_STATUS_AFTER[verb], reason or "")


def effective(key: str, kind: str, name: str) -> Impression | None:
    """The one effective impression of this owner, kind and name."""
    return db.session.scalars(
        sa.select(Impression).where(
            Impression.owner_key == key,
            Impression.kind == kind,
            Impression.name == name,
            Impression.effective,
        )
    ).first()


def of_same_name(found: Impression) -> Sequence[Impression]:
    """All impressions of the same owner, kind and name, newest first; itself among them."""
    return db.session.scalars(
        sa.select(Impression)
        .where(
            Impression.owner_key == found.owner_key,
            Impression.kind == found.kind,
            Impression.name == found.name,
        )
        .order_by(Impression.id.desc())
    ).all()


def library(
    actor: Actor, *, search: str = "", status: str = "", kind: str = "", before: int = 0, limit: int = 60
) -> list[tuple[Impression, State]]:
    """What this person may see of the library, newest first. `status`: one of `Status`, or empty for all;
    `before`: the last id of the page before this one, 0 on the first."""
    last = sa.select(sa.func.max(ImpressionEvent.id)).group_by(ImpressionEvent.impression_id)
    latest = sa.select(ImpressionEvent).where(ImpressionEvent.id.in_(last)).subquery()
    where: list[sa.ColumnElement[bool]] = [_of_units(_may_look_units(actor))]
    if search:
        where.append(Impression.name.icontains(search, autoescape=True))
    if kind:
        where.append(Impression.kind == kind)
    if before:
        where.append(Impression.id < before)
    if status == "effective":
        where.append(Impression.effective.is_(True))
    elif status:
        where.append(latest.c.verb == status)
    rows = db.session.execute(
        sa.select(Impression, latest.c.verb, latest.c.reason)
        .outerjoin(latest, latest.c.impression_id == Impression.id)
        .where(*where)
        .order_by(Impression.id.desc())
        .limit(limit)
    )
    return [(row, _state(row, verb, reason)) for row, verb, reason in rows]


def _may_look_units(actor: Actor) -> frozenset[int] | None:
    """The units whose impressions the person may see; None: all."""
    if any(grant.unit_id is None and grant.role in MAY_LOOK for grant in actor.grants):
        return None
    return frozenset(unit.id for unit in people.units() if may_look(actor, people.unit_path(unit.id)))


def _of_units(units: frozenset[int] | None) -> sa.ColumnElement[bool]:
    if units is None:
        return sa.true()
    persons = [person.id for person in people.people() if person.unit_id in units]
    return sa.or_(Impression.owner_unit_id.in_(units), Impression.owner_user_id.in_(persons))


def context(digest: str, key: str, kind: str, name: str) -> dict[str, Any]:
    """What an impression's envelope is bound to (A10): it opens for this owner, kind and name only."""
    return {"for": "impression", "digest": digest, "owner": key, "kind": kind, "name": name}


def clear_png(impression_id: int) -> bytes:
    """The decrypted impression. Callers are commands, or views that log the view (`commands.view_image`)."""
    found = impression(impression_id)
    return vault.open(
        store.get(found.envelope), context=context(found.digest, found.owner_key, found.kind, found.name)
    )


def check_may_change(impression_id: int, by: Actor) -> Impression:
    """The impression, for one who may change it (A7). Refuses NotFound, Forbidden."""
    found = impression(impression_id)
    rules.check_may_change(by, unit_path_of(found.owner_unit_id, found.owner_user_id))
    return found


def open_change(impression_id: int) -> ImpressionChange | None:
    """What was asked for and is not over."""
    return db.session.scalar(
        sa.select(ImpressionChange).where(
            ImpressionChange.impression_id == impression_id, ImpressionChange.state == "open"
        )
    )


def change(change_id: int) -> ImpressionChange:
    """Refuses NotFound."""
    found = db.session.get(ImpressionChange, change_id)
    if found is None:
        raise NotFound("impression.no_change", zh="没有这项变更", en="There is no such change")
    return found


def opening(impression_id: int) -> ImpressionOpening | None:
    """The last one that was asked for."""
    return db.session.scalar(
        sa.select(ImpressionOpening)
        .where(ImpressionOpening.impression_id == impression_id)
        .order_by(ImpressionOpening.id.desc())
        .limit(1)
    )


def is_open(found: ImpressionOpening) -> bool:
    """Whether the two may look now."""
    return found.open_until is not None and now() <= found.open_until


def effective_of_unit(unit_id: int) -> list[int]:
    """The effective ones that are the unit's own."""
    return list(
        db.session.scalars(
            sa.select(Impression.id)
            .where(Impression.owner_unit_id == unit_id, Impression.effective)
            .order_by(Impression.id)
        )
    )
