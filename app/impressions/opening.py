"""The sealed sample of a destroyed impression opens to two people, with a reason, for an hour (D3).

One asks, another agrees; both see it, watermarked, each view logged. After that it is sealed again.
"""

from datetime import timedelta

from app.actor import Actor
from app.clock import now
from app.command import command
from app.db import db, lock_row, locked
from app.impressions import queries, rules
from app.impressions.facts import SampleOpened, SampleOpeningAsked, SampleViewed
from app.impressions.models import Impression, ImpressionOpening

OPEN_FOR = timedelta(hours=1)


@command
def ask_to_open(impression_id: int, reason: str, *, by: Actor) -> SampleOpeningAsked:
    """For forensics or verification. Refuses Forbidden; Conflict unless it was destroyed, or while another waits."""
    reason = rules.check_reason(reason)
    found: Impression = lock_row(Impression, queries.impression(impression_id).id)
    rules.check_may_open_sample(by, queries.unit_path_of(found.owner_unit_id, found.owner_user_id))
    rules.check_sealed(queries.state(impression_id))
    waiting = queries.opening(impression_id)
    rules.check_no_opening(waiting is not None and (waiting.agreed_at is None or queries.is_open(waiting)))
    row = ImpressionOpening(
        impression_id=impression_id, reason=reason, asked_by_id=by.id or 0, asked_by_name=by.name
    )
    db.session.add(row)
    db.session.flush()
    return SampleOpeningAsked(
        opening_id=row.id, impression_id=impression_id, unit_id=found.owner_unit_id, reason=reason
    )


@command
def agree_to_open(opening_id: int, *, by: Actor) -> SampleOpened:
    """The second person. Refuses Forbidden to whoever asked; Conflict when it was agreed already."""
    row: ImpressionOpening = locked(ImpressionOpening, opening_id)
    found = queries.impression(row.impression_id)
    rules.check_may_open_sample(by, queries.unit_path_of(found.owner_unit_id, found.owner_user_id))
    rules.check_second_person(by, asked_by_id=row.asked_by_id, agreed=row.agreed_at is not None)
    at = now()
    row.agreed_by_id, row.agreed_by_name, row.agreed_at, row.open_until = by.id, by.name, at, at + OPEN_FOR
    return SampleOpened(
        opening_id=row.id,
        impression_id=found.id,
        unit_id=found.owner_unit_id,
        reason=row.reason,
        asked_by=row.asked_by_name,
        open_until=at + OPEN_FOR,
    )


@command
def view_sample(impression_id: int, *, by: Actor) -> SampleViewed:
    """One of the two is about to see it. Refuses Forbidden to anybody else, and to both once the hour is over."""
    row = queries.opening(impression_id)
    rules.check_is_one_of_two(
        by,
        open_now=row is not None and queries.is_open(row),
        two=(row.asked_by_id, row.agreed_by_id) if row is not None else (),
    )
    assert row is not None
    found = queries.impression(impression_id)
    return SampleViewed(
        opening_id=row.id, impression_id=impression_id, unit_id=found.owner_unit_id, reason=row.reason
    )
