"""Seals follow their impression and their unit: what was asked for when it was suspended or destroyed is done to them (D4).

The authority is the change that was carried out, not the role of whoever acted last: the witness of a destruction
manages no seals.
"""

from app.actor import Actor
from app.command import command
from app.db import lock_row
from app.impressions import queries as impressions
from app.people.consequences import follows_unit
from app.people.rules import check_registrar as _check_registrar
from app.refusal import Conflict
from app.seals import moving, queries
from app.seals.facts import SealCancelled, SealsFollowedImpression, SealSuspended
from app.seals.models import Seal


@command
def follow_impression(change_id: int, *, by: Actor) -> SealsFollowedImpression:
    """Suspend or cancel every seal made from the impression, as the change that was carried out says. Those that are
    suspended or cancelled already stay as they are. Called by the diagram."""
    change = impressions.change(change_id)
    if change.state != "done" or change.seals == "keep":
        raise _nothing_to_follow()
    open_ones = [
        seal.id
        for seal in queries.seals_of_impression(change.impression_id)
        if _can_follow(seal.id, change.seals)
    ]
    for seal_id in open_ones:
        follow_one(change_id, seal_id, by=by)
    return SealsFollowedImpression(
        change_id=change_id,
        impression_id=change.impression_id,
        done=change.seals,
        seal_ids=open_ones,
        reason=change.reason,
    )


@command
def follow_one(change_id: int, seal_id: int, *, by: Actor) -> SealSuspended | SealCancelled:
    """One of them; refused for any that is not of this change."""
    change = impressions.change(change_id)
    seal: Seal = lock_row(Seal, seal_id)
    if (
        change.state != "done"
        or seal.impression_id != change.impression_id
        or not _can_follow(seal_id, change.seals)
    ):
        raise _nothing_to_follow()
    asked = Actor(id=change.asked_by_id, name=change.asked_by_name)
    act = moving.suspend if change.seals == "suspend" else moving.cancel
    return act(seal_id, change.reason, asked)


@follows_unit("seals")
def follow_unit(unit_id: int, reason: str, by: Actor) -> None:
    """D1: a unit that is renamed, merged or closed has no seal any more that says what it was."""
    for seal in queries.seals_of_unit(unit_id):
        if queries.cancellation(seal.id) is None:
            cancel_with_unit(seal.id, reason, by=by)


@command
def cancel_with_unit(seal_id: int, reason: str, *, by: Actor) -> SealCancelled:
    """One of them. The authority is the change of the unit, which is under way in this transaction."""
    _check_registrar(by)
    return moving.cancel(seal_id, reason, by)


def _can_follow(seal_id: int, what: str) -> bool:
    if what == "keep" or queries.cancellation(seal_id) is not None:
        return False
    return what == "cancel" or queries.open_suspension(seal_id) is None


def _nothing_to_follow() -> Conflict:
    return Conflict(
        "seal.no_change_to_follow",
        zh="印模变更尚未办理，或没有要求处理印章；请检查流程步骤的顺序",
        en="The change was not carried out, or asks nothing of seals; check the order of the flow's steps",
    )
