"""What can be done with seals, in the order of a seal's life."""

from collections.abc import Sequence
from datetime import datetime

from app import clock
from app.actor import Actor
from app.applications import queries as applications
from app.cards import commands as card_commands
from app.cards import queries as cards
from app.cards.models import Card
from app.command import command
from app.crypto.certificates import common_name
from app.crypto.seal_data import parse_seal_info
from app.db import db, lock_row
from app.impressions import queries as impressions
from app.impressions import rules as impression_rules
from app.impressions.models import Impression
from app.people import queries as people
from app.refusal import Conflict, Forbidden, Invalid, NotFound
from app.seals import calling_off as _calling_off  # noqa: F401  # pyright: ignore[reportUnusedImport] registers
from app.seals import following as _following  # noqa: F401  # pyright: ignore[reportUnusedImport] registers
from app.seals import making as _making
from app.seals import moving, queries, remakings, rules
from app.seals.facts import (
    GrantWithdrawn,
    MakingOrdered,
    SealAuthorized,
    SealCancelled,
    SealFiled,
    SealIssued,
    SealMade,
    SealResumed,
    SealReturned,
    SealSuspended,
    UseByRequest,
)
from app.seals.models import (
    GrantWithdrawal,
    Seal,
    SealFiling,
    SealGrant,
    SealIssue,
    SealMaking,
)
from app.text import Text
from card_agent.protocol import names

MESSAGE = _making.MESSAGE

# --- making ---


@command
def order_making(
    impression_id: int,
    card_serial: str,
    station_id: int,
    application_id: int | None = None,
    *,
    by: Actor,
) -> MakingOrdered:
    """Give a station the job to make the seal of this impression on this card. `by` operates the station (D2).

    Refuses Forbidden without the operator's role for the owner's unit, or when the operator approved the application; Conflict when
    the impression makes no seals (A8), the card or its certificate is not good (A11), is another owner's, or
    carries a living seal already.
    """
    _need(by, {"station_operator"})
    if application_id is not None and by.id is not None:
        rules.check_may_operate(by.id, queries.approvers_of(application_id))
    if by.id is not None:
        rules.check_may_operate(by.id, remakings.agreed_to_remake(impression_id))
    impression = impressions.impression(impression_id)
    _need(by, {"station_operator"}, people.unit_concerned(impression.owner_unit_id, impression.owner_user_id))
    impression_rules.check_usable(impressions.state(impression_id))
    card, _ = cards.check_registered_card(card_serial, "seal", at=clock.now())
    _check_card_fits(card, impression, application_id)
    occupied = queries.live_seal_on_card(card_serial)
    if occupied is not None:
        raise Conflict(
            "seal.card_occupied",
            zh=f"该卡已有印章“{occupied.name}”，请换一张空白卡，或先注销该印章",
            en=f"The card carries the seal “{occupied.name}”; take a blank card, or cancel that seal first",
            seal_id=occupied.id,
        )
    opened = card_commands.open_job(
        names.MAKE_SEAL,
        station_id,
        card_serial,
        {
            "impression_id": impression_id,
            "application_id": application_id,
            "kind": impression.kind,
            "name": impression.name,
            "owner_name": _owner_name(impression.owner_unit_id, impression.owner_user_id),
            "width_mm": round(impression.width_mm),
            "height_mm": round(impression.height_mm),
        },
        by=by,
    )
    return MakingOrdered(
        job_id=opened.job_id,
        impression_id=impression_id,
        application_id=application_id,
        card_serial=card_serial,
        station_id=station_id,
        unit_id=impression.owner_unit_id,
    )


def _check_card_fits(card: Card, impression: Impression, application_id: int | None) -> None:
    holder = people.user(card.owner_user_id) if card.owner_user_id is not None else None
    rules.check_card_owner(
        kind=impression.kind,
        owner_unit_id=impression.owner_unit_id,
        owner_user_id=impression.owner_user_id,
        card_unit_id=card.owner_unit_id,
        card_user_id=card.owner_user_id,
        card_user_units=people.unit_path(holder.unit_id) if holder else frozenset(),
        keeping=card.keeping,
    )
    if application_id is not None:
        asked = applications.application(application_id).keeping
        rules.check_keeping(impression.kind, asked=asked, card=card.keeping)


def _owner_name(unit_id: int | None, user_id: int | None) -> str:
    if user_id is not None:
        return people.user(user_id).name
    return people.unit(unit_id).name if unit_id is not None else ""


@command
def record_made(job_id: int | str, *, by: Actor) -> SealMade:
    """Enter the seal that the job made into the ledger; again gives the same seal. `job_id`: a message's
    correlation will do.

    Refuses Conflict while no verified receipt says that the card was written.
    """
    job_id = int(job_id)
    making: SealMaking | None = lock_row(SealMaking, job_id)
    job = cards.job(job_id)
    if making is None or making.written_at is None or job.state != "done":
        raise Conflict(
            "seal.not_made",
            zh="该任务尚未制成印章，请等待工位回报",
            en="This job has made no seal yet; wait for the station's report",
        )
    found = queries.seal_of_job(job_id) or _entered(making)
    return SealMade(
        seal_id=found.id,
        es_id=found.es_id,
        job_id=job_id,
        impression_id=found.impression_id,
        card_serial=found.card_serial,
        maker_serial=found.maker_serial,
        seal_sha256=found.seal_sha256,
        unit_id=found.owner_unit_id,
    )


def _entered(making: SealMaking) -> Seal:
    job = cards.job(making.job_id)
    card, maker = cards.card(making.card_serial), cards.card(making.maker_serial)
    impression = impressions.impression(making.impression_id)
    info = parse_seal_info(making.seal_info)
    assert card is not None and maker is not None and making.written_at is not None
    assert making.seal_sha256 is not None and making.seal_object is not None
    found = Seal(
        es_id=making.es_id,
        job_id=making.job_id,
        impression_id=making.impression_id,
        application_id=job.payload.get("application_id"),
        kind=impression.kind,
        name=impression.name,
        keeping=card.keeping,
        card_serial=making.card_serial,
        card_cert_sha256=making.card_cert_sha256,
        maker_serial=making.maker_serial,
        maker_name=common_name(maker.certificate),
        operator_id=job.operator_id,
        operator_name=job.operator_name,
        seal_sha256=making.seal_sha256,
        seal_object=making.seal_object,
        width_mm=impression.width_mm,
        height_mm=impression.height_mm,
        made_at=making.written_at,
        valid_from=info.valid_from,
        valid_until=info.valid_until,
        owner_unit_id=impression.owner_unit_id,
        owner_user_id=impression.owner_user_id,
    )
    db.session.add(found)
    db.session.flush()
    return found


# --- issuance ---


@command
def issue(
    seal_id: int,
    collector_name: str,
    collector_document: str,
    on_behalf_of: str,
    *,
    collected_at: datetime | None = None,
    by: Actor,
) -> SealIssued:
    """Record who collected the seal, with which document, for whom. No right to use comes with it (A16).

    Refuses Invalid without a collector or a document, Conflict when the seal has been issued or cancelled.
    """
    _need(by, {"seal_office"})
    found = _locked(seal_id)
    missing = {
        field: text
        for field, value, text in (
            ("collector_name", collector_name, Text("请填写领用人姓名", "Who collects it?")),
            ("collector_document", collector_document, Text("请填写领用人证件", "Which document was shown?")),
        )
        if not value.strip()
    }
    if missing:
        raise Invalid(
            "seal.collector_needed",
            zh="请填写领用人姓名和所持证件",
            en="Say who collects the seal and which document was shown",
            fields=missing,
        )
    moving.check_not_cancelled(found)
    if queries.last_issue(seal_id) is not None:
        raise Conflict(
            "seal.issued_already",
            zh="该印章已发放，请在台帐中查看领用记录",
            en="This seal has been issued already; the ledger says to whom",
        )
    now = clock.now()
    moment = collected_at or now
    db.session.add(
        SealIssue(
            seal_id=seal_id,
            collector_name=collector_name.strip(),
            collector_document=collector_document.strip(),
            on_behalf_of=on_behalf_of.strip(),
            collected_at=moment,
            recorded_at=now,
            by_id=by.id,
            by_name=by.name,
        )
    )
    return SealIssued(
        seal_id=seal_id,
        card_serial=found.card_serial,
        collector_name=collector_name.strip(),
        collector_document=collector_document.strip(),
        on_behalf_of=on_behalf_of.strip(),
        collected_at=moment,
        unit_id=found.owner_unit_id,
    )


@command
def issue_again(
    seal_id: int, collector_name: str, collector_document: str, on_behalf_of: str, *, by: Actor
) -> SealIssued:
    """Hand a seal out that came back. Refuses what `issue` refuses, and Conflict for one that never was handed out: that is
    its flow's."""
    if not queries.was_issued(seal_id):
        raise Conflict(
            "seal.issued_in_its_flow",
            zh="该印章尚未首次发放，请在发放流程的待办中办理",
            en="This seal is handed out for the first time in its flow; the task is in the inbox",
        )
    return issue(seal_id, collector_name, collector_document, on_behalf_of, by=by)


@command
def take_back(seal_id: int, reason: str, *, by: Actor) -> SealReturned:
    """交回: whoever holds it gives it back to the seal office; nobody uses it until it is handed out again. Authorisations stay
    as they are. Refuses Conflict for a seal that is not handed out."""
    _need(by, {"seal_office"})
    found = _locked(seal_id)
    rules.check_reason(reason)
    moving.check_not_cancelled(found)
    issue = queries.last_issue(seal_id)
    if issue is None:
        raise Conflict(
            "seal.not_issued",
            zh="该印章没有发放在外，无需交回",
            en="This seal is not handed out; there is nothing to return",
        )
    issue.returned_at, issue.returned_reason, issue.returned_by_name = clock.now(), reason.strip(), by.name
    return SealReturned(
        seal_id=seal_id,
        card_serial=found.card_serial,
        collector_name=issue.collector_name,
        reason=reason.strip(),
        unit_id=found.owner_unit_id,
    )


# --- authorisation ---


@command
def authorize_by_keeping(seal_id: int, *, by: Actor) -> SealAuthorized:
    """What follows from the keeping of the card by itself (A17–A19), all functions open (A21). Again gives the
    same grant."""
    if by.kind not in ("system", "station"):
        _need(by, {"seal_office", "seal_manager", "station_operator"})
    found = _locked(seal_id)
    moving.check_not_cancelled(found)
    card = cards.card(found.card_serial)
    grantee = rules.grantee_by_keeping(
        kind=found.kind,
        keeping=found.keeping,
        owner_unit_id=found.owner_unit_id,
        owner_user_id=found.owner_user_id,
        card_owner_user_id=card.owner_user_id if card else None,
    )
    same = next(
        (
            row.grant
            for row in queries.grants(seal_id)
            if row.withdrawn is None and row.grant.because == grantee.because
        ),
        None,
    )
    if same is not None:
        return _authorized(same)
    return _grant(
        found,
        user_id=grantee.user_id,
        role=grantee.role,
        unit_id=grantee.unit_id,
        functions=rules.FUNCTIONS,
        because=grantee.because,
        by=by,
    )


@command
def authorize(
    seal_id: int,
    *,
    user_id: int | None = None,
    role: str | None = None,
    unit_id: int | None = None,
    functions: Sequence[str] = rules.FUNCTIONS,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    document_digest: str | None = None,
    document_classes: Sequence[str] | None = None,
    uses_allowed: int | None = None,
    because: str = "",
    by: Actor,
) -> SealAuthorized:
    """Let a person, or a role of a unit, use the seal: for these functions, in this period, so often, on one document,
    on documents of some classes or on any (A20–A22). Refuses Forbidden unless `by` manages the seals of the owner; Invalid for neither or both."""
    found = _locked(seal_id)
    _need(by, {"seal_manager"}, found.owner_unit_id)
    moving.check_not_cancelled(found)
    if (user_id is None) == (role is None) or (role is None) != (unit_id is None):
        raise Invalid(
            "seal.grantee_needed",
            zh="请选择一个人，或者一个单位的角色",
            en="Choose a person, or a role of a unit",
            fields={"user_id": Text("请选择授权对象", "Choose to whom")},
        )
    rules.check_functions(functions)
    rules.check_period(valid_from or clock.now(), valid_until)
    rules.check_limits(document_classes, uses_allowed)
    rules.check_length("because", because, rules.LONGEST_BECAUSE)
    if user_id is not None:
        people.user(user_id)
    return _grant(
        found,
        user_id=user_id,
        role=role,
        unit_id=unit_id,
        functions=functions,
        because=because or "印章管理员授权",
        valid_from=valid_from,
        valid_until=valid_until,
        document_digest=document_digest,
        document_classes=document_classes,
        uses_allowed=uses_allowed,
        by=by,
    )


@command
def require_requests(seal_id: int, on: bool, *, by: Actor) -> UseByRequest:
    """每次用印须先申请: from now on (or no longer) each use of the seal is asked for first, whoever holds it (A22)."""
    found = _locked(seal_id)
    _need(by, {"seal_manager"}, found.owner_unit_id)
    moving.check_not_cancelled(found)
    found.by_request = on
    return UseByRequest(seal_id=seal_id, unit_id=found.owner_unit_id, on=on)


def _grant(
    found: Seal,
    *,
    user_id: int | None,
    role: str | None,
    unit_id: int | None,
    functions: Sequence[str],
    because: str,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    document_digest: str | None = None,
    document_classes: Sequence[str] | None = None,
    uses_allowed: int | None = None,
    by: Actor,
) -> SealAuthorized:
    now = clock.now()
    grant = SealGrant(
        seal_id=found.id,
        user_id=user_id,
        role=role,
        unit_id=unit_id,
        functions=list(functions),
        valid_from=valid_from or now,
        valid_until=valid_until,
        document_digest=document_digest,
        document_classes=list(document_classes) if document_classes is not None else None,
        uses_allowed=uses_allowed,
        granted_at=now,
        granted_by_id=by.id if by.kind == "person" else None,
        granted_by_name=by.name,
        because=because,
    )
    db.session.add(grant)
    db.session.flush()
    return _authorized(grant)


def _authorized(grant: SealGrant) -> SealAuthorized:
    return SealAuthorized(
        seal_id=grant.seal_id,
        grant_id=grant.id,
        user_id=grant.user_id,
        role=grant.role,
        unit_id=grant.unit_id,
        functions=grant.functions,
        valid_from=grant.valid_from,
        valid_until=grant.valid_until,
        document_digest=grant.document_digest,
        document_classes=grant.document_classes,
        uses_allowed=grant.uses_allowed,
        because=grant.because,
    )


@command
def withdraw_grant(grant_id: int, reason: str, *, by: Actor) -> GrantWithdrawn:
    """Take an authorisation back; the next use is refused."""
    grant = db.session.get(SealGrant, grant_id)
    if grant is None:
        raise NotFound("seal.no_grant", zh="没有这项授权", en="There is no such authorisation")
    found = _locked(grant.seal_id)
    _need(by, {"seal_manager"}, found.owner_unit_id)
    rules.check_reason(reason)
    if db.session.get(GrantWithdrawal, grant_id) is not None:
        raise Conflict(
            "seal.withdrawn_already", zh="该授权已收回", en="This authorisation has been withdrawn already"
        )
    db.session.add(
        GrantWithdrawal(grant_id=grant_id, at=clock.now(), reason=reason, by_id=by.id, by_name=by.name)
    )
    return GrantWithdrawn(
        seal_id=found.id,
        grant_id=grant_id,
        user_id=grant.user_id,
        role=grant.role,
        unit_id=grant.unit_id,
        reason=reason,
    )


# --- the end, for a while or for ever ---


@command
def record_filing(seal_id: int, number: str, authority: str, *, by: Actor) -> SealFiled:
    """备案: the authority has filed the seal under its number, once and for good (D1). Refuses Conflict for a second filing and
    for a number that another seal has."""
    found = _locked(seal_id)
    _need(by, {"seal_office"}, found.owner_unit_id)
    moving.check_not_cancelled(found)
    said = rules.check_filing(number, authority)
    if queries.filing(seal_id) is not None:
        raise Conflict("seal.filed_already", zh="该印章已备案，不能重复登记", en="This seal is filed already")
    if queries.filed_under(said[0]) is not None:
        raise Conflict(
            "seal.number_taken",
            zh=f"备案编号“{said[0]}”已登记给另一枚印章，请核对",
            en=f"The filing number “{said[0]}” belongs to another seal; check it",
        )
    db.session.add(
        SealFiling(
            seal_id=seal_id, number=said[0], authority=said[1], at=clock.now(), by_id=by.id, by_name=by.name
        )
    )
    return SealFiled(
        seal_id=seal_id,
        unit_id=found.owner_unit_id,
        card_serial=found.card_serial,
        number=said[0],
        authority=said[1],
    )


@command
def suspend(seal_id: int, reason: str, *, by: Actor) -> SealSuspended:
    """停用: nobody uses it until it is resumed. From a page it goes through its flow: `changing.py`."""
    _need(by, {"seal_manager", "seal_office"}, queries.seal(seal_id).owner_unit_id)
    return moving.suspend(seal_id, reason, by)


@command
def resume(seal_id: int, reason: str, *, by: Actor) -> SealResumed:
    """启用 after a suspension."""
    _need(by, {"seal_manager", "seal_office"}, queries.seal(seal_id).owner_unit_id)
    return moving.resume(seal_id, reason, by)


@command
def cancel(seal_id: int, reason: str, *, by: Actor) -> SealCancelled:
    """注销: final. The impression may be made into another seal."""
    _need(by, {"seal_manager", "seal_office"}, queries.seal(seal_id).owner_unit_id)
    return moving.cancel(seal_id, reason, by)


def _locked(seal_id: int) -> Seal:
    queries.seal(seal_id)
    found: Seal = lock_row(Seal, seal_id)
    return found


def _need(by: Actor, roles: set[str], unit_id: int | None = None) -> None:
    """One of the roles: for that unit when one is named, anywhere otherwise."""
    if by.kind == "system":
        return
    units = people.unit_path(unit_id) if unit_id is not None else None
    if by.kind != "person" or by.id is None or not any(by.has(role, units) for role in roles):
        raise Forbidden(
            "seal.role_needed",
            zh="您没有办理此事的角色，请联系印章管理部门",
            en="You do not hold the role this needs; ask the seal office",
            roles=sorted(roles),
        )
