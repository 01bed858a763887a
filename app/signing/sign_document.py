"""The server's half of a card's signature on a document.

 1 begin    the seal's card is in the reader: checked; the press prepares the document for this moment; the
            server signs an order for exactly these bytes, this seal, this card
 2 outcome  the card has signed: everything that could have changed is asked again, the signature is embedded,
            the result is verified, and only a genuine one is kept

A step repeated with the same card gives the same answer. docs/protocol.md holds the messages.
"""

import secrets
from datetime import timedelta

from app import clock, store
from app.actor import Actor, Origin
from app.cards import rules as card_rules
from app.cards.kinds import JobEnd, job_kind
from app.cards.models import CardJob
from app.cards.queries import check_registered_card
from app.crypto.certificates import fingerprint
from app.crypto.keys import keyring
from app.db import db, lock_row
from app.pdf import sealing as press
from app.pdf.claims import read_claims
from app.pdf.confined import confined
from app.people.queries import actor_of
from app.refusal import Conflict, Invalid
from app.seals import queries as seals
from app.settings import current_settings
from app.signing import commands, lasting, queries, rules
from app.signing.models import Document, Sealing
from app.signing.verifying import verify
from app.text import Text
from card_agent.protocol import jobs as wire
from card_agent.protocol import names
from card_agent.protocol.codec import encode, from_json, parse_canonical
from card_agent.protocol.outcomes import DocumentSigned, Failed, Outcome
from card_agent.protocol.statements import Operator, Signed, SignOrder, payload, sealed


@job_kind(names.SIGN_DOCUMENT, several=True, bring=lasting.finished)
class SignDocument:
    """One seal on one document by one card."""

    def summary(self, job: CardJob) -> wire.Summary:
        row = queries.sealing_of_job(job.id)
        document, seal = db.session.get_one(Document, row.document_id), seals.seal(row.seal_id)
        return wire.Summary(
            title=wire.Words(zh=f"盖章：{document.file_name}", en=f"Seal: {document.file_name}"),
            lines=(
                wire.Line(zh="文件", en="Document", value=document.file_name),
                wire.Line(zh="印章", en="Seal", value=seal.name),
                wire.Line(zh="印章卡", en="Seal card", value=row.card_serial),
                wire.Line(zh="页码", en="Page", value=str(row.page)),
                *_across(row),
                wire.Line(zh="盖章人", en="Sealed by", value=row.user_name),
            ),
            document=wire.Document(name=document.file_name, sha256=_hex(document.digest)),
        )

    def begin(self, job: CardJob, message: wire.Begin, *, by: Actor) -> wire.SignBegun:
        row = _locked(job)
        rules.check_open(row.state)
        card_rules.check_card_present(expected=row.card_serial, presented=message.card_serial)
        _check_card(row, message.card_certificate)
        _grant_of(row)
        if not _still_serves(row):
            _prepare(row, job)
        return wire.SignBegun(order=_order_of(row))

    def authorise(self, job: CardJob, message: wire.Authorise, *, by: Actor) -> wire.Authorised:
        raise Invalid(
            "card_job.no_such_step",
            zh="盖章任务没有写卡授权这一步，请升级工位程序",
            en="Signing a document has no such step; upgrade the station's agent",
        )

    def outcome(
        self, job: CardJob, message: Outcome, *, brought: lasting.Finished | None = None, by: Actor
    ) -> JobEnd:
        if isinstance(message, Failed):
            return JobEnd(done=False, reason=Text(message.zh or message.code, message.en or message.code))
        if not isinstance(message, DocumentSigned):
            raise Invalid(
                "card_job.wrong_outcome",
                zh="工位回报的结果与任务不符，请升级工位程序",
                en="The station reported an outcome of another kind of job; upgrade its agent",
            )
        row = _locked(job)
        rules.check_open(row.state)
        rules.check_order(row.order_id, message.order_id)
        _check_card(row, message.certificate)
        rules.check_same_seal(expected=seals.envelope_sha256(row.seal_id), presented=message.envelope_sha256)
        grant_id = _grant_of(row)
        _check_base(row)
        document, signature_id = _embedded(row, message, brought)
        commands.record(
            row.id,
            document,
            signature_id,
            host=message.host,
            mac=message.mac,
            grant_id=grant_id,
            by=_person(
                row, Origin(ip=by.origin.ip, host=message.host, mac=message.mac, mac_source="agent-signed")
            ),
        )
        return JobEnd(done=True)

    def ended(self, job: CardJob, end: JobEnd, *, by: Actor) -> None:
        row = queries.sealing_of_job(job.id)
        if end.done:
            return
        row.state = "cancelled" if job.state == "cancelled" else "failed"
        row.ended_at = clock.now()
        if end.reason is not None:
            row.reason_zh, row.reason_en = end.reason.zh[:1000], end.reason.en[:1000]


def _across(row: Sealing) -> list[wire.Line]:
    """骑缝章, said where it is wanted: whoever signs sees all of what is put on (B8)."""
    return [wire.Line(zh="骑缝章", en="Across the edges", value="✓")] if row.straddle_pt is not None else []


def _locked(job: CardJob) -> Sealing:
    row: Sealing = lock_row(Sealing, queries.sealing_of_job(job.id).id)
    return row


def _person(row: Sealing, origin: Origin | None = None) -> Actor:
    """The person who asked, with the roles held now: what was taken away since counts."""
    return actor_of(row.user_id, origin)


def _grant_of(row: Sealing) -> int | None:
    """What allows this use now. Refuses Forbidden with the decision's reason when nothing does (any more)."""
    document = db.session.get_one(Document, row.document_id)
    decision = seals.may_use(
        row.seal_id,
        _person(row),
        function="pdf",
        document_digest=document.digest,
        document_class=document.document_class,
        at=clock.now(),
    )
    rules.check_may_use(decision.allowed, decision.because, decision.code)
    return decision.grant_id


def _base_of(row: Sealing) -> str:
    """The revision that the next seal goes onto: the newest (B11)."""
    document = db.session.get_one(Document, row.document_id)
    return document.sealed_digest or document.digest


def _check_base(row: Sealing) -> None:
    """Nobody else has sealed it since it was prepared; the document stays locked until this seal is in."""
    lock_row(Document, row.document_id)
    rules.check_newest(prepared_on=row.base_digest, newest=_base_of(row))


def _check_card(row: Sealing, certificate: bytes) -> None:
    """The registered card, good today, and the very one this seal was made for."""
    check_registered_card(row.card_serial, "seal", certificate=certificate, at=clock.now())
    rules.check_card(expected=seals.seal(row.seal_id).card_cert_sha256, presented=fingerprint(certificate))


# --- 1 begin ---


def _still_serves(row: Sealing) -> bool:
    return (
        row.order_expires_at is not None
        and clock.now() < row.order_expires_at
        and row.base_digest == _base_of(row)
    )


def _prepare(row: Sealing, job: CardJob) -> None:
    """Prepare the document for this moment and sign the order; a former one is void from now on."""
    now = clock.now()
    document, seal = db.session.get_one(Document, row.document_id), seals.seal(row.seal_id)
    _card, verdict = check_registered_card(row.card_serial, "seal", at=now)
    certificate, *issuers = verdict.chain
    row.base_digest = base = _base_of(row)
    level = current_settings().seal_level
    ready = press.prepare(
        store.get(base),
        stamp_png=queries.picture(seal.id),
        width_mm=row.width_mm,
        height_mm=row.height_mm,
        page=row.page,
        x_pt=row.x_pt,
        y_pt=row.y_pt,
        certificate=certificate,
        chain=tuple(issuers),
        at=now,
        seal_der=seals.seal_der(seal.id),
        signer_name=seal.name,
        reason=f"用印 {row.id}",
        straddle_pt=row.straddle_pt,
        stamped=level != "B-B",
        within=confined,
    )
    row.press_object, row.press_state = store.put(ready.pdf), {**ready.state, "level": level}
    ring = keyring()
    order = SignOrder(
        domain=SignOrder.DOMAIN,
        alg=names.ECDSA_SHA256,
        kid=f"order-v{ring.newest('order')}",
        order_id=secrets.token_hex(16),
        job_id=job.id,
        nonce=secrets.token_hex(32),
        document_name=document.file_name,
        document_sha256=_hex(document.digest),
        seal_name=seal.name,
        es_id=seal.es_id,
        card_serial=row.card_serial,
        card_cert_sha256=seal.card_cert_sha256,
        to_sign=ready.to_sign,
        mechanism=ready.state["mechanism"],
        operator=Operator(id=row.user_id, name=row.user_name),
        station_id=row.station_id,
        issued_at=now,
        expires_at=now + timedelta(seconds=current_settings().order_life_s),
    )
    row.order_json = encode(_signed(order))
    row.order_id, row.order_expires_at, row.state = order.order_id, order.expires_at, "prepared"


def _signed(order: SignOrder) -> Signed:
    ring = keyring()
    _, kid, signature = ring.sign("order", payload(order))
    if kid != order.kid:
        raise Conflict(
            "keys.rotated", zh="服务器密钥刚刚轮换，请重试", en="The server's key was just rotated; try again"
        )
    return sealed(order, signature, ring.certificate("order"))


def _order_of(row: Sealing) -> Signed:
    assert row.order_json is not None
    return from_json(Signed, parse_canonical(row.order_json), exact=True)


# --- 2 outcome ---


def _embedded(row: Sealing, message: DocumentSigned, brought: lasting.Finished | None) -> tuple[bytes, str]:
    """The sealed document, verified as a stranger would, and its signature's id."""
    assert row.press_object is not None
    assert row.press_state is not None
    document = press.embed(store.get(row.press_object), row.press_state, message.signature.value)
    if row.press_state.get("level", "B-B") != "B-B":
        rules.check_finished(brought is not None and brought.order_id == row.order_id)
        assert brought is not None
        document = brought.document
    report = verify(document, queries.believed(), at=clock.now())
    rules.check_genuine(report.verdict, [p.code for p in report.problems])
    newest = tuple(row.press_state["room"])
    signature_id = next(c.id for c in read_claims(document) if c.gap == newest)
    assert signature_id is not None
    return document, signature_id


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")
