"""A small authority for tests: keys in memory, certificates and revocation lists as a CA makes them."""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from app.crypto.certificates import MAKER_EKU, ORDER_EKU, Trust

NOW = dt.datetime(2026, 6, 1, 8, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass
class Holder:
    """A certificate and its key, as a card or a server would hold them."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def sign(self, data: bytes) -> bytes:
        assert isinstance(self.key, ec.EllipticCurvePrivateKey)
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))


@dataclass
class Authority:
    """A root. `start`, `end`: when everything it issues begins and ends, unless said otherwise."""

    name: str = "测试根"
    start: dt.datetime = NOW - 30 * DAY
    end: dt.datetime = NOW + 365 * DAY
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        self.certificate = self._sign(self.subject, self.key.public_key(), self.start, self.end, ca=True)

    def issue(
        self,
        name: str,
        *,
        role: str = "seal",
        start: dt.datetime | None = None,
        end: dt.datetime | None = None,
        key: Key | None = None,
        signing: bool = True,
    ) -> Holder:
        own = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self.certify(
            subject, own.public_key(), role=role, start=start, end=end, signing=signing
        )
        return Holder(certificate, own)

    def certify(self, subject, public_key, *, role="seal", start=None, end=None, signing=True):  # type: ignore[no-untyped-def]
        """A leaf for a key that lies elsewhere."""
        marker = {"maker": [MAKER_EKU], "order": [ORDER_EKU], "seal": []}[role]
        return self._sign(
            subject, public_key, start or self.start, end or self.end, ca=False, eku=marker, signing=signing
        )

    def _sign(self, subject, public_key, start, end, *, ca, eku=(), signing=True):  # type: ignore[no-untyped-def]
        usage = x509.KeyUsage(
            digital_signature=signing and not ca,
            content_commitment=signing and not ca,
            key_encipherment=not signing,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=ca,
            crl_sign=ca,
            encipher_only=False,
            decipher_only=False,
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if eku:
            builder = builder.add_extension(x509.ExtendedKeyUsage(list(eku)), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def crl(
        self,
        *revoked: Holder,
        at: dt.datetime = NOW - DAY,
        fresh_until: dt.datetime = NOW + 30 * DAY,
    ) -> x509.CertificateRevocationList:
        """A list that names these as revoked at `at`."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.subject)
            .last_update(at)
            .next_update(fresh_until)
        )
        for holder in revoked:
            entry = x509.RevokedCertificateBuilder(
                serial_number=holder.certificate.serial_number, revocation_date=at
            )
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, hashes.SHA256())

    def trust(self, *crls: x509.CertificateRevocationList, crl_required: bool = True) -> Trust:
        return Trust((self.certificate,), (), crls or (self.crl(),), crl_required)

    def publish(self, folder: Path, *revoked: Holder, **more: dt.datetime) -> None:
        """Lay root and list where a server looks for them."""
        (folder / "crls").mkdir(parents=True, exist_ok=True)
        (folder / "root.pem").write_bytes(self.certificate.public_bytes(Encoding.PEM))
        (folder / "crls" / "root.crl").write_bytes(self.crl(*revoked, **more).public_bytes(Encoding.DER))
