"""Signatures of cards and servers: is this one good, and what is its algorithm called? Pure.

Every stored signature names its algorithm (D8); the registry below is the only place that knows what a name
means. Names are append-only: what was written once must be readable for ever.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509 import InvalidVersion, load_der_x509_certificate

from app.refusal import Invalid
from card_agent.protocol import names

Verdict = Literal["good", "bad", "unknown"]
"""`unknown`: an algorithm or key this server cannot compute; never to be read as good."""

SM2_SM3_OID = "1.2.156.10197.1.501"


@dataclass(frozen=True)
class Algorithm:
    """`name` as we store it, `oid` as seals and CMS carry it, `verify(key, signature, data)` or None."""

    name: str
    oid: str
    verify: Callable[[object, bytes, bytes], None] | None


def _ecdsa(key: object, signature: bytes, data: bytes) -> None:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise InvalidSignature
    key.verify(signature, data, ec.ECDSA(hashes.SHA256()))


def _rsa_pkcs1(key: object, signature: bytes, data: bytes) -> None:
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < 2048:
        raise InvalidSignature
    key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())


def _rsa_pss(key: object, signature: bytes, data: bytes) -> None:
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < 2048:
        raise InvalidSignature
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256().digest_size)
    key.verify(signature, data, scheme, hashes.SHA256())


def _ed25519(key: object, signature: bytes, data: bytes) -> None:
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise InvalidSignature
    key.verify(signature, data)


ALGORITHMS: dict[str, Algorithm] = {
    a.name: a
    for a in (
        Algorithm(names.ECDSA_SHA256, "1.2.840.10045.4.3.2", _ecdsa),
        Algorithm(names.RSA_SHA256, "1.2.840.113549.1.1.11", _rsa_pkcs1),
        Algorithm("rsa-pss-sha256", "1.2.840.113549.1.1.10", _rsa_pss),
        Algorithm(names.ED25519, "1.3.101.112", _ed25519),
        Algorithm("sm2-sm3", SM2_SM3_OID, None),
        # how the server's key ring names what it does
        Algorithm("ECDSA-P256-SHA256", "1.2.840.10045.4.3.2", _ecdsa),
    )
}


def algorithm_of_oid(oid: str) -> Algorithm | None:
    return next((a for a in ALGORITHMS.values() if a.oid == oid), None)


def algorithm_of_certificate(certificate: bytes) -> Algorithm:
    """The algorithm a card with this certificate signs with: ECDSA or RSA PKCS#1 v1.5, both with SHA-256.

    Refuses with Invalid a key that this server cannot check.
    """
    key = public_key(certificate)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return ALGORITHMS[names.ECDSA_SHA256]
    if isinstance(key, rsa.RSAPublicKey):
        return ALGORITHMS[names.RSA_SHA256]
    if isinstance(key, ed25519.Ed25519PublicKey):
        return ALGORITHMS[names.ED25519]
    raise Invalid(
        "certificate.key_unknown",
        zh="本系统不支持该证书的密钥类型，请换用 RSA 或 P-256 的卡",
        en="This server does not know this certificate's kind of key; use a card with RSA or P-256",
    )


def public_key(certificate: bytes) -> object | None:
    """The key of a DER certificate, or None when it cannot be read here (SM2, or no certificate at all)."""
    try:
        return load_der_x509_certificate(certificate).public_key()
    except (ValueError, UnsupportedAlgorithm, InvalidVersion):
        return None


def verify(name: str, key: object | None, signature: bytes, data: bytes) -> Verdict:
    """Whether `signature` over `data` is good under `key`, by the algorithm's stored name. Never raises."""
    algorithm = ALGORITHMS.get(name)
    if algorithm is None or algorithm.verify is None or key is None:
        return "unknown"
    try:
        algorithm.verify(key, signature, data)
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return "bad"
    return "good"


def verify_by_certificate(name: str, certificate: bytes, signature: bytes, data: bytes) -> Verdict:
    return verify(name, public_key(certificate), signature, data)


def verify_ed25519(raw_public_key: bytes, signature: bytes, data: bytes) -> bool:
    """A station's signature over its request. `raw_public_key`: 32 bytes."""
    try:
        key = ed25519.Ed25519PublicKey.from_public_bytes(raw_public_key)
    except ValueError:
        return False
    return verify(names.ED25519, key, signature, data) == "good"


def load_public_key(der: bytes) -> object:
    """A SubjectPublicKeyInfo in DER."""
    return serialization.load_der_public_key(der)
