"""Builders: a software CA, cards in memory, a bench to work at. The server is `server.py`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from card_agent.card.fake import FakeCard, FakeReader, Key
from card_agent.card.interface import PressPoint, nothing
from card_agent.card.pin_counter import PinCounter
from card_agent.journal import Journal
from card_agent.making import making_steps
from card_agent.protocol.codec import to_json
from card_agent.protocol.jobs import Document, Job, Line, Summary, Words
from card_agent.protocol.names import MAKER_EKU, ORDER_EKU
from card_agent.protocol.statements import Operator
from card_agent.ritual import Bench, Progress
from card_agent.signing import signing_steps
from card_agent.trust import Trust

MAKER_PIN, CARD_PIN = "24681357", "13572468"
HOST, MAC = "station-1", "02:00:5e:10:00:01"
RSA_KEY = rsa.generate_private_key(65537, 2048)


class Authority:
    """A root with a software key."""

    def __init__(self, name: str = "Test root") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.root = self._sign(self.key.public_key(), self.name, ca=True)

    def issue(self, public_key: Any, common_name: str, eku: str | None = None, days: int = 365) -> bytes:
        """DER. `days` may be negative: a certificate that has expired."""
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "某局"),
                x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            ]
        )
        return self._sign(public_key, subject, eku=eku, days=days)

    def _sign(self, public_key: Any, subject: x509.Name, *, ca: bool = False, eku: str | None = None,
              days: int = 365) -> bytes:  # fmt: skip
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=800))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if eku:
            builder = builder.add_extension(
                x509.ExtendedKeyUsage([x509.ObjectIdentifier(eku)]), critical=False
            )
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@dataclass
class World:
    """A root, the server's order key, a maker card and a seal card; nothing inserted yet."""

    authority: Authority
    order_key: ec.EllipticCurvePrivateKey
    order_certificate: bytes
    maker: FakeCard
    card: FakeCard


def world(*, key: Key | None = None) -> World:
    authority = Authority()
    order_key = ec.generate_private_key(ec.SECP256R1())
    return World(
        authority=authority,
        order_key=order_key,
        order_certificate=authority.issue(order_key.public_key(), "order server", ORDER_EKU),
        maker=card(authority, "maker-0001", "制章中心", MAKER_PIN, eku=MAKER_EKU),
        card=card(authority, "seal-0001", "某局办公室", CARD_PIN, key=key),
    )


def card(authority: Authority, serial: str, name: str, pin: str, *, eku: str | None = None,
         key: Key | None = None, days: int = 365) -> FakeCard:  # fmt: skip
    key = key or ec.generate_private_key(ec.SECP256R1())
    certificate = authority.issue(key.public_key(), name, eku, days)
    return FakeCard(serial=serial, label=serial, key=key, certificate=certificate, pin=pin)


def reader(folder: Path, *cards: FakeCard) -> FakeReader:
    made = FakeReader(PinCounter(folder / "pins.json"))
    for one in cards:
        made.insert(one)
    return made


def bench(folder: Path, world: World, server: Any, cards: FakeReader, press: PressPoint = nothing) -> Bench:
    """A fresh start of the agent's program over what lies on disk and in the readers."""
    return Bench(
        reader=cards,
        server=server,
        journal=Journal(folder / "journal"),
        trust=Trust([world.authority.root]),
        station_id=7,
        host=HOST,
        mac=MAC,
        press=press,
    )


OPERATOR = Operator(id=5, name="王敏")


def make_job(card_serial: str, job_id: int = 41) -> Job:
    return Job(
        job_id=job_id,
        kind="make_seal",
        card_serial=card_serial,
        state="ordered",
        operator=OPERATOR,
        created_at=datetime.now(UTC),
        summary=Summary(
            title=Words(zh="制作 某局办公室 公章", en="Make the seal of 某局办公室"),
            lines=(Line(zh="尺寸", en="Size", value="42 × 42 mm"),),
        ),
    )


def sign_job(card_serial: str, document: Document, job_id: int = 42) -> Job:
    return Job(
        job_id=job_id,
        kind="sign_document",
        card_serial=card_serial,
        state="ordered",
        operator=OPERATOR,
        created_at=datetime.now(UTC),
        summary=Summary(title=Words(zh="签章", en="Sign"), document=document),
    )


def making(job: Job) -> Progress:
    return Progress(job=job, steps=making_steps())


def signing(job: Job) -> Progress:
    return Progress(job=job, steps=signing_steps())


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def spki_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """SubjectPublicKeyInfo, DER."""
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def pem(certificate: bytes) -> bytes:
    return x509.load_der_x509_certificate(certificate).public_bytes(serialization.Encoding.PEM)


def as_json(message: object) -> Any:
    return to_json(message)


@dataclass
class Root:
    """A root whose key is elsewhere."""

    root: bytes
