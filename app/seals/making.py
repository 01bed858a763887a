"""The server's half of the ritual that makes a seal. Neither this server nor a maker card makes one alone.

 1 begin      the cards are in: checked, and the server signs an order for exactly this seal on this card
 2 authorise  the maker card has signed the seal, both cards proved their keys: verified, assembled, put into an
              envelope that only this server opens; the server signs the leave to write it
 3 outcome    the card was written and read back: both cards' receipts are verified

Each step repeated with the same cards gives the same answer, so a station may lose power anywhere; a job has
one seal id from its first order on, so it makes at most one seal. docs/protocol.md holds the messages.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any

from app import clock, store
from app.actor import Actor
from app.cards import queries as cards
from app.cards import rules as card_rules
from app.cards.kinds import JobEnd, job_kind
from app.cards.models import CardJob
from app.crypto import signing, vault
from app.crypto.certificates import CertificateRefused, fingerprint
from app.crypto.keys import keyring
from app.crypto.seal_data import Extension, assemble_seal, build_seal_info
from app.crypto.seal_verdict import verify_seal
from app.db import db, lock_row
from app.flows import commands as flows
from app.impressions import queries as impressions
from app.impressions import rules as impression_rules
from app.refusal import Conflict, Invalid
from app.seals import queries, rules
from app.seals.models import SealMaking
from app.settings import current_settings
from app.text import Text
from card_agent.protocol import names
from card_agent.protocol.codec import encode, from_json, parse_canonical, to_json
from card_agent.protocol.jobs import Authorise, Authorised, Begin, Line, MakeBegun, Summary, Words
from card_agent.protocol.on_card import ENVELOPE_LIMIT_BYTES
from card_agent.protocol.outcomes import Failed, Made, Outcome
from card_agent.protocol.seal_content import content_sha256
from card_agent.protocol.statements import (
    CardSignature,
    Operator,
    Order,
    Signed,
    Statement,
    WriteToken,
    hex_digest,
    open_statement,
    order_extension,
    payload,
    possession,
    receipt,
    sealed,
)

MESSAGE = "seal_production.reported"
"""What the production diagram waits for, correlated by the job's id."""


@job_kind(names.MAKE_SEAL, production=True)
class MakeSeal:
    """Making one seal from one impression on one card."""

    def summary(self, job: CardJob) -> Summary:
        kind = rules.kind_text(str(job.payload["kind"]))
        return Summary(
            title=Words(zh=f"制章：{job.payload['name']}", en=f"Make the seal: {job.payload['name']}"),
            lines=(
                Line(zh="种类", en="Kind", value=f"{kind.zh} · {kind.en}"),
                Line(zh="所有者", en="Owner", value=str(job.payload["owner_name"])),
                Line(zh="印章卡", en="Seal card", value=job.card_serial),
                Line(
                    zh="尺寸",
                    en="Size",
                    value=f"{job.payload['width_mm']} × {job.payload['height_mm']} mm",
                ),
            ),
        )

    def begin(self, job: CardJob, message: Begin, *, by: Actor) -> MakeBegun:
        maker_serial, maker_certificate = _presented_maker(message)
        card_rules.check_card_present(expected=job.card_serial, presented=message.card_serial)
        _check_cards(job.card_serial, message.card_certificate, maker_serial, maker_certificate)
        making = db.session.get(SealMaking, job.id)
        if making is not None and _still_serves(making, job, maker_serial):
            return _begun(making)
        _check_impression(job)
        making = _order(job, making, message, maker_serial, maker_certificate)
        return _begun(making)

    def authorise(self, job: CardJob, message: Authorise, *, by: Actor) -> Authorised:
        making = _making_of(job)
        order = _order_of(making)
        if message.order_id != making.order_id:
            raise _replayed()
        if making.token_json is None:
            rules.check_order_alive(making.expires_at, clock.now())
            _check_impression(job)
        maker, card = _certificates(making)
        _check_proof(message.maker_proof, order, "maker", maker)
        _check_proof(message.card_proof, order, "seal", card)
        if making.token_json is None:
            _assemble(making, message.maker_signature, maker)
        token = _token(making, order)
        assert making.envelope_object is not None
        return Authorised(token=token, envelope=store.get(making.envelope_object))

    def outcome(self, job: CardJob, message: Outcome, *, by: Actor) -> JobEnd:
        if isinstance(message, Failed):
            return JobEnd(done=False, reason=Text(message.zh or message.code, message.en or message.code))
        if not isinstance(message, Made):
            raise Invalid(
                "card_job.wrong_outcome",
                zh="工位回报的结果与任务不符，请升级工位程序",
                en="The station reported an outcome of another kind of job; upgrade its agent",
            )
        making = _making_of(job)
        _check_written(making, message)
        making.receipt, making.written_at = to_json(message), clock.now()
        try:
            _check_cards(making.card_serial, None, making.maker_serial, None)
        except CertificateRefused as refusal:
            # the card was good when it was written and is not now: no seal enters the ledger (card.md §4)
            return JobEnd(done=False, reason=refusal.text)
        return JobEnd(done=True)

    def ended(self, job: CardJob, end: JobEnd, *, by: Actor) -> None:
        reason = end.reason or Text("", "")
        flows.deliver(
            MESSAGE,
            str(job.id),
            {
                "status": "made" if end.done else "failed",
                "job_id": job.id,
                "zh": reason.zh,
                "en": reason.en,
            },
            by=by,
        )


# --- 1 begin ---


def _presented_maker(message: Begin) -> tuple[str, bytes]:
    if message.maker_serial is None or message.maker_certificate is None:
        raise Conflict(
            "card.no_maker_card",
            zh="没有插入制章授权卡，请先插入制章授权卡",
            en="There is no maker card; insert the maker card first",
        )
    return message.maker_serial, message.maker_certificate


def _check_cards(
    card_serial: str, card_certificate: bytes | None, maker_serial: str, maker_certificate: bytes | None
) -> None:
    """Both cards known, of their role, not lost, their certificates good now (A11, A13)."""
    now = clock.now()
    cards.check_registered_card(maker_serial, "maker", certificate=maker_certificate, at=now)
    cards.check_registered_card(card_serial, "seal", certificate=card_certificate, at=now)


def _check_impression(job: CardJob) -> None:
    """A8: an impression suspended or destroyed since the job was given makes no seal."""
    impression_rules.check_usable(impressions.state(int(job.payload["impression_id"])))


def _still_serves(making: SealMaking, job: CardJob, maker_serial: str) -> bool:
    """The order given before stands, for the same cards, until it expires unauthorised."""
    if making.token_json is not None:
        card_rules.check_card_present(expected=making.maker_serial, presented=maker_serial)
        return True
    return making.maker_serial == maker_serial and clock.now() < making.expires_at


def _order(
    job: CardJob, making: SealMaking | None, message: Begin, maker_serial: str, maker_certificate: bytes
) -> SealMaking:
    """Sign the order and build the bytes that the maker card shall sign. A new order takes the old one's place
    and keeps its seal id: whatever is repeated, the job can make this one seal only."""
    es_id = making.es_id if making else secrets.token_hex(16)
    issued_at = clock.now().replace(microsecond=0)
    content = _content(job, es_id, message.card_certificate, issued_at)
    order = _new_order(job, content, maker_serial, maker_certificate, issued_at)
    signed = _signed(order)
    seal_info = _seal_info(
        content, (Extension(oid=names.ORDER_EXTENSION_OID, value=order_extension(signed)),)
    )
    if making is not None:
        making.maker_serial, making.order_id, making.expires_at = (
            maker_serial,
            order.order_id,
            order.expires_at,
        )
        making.order_json, making.seal_info = encode(signed), seal_info
        return making
    making = SealMaking(
        job_id=job.id,
        es_id=es_id,
        impression_id=int(job.payload["impression_id"]),
        card_serial=job.card_serial,
        card_cert_sha256=order.card_cert_sha256,
        maker_serial=maker_serial,
        seq=queries.next_seq(job.card_serial),
        order_id=order.order_id,
        order_json=encode(signed),
        seal_info=seal_info,
        expires_at=order.expires_at,
    )
    db.session.add(making)
    db.session.flush()
    return making


def _content(job: CardJob, es_id: str, card_certificate: bytes, issued_at: datetime) -> dict[str, Any]:
    """What the seal says: name, picture, the card's certificate, valid until that ends."""
    card = cards.card(job.card_serial)
    assert card is not None
    return {
        "es_id": es_id,
        "kind": str(job.payload["kind"]),
        "name": str(job.payload["name"]),
        "card_certificate": card_certificate,
        "picture": queries.picture_of(int(job.payload["impression_id"])),
        "created_at": issued_at,
        "valid_from": issued_at,
        "valid_until": card.valid_until,
    }


def _new_order(
    job: CardJob,
    content: dict[str, Any],
    maker_serial: str,
    maker_certificate: bytes,
    issued_at: datetime,
) -> Order:
    """For exactly this content, on this card, by this maker card, with this person at this station."""
    return Order(
        domain=Order.DOMAIN,
        alg=names.ECDSA_SHA256,
        kid=_kid(),
        order_id=secrets.token_hex(16),
        job_id=job.id,
        nonce=secrets.token_hex(32),
        es_id=str(content["es_id"]),
        content_sha256=content_sha256(_seal_info(content, ())),
        impression_sha256=hex_digest(content["picture"].data),
        maker_serial=maker_serial,
        maker_cert_sha256=fingerprint(maker_certificate),
        card_serial=job.card_serial,
        card_cert_sha256=fingerprint(content["card_certificate"]),
        operator=Operator(id=job.operator_id, name=job.operator_name),
        station_id=job.station_id,
        issued_at=issued_at,
        expires_at=issued_at + timedelta(seconds=current_settings().order_life_s),
    )


def _seal_info(content: dict[str, Any], extensions: tuple[Extension, ...]) -> bytes:
    version = current_settings().seal_version
    return build_seal_info(**content, extensions=extensions, version=version)


def _begun(making: SealMaking) -> MakeBegun:
    return MakeBegun(order=_signed_order(making), seal_info=making.seal_info)


# --- 2 authorise ---


def _making_of(job: CardJob) -> SealMaking:
    making = lock_row(SealMaking, job.id)
    if making is None:
        raise Conflict(
            "seal.not_begun",
            zh="请先读卡并取得制章命令",
            en="Begin first: the cards have to be read and an order given",
        )
    return making


def _certificates(making: SealMaking) -> tuple[bytes, bytes]:
    """(maker's, seal card's), both still good."""
    now = clock.now()
    maker, _ = cards.check_registered_card(making.maker_serial, "maker", at=now)
    card, _ = cards.check_registered_card(making.card_serial, "seal", at=now)
    return maker.certificate, card.certificate


def _check_proof(proof: CardSignature, order: Order, role: str, certificate: bytes) -> None:
    statement = possession(order, role=role, alg=proof.alg)
    if _verify(proof, payload(statement), certificate) != "good":
        zh = "制章授权卡" if role == "maker" else "印章卡"
        raise Conflict(
            f"seal.{role}_proof_bad",
            zh=f"{zh}未能证明持有私钥，请重新插卡后再试；仍不成功请换卡",
            en=f"The {role} card did not prove its key; insert it again, or use another card",
        )


def _verify(signature: CardSignature, data: bytes, certificate: bytes) -> signing.Verdict:
    if signature.alg not in names.CARD_ALGORITHMS:
        return "unknown"
    return signing.verify_by_certificate(signature.alg, certificate, signature.value, data)


def _assemble(making: SealMaking, signature: CardSignature, maker: bytes) -> None:
    """The maker's signature verified, the seal put together, judged as any verifier would, and sealed twice:
    into the envelope for the card and into the object store."""
    if _verify(signature, making.seal_info, maker) != "good":
        raise Conflict(
            "seal.maker_signature_bad",
            zh="制章授权卡对印章的签名不成立，未写入任何数据；请重新开始",
            en="The maker card's signature over the seal does not hold, nothing was written; start again",
        )
    der = assemble_seal(
        making.seal_info,
        maker_certificate=maker,
        algorithm=signing.ALGORITHMS[signature.alg].oid,
        signature=signature.value,
    )
    verdict = verify_seal(der, cards.trust(), at=clock.now())
    if not verdict.acceptable:
        raise Conflict(
            "seal.not_acceptable",
            zh="制成的印章未通过自检，未写入任何数据，请联系系统管理员："
            + "；".join(p.text.zh for p in verdict.problems),
            en="The seal does not pass our own verification, nothing was written; tell the administrator: "
            + "; ".join(p.text.en for p in verdict.problems),
            problems=[f"{p.code} {p.detail}".strip() for p in verdict.problems],
        )
    envelope = vault.seal(der, context=queries.envelope_context(making))
    if len(envelope) > ENVELOPE_LIMIT_BYTES:
        raise Conflict(
            "seal.too_large",
            zh="印章数据超过卡的容量，请用更小的印模图像重新登记",
            en="The seal is larger than a card holds; register a smaller picture of the impression",
            size=len(envelope),
        )
    making.seal_sha256, making.envelope_sha256 = hex_digest(der), hex_digest(envelope)
    making.envelope_object = store.put(envelope)
    making.seal_object = store.put(vault.seal(der, context=queries.seal_context(making.es_id)))


def _token(making: SealMaking, order: Order) -> Signed:
    """The leave to write: the one given before while it lives, else a new one for the same envelope."""
    now = clock.now().replace(microsecond=0)
    if making.token_json is not None and making.token_expires_at and now < making.token_expires_at:
        return from_json(Signed, parse_canonical(making.token_json), exact=True)
    assert making.seal_sha256 is not None and making.envelope_sha256 is not None
    expires_at = now + timedelta(seconds=current_settings().order_life_s)
    token = WriteToken(
        domain=WriteToken.DOMAIN,
        alg=names.ECDSA_SHA256,
        kid=_kid(),
        order_id=order.order_id,
        job_id=order.job_id,
        es_id=order.es_id,
        seal_sha256=making.seal_sha256,
        envelope_sha256=making.envelope_sha256,
        card_serial=order.card_serial,
        card_cert_sha256=order.card_cert_sha256,
        seq=making.seq,
        issued_at=now,
        expires_at=expires_at,
    )
    signed = _signed(token)
    making.token_json, making.token_expires_at = encode(signed), expires_at
    return signed


# --- 3 outcome ---


def _check_written(making: SealMaking, message: Made) -> None:
    """What was read back is what was given, and both cards say so."""
    if making.token_json is None or message.order_id != making.order_id:
        raise _replayed()
    if (message.envelope_sha256, message.seq) != (making.envelope_sha256, making.seq):
        raise Conflict(
            "seal.read_back_differs",
            zh="卡内读回的数据与写入的不一致，请重新写卡",
            en="What was read back from the card is not what was written; write it again",
        )
    order = _order_of(making)
    assert making.token_json is not None
    token = open_statement(WriteToken, from_json(Signed, parse_canonical(making.token_json), exact=True))
    for role, signature, serial in (
        ("seal", message.card_receipt, making.card_serial),
        ("maker", message.maker_receipt, making.maker_serial),
    ):
        card = cards.card(serial)
        assert card is not None
        statement = receipt(order, token, role=role, alg=signature.alg)
        if _verify(signature, payload(statement), card.certificate) != "good":
            raise Conflict(
                "seal.receipt_bad",
                zh="写卡回执的签名不成立，请在工位重新回报",
                en="The receipt's signature does not hold; report again from the station",
                role=role,
            )


# --- what the steps share ---


def _kid() -> str:
    return f"order-v{keyring().newest('order')}"


def _signed(statement: Statement) -> Signed:
    """Signed by the server's order key; the key named inside must be the one that signed."""
    ring = keyring()
    _, kid, signature = ring.sign("order", payload(statement))
    if kid != statement.kid:
        raise Conflict(
            "keys.rotated", zh="服务器密钥刚刚轮换，请重试", en="The server's key was just rotated; try again"
        )
    return sealed(statement, signature, ring.certificate("order"))


def _signed_order(making: SealMaking) -> Signed:
    return from_json(Signed, parse_canonical(making.order_json), exact=True)


def _order_of(making: SealMaking) -> Order:
    return open_statement(Order, _signed_order(making))


def _replayed() -> Conflict:
    return Conflict(
        "seal.replayed_order",
        zh="这份制章命令不是本任务当前的命令，已拒绝；请在工位重新开始",
        en="This is not the job's current order, so it is refused; start again at the station",
    )
