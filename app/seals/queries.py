"""Reading seals: the ledger, a seal's life, and the one decision on every use."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app import clock, store
from app.actor import Actor
from app.applications import queries as applications
from app.cards import queries as cards
from app.crypto import vault
from app.crypto.certificates import CertificateRefused
from app.crypto.seal_data import Picture
from app.db import db
from app.flows.models import FlowDefinition, FlowInstance, FlowTask
from app.imaging.checking import ImageRefused
from app.imaging.compacting import compact
from app.impressions import queries as impressions
from app.people import queries as people
from app.refusal import Conflict, Hidden, NotFound, Refusal
from app.seals import rules
from app.seals.models import (
    GrantWithdrawal,
    Seal,
    SealCancellation,
    SealChange,
    SealFiling,
    SealGrant,
    SealIssue,
    SealMaking,
    SealSuspension,
)
from app.text import Text
from card_agent.protocol.on_card import ENVELOPE_LIMIT_BYTES

PICTURE_LIMIT_BYTES = ENVELOPE_LIMIT_BYTES - 12 * 1024
"""What is left of a card's room beside certificates, order and signatures."""

APPROVAL = "seal_approval"
"""The diagram that decides on applications."""

SEES_ALL = frozenset({"seal_office", "seal_office_head", "overseer", "station_operator"})
"""Roles whose ledger is the whole organisation's."""


NOTHING = Text("", "")


@dataclass(frozen=True, kw_only=True)
class LedgerRow:
    """One seal in the ledger. `status`: active, suspended, cancelled, expired or unissued."""

    seal: Seal
    status: str
    owner_name: str
    collector_name: str | None


@dataclass(frozen=True, kw_only=True)
class LifeEvent:
    """One moment of a seal's life, for its timeline."""

    at: datetime
    what: Text
    who: str
    detail: Text = NOTHING


@dataclass(frozen=True, kw_only=True)
class GrantRow:
    grant: SealGrant
    to: Text
    withdrawn: GrantWithdrawal | None


# --- one seal ---


def seal(seal_id: int) -> Seal:
    found = db.session.get(Seal, seal_id)
    if found is None:
        raise _unknown()
    return found


def seal_of_job(job_id: int) -> Seal | None:
    return db.session.scalar(sa.select(Seal).where(Seal.job_id == job_id))


def seal_named(number: str, actor: Actor) -> Seal:
    """By what people have before them: the card's serial (the living seal on it, else its last), the esID, or the
    number in the ledger. NotFound also for what this person may not see."""
    on_card = sa.select(Seal).where(Seal.card_serial == number).order_by(Seal.id.desc()).limit(1)
    found = (
        live_seal_on_card(number)
        or db.session.scalar(on_card)
        or db.session.scalar(sa.select(Seal).where(Seal.es_id == number))
    )
    if found is None and number.isascii() and number.isdecimal() and len(number) <= LEDGER_DIGITS:
        found = db.session.get(Seal, int(number))
    if found is None:
        raise _unknown()
    return visible_seal(found.id, actor)


LEDGER_DIGITS = 9


def owner_path(found: Seal) -> frozenset[int]:
    """The unit the seal belongs to, its owner's when it is a person's, and all units above."""
    return people.unit_path(people.unit_concerned(found.owner_unit_id, found.owner_user_id))


def visible_seal(seal_id: int, actor: Actor) -> Seal:
    """The seal if this person may see it; NotFound otherwise, so that nobody learns what exists."""
    found = seal(seal_id)
    if not _may_see(found, actor):
        raise _unknown(Hidden, seal_id=found.id, owner_unit_id=found.owner_unit_id)
    return found


def _unknown(kind: type[NotFound] = NotFound, **details: Any) -> NotFound:
    return kind(
        "seal.unknown",
        zh="没有这枚印章，或您无权查看；请返回印章台帐",
        en="There is no such seal, or it is not yours to see; go back to the ledger",
        **details,
    )


def _may_see(found: Seal, actor: Actor) -> bool:
    if actor.kind == "system" or actor.roles & SEES_ALL or actor.id == found.owner_user_id:
        return True
    if found.owner_unit_id is not None:
        path = people.unit_path(found.owner_unit_id)
        roles = ("seal_manager", "seal_user", "unit_head", "applicant")
        if any(actor.has(role, path) for role in roles):
            return True
    return any(rules.is_for(view, actor) for view in grants_of(found.id))


def status_of(found: Seal, at: datetime | None = None) -> str:
    if db.session.get(SealCancellation, found.id) is not None:
        return "cancelled"
    if open_suspension(found.id) is not None:
        return "suspended"
    if (at or clock.now()) > found.valid_until:
        return "expired"
    return "active" if last_issue(found.id) is not None else "unissued"


def open_suspension(seal_id: int) -> SealSuspension | None:
    return db.session.scalar(
        sa.select(SealSuspension).where(SealSuspension.seal_id == seal_id, SealSuspension.ended_at.is_(None))
    )


def cancellation(seal_id: int) -> SealCancellation | None:
    return db.session.get(SealCancellation, seal_id)


def change(change_id: int) -> SealChange:
    """Refuses NotFound."""
    found = db.session.get(SealChange, change_id)
    if found is None:
        raise NotFound("seal.no_change", zh="没有这项印章变更", en="There is no such change of a seal")
    return found


def open_change(seal_id: int) -> SealChange | None:
    """The change that others still decide on."""
    return db.session.scalar(
        sa.select(SealChange).where(SealChange.seal_id == seal_id, SealChange.state == "open")
    )


def filing(seal_id: int) -> SealFiling | None:
    """备案 (D1); None: for use inside only."""
    return db.session.get(SealFiling, seal_id)


def filed_under(number: str) -> SealFiling | None:
    return db.session.scalar(sa.select(SealFiling).where(SealFiling.number == number))


def filings() -> dict[int, SealFiling]:
    """All, by seal."""
    return {one.seal_id: one for one in db.session.scalars(sa.select(SealFiling))}


def filings_of(es_ids: Sequence[str]) -> dict[str, SealFiling | None]:
    """Of the seals that are ours, by the id in their structure: how each is filed, if it is."""
    rows = db.session.execute(
        sa.select(Seal.es_id, SealFiling)
        .outerjoin(SealFiling, SealFiling.seal_id == Seal.id)
        .where(Seal.es_id.in_(es_ids))
    )
    return {es_id: found for es_id, found in rows}


def last_issue(seal_id: int) -> SealIssue | None:
    """The hand-over in force: the last, unless the seal came back since."""
    found = db.session.scalar(
        sa.select(SealIssue).where(SealIssue.seal_id == seal_id).order_by(SealIssue.id.desc()).limit(1)
    )
    return found if found is not None and found.returned_at is None else None


def was_issued(seal_id: int) -> bool:
    """Whether it was ever handed out."""
    return db.session.scalar(sa.select(SealIssue.id).where(SealIssue.seal_id == seal_id).limit(1)) is not None


def owner_name(found: Seal) -> str:
    if found.owner_user_id is not None:
        return people.user(found.owner_user_id).name
    return people.unit(found.owner_unit_id).name if found.owner_unit_id is not None else ""


# --- the ledger ---


def ledger(
    actor: Actor, *, search: str = "", status: str = "", kind: str = "", limit: int = 200
) -> list[LedgerRow]:
    """One row a seal, newest first; only those this person may see. `search`: part of a name or a card's
    serial."""
    query = sa.select(Seal).order_by(Seal.id.desc()).limit(limit)
    if search:
        like = f"%{search.replace('%', '').replace('_', '')}%"
        query = query.where(sa.or_(Seal.name.ilike(like), Seal.card_serial.ilike(like)))
    if kind:
        query = query.where(Seal.kind == kind)
    rows = [_row(s) for s in db.session.scalars(query) if _may_see(s, actor)]
    return [r for r in rows if not status or r.status == status]


def _row(found: Seal) -> LedgerRow:
    issue = last_issue(found.id)
    return LedgerRow(
        seal=found,
        status=status_of(found),
        owner_name=owner_name(found),
        collector_name=issue.collector_name if issue else None,
    )


def life(seal_id: int) -> list[LifeEvent]:
    """Everything that happened to the seal, oldest first: from its application to its end."""
    found = seal(seal_id)
    events = [*_before(found), *_issues(seal_id), *_authorisations(seal_id), *_stops(seal_id)]
    filed = filing(seal_id)
    if filed is not None:
        events.append(_event(filed.at, "备案", "Filed", filed.by_name, f"{filed.number} · {filed.authority}"))
    end = cancellation(seal_id)
    if end is not None:
        events.append(_event(end.at, "注销", "Cancelled", end.by_name, end.reason))
    return sorted(events, key=lambda e: e.at)


def _event(at: datetime, zh: str, en: str, who: str, detail: str | Text = "") -> LifeEvent:
    said = detail if isinstance(detail, Text) else Text(detail, detail)
    return LifeEvent(at=at, what=Text(zh, en), who=who, detail=said)


def _before(found: Seal) -> list[LifeEvent]:
    """Application, impression, order, making."""
    events: list[LifeEvent] = []
    if found.application_id is not None:
        asked = applications.application(found.application_id)
        who = people.user(asked.applicant_id).name
        events.append(_event(asked.submitted_at, "提出申请", "Applied for", who, asked.number))
    impression = impressions.impression(found.impression_id)
    events.append(_event(impression.valid_from, "印模导入印模库", "Impression entered the library", ""))
    job = cards.job(found.job_id)
    events.append(
        _event(job.created_at, "下达制章任务", "Making ordered", job.operator_name, found.card_serial)
    )
    maker = Text(f"制章者 {found.maker_name}", f"Maker: {found.maker_name}")
    events.append(
        _event(found.made_at, "制成并写入卡", "Made and written to the card", found.operator_name, maker)
    )
    return events


def _issues(seal_id: int) -> list[LifeEvent]:
    events: list[LifeEvent] = []
    for issue in db.session.scalars(sa.select(SealIssue).where(SealIssue.seal_id == seal_id)):
        zh, en = f"发放，{issue.collector_name} 领取", f"Issued, collected by {issue.collector_name}"
        detail = f"{issue.collector_document} · {issue.on_behalf_of}"
        events.append(_event(issue.recorded_at, zh, en, issue.by_name, detail))
        if issue.returned_at is not None:
            who, why = issue.returned_by_name or "", issue.returned_reason or ""
            events.append(_event(issue.returned_at, "交回", "Returned", who, why))
    return events


def _authorisations(seal_id: int) -> list[LifeEvent]:
    events: list[LifeEvent] = []
    for row in grants(seal_id):
        said = rules.because_text(row.grant.because)
        zh, en = f"授权给{row.to.zh}", f"Authorised to {row.to.en}"
        events.append(_event(row.grant.granted_at, zh, en, row.grant.granted_by_name, said))
        if row.withdrawn:
            zh, en = f"收回对{row.to.zh}的授权", f"Authorisation of {row.to.en} withdrawn"
            events.append(_event(row.withdrawn.at, zh, en, row.withdrawn.by_name, row.withdrawn.reason))
    return events


def _stops(seal_id: int) -> list[LifeEvent]:
    events: list[LifeEvent] = []
    for stop in db.session.scalars(sa.select(SealSuspension).where(SealSuspension.seal_id == seal_id)):
        events.append(_event(stop.at, "停用", "Suspended", stop.by_name, stop.reason))
        if stop.ended_at is not None:
            events.append(
                _event(stop.ended_at, "启用", "Resumed", stop.ended_by_name or "", stop.ended_reason or "")
            )
    return events


# --- grants and the decision ---


def grants(seal_id: int) -> list[GrantRow]:
    """Every grant of the seal, oldest first, withdrawn ones too."""
    found = db.session.scalars(
        sa.select(SealGrant).where(SealGrant.seal_id == seal_id).order_by(SealGrant.id)
    )
    return [GrantRow(grant=g, to=_to(g), withdrawn=db.session.get(GrantWithdrawal, g.id)) for g in found]


def _to(grant: SealGrant) -> Text:
    if grant.user_id is not None:
        name = people.user(grant.user_id).name
        return Text(name, name)
    assert grant.unit_id is not None
    unit = people.unit(grant.unit_id).name
    role = rules.role_text(grant.role or "")
    return Text(f"“{unit}”的{role.zh}", f"{role.en} of “{unit}”")


def grants_of(seal_id: int) -> list[rules.GrantView]:
    """The grants as the law sees them."""
    return [
        rules.GrantView(
            id=row.grant.id,
            user_id=row.grant.user_id,
            role=row.grant.role,
            unit_path=people.unit_path(row.grant.unit_id),
            unit_name=people.unit(row.grant.unit_id).name if row.grant.unit_id is not None else "",
            functions=row.grant.functions,
            valid_from=row.grant.valid_from,
            valid_until=row.grant.valid_until,
            withdrawn=row.withdrawn is not None,
            document_digest=row.grant.document_digest,
            document_classes=row.grant.document_classes,
            uses_left=None if row.grant.uses_allowed is None else row.grant.uses_allowed - row.grant.used,
        )
        for row in grants(seal_id)
    ]


def limits_of(grant: SealGrant) -> list[Text]:
    return rules.limits_text(grant.document_digest, grant.document_classes, grant.uses_allowed, grant.used)


def may_use(
    seal_id: int,
    actor: Actor,
    *,
    function: str = "pdf",
    document_digest: str | None = None,
    document_class: str | None = None,
    at: datetime | None = None,
) -> rules.Decision:
    """The one decision point: may this person use this seal now, for this, and why (A20–A22, B10).

    Ask at each use, also just before the signature: what was withdrawn in between counts.
    """
    moment = at or clock.now()
    found = seal(seal_id)
    view = rules.SealView(
        name=found.name,
        valid_from=found.valid_from,
        valid_until=found.valid_until,
        issued=last_issue(seal_id) is not None,
        suspended=open_suspension(seal_id) is not None,
        cancelled=cancellation(seal_id) is not None,
        card_problem=_card_problem(found, moment),
        by_request=found.by_request,
    )
    return rules.decide_use(
        view,
        grants_of(seal_id),
        actor,
        function=function,
        document_digest=document_digest,
        document_class=document_class,
        at=moment,
    )


def _card_problem(found: Seal, at: datetime) -> Text | None:
    """Why the seal's card cannot be used: lost, or its certificate is not good any more."""
    try:
        cards.check_registered_card(found.card_serial, "seal", at=at)
    except CertificateRefused as refusal:
        return refusal.text
    except Refusal as refusal:
        return refusal.text
    return None


def manages(found: Seal, actor: Actor) -> bool:
    """Whether the seals of its owner are this person's to manage."""
    units = people.unit_path(found.owner_unit_id) or None
    return any(actor.has(role, units) for role in ("seal_manager", "seal_office"))


def managed_seal(seal_id: int, actor: Actor) -> Seal:
    """The seal, for those who manage the seals of its owner. Refuses NotFound to everybody else."""
    found = visible_seal(seal_id, actor)
    if not manages(found, actor):
        raise Hidden(
            "seal.unknown",
            zh="没有这枚印章，或您无权查看",
            en="There is no such seal, or it is not for you",
        )
    return found


def issued(seal_id: int) -> SealIssue:
    """Refuses NotFound before it was handed out."""
    found = last_issue(seal_id)
    if found is None:
        raise NotFound(
            "seal.not_issued",
            zh="该印章尚未发放，还没有交接单",
            en="This seal has not been handed out, so there is no paper of it",
        )
    return found


def usable_by(
    actor: Actor,
    *,
    function: str = "pdf",
    document_digest: str | None = None,
    document_class: str | None = None,
) -> list[Seal]:
    """The seals this person may use now: for that document, or at all."""
    mine = sa.or_(SealGrant.user_id == actor.id, SealGrant.role.in_(actor.roles))
    granted = sa.select(SealGrant.seal_id).where(mine)
    found = db.session.scalars(sa.select(Seal).where(Seal.id.in_(granted)).order_by(Seal.name, Seal.id))
    return [
        s
        for s in found
        if may_use(
            s.id, actor, function=function, document_digest=document_digest, document_class=document_class
        ).allowed
    ]


# --- bytes ---


def seal_context(es_id: str) -> dict[str, Any]:
    """For which place the stored SESeal is sealed."""
    return {"kind": "seal", "es_id": es_id}


def envelope_context(making: SealMaking) -> dict[str, Any]:
    """For which card the envelope is: on another card it does not open."""
    return {
        "kind": "seal_on_card",
        "es_id": making.es_id,
        "card_serial": making.card_serial,
        "card_cert_sha256": making.card_cert_sha256,
    }


def seal_der(seal_id: int) -> bytes:
    """The SESeal as it was made, DER, byte for byte."""
    found = seal(seal_id)
    return vault.open(store.get(found.seal_object), context=seal_context(found.es_id))


def envelope_sha256(seal_id: int) -> str:
    """Of the ciphertext on the card, hex."""
    making = making_of_seal(seal_id)
    assert making.envelope_sha256 is not None
    return making.envelope_sha256


def making_of_seal(seal_id: int) -> SealMaking:
    making = db.session.get(SealMaking, seal(seal_id).job_id)
    assert making is not None
    return making


def making_of_job(job_id: int) -> SealMaking | None:
    return db.session.get(SealMaking, job_id)


def approvers_of(application_id: int) -> frozenset[int]:
    """Everybody who did a step of the application's approval: none of them operates the making."""
    found = db.session.scalars(
        sa.select(FlowTask.done_by_id)
        .join(FlowInstance, FlowInstance.id == FlowTask.instance_id)
        .join(FlowDefinition, FlowDefinition.id == FlowTask.definition_id)
        .where(
            FlowInstance.business_key == f"application/{application_id}",
            FlowDefinition.key == APPROVAL,
            FlowTask.status == "done",
        )
    )
    return frozenset(i for i in found if i is not None)


def next_seq(card_serial: str) -> int:
    """The number of the next production on this card, from 1; numbers given to failed ones are not reused."""
    last = db.session.scalar(
        sa.select(sa.func.max(SealMaking.seq)).where(SealMaking.card_serial == card_serial)
    )
    return (last or 0) + 1


def live_seal_on_card(card_serial: str) -> Seal | None:
    """A seal on this card that has not been cancelled."""
    found = db.session.scalars(
        sa.select(Seal).where(Seal.card_serial == card_serial).order_by(Seal.id.desc())
    )
    return next((s for s in found if cancellation(s.id) is None), None)


def picture_of(impression_id: int) -> Picture:
    """The impression as it goes into the seal: compact enough for a card. Refuses Conflict when it is not."""
    impression = impressions.impression(impression_id)
    try:
        data = compact(
            impressions.clear_png(impression_id),
            width_mm=impression.width_mm,
            limit_bytes=PICTURE_LIMIT_BYTES,
        )
    except ImageRefused as error:
        raise Conflict(error.code, zh=error.text.zh, en=error.text.en) from error
    return Picture(
        format="PNG",
        data=data,
        width_mm=round(impression.width_mm),
        height_mm=round(impression.height_mm),
    )


def seals_of_unit(unit_id: int) -> Sequence[Seal]:
    """Every seal that is the unit's own, in the order they were made."""
    return db.session.scalars(sa.select(Seal).where(Seal.owner_unit_id == unit_id).order_by(Seal.id)).all()


def seals_of_impression(impression_id: int) -> Sequence[Seal]:
    """What was made from it: whom a suspension or destruction touches (D4)."""
    return db.session.scalars(
        sa.select(Seal).where(Seal.impression_id == impression_id).order_by(Seal.id)
    ).all()
