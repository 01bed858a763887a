"""Reading the library."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from app import store
from app.crypto import vault
from app.db import db
from app.impressions.models import Impression, ImpressionEvent
from app.impressions.rules import State, Status
from app.refusal import NotFound

_STATUS_AFTER: dict[str, Status] = {
    "suspended": "suspended",
    "displaced": "displaced",
    "destroyed": "destroyed",
    "resumed": "effective",
}


def owner_key(owner_unit_id: int | None, owner_user_id: int | None) -> str:
    return f"unit:{owner_unit_id}" if owner_unit_id is not None else f"user:{owner_user_id}"


def impression(impression_id: int) -> Impression:
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
    if last is None:
        return State("effective" if found.effective else "displaced")
    return State(_STATUS_AFTER[last.verb], last.reason)


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


def library(*, search: str = "", status: str = "", limit: int = 200) -> list[tuple[Impression, State]]:
    """The library, newest first. `status`: one of `Status`, or empty for all."""
    where: list[Any] = []
    if search:
        where.append(Impression.name.contains(search, autoescape=True))
    if status == "effective":
        where.append(Impression.effective)
    elif status:
        where.append(~Impression.effective)
    rows = db.session.scalars(
        sa.select(Impression).where(*where).order_by(Impression.id.desc()).limit(limit)
    ).all()
    known = [(row, state(row.id)) for row in rows]
    return [(row, s) for row, s in known if not status or s.status == status]


def context(digest: str, key: str, kind: str, name: str) -> dict[str, Any]:
    """What an impression's envelope is bound to (A10): it opens for this owner, kind and name only."""
    return {"for": "impression", "digest": digest, "owner": key, "kind": kind, "name": name}


def clear_png(impression_id: int) -> bytes:
    """The decrypted impression. Callers are commands, or views that log the view (`commands.view_image`)."""
    found = impression(impression_id)
    return vault.open(
        store.get(found.envelope), context=context(found.digest, found.owner_key, found.kind, found.name)
    )
