"""Verbs of a change that goes through its flow (A7, D3, D4): asked for, agreed or refused, carried out before a witness.

The diagram `workflows/impression_change` says whose word is needed; what may never be left out stands here: nobody decides
on their own wish, and nothing is destroyed without an agreement and a witness, whatever a diagram says.
"""

from app.actor import Actor
from app.clock import now
from app.command import command
from app.db import db, locked
from app.flows import commands as flows
from app.flows.action import cancelled
from app.impressions import moving, queries, rules
from app.impressions.facts import (
    ImpressionChangeAgreed,
    ImpressionChangeAsked,
    ImpressionChangeRefused,
    ImpressionDestroyed,
    ImpressionResumed,
    ImpressionSuspended,
)
from app.impressions.models import Impression, ImpressionChange
from app.people import queries as people


@command
def ask_change(
    impression_id: int, verb: str, reason: str, *, seals: str = "keep", by: Actor
) -> ImpressionChangeAsked:
    """A seal manager asks; where the rule table wants no second person, it is done at once. `verb`: suspend, resume,
    destroy. `seals`: keep, suspend, cancel those made from it (D4). One change of an impression at a time."""
    reason = rules.check_reason(reason)
    seals = rules.check_seals_choice(verb, seals)
    found = queries.check_may_change(impression_id, by)
    moving.lock_name(found.owner_key, found.kind, found.name)
    waiting = queries.open_change(impression_id)
    rules.check_none_open(waiting.verb if waiting else "")
    rules.check_change(rules.check_verb(verb), queries.state(impression_id))
    row = ImpressionChange(
        impression_id=impression_id,
        verb=verb,
        reason=reason,
        seals=seals,
        asked_by_id=by.id or 0,
        asked_by_name=by.name,
    )
    db.session.add(row)
    db.session.flush()
    started = flows.start(
        "impression_change",
        {
            "change_id": row.id, "impression_id": impression_id, "verb": verb, "kind": found.kind, "seals": seals,
            "seal_name": found.name, "reason": reason, "owner_unit_id": _unit(found),
        },
        business_key=f"impression_change/{row.id}",
        by=by,
    )  # fmt: skip
    row.instance_id = started.instance_id
    return ImpressionChangeAsked(
        change_id=row.id,
        impression_id=impression_id,
        unit_id=found.owner_unit_id,
        verb=verb,
        reason=reason,
        seals=seals,
        instance_id=started.instance_id,
    )


@command
def agree(change_id: int, *, by: Actor) -> ImpressionChangeAgreed:
    """The seal office agrees. Called by the diagram."""
    row, found = _open(change_id)
    rules.check_may_agree(by, _path(found), asked_by_id=row.asked_by_id)
    row.agreed_by_id, row.agreed_by_name, row.agreed_at = by.id, by.name, now()
    return ImpressionChangeAgreed(
        change_id=row.id, impression_id=found.id, unit_id=found.owner_unit_id, verb=row.verb
    )


@command
def refuse(change_id: int, reason: str, *, by: Actor) -> ImpressionChangeRefused:
    """The seal office, or the witness, does not agree: nothing changes. Called by the diagram."""
    row, found = _open(change_id)
    row.state, row.answer = "refused", rules.check_reason(reason)
    return ImpressionChangeRefused(
        change_id=row.id,
        impression_id=found.id,
        unit_id=found.owner_unit_id,
        verb=row.verb,
        reason=row.answer,
    )


@command
def carry_out(change_id: int, *, by: Actor) -> ImpressionSuspended | ImpressionResumed | ImpressionDestroyed:
    """Do it. `by`: whoever acted last; for destroying, the witness. Called by the diagram."""
    row, found = _open(change_id)
    row.state = "done"
    if row.verb == "destroy":
        rules.check_may_witness(by, _path(found), asked_by_id=row.asked_by_id, agreed_by_id=row.agreed_by_id)
        decided = Actor(id=row.agreed_by_id, name=row.agreed_by_name)
        return moving.destroy(found.id, row.reason, decided, witness=by.name)
    asked = Actor(id=row.asked_by_id, name=row.asked_by_name)
    act = moving.suspend if row.verb == "suspend" else moving.resume
    return act(found.id, row.reason, asked)


@cancelled("impression_change")
def taken_back(change_id: int, reason: str, *, by: Actor) -> None:
    """The flow was cancelled: the impression stays as it is."""
    row: ImpressionChange = locked(ImpressionChange, change_id)
    if row.state == "open":
        row.state, row.answer = "cancelled", reason[:500]


def _open(change_id: int) -> tuple[ImpressionChange, Impression]:
    row: ImpressionChange = locked(ImpressionChange, change_id)
    rules.check_change_open(row.state)
    return row, queries.impression(row.impression_id)


def _path(found: Impression) -> frozenset[int]:
    return queries.unit_path_of(found.owner_unit_id, found.owner_user_id)


def _unit(found: Impression) -> int | None:
    """The unit concerned: the owner's."""
    return found.owner_unit_id if found.owner_user_id is None else people.user(found.owner_user_id).unit_id
