"""Writes the golden examples of the protocol: `python -m tests.card_agent.golden`. Their values are fixed for good; it is
run again only when a message is added. Keys are made from fixed numbers, so that anyone can check the signatures.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from app.crypto import seal_data
from card_agent import protocol
from card_agent.protocol import jobs, names, on_card, outcomes, request, statements
from card_agent.protocol.codec import canonical, encode, to_json
from card_agent.protocol.seal_content import content_sha256
from card_agent.protocol.statements import CardSignature, Operator, hex_digest, payload, sealed
from tests.card_agent.server import signed_attributes

FOLDER = Path(protocol.__file__).parent / "examples"
AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63f8cfc0f01f0005000201d5a4c3540000000049454e44ae426082"
)


def key(number: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(number, ec.SECP256R1())


ROOT_KEY, ORDER_KEY, MAKER_KEY, CARD_KEY = key(101), key(102), key(103), key(104)
STATION_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OPERATOR = Operator(id=5, name="王敏")


def certificate(subject: str, public_key: Any, eku: str | None = None, ca: bool = False) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Golden root")]))
        .public_key(public_key)
        .serial_number(len(subject) + 1000)
        .not_valid_before(AT - timedelta(days=1))
        .not_valid_after(AT + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if eku:
        builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(eku)]), critical=False)
    signed = builder.sign(ROOT_KEY, hashes.SHA256(), ecdsa_deterministic=True)
    return signed.public_bytes(serialization.Encoding.DER)


def sign(private: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    return private.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


def by_card(private: ec.EllipticCurvePrivateKey, data: bytes) -> CardSignature:
    return CardSignature(alg=names.ECDSA_SHA256, value=sign(private, data))


def examples() -> dict[str, Any]:
    """Name → {"message": dataclass, "value": JSON, and for what is signed "signed_bytes" (text) and "key"}."""
    root = certificate("Golden root", ROOT_KEY.public_key(), ca=True)
    order_certificate = certificate("Golden server", ORDER_KEY.public_key(), names.ORDER_EKU)
    maker_certificate = certificate("Golden maker", MAKER_KEY.public_key(), names.MAKER_EKU)
    card_certificate = certificate("Golden card", CARD_KEY.public_key())
    head = {"alg": names.ECDSA_SHA256, "kid": "order-v1"}
    fields: dict[str, Any] = dict(
        es_id="YX0123456789abcdef", kind="official", name="某局办公室公章", card_certificate=card_certificate,
        picture=seal_data.Picture(format="PNG", data=PNG, width_mm=42, height_mm=42),
        created_at=AT, valid_from=AT, valid_until=AT + timedelta(days=365),
    )  # fmt: skip
    order = statements.Order(
        domain=statements.Order.DOMAIN, **head, order_id="0f1e2d3c4b5a6978", job_id=41, nonce="5a" * 32,
        es_id="YX0123456789abcdef", content_sha256=content_sha256(seal_data.build_seal_info(**fields)),
        impression_sha256=hex_digest(PNG),
        maker_serial="b59c5ce361f71785", maker_cert_sha256=hex_digest(maker_certificate),
        card_serial="896a09000115b673", card_cert_sha256=hex_digest(card_certificate),
        operator=OPERATOR, station_id=7, issued_at=AT, expires_at=AT + timedelta(seconds=120),
    )  # fmt: skip
    signed_order = sealed(order, sign(ORDER_KEY, payload(order)), order_certificate)
    extension = seal_data.Extension(
        oid=names.ORDER_EXTENSION_OID, value=statements.order_extension(signed_order)
    )
    seal_info = seal_data.build_seal_info(**fields, extensions=[extension])
    envelope = bytes(range(256))
    maker_signature = by_card(MAKER_KEY, seal_info)
    seal = seal_data.assemble_seal(
        seal_info, maker_certificate=maker_certificate, algorithm="1.2.840.10045.4.3.2",
        signature=maker_signature.value,
    )  # fmt: skip
    token = statements.WriteToken(
        domain=statements.WriteToken.DOMAIN, **head, order_id=order.order_id, job_id=41, es_id=order.es_id,
        seal_sha256=hex_digest(seal), envelope_sha256=hex_digest(envelope),
        card_serial=order.card_serial, card_cert_sha256=order.card_cert_sha256, seq=1,
        issued_at=AT + timedelta(seconds=2), expires_at=AT + timedelta(seconds=302),
    )  # fmt: skip
    signed_token = sealed(token, sign(ORDER_KEY, payload(token)), order_certificate)
    sign_order = statements.SignOrder(
        domain=statements.SignOrder.DOMAIN, **head, order_id="1122334455667788", job_id=42, nonce="a5" * 32,
        document_name="关于放假的通知.pdf", document_sha256=hex_digest(b"a document"), seal_name="某局办公室公章",
        es_id=order.es_id, card_serial=order.card_serial, card_cert_sha256=order.card_cert_sha256,
        to_sign=signed_attributes(card_certificate), mechanism=names.ECDSA_SHA256, operator=OPERATOR, station_id=7,
        issued_at=AT, expires_at=AT + timedelta(seconds=120),
    )  # fmt: skip
    signed_sign_order = sealed(sign_order, sign(ORDER_KEY, payload(sign_order)), order_certificate)
    unlock_order = statements.UnlockOrder(
        domain=statements.UnlockOrder.DOMAIN, **head, order_id="8877665544332211", job_id=43, nonce="3c" * 32,
        card_serial=order.card_serial, card_cert_sha256=order.card_cert_sha256,
        asked_by=Operator(id=9, name="孙用"), agreed_by=Operator(id=6, name="李主任"), operator=OPERATOR, station_id=7,
        issued_at=AT, expires_at=AT + timedelta(seconds=120),
    )  # fmt: skip
    signed_unlock_order = sealed(unlock_order, sign(ORDER_KEY, payload(unlock_order)), order_certificate)
    unlock_proof = statements.unlocked_possession(unlock_order, alg=names.ECDSA_SHA256)
    login_order = statements.LoginOrder(
        domain=statements.LoginOrder.DOMAIN, **head, order_id="5566778811223344", job_id=44, nonce="5a" * 32,
        origin="https://seals.example.cn", code="4827", card_serial=order.card_serial,
        card_cert_sha256=order.card_cert_sha256, operator=OPERATOR, station_id=7,
        issued_at=AT, expires_at=AT + timedelta(seconds=120),
    )  # fmt: skip
    signed_login_order = sealed(login_order, sign(ORDER_KEY, payload(login_order)), order_certificate)
    login_proof = statements.login_proof(login_order, alg=names.ECDSA_SHA256)
    proofs = {
        role: statements.possession(order, role=role, alg=names.ECDSA_SHA256) for role in ("maker", "seal")
    }
    receipts = {
        role: statements.receipt(order, token, role=role, alg=names.ECDSA_SHA256)
        for role in ("maker", "seal")
    }
    host = {"host": "station-1", "mac": "00:16:3e:00:00:01"}
    document = jobs.Document(name=sign_order.document_name, sha256=sign_order.document_sha256)
    messages: dict[str, Any] = {
        "enrol": jobs.Enrol(
            code="GOLDEN-CODE", public_key=STATION_KEY.public_key().public_bytes_raw(), agent_version="0.1.0", **host
        ),
        "enrolled": jobs.Enrolled(
            station_id=7, station_name="一号工位", server_order_certificate=order_certificate, roots=(root,)
        ),
        "heartbeat": jobs.Heartbeat(
            cards=(
                jobs.CardSeen(slot="0", serial=order.card_serial, label="seal-01", certificate=card_certificate),
                jobs.CardSeen(slot="1", serial="00", label="empty"),
            ),
            agent_version="0.1.0", **host,
        ),
        "work": jobs.Work(wait_s=20, known=(41,)),
        "jobs": jobs.Jobs(
            jobs=(
                jobs.Job(
                    job_id=41, kind=names.MAKE_SEAL, card_serial=order.card_serial, state="ordered",
                    operator=OPERATOR, created_at=AT,
                    summary=jobs.Summary(
                        title=jobs.Words(zh="制作电子印章：某局办公室公章", en="Make a seal: 某局办公室公章"),
                        lines=(jobs.Line(zh="尺寸", en="Size", value="42 × 42 mm"),),
                    ),
                ),
                jobs.Job(
                    job_id=42, kind=names.SIGN_DOCUMENT, card_serial=order.card_serial, state="ordered",
                    operator=OPERATOR, created_at=AT,
                    summary=jobs.Summary(title=jobs.Words(zh="签章", en="Seal a document"), document=document),
                ),
            )
        ),
        "begin-make": jobs.Begin(
            card_serial=order.card_serial, card_certificate=card_certificate,
            maker_serial=order.maker_serial, maker_certificate=maker_certificate,
        ),
        "make-begun": jobs.MakeBegun(order=signed_order, seal_info=seal_info),
        "authorise": jobs.Authorise(
            order_id=order.order_id, maker_signature=maker_signature,
            maker_proof=by_card(MAKER_KEY, payload(proofs["maker"])),
            card_proof=by_card(CARD_KEY, payload(proofs["seal"])),
        ),
        "authorised": jobs.Authorised(token=signed_token, envelope=envelope),
        "made": outcomes.Made(
            order_id=order.order_id, envelope_sha256=token.envelope_sha256, seq=1,
            card_receipt=by_card(CARD_KEY, payload(receipts["seal"])),
            maker_receipt=by_card(MAKER_KEY, payload(receipts["maker"])), **host,
        ),
        "begin-sign": jobs.Begin(card_serial=order.card_serial, card_certificate=card_certificate),
        "sign-begun": jobs.SignBegun(order=signed_sign_order),
        "signed": outcomes.DocumentSigned(
            order_id=sign_order.order_id, signature=by_card(CARD_KEY, sign_order.to_sign),
            certificate=card_certificate, envelope_sha256=token.envelope_sha256, **host,
        ),
        "unlock-begun": jobs.UnlockBegun(order=signed_unlock_order),
        "unlocked": outcomes.Unlocked(
            order_id=unlock_order.order_id, proof=by_card(CARD_KEY, payload(unlock_proof)),
            certificate=card_certificate, **host,
        ),
        "login-begun": jobs.LoginBegun(order=signed_login_order),
        "proved": outcomes.Proved(
            order_id=login_order.order_id, proof=by_card(CARD_KEY, payload(login_proof)),
            certificate=card_certificate, **host,
        ),
        "failed": outcomes.Failed(
            order_id=order.order_id, code="station.given_back", zh="制章操作员退回任务",
            en="The operator gave the job back", card_changed=False, **host,
        ),
        "accepted": outcomes.Accepted(state="done"),
        "incident": outcomes.Incident(
            code="card.wrong_pin", step="read_cards", zh="PIN 不正确", en="The PIN is wrong",
            card_serial=order.card_serial, card_changed=False, at=AT, nonce="77" * 16, **host,
        ),
        "manifest": on_card.Manifest(slot="ESEAL.A", token=signed_token),
    }  # fmt: skip
    found = {name: {"message": type(m).__name__, "value": to_json(m)} for name, m in messages.items()}
    for name, statement, private in (
        ("order", order, ORDER_KEY), ("write-token", token, ORDER_KEY), ("sign-order", sign_order, ORDER_KEY),
        ("unlock-order", unlock_order, ORDER_KEY), ("login-order", login_order, ORDER_KEY),
        ("login-proof", login_proof, CARD_KEY),
        ("possession-maker", proofs["maker"], MAKER_KEY), ("possession-seal", proofs["seal"], CARD_KEY),
        ("receipt-maker", receipts["maker"], MAKER_KEY), ("receipt-seal", receipts["seal"], CARD_KEY),
    ):  # fmt: skip
        found[name] = {
            "message": type(statement).__name__,
            "value": to_json(statement),
            "signed_bytes": payload(statement).decode(),
            "signature": to_json(sign(private, payload(statement))),
            "public_key": to_json(spki(private.public_key())),
        }
    body = encode(messages["work"])
    head_ = request.RequestHead(
        method="POST", path="/agent/v1/work", station="7", time="2026-11-22T08:00:00Z", nonce="88" * 16
    )
    found["request"] = {
        "message": "RequestHead",
        "value": to_json(head_),
        "body": body.decode(),
        "signed_bytes": head_.signed_bytes(body).decode(),
        "signature": to_json(STATION_KEY.sign(head_.signed_bytes(body))),
        "public_key": to_json(STATION_KEY.public_key().public_bytes_raw()),
    }
    return found


def spki(public_key: Any) -> bytes:
    return public_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, example in examples().items():
        (FOLDER / f"{name}.json").write_bytes(canonical(example) + b"\n")


if __name__ == "__main__":
    main()
