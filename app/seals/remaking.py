"""A seal is made again from the same impression: after its card was lost, or before its certificate ends (补办、换发).

The diagram `workflows/seal_remaking` orders the steps: the seal office agrees, then production, issuance and authorisation as for
a new seal; at the end the old one is cancelled in favour of the new. What may never be left out stands here: nobody agrees to
their own wish, whoever agreed does not operate (`commands.order_making` asks), and one seal is replaced by one.
"""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app import clock
from app.actor import SYSTEM, Actor
from app.command import command
from app.db import db, lock_row, locked
from app.flows import commands as flows
from app.flows.action import cancelled
from app.impressions import queries as impressions
from app.impressions import rules as impression_rules
from app.people import queries as people
from app.refusal import Refusal
from app.seals import queries, remakings, rules
from app.seals import remaking_rules as law
from app.seals.facts import RemakingAgreed, RemakingAsked, RemakingRefused, SealReplaced
from app.seals.models import Seal, SealCancellation, SealRemaking
from app.settings import current_settings

A_ROUND = 50
"""Seals whose flow is started by one look."""


@command
def ask_remaking(seal_id: int, cause: str, reason: str, *, by: Actor) -> RemakingAsked:
    """`cause`: lost (its card), expiring, damaged. The seal's manager or office asks; the system, when it is about to end.
    Refuses Conflict while one is under way, for a cancelled seal, and when the impression makes no seals (A8)."""
    found: Seal = lock_row(Seal, queries.seal(seal_id).id)
    unit_id = people.unit_concerned(found.owner_unit_id, found.owner_user_id)
    law.check_may_ask(by, people.unit_path(unit_id))
    law.check_cause(cause)
    rules.check_reason(reason)
    law.check_not_over(found.name, cancelled=queries.cancellation(seal_id) is not None)
    law.check_none_waits(found.name, waiting=remakings.open_remaking(seal_id) is not None)
    impression_rules.check_usable(impressions.state(found.impression_id))
    row = SealRemaking(
        seal_id=seal_id,
        cause=cause,
        reason=reason,
        asked_by_id=by.id,
        asked_by_name=by.name,
        asked_at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    started = flows.start(
        "seal_remaking",
        {
            "remaking_id": row.id, "seal_id": seal_id, "cause": cause, "reason": reason, "seal_name": found.name,
            "kind": found.kind, "keeping": found.keeping, "owner_unit_id": found.owner_unit_id or unit_id,
            "owner_user_id": found.owner_user_id, "application_id": found.application_id, "card_serial": found.card_serial,
            "ends": found.valid_until.date().isoformat(), "impression": {"impression_id": found.impression_id},
        },
        business_key=f"remaking/{row.id}",
        by=by,
    )  # fmt: skip
    row.instance_id = started.instance_id
    return RemakingAsked(
        remaking_id=row.id,
        seal_id=seal_id,
        card_serial=found.card_serial,
        unit_id=found.owner_unit_id,
        cause=cause,
        reason=reason,
        instance_id=started.instance_id,
    )


@command
def agree(remaking_id: int, *, by: Actor) -> RemakingAgreed:
    """The seal office agrees. Called by the diagram."""
    row, old = _open(remaking_id)
    law.check_may_agree(by, _path(old), asked_by_id=row.asked_by_id)
    row.agreed_by_id, row.agreed_by_name = by.id, by.name
    return RemakingAgreed(remaking_id=row.id, seal_id=old.id, unit_id=old.owner_unit_id)


@command
def refuse(remaking_id: int, reason: str, *, by: Actor) -> RemakingRefused:
    """It is let end. Called by the diagram."""
    row, old = _open(remaking_id)
    rules.check_reason(reason)
    row.state, row.answer = "refused", reason
    return RemakingRefused(remaking_id=row.id, seal_id=old.id, unit_id=old.owner_unit_id, reason=reason)


@command
def replace(remaking_id: int, new_seal_id: int, *, by: Actor) -> SealReplaced:
    """The new seal stands in the old one's place, which is cancelled for good. Called by the diagram, once the new one was
    handed out."""
    row, old = _open(remaking_id)
    new = queries.seal(new_seal_id)
    law.check_replaces(
        agreed=row.agreed_by_id is not None,
        same_impression=new.impression_id == old.impression_id and new.made_at >= row.asked_at,
        other=new.id != old.id,
    )
    row.state, row.new_seal_id = "done", new_seal_id
    if queries.cancellation(old.id) is None:
        why = law.replaced_because(row.cause, new.es_id)
        db.session.add(
            SealCancellation(
                seal_id=old.id, at=clock.now(), reason=why, by_id=row.agreed_by_id, by_name=row.agreed_by_name
            )
        )
    return SealReplaced(
        remaking_id=row.id,
        seal_id=old.id,
        new_seal_id=new_seal_id,
        card_serial=old.card_serial,
        unit_id=old.owner_unit_id,
        cause=row.cause,
    )


@cancelled("remaking")
def taken_back(remaking_id: int, reason: str, *, by: Actor) -> None:
    """The flow was cancelled: the old seal stays as it is."""
    row: SealRemaking = locked(SealRemaking, remaking_id)
    if row.state == "open":
        row.state, row.answer = "cancelled", reason[:500]


def ask_for_those_that_end() -> int:
    """Start the flow of every seal that ends within the days set and was not asked about before; how many. Running twice,
    or at the same moment, starts none twice: the row of its asking is unique."""
    days = current_settings().renewal_days
    if not days:
        return 0
    until = clock.now() + timedelta(days=days)
    asked = sa.select(SealRemaking.seal_id).where(
        sa.or_(SealRemaking.cause == "expiring", SealRemaking.state == "open")
    )
    ending = db.session.scalars(
        sa.select(Seal.id)
        .where(
            Seal.valid_until <= until,
            Seal.valid_until > clock.now(),
            Seal.id.not_in(asked),
            Seal.id.not_in(sa.select(SealCancellation.seal_id)),
        )
        .order_by(Seal.valid_until)
        .limit(A_ROUND)
    ).all()
    db.session.rollback()
    return sum(_asked(seal_id, days) for seal_id in ending)


def _asked(seal_id: int, days: int) -> bool:
    """What is in the way (a suspended impression, somebody quicker) leaves it for the next look."""
    try:
        ask_remaking(seal_id, "expiring", f"有效期不足 {days} 天，系统提醒换发", by=SYSTEM)
    except (Refusal, IntegrityError):
        return False
    return True


def _open(remaking_id: int) -> tuple[SealRemaking, Seal]:
    row: SealRemaking = locked(SealRemaking, remaking_id)
    law.check_open(row.state)
    return row, queries.seal(row.seal_id)


def _path(found: Seal) -> frozenset[int]:
    return people.unit_path(people.unit_concerned(found.owner_unit_id, found.owner_user_id))
