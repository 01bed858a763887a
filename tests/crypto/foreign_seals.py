"""Seals as other programs make them: built with asn1crypto alone, signed with what the standards ask for."""

import datetime as dt
import subprocess
from pathlib import Path
from typing import Any

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

START = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
END = START + dt.timedelta(days=700)
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000c8000000640806000000") + b"pixels"
ECDSA, RSA, SM2 = "1.2.840.10045.4.3.2", "1.2.840.113549.1.1.11", "1.2.156.10197.1.501"


def sequence(*parts: Any) -> core.Sequence:
    """Whatever is given, in this order."""
    found = core.Sequence()
    found.contents = b"".join(p if isinstance(p, bytes) else p.dump() for p in parts)
    return found


def seal_info(
    version: int, *, name: str = "某某市财政局", digests: bool = False, picture: bytes = PNG
) -> bytes:
    """SES_SealInfo. Certificates of the users are any bytes: nobody believes them here."""
    times = core.UTCTime if version == 1 else core.GeneralizedTime
    listed: Any = sequence(core.OctetString(b"a user"), core.OctetString(b"another"))
    if digests:
        listed = sequence(sequence(core.PrintableString("SM3"), core.OctetString(b"d" * 32)))
    kind = [] if version == 1 else [core.Integer(2 if digests else 1)]
    return sequence(
        sequence(core.IA5String("ES"), core.Integer(version), core.IA5String("OTHER")),
        core.IA5String("esid-1"),
        sequence(
            core.Integer(3), core.UTF8String(name), *kind, listed, times(START), times(START), times(END)
        ),
        sequence(core.IA5String("PNG"), core.OctetString(picture), core.Integer(42), core.Integer(21)),
        sequence(sequence(core.ObjectIdentifier("2.25.7"), core.Boolean(False), core.OctetString(b"x"))),
    ).dump()


def bits(data: bytes) -> bytes:
    return core.OctetBitString(data).dump()


class Maker:
    """A maker whose key signs: P-256, RSA or, through the system's OpenSSL, SM2."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder = kind, folder
        self.oid = {"p256": ECDSA, "rsa": RSA, "sm2": SM2}[kind]
        if kind == "sm2":
            self._openssl("ecparam", "-genkey", "-name", "SM2", "-noout", "-out", "key.pem")
            self._openssl("req", "-x509", "-new", "-key", "key.pem", "-sm3", "-subj", "/CN=maker", "-outform", "DER", "-out", "cert.der")  # fmt: skip
            self.certificate = (folder / "cert.der").read_bytes()
            return
        self.key: Any = (
            ec.generate_private_key(ec.SECP256R1())
            if kind == "p256"
            else rsa.generate_private_key(65537, 2048)
        )
        who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "maker")])
        builder = x509.CertificateBuilder(who, who, self.key.public_key(), 77, START, END)
        self.certificate = builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def sign(self, data: bytes) -> bytes:
        if self.kind == "p256":
            return self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        if self.kind == "rsa":
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        (self.folder / "data").write_bytes(data)
        self._openssl("pkeyutl", "-sign", "-inkey", "key.pem", "-rawin", "-digest", "sm3",
                      "-pkeyopt", "distid:1234567812345678", "-in", "data", "-out", "sig")  # fmt: skip
        return (self.folder / "sig").read_bytes()

    def seal(self, version: int, *, stamped: bool = False, **changes: Any) -> bytes:
        """SESeal, signed over what this version says."""
        info = seal_info(version, **changes)
        certificate, oid = core.OctetString(self.certificate).dump(), core.ObjectIdentifier(self.oid).dump()
        if version == 1:
            signed = sequence(info, certificate, oid).dump()
            return sequence(info, sequence(certificate, oid, bits(self.sign(signed)))).dump()
        stamp = [b"\xa0" + bytes([len(bits(b"token"))]) + bits(b"token")] if stamped else []
        return sequence(info, certificate, oid, bits(self.sign(info)), *stamp).dump()
