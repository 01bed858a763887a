"""Verbs of applications: upload a scan, submit, correct, send back, approve, view a picture."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from app import store
from app.actor import Actor
from app.applications import drafts, queries, rules
from app.applications.facts import (
    ApplicationApproved,
    ApplicationCancelled,
    ApplicationCorrected,
    ApplicationPictureViewed,
    ApplicationSentBack,
    ApplicationSubmitted,
    ScanUploaded,
)
from app.applications.models import Application, ApplicationCounter
from app.clock import now
from app.command import command
from app.crypto import vault
from app.db import db, insert_unless_there, lock_row
from app.flows import commands as flows
from app.flows import queries as flow_queries
from app.flows import uploads
from app.flows.action import cancelled
from app.imaging.extracting import AS_IT_IS, Extraction
from app.imaging.workshop import Work
from app.people import queries as people
from app.people.rules import check_credit_code
from app.refusal import Conflict, Forbidden


@dataclass(frozen=True)
class _Owner:
    unit_id: int
    unit_level: int
    name: str


@command
def upload_scan(data: bytes, file_name: str, *, by: Actor) -> ScanUploaded:
    """Keep a scan, sealed for this person, until it is submitted. Refuses Invalid when it is no picture we take."""
    if not by.has("applicant"):
        raise Forbidden(
            "application.not_applicant",
            zh="只有申请人可以上传印模扫描件",
            en="Only applicants upload scans",
        )
    queries.check_scan(data)
    reference = store.put(vault.seal(data, context=queries.upload_context(by.id)))
    return ScanUploaded(reference=reference, file_name=_file_name(file_name), bytes=len(data))


def _file_name(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1][:200] or "scan"


@command
def submit(
    kind: str, form: Mapping[str, str], *, scan: str, scan_name: str, work: Work = AS_IT_IS, by: Actor
) -> ApplicationSubmitted:
    """Apply for a seal (A1–A3) and start its life's flow. `form`: as `rules.check_form` reads it; `scan`: the
    reference of one's own upload; `work`: what was done to it. Refuses Invalid with every field at fault, Forbidden for another's unit."""
    filled = rules.check_form(rules.check_kind(kind), form, check_credit_code=check_credit_code)
    owner = _owner(filled, by)
    _check_keeper(filled)
    letter = _letter(filled.fields, by)
    data = queries.upload(scan, by)
    picture = _picture(data, filled, work)
    uid = secrets.token_hex(16)
    found = Application(
        uid=uid,
        number=_next_number(),
        kind=filled.kind,
        seal_name=filled.seal_name or owner.name,
        unit_id=owner.unit_id,
        applicant_id=by.id or 0,
        keeping=filled.keeping,
        size=filled.size,
        width_mm=filled.width_mm,
        height_mm=filled.height_mm,
        fields={**_fields(filled, work), **letter},
        scan=_keep(data, uid, "scan"),
        scan_name=_file_name(scan_name),
        impression=_keep(picture.png, uid, "impression"),
        owner_unit_id=filled.owner_unit_id,
        owner_user_id=filled.owner_user_id,
    )
    db.session.add(found)
    db.session.flush()
    started = flows.start(
        "seal_lifecycle", _story(found, owner), business_key=f"application/{found.id}", by=by
    )
    found.instance_id = started.instance_id
    _hand_in(letter, started.instance_id)
    drafts.clear(found.kind, by=by)
    return ApplicationSubmitted(
        application_id=found.id,
        number=found.number,
        kind=found.kind,
        seal_name=found.seal_name,
        unit_id=found.unit_id,
        instance_id=started.instance_id,
    )


@command
def correct(
    application_id: int,
    form: Mapping[str, str],
    *,
    scan: str | None,
    scan_name: str = "",
    work: Work = AS_IT_IS,
    by: Actor,
) -> ApplicationCorrected:
    """Correct what was sent back and send it again (A4). `scan`: a new upload, or None to keep the old one."""
    found: Application = lock_row(Application, queries.application(application_id).id)
    rules.check_own(by, found.applicant_id)
    rules.check_status(found.status, "sent_back")
    before = {name: found.fields[name] for name in ("letter", "letter_name") if name in found.fields}
    said = {**form, "letter": form.get("letter") or before.get("letter", "")}
    filled = rules.check_form(rules.check_kind(found.kind), said, check_credit_code=check_credit_code)
    owner = _owner(filled, by)
    _check_keeper(filled)
    letter = before if said["letter"] == before.get("letter") else _letter(filled.fields, by)
    data = queries.upload(scan, by) if scan else queries.scan_picture(found)
    picture = _picture(data, filled, work)
    found.seal_name = filled.seal_name or owner.name
    found.unit_id, found.owner_unit_id, found.owner_user_id = (
        owner.unit_id,
        filled.owner_unit_id,
        filled.owner_user_id,
    )
    found.keeping, found.size = filled.keeping, filled.size
    found.width_mm, found.height_mm = filled.width_mm, filled.height_mm
    found.fields = {**_fields(filled, work), **letter}
    if letter != before and found.instance_id is not None:
        _hand_in(letter, found.instance_id)
    found.scan = _keep(data, found.uid, "scan")
    found.scan_name = _file_name(scan_name) if scan else found.scan_name
    found.impression = _keep(picture.png, found.uid, "impression")
    found.status, found.returned_reason = "submitted", ""
    found.revision += 1
    db.session.flush()
    flows.complete_on_page(_open_correction(found), _answers(found, owner), by=by)
    drafts.clear(drafts.key_of(found.kind, found.id), by=by)
    return ApplicationCorrected(
        application_id=found.id, number=found.number, unit_id=found.unit_id, revision=found.revision
    )


@command
def send_back(application_id: int, reason: str, *, by: Actor) -> ApplicationSentBack:
    """The seal office sends it back with a reason (A4). Called by the diagram."""
    reason = rules.check_reason(reason)
    found = _to_decide(application_id, by)
    found.status, found.returned_reason = "sent_back", reason
    return ApplicationSentBack(
        application_id=found.id, number=found.number, unit_id=found.unit_id, reason=reason
    )


@command
def approve(application_id: int, *, by: Actor) -> ApplicationApproved:
    """The seal office agrees (A4). Called by the diagram; nobody approves their own."""
    found = _to_decide(application_id, by)
    found.status, found.decided_at = "approved", now()
    return ApplicationApproved(application_id=found.id, number=found.number, unit_id=found.unit_id)


@cancelled("application")
@command
def cancel(application_id: int, reason: str, *, by: Actor) -> ApplicationCancelled:
    """Its flow was cancelled: what was not decided yet never will be; an approval stays. Called by the flow.
    Refuses `Conflict` while the flow runs."""
    found: Application = lock_row(Application, queries.application(application_id).id)
    if found.instance_id is None or flow_queries.instance(found.instance_id).status != "cancelled":
        raise Conflict(
            "application.flow_runs",
            zh="申请的流程还在进行，请撤销流程",
            en="The application's flow still runs; cancel that",
        )
    if found.status in ("submitted", "sent_back"):
        found.status = "cancelled"
    return ApplicationCancelled(
        application_id=found.id,
        number=found.number,
        unit_id=found.unit_id,
        status=found.status,
        reason=reason,
    )


def _to_decide(application_id: int, by: Actor) -> Application:
    """The application, locked, for one who may decide on it now."""
    found: Application = lock_row(Application, queries.application(application_id).id)
    rules.check_office(by, people.unit_path(found.unit_id))
    rules.check_not_own(by, found.applicant_id, found.owner_user_id)
    rules.check_status(found.status, "submitted")
    return found


@command
def view_picture(application_id: int, part: str, *, by: Actor) -> ApplicationPictureViewed:
    """Somebody other than the applicant is about to see a clear picture: nobody does without an entry."""
    found = queries.visible(application_id, by)
    return ApplicationPictureViewed(
        application_id=found.id, number=found.number, unit_id=found.unit_id, part=part
    )


def _owner(filled: rules.Filled, by: Actor) -> _Owner:
    """Whose seal it will be, and whether this person may apply for it."""
    if filled.owner_unit_id is not None:
        unit = people.living_unit(filled.owner_unit_id)
        name = filled.seal_name
        rules.check_code_of_unit(filled.fields["credit_code"], unit.code)
    else:
        person = people.user(filled.owner_user_id or 0)
        unit, name = people.unit(person.unit_id), person.name
    rules.check_may_apply(by, people.unit_path(unit.id))
    return _Owner(unit.id, unit.level, name)


def _check_keeper(filled: rules.Filled) -> None:
    """A19: whose card it will be on is somebody who works here."""
    said = filled.fields.get("keeper_user_id", "")
    if filled.keeping == "personal" and filled.kind == "official":
        person = people.user(int(said))
        rules.check_keeper(person.name, active=person.active)


def _letter(fields: Mapping[str, str], by: Actor) -> dict[str, str]:
    """The letter of authority that goes with it: one's own upload, with its name. Refuses Invalid for another's."""
    said = fields.get("letter", "")
    if not said:
        return {}
    found = uploads.known([said], by)
    rules.check_letter_arrived(bool(found))
    return {"letter": said, "letter_name": found[said]["name"]}


def _hand_in(letter: Mapping[str, str], instance_id: int) -> None:
    if letter:
        uploads.hand_in({letter["letter"]: letter}, instance_id)


def _picture(data: bytes, filled: rules.Filled, work: Work) -> Extraction:
    return queries.extraction(
        data,
        shape=filled.shape,
        width_mm=filled.width_mm,
        height_mm=filled.height_mm,
        work=work,
    )


def _fields(filled: rules.Filled, work: Work) -> dict[str, str]:
    """The kind's own answers, and how the impression was taken from the scan, so that it can be taken again."""
    return {**filled.fields, **work.said()}


def _keep(data: bytes, uid: str, part: str) -> str:
    return store.put(vault.seal(data, context=queries.picture_context(uid, part)))


def _answers(found: Application, owner: _Owner) -> dict[str, object]:
    """What the diagram's rules look at, and what may have changed in a correction."""
    return {
        "kind": found.kind,
        "seal_name": found.seal_name,
        "unit_level": owner.unit_level,
        "width_mm": found.width_mm,
        "height_mm": found.height_mm,
        "keeping": found.keeping,
    }


def _story(found: Application, owner: _Owner) -> dict[str, object]:
    return {
        **_answers(found, owner),
        "application_id": found.id,
        "number": found.number,
        "owner_unit_id": owner.unit_id,
        "applicant_id": found.applicant_id,
    }


def _open_correction(found: Application) -> int:
    task_id = flow_queries.open_task_of(f"application/{found.id}", "correct")
    if task_id is None:
        raise Conflict(
            "application.no_correction",
            zh="流程中没有等待补正的任务，请刷新页面",
            en="No correction is awaited in the flow; reload the page",
        )
    return task_id


def _next_number() -> str:
    """SQ-2026-0001: without gaps in a year; the counter's row is the lock."""
    year = now().year
    db.session.execute(insert_unless_there(ApplicationCounter, year=year, last=0))
    last = db.session.scalars(
        sa.update(ApplicationCounter)
        .where(ApplicationCounter.year == year)
        .values(last=ApplicationCounter.last + 1)
        .returning(ApplicationCounter.last)
    ).one()
    return f"SQ-{year}-{last:04d}"
