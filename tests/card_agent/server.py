"""A server for tests: does its half of the protocol strictly, in memory, and counts what it gave away.

It builds real seal structures with the product's own builder, and refuses what a real one must refuse, so a ritual
that passes here has said everything right.
"""

import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from asn1crypto import cms, core, tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from app.crypto import seal_data
from card_agent.fault import ServerRefused, ServerSilent
from card_agent.protocol import names
from card_agent.protocol.codec import decode, encode, from_json, parse
from card_agent.protocol.jobs import Authorise, Authorised, Begin, Document, Job, MakeBegun, SignBegun
from card_agent.protocol.outcomes import Accepted, DocumentSigned, Failed, Incident, Made, outcome_from_json
from card_agent.protocol.seal_content import content_sha256
from card_agent.protocol.statements import (
    CardSignature,
    Order,
    Signed,
    SignOrder,
    WriteToken,
    hex_digest,
    order_extension,
    payload,
    possession,
    receipt,
    sealed,
)
from tests.card_agent.makers import World

KID = "order-v1"
PNG = bytes.fromhex("89504e470d0a1a0a") + b"a picture" * 400


class FakeServer:
    """`jobs`: what stations are told. `made`: es_id → envelope digest, of outcomes taken. `authorisations`: envelopes
    given away, by order. `fail_next`: paths that fail once, before or after they were served."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.jobs: dict[int, Job] = {}
        self.orders: dict[int, MakeBegun] = {}
        self.sign_orders: dict[int, SignBegun] = {}
        self.envelopes: dict[str, Authorised] = {}
        self.made: dict[str, str] = {}
        self.signed: dict[int, DocumentSigned] = {}
        self.given_back: dict[int, Failed] = {}
        self.incidents: list[Incident] = []
        self.fail_before: list[str] = []
        self.fail_after: list[str] = []
        self.refuse: dict[str, ServerRefused] = {}
        self.calls: list[str] = []
        self.seq = 0
        self.order_life_s = 120
        self.to_sign: bytes | None = None

    # --- the agent's side of the door ---

    def post(self, path: str, message: object, answer: type[Any]) -> Any:
        """As over the wire: both messages become bytes and are read again."""
        act = path.rsplit("/", 1)[1]
        if act in self.fail_before:
            self.fail_before.remove(act)
            raise ServerSilent("cut before")
        body = self.serve(path, encode(message))
        if act in self.fail_after:
            self.fail_after.remove(act)
            raise ServerSilent("cut after")
        return decode(answer, encode(body))

    def serve(self, path: str, body: bytes) -> object:
        _, _, _, _, job_id, act = path.split("/")
        self.calls.append(act)
        if act in self.refuse:
            raise self.refuse[act]
        job = int(job_id)
        if act == "begin":
            begin = decode(Begin, body)
            return self.begin_make(job, begin) if begin.maker_serial else self.begin_sign(job, begin)
        if act == "authorise":
            return self.authorise(job, decode(Authorise, body))
        if act == "incident":
            self.incidents.append(decode(Incident, body))
            return {}
        return self.outcome(job, parse(body))

    # --- making ---

    def begin_make(self, job_id: int, begin: Begin) -> MakeBegun:
        assert begin.maker_certificate is not None
        if job_id not in self.orders or self._expired_unused(job_id):
            self.orders[job_id] = self.order(job_id, begin)
        return self.orders[job_id]

    def order(self, for_job: int, begin: Begin, **changes: Any) -> MakeBegun:
        now = datetime.now(UTC).replace(microsecond=0)
        es_id = changes.pop("es_id", f"YX{secrets.token_hex(8)}")
        fields: dict[str, Any] = dict(
            es_id=es_id, kind="official", name="某局办公室", card_certificate=begin.card_certificate,
            picture=seal_data.Picture(format="PNG", data=PNG, width_mm=42, height_mm=42),
            created_at=now, valid_from=now, valid_until=now + timedelta(days=365),
        )  # fmt: skip
        values: dict[str, Any] = dict(
            domain=Order.DOMAIN, alg=names.ECDSA_SHA256, kid=KID,
            order_id=secrets.token_hex(8), job_id=for_job, nonce=secrets.token_hex(32), es_id=es_id,
            content_sha256=content_sha256(seal_data.build_seal_info(**fields)),
            impression_sha256=hex_digest(PNG),
            maker_serial=begin.maker_serial, maker_cert_sha256=hex_digest(begin.maker_certificate or b""),
            card_serial=begin.card_serial, card_cert_sha256=hex_digest(begin.card_certificate),
            operator=self.jobs[for_job].operator, station_id=7,
            issued_at=now, expires_at=now + timedelta(seconds=self.order_life_s),
        )  # fmt: skip
        signed = self.sign(Order(**{**values, **changes}))
        extension = seal_data.Extension(oid=names.ORDER_EXTENSION_OID, value=order_extension(signed))
        return MakeBegun(order=signed, seal_info=seal_data.build_seal_info(**fields, extensions=[extension]))

    def sign(self, statement: Any) -> Signed:
        signature = self.world.order_key.sign(payload(statement), ec.ECDSA(hashes.SHA256()))
        return sealed(statement, signature, self.world.order_certificate)

    def authorise(self, job_id: int, message: Authorise) -> Authorised:
        begun = self.orders[job_id]
        order = from_json(Order, begun.order.statement)
        assert message.order_id == order.order_id, "an order that was replaced"
        maker, card = self.world.maker.certificate, self.world.card.certificate
        assert maker is not None and card is not None
        check(maker, message.maker_signature, begun.seal_info)
        check(
            maker, message.maker_proof, payload(possession(order, role="maker", alg=message.maker_proof.alg))
        )
        check(card, message.card_proof, payload(possession(order, role="seal", alg=message.card_proof.alg)))
        if order.order_id not in self.envelopes:
            self.seq += 1
            envelope = secrets.token_bytes(2000)
            seal = seal_data.assemble_seal(
                begun.seal_info,
                maker_certificate=maker,
                algorithm="1.2.840.10045.4.3.2",
                signature=message.maker_signature.value,
            )
            self.envelopes[order.order_id] = Authorised(
                token=self.sign(self.token(order, seal, envelope)), envelope=envelope
            )
        return self.envelopes[order.order_id]

    def token(self, order: Order, seal: bytes, envelope: bytes, **changes: Any) -> WriteToken:
        now = datetime.now(UTC).replace(microsecond=0)
        values: dict[str, Any] = dict(
            domain=WriteToken.DOMAIN, alg=names.ECDSA_SHA256, kid=KID,
            order_id=order.order_id, job_id=order.job_id, es_id=order.es_id,
            seal_sha256=hex_digest(seal), envelope_sha256=hex_digest(envelope),
            card_serial=order.card_serial, card_cert_sha256=order.card_cert_sha256,
            seq=self.seq, issued_at=now, expires_at=now + timedelta(seconds=300),
        )  # fmt: skip
        return WriteToken(**{**values, **changes})

    # --- signing ---

    def begin_sign(self, job_id: int, begin: Begin) -> SignBegun:
        self.sign_orders[job_id] = SignBegun(order=self.sign(self.sign_order(job_id, begin)))
        return self.sign_orders[job_id]

    def sign_order(self, for_job: int, begin: Begin, **changes: Any) -> SignOrder:
        now = datetime.now(UTC).replace(microsecond=0)
        document = self.jobs[for_job].summary.document
        assert document is not None
        key = x509.load_der_x509_certificate(begin.card_certificate).public_key()
        values: dict[str, Any] = dict(
            domain=SignOrder.DOMAIN, alg=names.ECDSA_SHA256, kid=KID,
            order_id=secrets.token_hex(8), job_id=for_job, nonce=secrets.token_hex(32),
            document_name=document.name, document_sha256=document.sha256,
            seal_name="某局办公室", es_id=next(iter(self.made), ""),
            card_serial=begin.card_serial, card_cert_sha256=hex_digest(begin.card_certificate),
            to_sign=self.to_sign or signed_attributes(begin.card_certificate),
            mechanism=names.ECDSA_SHA256 if isinstance(key, ec.EllipticCurvePublicKey) else names.RSA_SHA256,
            operator=self.jobs[for_job].operator, station_id=7,
            issued_at=now, expires_at=now + timedelta(seconds=120),
        )  # fmt: skip
        return SignOrder(**{**values, **changes})

    # --- outcomes ---

    def outcome(self, job_id: int, body: Any) -> Accepted:
        outcome = outcome_from_json(body)
        if isinstance(outcome, Failed):
            self.given_back[job_id] = outcome
            state = "failed"
        elif isinstance(outcome, Made):
            self._take_made(job_id, outcome)
            state = "done"
        else:
            order = from_json(SignOrder, self.sign_orders[job_id].order.statement)
            assert self.world.card.certificate == outcome.certificate
            check(outcome.certificate, outcome.signature, order.to_sign)
            self.signed[job_id] = outcome
            state = "done"
        self.jobs.pop(job_id, None)
        return Accepted(state=state)

    def _take_made(self, job_id: int, made: Made) -> None:
        order = from_json(Order, self.orders[job_id].order.statement)
        token = from_json(WriteToken, self.envelopes[order.order_id].token.statement)
        assert made.order_id == order.order_id
        assert made.envelope_sha256 == token.envelope_sha256
        maker, card = self.world.maker.certificate, self.world.card.certificate
        assert maker is not None and card is not None
        check(card, made.card_receipt,
              payload(receipt(order, token, role="seal", alg=made.card_receipt.alg)))  # fmt: skip
        check(maker, made.maker_receipt,
              payload(receipt(order, token, role="maker", alg=made.maker_receipt.alg)))  # fmt: skip
        self.made[order.es_id] = made.envelope_sha256

    def _expired_unused(self, job_id: int) -> bool:
        order = from_json(Order, self.orders[job_id].order.statement)
        return order.order_id not in self.envelopes and datetime.now(UTC) > order.expires_at


def check(certificate: bytes, signature: CardSignature, data: bytes) -> None:
    """Raises InvalidSignature."""
    key: Any = x509.load_der_x509_certificate(certificate).public_key()
    if signature.alg == names.ECDSA_SHA256:
        key.verify(signature.value, data, ec.ECDSA(hashes.SHA256()))
    else:
        assert signature.alg == names.RSA_SHA256
        key.verify(signature.value, data, padding.PKCS1v15(), hashes.SHA256())


def signed_attributes(certificate: bytes, digest: bytes = sha256(b"the signed ranges").digest()) -> bytes:
    """What a PAdES signature has its card sign (RFC 5652 §5.4: the SET OF)."""
    ess = tsp.SigningCertificateV2({"certs": [tsp.ESSCertIDv2({"cert_hash": sha256(certificate).digest()})]})
    return cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "content_type", "values": ["data"]}),
            cms.CMSAttribute({"type": "message_digest", "values": [core.OctetString(digest)]}),
            cms.CMSAttribute({"type": "signing_certificate_v2", "values": [ess]}),
        ]
    ).dump()


def document(name: str = "通知.pdf") -> Document:
    return Document(name=name, sha256=hex_digest(name.encode()))
