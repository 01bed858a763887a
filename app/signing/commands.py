"""What can be done with documents and seals on them. A sealing reads from upload downwards:

upload     a PDF comes in and is looked at
prepare    a person chooses a seal and its place; a job waits at the card station
…          the station's card signs what the server ordered (`sign_document.py`)
record     the sealed document is kept, the use registered: person and card together
take       it leaves the house; from then on a withdrawal takes an approval (`withdrawing.py`)
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from app import clock, store
from app.actor import Actor
from app.cards import commands as cards
from app.cards.queries import station as station_of
from app.command import command
from app.db import db, locked
from app.flows import commands as flows
from app.pdf.confined import confined
from app.pdf.geometry import POINTS_PER_MM, user_box
from app.pdf.inspecting import Inspection, inspect
from app.pdf.sealing import look
from app.pdf.straddling import check_straddles
from app.pdf.verifying import Report
from app.refusal import Forbidden
from app.seals import granting
from app.seals import queries as seals
from app.seals.models import Seal
from app.signing import queries, request_rules, requests, rules
from app.signing.facts import (
    DocumentSealed,
    DocumentTaken,
    DocumentUploaded,
    DocumentVerified,
    SealingCancelled,
    SealingOrdered,
)
from app.signing.models import Document, DocumentTaking, Sealing, SealUse
from card_agent.protocol import names


@command
def upload(document: bytes, file_name: str, *, document_class: str = "other", by: Actor) -> DocumentUploaded:
    """Take a PDF in. Refuses what cannot be sealed, with the reason: no PDF, broken, encrypted, active content,
    too large, altered after an earlier seal (`app/pdf/faults.py`). `document_class`: one of the glossary's."""
    user_id = _person(by)
    request_rules.check_class(document_class)
    found = confined(look, document)
    name = rules.clean_name(file_name)
    row = Document(
        digest=store.put(document),
        file_name=name,
        pages=[[p.width_pt, p.height_pt] for p in found.pages],
        uploaded_by_id=user_id,
        uploaded_at=clock.now(),
        document_class=document_class,
    )
    db.session.add(row)
    db.session.flush()
    return DocumentUploaded(
        document_id=row.id,
        document_digest=row.digest,
        file_name=name,
        pages=len(found.pages),
        user_id=user_id,
        unit_id=by.unit_id,
    )


@command
def prepare(
    document: bytes,
    file_name: str,
    seal_id: int,
    *,
    page: int,
    x_pt: float,
    y_pt: float,
    station_id: int,
    straddle_pt: float | None = None,
    by: Actor,
) -> SealingOrdered:
    """Upload and order in one act. `page`: from 1; `x_pt`, `y_pt`: the seal's lower left corner, in points from
    the page's lower left corner as seen. Refuses what `upload` and `order` refuse."""
    uploaded = upload(document, file_name, by=by)
    return order(
        uploaded.document_id,
        seal_id,
        page=page,
        x_pt=x_pt,
        y_pt=y_pt,
        station_id=station_id,
        straddle_pt=straddle_pt,
        by=by,
    )


@command
def prepare_in_corner(
    document: bytes,
    file_name: str,
    seal_id: int,
    *,
    document_class: str,
    on_first_page: bool,
    right_mm: float,
    bottom_mm: float,
    station_id: int,
    batch: str,
    straddle_mm: float | None = None,
    by: Actor,
) -> SealingOrdered:
    """One of many (批量盖章): upload and order in one act, the seal so far from the right and the lower edge of the first or the
    last page. `straddle_mm`: 骑缝章 so far above the lower edges, where there are several pages. Refuses what `upload` and `order` refuse."""
    uploaded = upload(document, file_name, document_class=document_class, by=by)
    page = 1 if on_first_page else uploaded.pages
    width_pt = queries.document(uploaded.document_id, by).pages[page - 1][0]
    return order(
        uploaded.document_id,
        seal_id,
        page=page,
        x_pt=width_pt - (seals.visible_seal(seal_id, by).width_mm + right_mm) * POINTS_PER_MM,
        y_pt=bottom_mm * POINTS_PER_MM,
        station_id=station_id,
        batch=batch,
        straddle_pt=straddle_mm * POINTS_PER_MM if straddle_mm is not None and uploaded.pages > 1 else None,
        by=by,
    )


@command
def order(
    document_id: int,
    seal_id: int,
    *,
    page: int,
    x_pt: float,
    y_pt: float,
    station_id: int,
    batch: str | None = None,
    straddle_pt: float | None = None,
    by: Actor,
) -> SealingOrdered:
    """Ask a station's card to seal one's own upload; `batch`: a name that those ordered together share; `straddle_pt`: 骑缝章 on
    all pages besides, so far above their lower edges. Refuses Forbidden with the decision's reason unless this
    person may use this seal for this document now (A20–A22), OutsidePage, and what `open_job` refuses."""
    user_id = _person(by)
    document = queries.document(document_id, by)
    seal = seals.visible_seal(seal_id, by)
    decision = seals.may_use(
        seal_id, by, function="pdf", document_digest=document.digest, document_class=document.document_class
    )
    rules.check_may_use(decision.allowed, decision.because, decision.code)
    station_of(station_id)
    found = confined(inspect, store.get(document.sealed_digest or document.digest))
    _check_place(found, page, x_pt, y_pt, seal)
    if straddle_pt is not None:
        check_straddles(found, width_mm=seal.width_mm, height_mm=seal.height_mm, y_pt=straddle_pt)
    row = Sealing(
        document_id=document.id,
        seal_id=seal.id,
        user_id=user_id,
        user_name=by.name,
        station_id=station_id,
        card_serial=seal.card_serial,
        page=page,
        x_pt=x_pt,
        y_pt=y_pt,
        width_mm=seal.width_mm,
        height_mm=seal.height_mm,
        ordered_at=clock.now(),
        ip=by.origin.ip,
        batch=batch,
        straddle_pt=straddle_pt,
    )
    rules.check_not_ordered(waits=queries.waits(document.id, seal.id))
    db.session.add(row)
    db.session.flush()
    job = cards.open_job(names.SIGN_DOCUMENT, station_id, seal.card_serial, {"sealing_id": row.id}, by=by)
    row.job_id = job.job_id
    return SealingOrdered(
        sealing_id=row.id,
        job_id=job.job_id,
        seal_id=seal.id,
        card_serial=seal.card_serial,
        document_digest=document.digest,
        file_name=document.file_name,
        page=page,
        x_pt=x_pt,
        y_pt=y_pt,
        station_id=station_id,
        user_id=user_id,
        unit_id=seal.owner_unit_id,
        because=decision.because.zh,
    )


@command
def cancel(sealing_id: int, *, by: Actor) -> SealingCancelled:
    """Take one's own sealing back while the card has not signed."""
    row: Sealing = locked(Sealing, sealing_id)
    rules.check_own(row.user_id, by.id)
    rules.check_open(row.state)
    assert row.job_id is not None
    cards.cancel_job(row.job_id, "发起人取消", by=by)
    return SealingCancelled(
        sealing_id=row.id,
        job_id=row.job_id,
        seal_id=row.seal_id,
        card_serial=row.card_serial,
        user_id=row.user_id,
    )


@command
def record(
    sealing_id: int,
    sealed: bytes,
    signature_id: str,
    *,
    host: str,
    mac: str,
    grant_id: int | None = None,
    by: Actor,
) -> DocumentSealed:
    """Keep the sealed document and register the use. `by`: the person who sealed, with the station as origin; `grant_id`:
    what allowed it, which is counted. Only `sign_document` calls it, when the card's signature has been embedded and
    verified."""
    row: Sealing = locked(Sealing, sealing_id)
    rules.check_open(row.state)
    rules.check_own(row.user_id, by.id)
    document, seal = db.session.get_one(Document, row.document_id), seals.seal(row.seal_id)
    used = SealUse(
        sealing_id=row.id,
        seal_id=seal.id,
        es_id=seal.es_id,
        seal_name=seal.name,
        unit_id=seal.owner_unit_id,
        user_id=row.user_id,
        user_name=row.user_name,
        card_serial=row.card_serial,
        document_digest=document.digest,
        sealed_digest=store.put(sealed),
        file_name=rules.sealed_name(document.file_name),
        signature_id=signature_id,
        signature_alg=str((row.press_state or {})["mechanism"]),
        at=clock.now(),
        station_id=row.station_id,
        host=host,
        mac=mac,
        ip=by.origin.ip,
        grant_id=grant_id,
        document_class=document.document_class,
    )
    db.session.add(used)
    row.state, row.ended_at = "sealed", used.at
    document.sealed_digest = used.sealed_digest
    if grant_id is not None and granting.count_use(grant_id):
        _tell_request(grant_id, by)
    _count_use(seal.id, used)
    return DocumentSealed(
        sealing_id=row.id,
        seal_id=seal.id,
        es_id=seal.es_id,
        seal_name=seal.name,
        user_id=used.user_id,
        user_name=used.user_name,
        card_serial=used.card_serial,
        document_digest=used.document_digest,
        sealed_digest=used.sealed_digest,
        file_name=document.file_name,
        signature_id=signature_id,
        station_id=used.station_id,
        host=host,
        mac=mac,
        ip=used.ip,
        unit_id=used.unit_id,
    )


@command
def verify(report: Report, file_name: str, *, by: Actor) -> DocumentVerified:
    """Somebody verified a document: `report` is what `queries.report_on` found. The press works before the
    transaction, not in it: a stranger's file must not hold the one writer's lock."""
    return DocumentVerified(
        document_digest=f"sha256:{report.sha256}",
        file_name=rules.clean_name(file_name),
        verdict=report.verdict,
        signers=[s.examined.holder.name if s.examined.holder else "" for s in report.signatures],
        problems=[p.code for p in report.problems],
        user_id=by.id,
    )


@command
def take(digests: Sequence[str], file_name: str, *, by: Actor) -> DocumentTaken:
    """Somebody takes sealed documents out of the house: they count as sent from now on (D5)."""
    user_id = _person(by)
    at = clock.now()
    db.session.add_all(DocumentTaking(sealed_digest=one, user_id=user_id, at=at) for one in digests)
    return DocumentTaken(sealed_digests=list(digests), file_name=file_name, user_id=user_id)


def _person(by: Actor) -> int:
    if by.kind != "person" or by.id is None:
        raise Forbidden(
            "signing.person_needed",
            zh="请先登录，盖章须由本人办理",
            en="Log in first: a person seals, nobody else",
        )
    return by.id


def _tell_request(grant_id: int, by: Actor) -> None:
    """A grant was used up: the flow of the request that it came from goes on (A22)."""
    asked = requests.of_grant(grant_id)
    if asked is not None:
        flows.deliver(request_rules.MESSAGE, str(asked.id), {"user": by.name}, by=by)


def _check_place(found: Inspection, page: int, x_pt: float, y_pt: float, seal: Seal) -> None:
    size = found.page(page)
    user_box(size, x_pt=x_pt, y_pt=y_pt, width_mm=seal.width_mm, height_mm=seal.height_mm)


def _count_use(seal_id: int, used: SealUse) -> None:
    """The ledger's last use and count stand on the seal's own row, so that it reads without counting."""
    values: dict[str, Any] = {"last_used_at": used.at, "use_count": Seal.use_count + 1}
    db.session.execute(sa.update(Seal).where(Seal.id == seal_id).values(values))
