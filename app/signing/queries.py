"""Reading documents, sealings, uses and withdrawals; and the verdict on a file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app import clock, store
from app.actor import Actor
from app.cards import queries as cards
from app.cards.queries import StationRow
from app.crypto.seal_data import parse_seal
from app.db import db
from app.pdf import verifying as press
from app.pdf.comparing import Changes, changes_since
from app.pdf.confined import confined
from app.pdf.faults import Unanswered
from app.pdf.rendering import render_page
from app.pdf.verifying import Report
from app.people.queries import unit_path, user
from app.refusal import Hidden, NotFound
from app.seals import queries as seals
from app.seals.models import Seal
from app.settings import current_settings
from app.signing import requests, rules
from app.signing.models import Document, DocumentTaking, Sealing, SealUse, Withdrawal, WithdrawalRequest
from app.signing.trust import Believed, read_trust
from app.signing.verifying import verify

SEES_USES = frozenset({"seal_office", "seal_office_head", "seal_manager", "overseer"})


@dataclass(frozen=True, kw_only=True)
class SealingRow:
    """A sealing with what a page shows beside it. `use`, `withdrawal`: None while there is none."""

    sealing: Sealing
    document: Document
    seal: Seal
    use: SealUse | None
    withdrawal: Withdrawal | None


# --- documents and sealings ---


def own_document(document_id: int, actor: Actor) -> Document:
    """Refuses NotFound unless the actor uploaded it."""
    return _document(document_id, actor, lambda: False)


def document(document_id: int, actor: Actor) -> Document:
    """Refuses NotFound unless the actor uploaded it, or decides on, or presses, what was asked for it (A22, B8)."""
    return _document(document_id, actor, lambda: requests.may_see_document(document_id, actor))


def _document(document_id: int, actor: Actor, besides: Callable[[], bool]) -> Document:
    found = db.session.get(Document, document_id)
    if found is None or not (found.uploaded_by_id == actor.id or besides()):
        kind = NotFound if found is None else Hidden
        raise kind(
            "signing.no_document",
            zh="没有这个文件，请重新上传",
            en="There is no such document; upload it again",
            document_digest=found and found.digest,
        )
    return found


def sealing(sealing_id: int, actor: Actor) -> SealingRow:
    """Refuses NotFound for what this person may not see."""
    found = db.session.get(Sealing, sealing_id)
    if found is None or not _may_see(found.user_id, found.seal_id, actor):
        kind = NotFound if found is None else Hidden
        raise kind(
            "signing.no_sealing",
            zh="没有这次盖章记录，请检查地址",
            en="There is no such sealing; check the address",
            seal_id=found and found.seal_id,
        )
    return _row(found)


def sealing_of_job(job_id: int) -> Sealing:
    found = db.session.scalar(sa.select(Sealing).where(Sealing.job_id == job_id))
    if found is None:
        raise NotFound(
            "signing.no_sealing",
            zh="没有这次盖章记录，请重新发起",
            en="There is no such sealing; start a new one",
        )
    return found


def sealings_of(actor: Actor, *, limit: int = 100) -> list[SealingRow]:
    """What this person has sealed or is sealing, newest first."""
    found = db.session.scalars(
        sa.select(Sealing).where(Sealing.user_id == actor.id).order_by(Sealing.id.desc()).limit(limit)
    )
    return [_row(one) for one in found]


def waits(document_id: int, seal_id: int) -> bool:
    """Whether the document waits for that seal already."""
    found = sa.select(Sealing.id).where(
        Sealing.document_id == document_id, Sealing.seal_id == seal_id, Sealing.state.in_(rules.OPEN_STATES)
    )
    return db.session.scalar(found.limit(1)) is not None


def batch(name: str, actor: Actor) -> list[SealingRow]:
    """What this person ordered together, in its order. Refuses NotFound for anybody else's."""
    found = db.session.scalars(
        sa.select(Sealing).where(Sealing.batch == name, Sealing.user_id == actor.id).order_by(Sealing.id)
    ).all()
    if not found:
        raise NotFound(
            "signing.no_batch",
            zh="没有这批盖章，请检查地址",
            en="There is no such batch; check the address",
        )
    asked = sa.select(Document).where(Document.id.in_([one.document_id for one in found]))
    documents = {one.id: one for one in db.session.scalars(asked)}
    registered = (
        sa.select(SealUse, Withdrawal)
        .outerjoin(Withdrawal, Withdrawal.signature_id == SealUse.signature_id)
        .where(SealUse.sealing_id.in_([one.id for one in found]))
    )
    uses = {used.sealing_id: (used, withdrawn) for used, withdrawn in db.session.execute(registered)}
    rows: list[SealingRow] = []
    for one in found:
        used, withdrawn = uses.get(one.id, (None, None))
        rows.append(
            SealingRow(
                sealing=one,
                document=documents[one.document_id],
                seal=seals.seal(one.seal_id),
                use=used,
                withdrawal=withdrawn,
            )
        )
    return rows


def uses_of(seal_id: int) -> Sequence[SealUse]:
    """The register of one seal (用印登记), newest first."""
    return db.session.scalars(
        sa.select(SealUse).where(SealUse.seal_id == seal_id).order_by(SealUse.id.desc())
    ).all()


def use(use_id: int) -> SealUse | None:
    return db.session.get(SealUse, use_id)


def _row(found: Sealing) -> SealingRow:
    used = db.session.scalar(sa.select(SealUse).where(SealUse.sealing_id == found.id))
    document = db.session.get(Document, found.document_id)
    assert document is not None  # a foreign key
    return SealingRow(
        sealing=found,
        document=document,
        seal=seals.seal(found.seal_id),
        use=used,
        withdrawal=db.session.get(Withdrawal, used.signature_id) if used else None,
    )


def _may_see(user_id: int, seal_id: int, actor: Actor) -> bool:
    """Whoever sealed it, and those who oversee the seal's unit."""
    if actor.id is not None and actor.id == user_id:
        return True
    path = unit_path(seals.seal(seal_id).owner_unit_id)
    return any(actor.has(role, path) for role in SEES_USES)


# --- what may be used, and where ---


def stations_for(seal: Seal) -> tuple[list[StationRow], int | None]:
    """Stations in service, and the one whose reader holds the seal's card now."""
    rows = [row for row in cards.stations() if row.station.revoked_at is None and row.station.public_key]
    holding = next((row.station.id for row in rows if _holds(row, seal.card_serial)), None)
    return rows, holding


def _holds(row: StationRow, serial: str) -> bool:
    return row.present and any(card.get("serial") == serial for card in row.cards)


def usable_seals(actor: Actor, document: Document | None = None) -> list[Seal]:
    """The seals this person may use now: on that document, or at all."""
    return seals.usable_by(
        actor,
        function="pdf",
        document_digest=document.digest if document else None,
        document_class=document.document_class if document else None,
    )


def seal_picture(seal_id: int, actor: Actor, document: Document | None = None) -> bytes:
    """The seal's PNG, for those who may use it now, on that document or at all. Refuses NotFound for everybody else."""
    found = seals.visible_seal(seal_id, actor)
    decision = seals.may_use(
        seal_id,
        actor,
        function="pdf",
        document_digest=document.digest if document else None,
        document_class=document.document_class if document else None,
    )
    if not decision.allowed:
        raise Hidden(
            "signing.no_seal",
            zh="没有这枚印章，请检查地址",
            en="There is no such seal; check the address",
            seal_id=seal_id,
        )
    return picture(found.id)


def picture(seal_id: int) -> bytes:
    """The PNG in the electronic seal itself: what is drawn is what the maker signed."""
    return parse_seal(seals.seal_der(seal_id)).info.picture.data


# --- files ---


def page_picture(document_id: int, page: int, actor: Actor) -> bytes:
    """A PNG of a page, as the document stands now, with the seals it bears."""
    found = document(document_id, actor)
    return confined(render_page, store.get(found.sealed_digest or found.digest), page, dpi=96)


def permitted_file(digest: str, actor: Actor) -> tuple[str, bytes]:
    """Name and bytes of an original or sealed document, for those who may see it."""
    bearing = sa.or_(Document.digest == digest, Document.sealed_digest == digest)
    for found in db.session.scalars(sa.select(Document).where(bearing).order_by(Document.id)):
        if found.uploaded_by_id == actor.id or requests.may_see_document(found.id, actor):
            newest = digest == found.sealed_digest
            return rules.sealed_name(found.file_name) if newest else found.file_name, store.get(digest)
    wanted = sa.or_(SealUse.sealed_digest == digest, SealUse.document_digest == digest)
    uses = db.session.scalars(sa.select(SealUse).where(wanted).order_by(SealUse.id)).all()
    for used in uses:
        if _may_see(used.user_id, used.seal_id, actor):
            return used.file_name, store.get(digest)
    anothers = uses or db.session.scalar(sa.select(Document.id).where(Document.digest == digest).limit(1))
    kind = Hidden if anothers else NotFound
    raise kind(
        "signing.no_document",
        zh="没有这个文件，或您无权查看",
        en="There is no such document, or it is not for you",
        document_digest=digest,
    )


# --- withdrawing ---


def known_use(use_id: int) -> SealUse:
    """Refuses NotFound."""
    found = use(use_id)
    if found is None:
        raise NotFound(
            "signing.no_use",
            zh="没有这次用印记录，请检查地址",
            en="There is no such use of a seal; check the address",
        )
    return found


def is_sent(used: SealUse) -> bool:
    """Whether somebody took the document as sealed by this use, or another seal followed (D5)."""
    document_id = db.session.scalar(sa.select(Sealing.document_id).where(Sealing.id == used.sealing_id))
    newest = db.session.scalar(sa.select(Document.sealed_digest).where(Document.id == document_id))
    taken = sa.select(DocumentTaking.id).where(DocumentTaking.sealed_digest == used.sealed_digest).limit(1)
    return newest != used.sealed_digest or db.session.scalar(taken) is not None


def is_sealed(digest: str) -> bool:
    """Whether this is a document with one of our seals on it."""
    return (
        db.session.scalar(sa.select(SealUse.id).where(SealUse.sealed_digest == digest).limit(1)) is not None
    )


def takings(use_id: int) -> list[tuple[str, datetime]]:
    """Who took the document as sealed by this use, and when, oldest first."""
    found = db.session.scalars(
        sa.select(DocumentTaking)
        .where(DocumentTaking.sealed_digest == known_use(use_id).sealed_digest)
        .order_by(DocumentTaking.id)
    )
    return [(user(one.user_id).name, one.at) for one in found]


def withdrawal_request(withdrawal_id: int) -> WithdrawalRequest:
    """Refuses NotFound."""
    found = db.session.get(WithdrawalRequest, withdrawal_id)
    if found is None:
        raise NotFound("signing.no_withdrawal", zh="没有这次撤章申请", en="There is no such withdrawal")
    return found


def open_withdrawal(use_id: int) -> WithdrawalRequest | None:
    """What others still decide on."""
    return db.session.scalar(
        sa.select(WithdrawalRequest).where(
            WithdrawalRequest.seal_use_id == use_id, WithdrawalRequest.state == "open"
        )
    )


# --- verifying ---


def changes_in(pdf: bytes, report: Report) -> Changes | None:
    """The pages that look different from what was signed first of that to which something was added; None where nothing was
    added, or what was signed is not there any more."""
    touched = {problem.field for problem in report.problems if problem.code == "added_after"}
    ends = [
        claim.byte_range[2] + claim.byte_range[3]
        for field, claim in ((one.examined.field, one.examined.claim) for one in report.signatures)
        if field in touched and claim.holds and claim.byte_range is not None
    ]
    if not ends or min(ends) >= len(pdf):
        return None
    try:
        return confined(changes_since, pdf, min(ends))
    except Unanswered:
        return None


def believed() -> Believed:
    """The trust folder of this installation, read anew: a new revocation list counts at once."""
    folder = current_settings().trust_dir
    assert folder is not None  # settings fill it in
    return read_trust(folder)


def withdrawals(ids: list[str]) -> Mapping[str, press.Withdrawal]:
    """Which of these signatures have been withdrawn."""
    rows = db.session.scalars(sa.select(Withdrawal).where(Withdrawal.signature_id.in_(ids)))
    return {row.signature_id: press.Withdrawal(at=row.at, reason=row.reason) for row in rows}


def report_on(pdf: bytes) -> press.Report:
    """The verdict on any file at all, now. Slow beside a transaction, so no command calls it for a stranger."""
    return verify(pdf, believed(), at=clock.now(), register=withdrawals)


def filings_in(report: press.Report) -> dict[str, str | None]:
    """Of the report's seals that are ours and hold: the filing number, or None for a seal for use inside only (D1)."""
    ids = [one.seal.es_id for one in report.signatures if one.seal and one.seal.holds and one.seal.es_id]
    return {es_id: found.number if found else None for es_id, found in seals.filings_of(ids).items()}
