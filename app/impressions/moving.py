"""An impression goes from one standing to the next: under the lock of its name, with its event. Who may is asked before."""

import sqlalchemy as sa

from app.actor import Actor
from app.db import db, insert_unless_there, lock_row
from app.impressions import queries, rules
from app.impressions.facts import ImpressionDestroyed, ImpressionResumed, ImpressionSuspended
from app.impressions.models import Impression, ImpressionEvent, ImpressionName


def lock_name(key: str, kind: str, name: str) -> None:
    """Hold the one row of this owner, kind and name until the transaction ends, making it if it is the first.

    Without it, concurrent registrations under the partial unique index end in violations, not in order.
    """
    values = {"owner_key": key, "kind": kind, "name": name}
    db.session.execute(insert_unless_there(ImpressionName, **values))
    db.session.execute(sa.select(ImpressionName.id).filter_by(**values).with_for_update())


def displace(key: str, kind: str, name: str, by: Actor) -> int | None:
    """The effective one of this name stops being so; its id."""
    earlier = queries.effective(key, kind, name)
    if earlier is None:
        return None
    earlier.effective = False
    _note(earlier.id, "displaced", "同名印模被替换", by)
    db.session.flush()  # before the new one, or the unique index sees two
    return earlier.id


def suspend(impression_id: int, reason: str, by: Actor) -> ImpressionSuspended:
    found = _locked(impression_id)
    rules.check_change("suspend", queries.state(impression_id))
    found.effective = False
    _note(impression_id, "suspended", reason, by)
    return ImpressionSuspended(impression_id=impression_id, unit_id=found.owner_unit_id, reason=reason)


def resume(impression_id: int, reason: str, by: Actor) -> ImpressionResumed:
    found = _locked(impression_id)
    rules.check_change("resume", queries.state(impression_id))
    displaced = displace(found.owner_key, found.kind, found.name, by)
    found.effective = True
    _note(impression_id, "resumed", reason, by)
    return ImpressionResumed(
        impression_id=impression_id, unit_id=found.owner_unit_id, reason=reason, displaced_id=displaced
    )


def destroy(impression_id: int, reason: str, by: Actor, *, witness: str) -> ImpressionDestroyed:
    """Unusable for ever (A7, D3). The sample stays, encrypted, for verification. `by`: who decided."""
    found = _locked(impression_id)
    rules.check_change("destroy", queries.state(impression_id))
    found.effective = False
    _note(impression_id, "destroyed", reason, by, witness)
    return ImpressionDestroyed(
        impression_id=impression_id, unit_id=found.owner_unit_id, reason=reason, witness=witness
    )


def _locked(impression_id: int) -> Impression:
    """Its name and itself."""
    found = queries.impression(impression_id)
    lock_name(found.owner_key, found.kind, found.name)
    return lock_row(Impression, impression_id)


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
