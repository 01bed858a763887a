"""Does the maker's signature in a seal made anywhere hold? RSA, ECDSA, Ed25519, and SM2 through the system's OpenSSL.

Wider than `signing.py`, which knows only what this product itself accepts: a seal that is read here is not believed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.crypto import der, sm2
from app.crypto.signing import SM2_SM3_OID, Verdict


@dataclass(frozen=True)
class Scheme:
    """`verify(public key, signature, data)` raises InvalidSignature; None for SM2, which OpenSSL is asked about."""

    name: str
    verify: Callable[[object, bytes, bytes], None] | None
    weak: bool = False


def _rsa(algorithm: hashes.HashAlgorithm) -> Callable[[object, bytes, bytes], None]:
    def verify(key: object, signature: bytes, data: bytes) -> None:
        if not isinstance(key, rsa.RSAPublicKey):
            raise InvalidSignature
        key.verify(signature, data, padding.PKCS1v15(), algorithm)

    return verify


def _pss(key: object, signature: bytes, data: bytes) -> None:
    if not isinstance(key, rsa.RSAPublicKey):
        raise InvalidSignature
    key.verify(signature, data, padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO), hashes.SHA256())


def _ecdsa(algorithm: hashes.HashAlgorithm) -> Callable[[object, bytes, bytes], None]:
    def verify(key: object, signature: bytes, data: bytes) -> None:
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise InvalidSignature
        key.verify(signature, data, ec.ECDSA(algorithm))

    return verify


def _ed25519(key: object, signature: bytes, data: bytes) -> None:
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise InvalidSignature
    key.verify(signature, data)


SCHEMES: dict[str, Scheme] = {
    SM2_SM3_OID: Scheme("SM2-SM3", None),
    "1.2.840.10045.4.3.2": Scheme("ECDSA-SHA256", _ecdsa(hashes.SHA256())),
    "1.2.840.10045.4.3.3": Scheme("ECDSA-SHA384", _ecdsa(hashes.SHA384())),
    "1.2.840.10045.4.3.4": Scheme("ECDSA-SHA512", _ecdsa(hashes.SHA512())),
    "1.2.840.113549.1.1.11": Scheme("RSA-SHA256", _rsa(hashes.SHA256())),
    "1.2.840.113549.1.1.12": Scheme("RSA-SHA384", _rsa(hashes.SHA384())),
    "1.2.840.113549.1.1.13": Scheme("RSA-SHA512", _rsa(hashes.SHA512())),
    "1.2.840.113549.1.1.10": Scheme("RSA-PSS-SHA256", _pss),
    "1.2.840.113549.1.1.5": Scheme("RSA-SHA1", _rsa(hashes.SHA1()), weak=True),  # noqa: S303
    "1.3.101.112": Scheme("Ed25519", _ed25519),
}
"""By OID. SHA-1 is computed for seals of 2014, and said to be weak."""


def judge(algorithm: str, certificate: bytes, signature: bytes, signed: bytes | memoryview) -> Verdict:
    """`algorithm`: OID, dotted. `certificate`: the maker's, DER. Never raises. `unknown`: the algorithm is not
    known here, or there is no certificate; `bad`: the certificate's key does not confirm the signature."""
    scheme = SCHEMES.get(algorithm)
    public_key = public_key_of(certificate)
    if scheme is None or public_key is None:
        return "unknown"
    if scheme.verify is None:
        return sm2.verify(public_key, signature, signed)
    try:
        scheme.verify(load_der_public_key(public_key), signature, bytes(signed))
    except UnsupportedAlgorithm:
        # an SM2 key, say, under the name of another algorithm
        return "bad" if SM2_CURVE in public_key[:40] else "unknown"
    except (InvalidSignature, ValueError, TypeError):
        return "bad"
    return "good"


SM2_CURVE = bytes.fromhex("06082a811ccf5501822d")


def public_key_of(certificate: bytes) -> bytes | None:
    """The SubjectPublicKeyInfo of an X.509 certificate, as it stands there; None when it is no certificate."""
    try:
        whole, rest = der.first(memoryview(certificate))
        content = der.children(whole.expect(der.SEQUENCE, "certificate"))[0]
        fields = der.children(content.expect(der.SEQUENCE, "tbsCertificate"))
        found = fields[6 if fields[0].tag == der.EXPLICIT_0 else 5]
        found.expect(der.SEQUENCE, "subjectPublicKeyInfo")
    except (der.Malformed, IndexError):
        return None
    return None if rest else bytes(found.raw)
