"""用印申请 (A22): asked for, agreed to or refused, used, or over. The diagram `workflows/seal_use` says whose word it takes;
what no diagram may leave out stands here: nobody agrees to their own request, a personal seal is its owner's, and what is
agreed to is one document, so often, for some days.
"""

from collections.abc import Sequence
from typing import Any

from app import clock
from app.actor import SYSTEM, Actor
from app.command import command
from app.db import db, locked
from app.flows import commands as flows
from app.flows.action import cancelled
from app.people import queries as people
from app.seals import granting
from app.seals import queries as seals
from app.seals.models import Seal
from app.seals.rules import PERSONAL_KINDS
from app.signing import commands, queries, requests
from app.signing import request_rules as law
from app.signing.models import Document, UseRequest
from app.signing.request_facts import UseAgreed, UseAsked, UseEnded, UsesAsked

FLOW = "seal_use"


@command
def ask(
    document: bytes,
    file_name: str,
    seal_ids: Sequence[int],
    *,
    document_class: str,
    purpose: str,
    presser: str = "self",
    uses: int = 1,
    by: Actor,
) -> UsesAsked:
    """Hand a document in for one seal or several (B11), each decided on by its own unit. Refuses what `upload` refuses,
    Forbidden for a personal seal, Conflict for a seal that is not in use."""
    uploaded = commands.upload(document, file_name, document_class=law.check_class(document_class), by=by)
    return ask_for(uploaded.document_id, seal_ids, purpose=purpose, presser=presser, uses=uses, by=by)


@command
def ask_for(
    document_id: int,
    seal_ids: Sequence[int],
    *,
    purpose: str,
    presser: str = "self",
    uses: int = 1,
    by: Actor,
) -> UsesAsked:
    """The same for a document of one's own that was uploaded before."""
    document: Document = locked(Document, queries.own_document(document_id, by).id)
    said = law.check_purpose(purpose)
    law.check_choice(seal_ids, presser, uses)
    asked = [ask_one(document.id, seal_id, said, presser, uses, by=by) for seal_id in seal_ids]
    return UsesAsked(
        document_id=document.id,
        document_digest=document.digest,
        file_name=document.file_name,
        request_ids=[one.request_id for one in asked],
        user_id=by.id or 0,
    )


@command
def ask_one(document_id: int, seal_id: int, purpose: str, presser: str, uses: int, *, by: Actor) -> UseAsked:
    """One seal of them; its flow begins."""
    law.check_may_ask(by)
    document, seal = queries.own_document(document_id, by), seals.seal(seal_id)
    law.check_askable(
        seal.name, personal=seal.kind in PERSONAL_KINDS, usable=seals.status_of(seal) == "active"
    )
    law.check_none_waits(seal.name, waiting=requests.under_way(document_id, seal_id) is not None)
    row = UseRequest(
        document_id=document.id,
        seal_id=seal.id,
        purpose=law.check_purpose(purpose),
        uses=uses,
        presser=presser,
        asked_by_id=by.id or 0,
        asked_by_name=by.name,
        asked_at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    started = flows.start(FLOW, _data(row, document, seal, by), business_key=f"use_request/{row.id}", by=by)
    row.instance_id = started.instance_id
    return UseAsked(
        request_id=row.id,
        seal_id=seal.id,
        card_serial=seal.card_serial,
        document_id=document.id,
        document_digest=document.digest,
        file_name=document.file_name,
        document_class=document.document_class,
        purpose=row.purpose,
        uses=uses,
        presser=presser,
        user_id=by.id or 0,
        unit_id=seal.owner_unit_id,
        instance_id=row.instance_id,
    )


def _data(row: UseRequest, document: Document, seal: Seal, by: Actor) -> dict[str, Any]:
    """What the diagram and its rule table may ask."""
    return {
        "request_id": row.id,
        "document_name": document.file_name,
        "document_class": document.document_class,
        "seal_name": seal.name,
        "kind": seal.kind,
        "purpose": row.purpose,
        "uses": row.uses,
        "presser": row.presser,
        "owner_unit_id": seal.owner_unit_id,
        "own_unit": seal.owner_unit_id in people.unit_path(by.unit_id),
    }


@command
def allow(request_id: int, days: int, *, by: Actor) -> UseAgreed:
    """Everybody whose word it took has agreed: the grant, for this document, so many times, for so many days. `by`: the
    last of them. Called by the diagram."""
    row, document, seal = _open(request_id, "open")
    law.check_not_own(by, asked_by_id=row.asked_by_id)
    given = granting.authorize_once(
        seal.id,
        document_digest=document.digest,
        uses=row.uses,
        valid_until=law.until(clock.now(), days),
        because=law.because(row.id, row.purpose),
        user_id=row.asked_by_id if row.presser == "self" else None,
        role="seal_user" if row.presser == "keeper" else None,
        by=by,
    )
    row.state, row.grant_id = "agreed", given.grant_id
    row.decided_by_id, row.decided_by_name, row.decided_at = by.id, by.name, clock.now()
    assert given.valid_until is not None
    return UseAgreed(
        request_id=row.id,
        seal_id=seal.id,
        document_digest=document.digest,
        file_name=document.file_name,
        grant_id=given.grant_id,
        valid_until=given.valid_until,
        unit_id=seal.owner_unit_id,
    )


@command
def refuse(request_id: int, reason: str, *, by: Actor) -> UseEnded:
    """One of them does not agree. Called by the diagram."""
    row, document, seal = _open(request_id, "open")
    row.decided_by_id, row.decided_by_name, row.decided_at = by.id, by.name, clock.now()
    return _ended(row, document, seal, "refused", reason)


@command
def register_use(request_id: int, *, by: Actor) -> UseEnded:
    """It was pressed as often as was agreed: 用印登记. Called by the diagram, when the message of it came."""
    row, document, seal = _open(request_id, "agreed")
    return _ended(row, document, seal, "used", "")


@command
def give_up(request_id: int, reason: str, *, by: Actor) -> UseEnded:
    """Whoever was to press it does not need it any more. Called by the diagram."""
    row, document, seal = _open(request_id, "agreed")
    _give_back(row, reason, by)
    return _ended(row, document, seal, "cancelled", reason)


@command
def expire(request_id: int, *, by: Actor) -> UseEnded:
    """Its days are over. Called by the diagram's timer."""
    row, document, seal = _open(request_id, "agreed")
    _give_back(row, "逾期未用", by)
    return _ended(row, document, seal, "expired", "逾期未用")


@cancelled("use_request")
def taken_back(request_id: int, reason: str, *, by: Actor) -> None:
    """The flow was cancelled: what was agreed to counts no more."""
    row: UseRequest = locked(UseRequest, request_id)
    if row.state in law.UNDER_WAY:
        _give_back(row, reason, SYSTEM)
        row.state, row.answer, row.ended_at = "cancelled", reason[:500], clock.now()


def _give_back(row: UseRequest, reason: str, by: Actor) -> None:
    if row.grant_id is not None:
        granting.give_back(row.grant_id, reason[:500] or "不再用印", by=by)


def _open(request_id: int, wanted: str) -> tuple[UseRequest, Document, Seal]:
    row: UseRequest = locked(UseRequest, request_id)
    law.check_state(row.state, wanted)
    return row, db.session.get_one(Document, row.document_id), seals.seal(row.seal_id)


def _ended(row: UseRequest, document: Document, seal: Seal, state: str, reason: str) -> UseEnded:
    row.state, row.answer, row.ended_at = state, reason[:500], clock.now()
    return UseEnded(
        request_id=row.id,
        seal_id=seal.id,
        document_digest=document.digest,
        file_name=document.file_name,
        state=state,
        reason=reason,
        unit_id=seal.owner_unit_id,
    )
