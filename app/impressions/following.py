"""Impressions follow their unit: what shows a name that is no more makes no seals (D1, A8). The record stays; a new one is applied for."""

from app.actor import Actor
from app.command import command
from app.impressions import moving, queries
from app.impressions.facts import ImpressionSuspended
from app.people.consequences import follows_unit
from app.people.rules import check_registrar


@follows_unit("impressions")
def follow_unit(unit_id: int, reason: str, by: Actor) -> None:
    """Suspend those that are effective."""
    for impression_id in queries.effective_of_unit(unit_id):
        suspend_with_unit(impression_id, reason, by=by)


@command
def suspend_with_unit(impression_id: int, reason: str, *, by: Actor) -> ImpressionSuspended:
    """One of them. The authority is the change of the unit, which is under way in this transaction."""
    check_registrar(by)
    return moving.suspend(impression_id, reason, by)
