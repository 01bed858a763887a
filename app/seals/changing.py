"""Verbs of a change of a seal that goes through its flow (D1): asked for, agreed or refused, carried out.

The diagram `workflows/seal_change` says whose word is needed; what may never be left out stands here: nobody decides on their
own wish, and nothing is cancelled without an agreement, whatever a diagram says.
"""

from app import clock
from app.actor import Actor
from app.command import command
from app.db import db, lock_row, locked
from app.flows import commands as flows
from app.flows.action import cancelled
from app.people import queries as people
from app.seals import changing_rules as law
from app.seals import moving, queries, rules
from app.seals.facts import (
    SealCancelled,
    SealChangeAgreed,
    SealChangeAsked,
    SealChangeRefused,
    SealResumed,
    SealSuspended,
)
from app.seals.models import Seal, SealChange


@command
def ask_change(seal_id: int, verb: str, reason: str, *, by: Actor) -> SealChangeAsked:
    """A seal manager or the office asks; where the rule table wants no second person, it is done at once. `verb`: suspend,
    resume, cancel. One change of a seal at a time."""
    found: Seal = lock_row(Seal, queries.seal(seal_id).id)
    law.check_may_ask(by, queries.owner_path(found))
    law.check_verb(verb)
    rules.check_reason(reason)
    moving.check_not_cancelled(found)
    waiting = queries.open_change(seal_id)
    law.check_none_waits(waiting.verb if waiting else "")
    law.check_standing(verb, suspended=queries.open_suspension(seal_id) is not None)
    row = SealChange(
        seal_id=seal_id,
        verb=verb,
        reason=reason.strip(),
        asked_by_id=by.id or 0,
        asked_by_name=by.name,
        asked_at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    started = flows.start(
        "seal_change",
        {
            "seal_change_id": row.id, "seal_id": seal_id, "verb": verb, "kind": found.kind, "seal_name": found.name,
            "reason": row.reason, "owner_unit_id": people.unit_concerned(found.owner_unit_id, found.owner_user_id),
        },
        business_key=f"seal_change/{row.id}",
        by=by,
    )  # fmt: skip
    row.instance_id = started.instance_id
    return SealChangeAsked(
        change_id=row.id,
        seal_id=seal_id,
        unit_id=found.owner_unit_id,
        verb=verb,
        reason=row.reason,
        instance_id=started.instance_id,
    )


@command
def agree(change_id: int, *, by: Actor) -> SealChangeAgreed:
    """The seal office agrees. Called by the diagram."""
    row, found = _open(change_id)
    law.check_may_agree(by, queries.owner_path(found), asked_by_id=row.asked_by_id)
    row.agreed_by_id, row.agreed_by_name = by.id, by.name
    return SealChangeAgreed(change_id=row.id, seal_id=found.id, unit_id=found.owner_unit_id, verb=row.verb)


@command
def refuse(change_id: int, reason: str, *, by: Actor) -> SealChangeRefused:
    """The seal office does not agree: nothing changes. Called by the diagram."""
    row, found = _open(change_id)
    rules.check_reason(reason)
    row.state, row.answer = "refused", reason.strip()
    return SealChangeRefused(
        change_id=row.id, seal_id=found.id, unit_id=found.owner_unit_id, verb=row.verb, reason=row.answer
    )


@command
def carry_out(change_id: int, *, by: Actor) -> SealSuspended | SealResumed | SealCancelled:
    """Do it, on the word of whoever asked. Called by the diagram."""
    row, found = _open(change_id)
    law.check_agreed(row.verb, row.agreed_by_id)
    row.state = "done"
    asked = Actor(id=row.asked_by_id, name=row.asked_by_name)
    act = {"suspend": moving.suspend, "resume": moving.resume, "cancel": moving.cancel}[row.verb]
    return act(found.id, row.reason, asked)


@cancelled("seal_change")
def taken_back(change_id: int, reason: str, *, by: Actor) -> None:
    """The flow was cancelled: the seal stays as it is."""
    row: SealChange = locked(SealChange, change_id)
    if row.state == "open":
        row.state, row.answer = "cancelled", reason[:500]


def _open(change_id: int) -> tuple[SealChange, Seal]:
    row: SealChange = locked(SealChange, change_id)
    law.check_open(row.state)
    return row, queries.seal(row.seal_id)
