"""Everything that is signed, field by field, and the bytes the signatures are over. Pure. Fixed for good.

A signature is over: the domain in ASCII, a newline, the canonical JSON of the statement. The domain stands in
the statement too, so that no signature made for one purpose can serve another. Hashes are SHA-256 in
lower-case hex; certificates are named by the SHA-256 of their DER. docs/protocol.md describes every field.
"""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar, TypeVar

from card_agent.protocol.codec import Malformed, canonical, encode, from_json, parse_canonical, to_json

S = TypeVar("S", bound="Statement")


@dataclass(frozen=True, kw_only=True)
class Operator:
    """The person who answers for the act (D2): id and name as the server knows them."""

    id: int
    name: str


@dataclass(frozen=True, kw_only=True)
class Statement:
    """Base. `alg`, `kid`: how and with which key it is signed; inside the signed range, against
    downgrades."""

    DOMAIN: ClassVar[str]

    v: int = 1
    domain: str
    alg: str
    kid: str


@dataclass(frozen=True, kw_only=True)
class Order(Statement):
    """The server's order to make one seal, on one card, by one maker card. Carried in the seal itself.

    `content_sha256`: of SES_SealInfo's content (`seal_content.py`), so that the order covers name, dates and
    picture, not the picture alone. `expires_at`: until then the cards must have been presented; a seal made
    in time stays good. `nonce`: 32 random bytes, hex.
    """

    DOMAIN = "YINXU-ORDER/1"

    order_id: str
    job_id: int
    nonce: str
    es_id: str
    content_sha256: str
    impression_sha256: str
    maker_serial: str
    maker_cert_sha256: str
    card_serial: str
    card_cert_sha256: str
    operator: Operator
    station_id: int
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class WriteToken(Statement):
    """The server's leave to write one envelope on one card. Lies in the card's manifest.

    `seq`: the number of this production on this card, from 1; a card never goes back to a lower one.
    """

    DOMAIN = "YINXU-WRITE-TOKEN/1"

    order_id: str
    job_id: int
    es_id: str
    seal_sha256: str
    envelope_sha256: str
    card_serial: str
    card_cert_sha256: str
    seq: int
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class SignOrder(Statement):
    """The server's order to sign one document with one seal's card.

    `to_sign`: DER of the CMS signed attributes (SET OF, tag 0x31). `document_sha256`: of the bytes the person
    sees and the signature will cover, as the attributes' messageDigest says in its way. `mechanism`: the
    algorithm the card shall use.
    """

    DOMAIN = "YINXU-SIGN-ORDER/1"

    order_id: str
    job_id: int
    nonce: str
    document_name: str
    document_sha256: str
    seal_name: str
    es_id: str
    card_serial: str
    card_cert_sha256: str
    to_sign: bytes
    mechanism: str
    operator: Operator
    station_id: int
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class UnlockOrder(Statement):
    """The server's order to give one card's PIN anew with its SO PIN. Two people stand for it: whoever asked and whoever
    agreed are different, and `operator`, who stands at the station, did not agree. PINs are in no message."""

    DOMAIN = "YINXU-UNLOCK-ORDER/1"

    order_id: str
    job_id: int
    nonce: str
    card_serial: str
    card_cert_sha256: str
    asked_by: Operator
    agreed_by: Operator
    operator: Operator
    station_id: int
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class LoginOrder(Statement):
    """The server's order to prove one card's key so that its person is logged in. `origin`: the server's address as people
    see it. `code`: what the login page shows; the person compares it. `operator`: who is logged in."""

    DOMAIN = "YINXU-LOGIN-ORDER/1"

    order_id: str
    job_id: int
    nonce: str
    origin: str
    code: str
    card_serial: str
    card_cert_sha256: str
    operator: Operator
    station_id: int
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class LoginProof(Statement):
    """What the card signs to log its person in: this order, for this origin, with this code, and nothing else. `kid`: the
    card certificate's SHA-256."""

    DOMAIN = "YINXU-LOGIN/1"

    order_id: str
    nonce: str
    origin: str
    code: str
    person_id: int
    card_serial: str


@dataclass(frozen=True, kw_only=True)
class Possession(Statement):
    """A card proves its key for one order. `role`: "seal" or "maker". `kid`: the card certificate's
    SHA-256."""

    DOMAIN = "YINXU-CARD-POP/1"

    order_id: str
    nonce: str
    role: str
    card_serial: str


@dataclass(frozen=True, kw_only=True)
class Receipt(Statement):
    """What stands on the card, read back. Signed by the seal card and, separately, by the maker card; each
    signs its own statement with its own `alg`, `kid` (its certificate's SHA-256) and `role`."""

    DOMAIN = "YINXU-RECEIPT/1"

    role: str
    order_id: str
    job_id: int
    es_id: str
    card_serial: str
    maker_serial: str
    seal_sha256: str
    envelope_sha256: str
    seq: int


STATEMENTS: dict[str, type[Statement]] = {
    s.DOMAIN: s for s in (Order, WriteToken, SignOrder, Possession, Receipt)
}


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A statement of the server on its way: the JSON object as it came, the signature over it, and the DER
    certificate of the order key. Nothing in it is believed before `open_statement` and a look at the
    chain."""

    statement: dict[str, Any]
    signature: bytes = field(repr=False)
    certificate: bytes = field(repr=False)

    @property
    def signed_bytes(self) -> bytes:
        return bytes_to_sign(str(self.statement.get("domain", "")), self.statement)


@dataclass(frozen=True, kw_only=True)
class CardSignature:
    """A card's signature. `alg`: its name as in `names.py`."""

    alg: str
    value: bytes = field(repr=False)


def bytes_to_sign(domain: str, statement: dict[str, Any]) -> bytes:
    return domain.encode("ascii", "replace") + b"\n" + canonical(statement)


def payload(statement: Statement) -> bytes:
    """The bytes a signature over the statement is made of. Refuses with Malformed a foreign domain."""
    if statement.domain != statement.DOMAIN or statement.v != 1:
        raise Malformed("domain or version")
    return bytes_to_sign(statement.domain, to_json(statement))


def sealed(statement: Statement, signature: bytes, certificate: bytes) -> Signed:
    """The server's side: a statement with its signature, ready to travel."""
    return Signed(statement=to_json(statement), signature=signature, certificate=certificate)


def open_statement(kind: type[S], signed: Signed) -> S:
    """The statement, if it is of this kind and has exactly its fields; the signature is not looked at
    here."""
    statement = from_json(kind, signed.statement, exact=True)
    if statement.domain != kind.DOMAIN or statement.v != 1:
        raise Malformed("domain or version")
    return statement


def possession(order: Order, *, role: str, alg: str) -> Possession:
    """What a card signs to prove its key for this order; both sides build it."""
    maker = role == "maker"
    return Possession(
        domain=Possession.DOMAIN,
        alg=alg,
        kid=order.maker_cert_sha256 if maker else order.card_cert_sha256,
        order_id=order.order_id,
        nonce=order.nonce,
        role=role,
        card_serial=order.maker_serial if maker else order.card_serial,
    )


def unlocked_possession(order: UnlockOrder, *, alg: str) -> Possession:
    """What the card signs once its new PIN has opened it; both sides build it."""
    return Possession(
        domain=Possession.DOMAIN,
        alg=alg,
        kid=order.card_cert_sha256,
        order_id=order.order_id,
        nonce=order.nonce,
        role="seal",
        card_serial=order.card_serial,
    )


def login_proof(order: LoginOrder, *, alg: str) -> LoginProof:
    """What the card signs; both sides build it."""
    return LoginProof(
        domain=LoginProof.DOMAIN,
        alg=alg,
        kid=order.card_cert_sha256,
        order_id=order.order_id,
        nonce=order.nonce,
        origin=order.origin,
        code=order.code,
        person_id=order.operator.id,
        card_serial=order.card_serial,
    )


def receipt(order: Order, token: WriteToken, *, role: str, alg: str) -> Receipt:
    """What a card signs once the seal was read back; both sides build it."""
    return Receipt(
        domain=Receipt.DOMAIN,
        alg=alg,
        kid=order.maker_cert_sha256 if role == "maker" else order.card_cert_sha256,
        role=role,
        order_id=order.order_id,
        job_id=order.job_id,
        es_id=order.es_id,
        card_serial=order.card_serial,
        maker_serial=order.maker_serial,
        seal_sha256=token.seal_sha256,
        envelope_sha256=token.envelope_sha256,
        seq=token.seq,
    )


def order_extension(order: Signed) -> bytes:
    """The value of the order extension in SES_SealInfo: canonical JSON of the signed order."""
    return encode(order)


def read_order_extension(value: bytes) -> Signed:
    """The signed order of a seal. Refuses with Malformed; what it says is still to be verified."""
    return from_json(Signed, parse_canonical(value), exact=True)


def hex_digest(data: bytes) -> str:
    return sha256(data).hexdigest()
