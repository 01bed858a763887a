"""Whether one signer's signature in a CMS container holds. Pure.

pyHanko computes the common ones; what it does not know and other programs write is computed here with `cryptography`:
RSA and ECDSA over SHA-3, and plain ECDSA (r and s side by side, BSI TR-03111). Old containers that carry the SHA-1 of the
document inside (`adbe.pkcs7.sha1`, ISO 32000-1 table 257) are read as well.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.pdf.foreign import validate_sig_integrity

Digest = Callable[[str], bytes]
"""The digest of what is signed, by the algorithm's name."""

_NIST = "2.16.840.1.101.3.4.3."
_PLAIN = "0.4.0.127.0.7.1.1.4.1."
_SHA3 = (hashes.SHA3_224, hashes.SHA3_256, hashes.SHA3_384, hashes.SHA3_512)
_OWN: dict[str, tuple[str, type[hashes.HashAlgorithm]]] = {
    **{f"{_NIST}{9 + n}": ("ecdsa", one) for n, one in enumerate(_SHA3)},
    **{f"{_NIST}{13 + n}": ("rsa", one) for n, one in enumerate(_SHA3)},
    **{
        f"{_PLAIN}{1 + n}": ("plain", one)
        for n, one in enumerate((hashes.SHA1, hashes.SHA224, hashes.SHA256, hashes.SHA384, hashes.SHA512))
    },
    **{f"{_PLAIN}{8 + n}": ("plain", one) for n, one in enumerate(_SHA3)},
}

_EC_KEY = "1.2.840.10045.2.1"
_RSA_KEY = "1.2.840.113549.1.1.1"
_BY_NAME: dict[str, type[hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


class Unsupported(ValueError):
    """Sound perhaps, but in a way nobody here computes."""


def certificate_of(signer: Any, content: Any) -> Any:
    """The certificate that the signer's entry names. Some programs sign twice in one container, with two digests."""
    named = signer["sid"].chosen
    for choice in content["certificates"]:
        one = choice.chosen
        if signer["sid"].name == "issuer_and_serial_number":
            if (
                one.serial_number == named["serial_number"].native
                and one.issuer.native == named["issuer"].native
            ):
                return one
        elif one.key_identifier == named.native:
            return one
    raise ValueError("the signer's certificate is not included")


def check_signer(signer: Any, certificate: Any, content: Any, digest: Digest) -> tuple[bool, bool]:
    """Intact, valid: the digest over the document is the signed one; the signature holds under the certificate.
    `content`: the container's SignedData. Raises for what cannot be computed."""
    encapsulated = content["encap_content_info"]
    name: str = signer["digest_algorithm"]["algorithm"].native
    if encapsulated["content_type"].native == "tst_info":
        return _time_stamp(signer, certificate, encapsulated["content"], digest)
    inside = _inside(encapsulated)
    if inside is None:
        return _integrity(signer, certificate, "data", digest(name))
    # what is carried inside is what was signed: the document's SHA-1, or all of the document once more
    intact, valid = _integrity(signer, certificate, "data", hashlib.new(name, inside).digest())
    return intact and (inside == digest("sha1") or hashlib.new(name, inside).digest() == digest(name)), valid


def digest_differs(signer: Any, content: Any, digest: Digest) -> bool:
    """Whether the signed digest is certainly of other bytes, however it was signed. Never raises."""
    try:
        if content["encap_content_info"]["content_type"].native != "data" or _inside(
            content["encap_content_info"]
        ):
            return False
        said = _attributes(signer)["message_digest"]
        return said != [digest(signer["digest_algorithm"]["algorithm"].native)]
    except Exception:  # what cannot be computed differs from nothing
        return False


def _time_stamp(signer: Any, certificate: Any, encapsulated: Any, digest: Digest) -> tuple[bool, bool]:
    """A time-stamp: the imprint inside is of the document, the signature of the imprint."""
    imprint = encapsulated.parsed["message_imprint"]
    inner = hashlib.new(signer["digest_algorithm"]["algorithm"].native, bytes(encapsulated)).digest()
    intact, valid = _integrity(signer, certificate, "tst_info", inner)
    stamped = digest(imprint["hash_algorithm"]["algorithm"].native)
    return intact and imprint["hashed_message"].native == stamped, valid


def _inside(encapsulated: Any) -> bytes | None:
    value = encapsulated["content"].native
    return value if isinstance(value, bytes) and value else None


def _integrity(signer: Any, certificate: Any, kind: str, digest: bytes) -> tuple[bool, bool]:
    own = _own(signer, certificate)
    if own is None:
        intact, valid = validate_sig_integrity(signer, certificate, kind, digest)
        return bool(intact), bool(valid)
    attributes = _attributes(signer)
    if attributes.get("content_type") != [kind] or len(attributes.get("message_digest", [])) != 1:
        raise Unsupported("signed attributes")
    _check_certificate_named(attributes, certificate)
    signed: bytes = signer["signed_attrs"].untag().dump()
    return attributes["message_digest"] == [digest], _holds(own, signer, certificate, signed)


def _own(signer: Any, certificate: Any) -> tuple[str, type[hashes.HashAlgorithm]] | None:
    """How it is computed here; None for what the library does. iText names the kind of key where the algorithm belongs, and
    endesive calls every signature RSA."""
    named: str = signer["signature_algorithm"]["algorithm"].dotted
    if named != _EC_KEY and not (named == _RSA_KEY and certificate.public_key.algorithm == "ec"):
        return _OWN.get(named)
    algorithm = _BY_NAME.get(signer["digest_algorithm"]["algorithm"].native)
    return ("ecdsa", algorithm) if algorithm is not None else None


def _attributes(signer: Any) -> dict[str, list[Any]]:
    if not signer["signed_attrs"].native:
        raise Unsupported("no signed attributes")
    return {one["type"].native: [v.native for v in one["values"]] for one in signer["signed_attrs"]}


def _check_certificate_named(attributes: dict[str, list[Any]], certificate: Any) -> None:
    """Signing-certificate (v1: SHA-1, v2), when there is one, names this certificate (RFC 5035)."""
    for name, default in (("signing_certificate", "sha1"), ("signing_certificate_v2", "sha256")):
        for value in attributes.get(name, []):
            first = value["certs"][0]
            said: Any = first.get("hash_algorithm")
            algorithm: str = said["algorithm"] if said else default
            if first["cert_hash"] != hashlib.new(algorithm, certificate.dump()).digest():
                raise Unsupported("another certificate is named")


def _holds(own: tuple[str, type[hashes.HashAlgorithm]], signer: Any, certificate: Any, signed: bytes) -> bool:
    way, algorithm = own
    key = load_der_public_key(certificate.public_key.dump())
    value: bytes = signer["signature"].native
    try:
        if way == "rsa" and isinstance(key, rsa.RSAPublicKey):
            key.verify(value, signed, padding.PKCS1v15(), algorithm())
        elif way != "rsa" and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(_der(value) if way == "plain" else value, signed, ec.ECDSA(algorithm()))
        else:
            raise Unsupported("the key is of another kind")
    except InvalidSignature:
        return False
    return True


def _der(plain: bytes) -> bytes:
    half = len(plain) // 2
    return encode_dss_signature(int.from_bytes(plain[:half]), int.from_bytes(plain[half:]))
