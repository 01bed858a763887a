"""A master key outside a token: made at a ceremony, sealed for the backup, on its way into a token. Pure.

It exists in memory for the moment between its making (or its restoring) and its import; what is stored is sealed with
HPKE (RFC 9180) to a public key whose private half nobody has: it follows from a secret that is split among custodians.
So keys made later join the backup without asking the custodians, and only M of them open it (D9).
"""

import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.crypto.key_backend import KEK_PREFIX, KeyFault

SEALED_ALG = "HPKE-X25519-HKDF-SHA256-AES-256-GCM"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_DOMAIN = b"YINXU-KEY-BACKUP/1\n"


@dataclass(frozen=True)
class Material:
    """One key with its label (`kek-v2`). `secret`: 32 bytes of AES, or PKCS#8 DER of P-256. `public`: its
    SubjectPublicKeyInfo (DER), None for a secret key."""

    label: str
    secret: bytes = field(repr=False)
    public: bytes | None


def new(label: str) -> Material:
    """A fresh key for this label: AES-256 for a `kek-…`, P-256 for all others."""
    if label.startswith(KEK_PREFIX):
        return Material(label, os.urandom(32), None)
    key = ec.generate_private_key(ec.SECP256R1())
    secret = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return of(label, secret)


def of(label: str, secret: bytes) -> Material:
    """The key as its label has it. Raises KeyFault when the bytes are no such key."""
    if label.startswith(KEK_PREFIX):
        if len(secret) != 32:
            raise KeyFault(f"{label} is no AES-256 key")
        return Material(label, secret, None)
    key = private_key(label, secret)
    return Material(
        label,
        secret,
        key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    )


def private_key(label: str, secret: bytes) -> ec.EllipticCurvePrivateKey:
    """Raises KeyFault unless `secret` is PKCS#8 DER of a P-256 key."""
    try:
        key = serialization.load_der_private_key(secret, password=None)
    except ValueError as error:
        raise KeyFault(f"{label} is no key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyFault(f"{label} is no signing key")
    return key


def recipient(secret: bytes) -> X25519PrivateKey:
    """The private half that follows from the custodians' secret (32 bytes)."""
    derived = HKDF(hashes.SHA256(), 32, salt=None, info=_DOMAIN + b"recipient").derive(secret)
    return X25519PrivateKey.from_private_bytes(derived)


def public_of(private: X25519PrivateKey) -> bytes:
    """Its public half, 32 bytes: all that the server keeps."""
    return private.public_key().public_bytes_raw()


def seal(material: Material, public: bytes) -> bytes:
    """The key as the backup holds it: what only the custodians' secret opens. `public`: 32 bytes."""
    return _SUITE.encrypt(material.secret, X25519PublicKey.from_public_bytes(public), _info(material.label))


def open_sealed(label: str, sealed: bytes, private: X25519PrivateKey) -> Material:
    """Raises KeyFault when it was sealed for others, for another label, or is damaged."""
    try:
        secret = _SUITE.decrypt(sealed, private, _info(label))
    except (InvalidTag, ValueError) as error:
        raise KeyFault(f"the backup of {label} does not open") from error
    return of(label, secret)


def _info(label: str) -> bytes:
    return _DOMAIN + label.encode()
