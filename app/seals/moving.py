"""A seal goes from one standing to the next: under its lock, with its record. Who may is asked before."""

from app import clock
from app.actor import Actor
from app.db import db, lock_row
from app.refusal import Conflict
from app.seals import changing_rules as law
from app.seals import queries, rules
from app.seals.facts import SealCancelled, SealResumed, SealSuspended
from app.seals.models import Seal, SealCancellation, SealSuspension


def suspend(seal_id: int, reason: str, by: Actor) -> SealSuspended:
    """停用 until it is resumed."""
    found = _locked(seal_id, reason)
    law.check_standing("suspend", suspended=queries.open_suspension(seal_id) is not None)
    db.session.add(
        SealSuspension(seal_id=seal_id, at=clock.now(), reason=reason, by_id=by.id, by_name=by.name)
    )
    return SealSuspended(seal_id=seal_id, unit_id=found.owner_unit_id, reason=reason)


def resume(seal_id: int, reason: str, by: Actor) -> SealResumed:
    """启用 again."""
    found = _locked(seal_id, reason)
    stop = queries.open_suspension(seal_id)
    law.check_standing("resume", suspended=stop is not None)
    assert stop is not None
    stop.ended_at, stop.ended_reason, stop.ended_by_name = clock.now(), reason, by.name
    return SealResumed(seal_id=seal_id, unit_id=found.owner_unit_id, reason=reason)


def cancel(seal_id: int, reason: str, by: Actor) -> SealCancelled:
    """注销: final."""
    found = _locked(seal_id, reason)
    db.session.add(
        SealCancellation(seal_id=seal_id, at=clock.now(), reason=reason, by_id=by.id, by_name=by.name)
    )
    return SealCancelled(seal_id=seal_id, unit_id=found.owner_unit_id, reason=reason)


def check_not_cancelled(found: Seal) -> None:
    """Refuses Conflict: what was cancelled is over."""
    if queries.cancellation(found.id) is not None:
        raise Conflict(
            "seal.cancelled",
            zh=f"“{found.name}”已注销，不能再办理；需要时请重新申请制章",
            en=f"“{found.name}” has been cancelled for good; apply for a new seal",
        )


def _locked(seal_id: int, reason: str) -> Seal:
    rules.check_reason(reason)
    queries.seal(seal_id)
    found: Seal = lock_row(Seal, seal_id)
    check_not_cancelled(found)
    return found
