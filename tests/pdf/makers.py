"""Builders for the press's tests: small PDFs, pictures, and a little PKI of a root and a card's key."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from io import BytesIO

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image, ImageDraw

from app.pdf import sealing

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CONTENT = b"BT /F1 18 Tf 72 700 Td (Contract No. 42: 1000 yuan) Tj ET"


def small_pdf(
    *, pages: int = 1, media: str = "0 0 595 842", page_extra: str = "", root_extra: str = ""
) -> bytes:
    """A PDF written by hand, uncompressed, with classic cross-references: every byte can be looked at."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(pages))
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {root_extra}>>".encode(),
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for n in range(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [{media}] /Contents {5 + 2 * n} 0 R "
            f"/Resources << /Font << /F1 3 0 R >> >> {page_extra}>>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(CONTENT), CONTENT))
    out, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return out


def stamp_png(side: int = 12) -> bytes:
    """A red ring on nothing."""
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((1, 1, side - 2, side - 2), outline=(200, 0, 0, 255))
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@dataclass(frozen=True)
class Card:
    """A card's key and certificate, held in memory: a fake of the real one for tests of the press."""

    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    certificate: bytes

    def sign(self, to_sign: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(to_sign, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(to_sign, ec.ECDSA(hashes.SHA256()))


@dataclass(frozen=True)
class Authority:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def card(
        self,
        name: str = "Harbour Office Seal",
        *,
        kind: str = "ec",
        days: tuple[int, int] = (-30, 700),
    ) -> Card:
        key = (
            ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, 2048)
        )
        made = (
            _builder(name, self.certificate.subject, key.public_key(), days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True, content_commitment=True), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
            .sign(self.key, hashes.SHA256())
        )
        return Card(key, made.public_bytes(Encoding.DER))

    def time_stamper(self) -> Card:
        """Somebody who stamps times under this root, for ten years."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = (
            _builder("Time Stamping", self.certificate.subject, key.public_key(), (-30, 3000))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        return Card(key, made.public_bytes(Encoding.DER))


def authority(name: str = "Test Root CA") -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    certificate = (
        _builder(name, subject, key.public_key(), (-400, 3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(key, certificate)


@lru_cache(maxsize=1)
def root() -> Authority:
    return authority()


@lru_cache(maxsize=4)
def card(kind: str = "ec") -> Card:
    return root().card(kind=kind)


def prepared(pdf: bytes | None = None, *, by: Card | None = None, **more: object) -> sealing.Prepared:
    """A document ready for the card; `more` overrides what `prepare` is given."""
    wanted: dict[str, object] = {
        "stamp_png": stamp_png(),
        "width_mm": 42.0,
        "height_mm": 42.0,
        "page": 1,
        "x_pt": 300.0,
        "y_pt": 100.0,
        "certificate": (by or card()).certificate,
        "signer_name": "Harbour Office",
        "reason": "sealed",
        "at": NOW,
        **more,
    }
    return sealing.prepare(small_pdf() if pdf is None else pdf, **wanted)  # type: ignore[arg-type]


def sealed(pdf: bytes | None = None, *, by: Card | None = None, **more: object) -> bytes:
    ready = prepared(pdf, by=by, **more)
    return sealing.embed(ready.pdf, ready.state, (by or card()).sign(ready.to_sign))


def _name(name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )


def _builder(
    name: str, issuer: x509.Name, public_key: object, days: tuple[int, int]
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(public_key)  # type: ignore[arg-type]
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
    )


def _usage(**wanted: bool) -> x509.KeyUsage:
    names = x509.KeyUsage.__init__.__annotations__.keys() - {"return"}
    return x509.KeyUsage(**{name: wanted.get(name, False) for name in names})
