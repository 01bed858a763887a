"""The CMS container of a seal's signature: assembled from a card's signature, and taken apart again. Pure.

PAdES B-B (ETSI EN 319 142-1): content-type, message-digest and signing-certificate-v2 are signed; the time is
the dictionary's /M. `to_sign`, the DER of the signed attributes, is all that a card ever signs.
"""

import asyncio
import hashlib
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import load_der_x509_certificate

from app.pdf.algorithms import certificate_of, check_signer
from app.pdf.foreign import ExternalSigner, SimpleCertificateStore
from app.pdf.foreign import asn1_cms as asn1
from app.pdf.foreign import asn1_x509 as x509

DIGEST = "sha256"
STAMP = "signature_time_stamp_token"
STAMP_ROOM = 8 * 1024
"""Bytes to leave for a time-stamp token: authorities' are two to six thousand."""
Mechanism = Literal["ecdsa-sha256", "rsa-pkcs1-sha256"]
_SIGNATURE_ROOM: dict[Mechanism, int] = {"ecdsa-sha256": 72, "rsa-pkcs1-sha256": 512}
_SPARE_BYTES = 256


def mechanism_of(certificate: bytes) -> Mechanism:
    """How a card with this certificate signs. Refuses with ValueError keys other than EC and RSA."""
    algorithm = x509.Certificate.load(certificate).public_key.algorithm
    if algorithm == "ec":
        return "ecdsa-sha256"
    if algorithm == "rsa":
        return "rsa-pkcs1-sha256"
    raise ValueError(f"no mechanism for a key of kind {algorithm}")


def signed_attributes(digest: bytes, certificate: bytes) -> bytes:
    """The DER (a SET, as it is signed) of the attributes over a document's digest."""
    if len(digest) != len(_DIGEST_MARK):
        raise ValueError(f"a digest of {len(digest)} bytes is no {DIGEST}")
    return _attributes_mould(certificate).replace(_DIGEST_MARK, digest)


def assemble(
    attributes: bytes,
    signature: bytes,
    certificate: bytes,
    chain: tuple[bytes, ...],
    stamp: bytes | None = None,
) -> bytes:
    """The DER of the container. `chain`: issuing certificates besides the card's; roots are left out, since
    whoever verifies brings their own. `stamp`: a time-stamp token of the signature (PAdES B-T), DER. The same parts always
    give the same bytes."""
    bare = _bare(attributes, signature, certificate, chain)
    return bare if stamp is None else _stamped(bare, stamp)


def _stamped(container: bytes, stamp: bytes) -> bytes:
    signed = asn1.ContentInfo.load(container)["content"]
    parts = _parts(signed["signer_infos"][0], version=signed["signer_infos"][0]["version"])
    attribute = {"type": STAMP, "values": [asn1.ContentInfo.load(stamp)]}
    signer = asn1.SignerInfo({**parts, "unsigned_attrs": asn1.CMSAttributes([attribute])})
    return _container(signed, signer, version=signed["version"], digests=signed["digest_algorithms"])


_SIGNER_PARTS = ("sid", "digest_algorithm", "signed_attrs", "signature_algorithm", "signature")


def _parts(signer: Any, *, version: Any) -> dict[str, Any]:
    return {"version": version, **{name: signer[name] for name in _SIGNER_PARTS}}


def _container(signed: Any, signer: Any, *, version: Any, digests: Any) -> bytes:
    """The same container with this signer. Made anew: the library re-encodes what it has read only in exponential time."""
    content = asn1.SignedData(
        {
            "version": version,
            "digest_algorithms": digests,
            "encap_content_info": signed["encap_content_info"],
            "certificates": signed["certificates"],
            "signer_infos": [signer],
        }
    )
    made: bytes = asn1.ContentInfo({"content_type": "signed_data", "content": content}).dump()
    return made


def _bare(attributes: bytes, signature: bytes, certificate: bytes, chain: tuple[bytes, ...]) -> bytes:
    if _is_ours(attributes, certificate):
        mould = _container_mould(certificate, chain, len(signature))
        at = _attributes_mould(certificate).index(_DIGEST_MARK)
        digest = attributes[at : at + len(_DIGEST_MARK)]
        return mould.replace(_DIGEST_MARK, digest).replace(_signature_mark(len(signature)), signature)
    return _assembled(attributes, signature, certificate, chain)


def _is_ours(attributes: bytes, certificate: bytes) -> bool:
    before, _, after = _attributes_mould(certificate).partition(_DIGEST_MARK)
    return (
        len(attributes) == len(before) + len(_DIGEST_MARK) + len(after)
        and attributes.startswith(before)
        and attributes.endswith(after)
    )


_DIGEST_MARK = sha256(b"the digest stands here").digest()


def _signature_mark(length: int) -> bytes:
    return (sha256(b"the signature stands here").digest() * (length // 32 + 1))[:length]


@lru_cache(maxsize=256)
def _attributes_mould(certificate: bytes) -> bytes:
    """pyHanko's attributes for this certificate, made once: from document to document only the digest differs."""
    made: Any = asyncio.run(_signer(certificate, ()).signed_attrs(_DIGEST_MARK, DIGEST, use_pades=True))
    mould: bytes = made.dump()
    assert mould.count(_DIGEST_MARK) == 1
    return mould


@lru_cache(maxsize=256)
def _container_mould(certificate: bytes, chain: tuple[bytes, ...], length: int) -> bytes:
    """The container for signatures of this length, made once."""
    mould = _assembled(_attributes_mould(certificate), _signature_mark(length), certificate, chain)
    assert (mould.count(_DIGEST_MARK), mould.count(_signature_mark(length))) == (1, 1)
    return mould


def _assembled(attributes: bytes, signature: bytes, certificate: bytes, chain: tuple[bytes, ...]) -> bytes:
    container: Any = asyncio.run(
        _signer(certificate, chain, signature).async_sign_prescribed_attributes(
            DIGEST, asn1.CMSAttributes.load(attributes)
        )
    )
    return container.dump()


@lru_cache(maxsize=256)
def room_for(certificate: bytes, chain: tuple[bytes, ...], *, stamped: bool = False) -> int:
    """Bytes to leave in the file for the container."""
    room = _SIGNATURE_ROOM[mechanism_of(certificate)]
    return (
        len(assemble(signed_attributes(bytes(32), certificate), bytes(room), certificate, chain))
        + _SPARE_BYTES
        + (STAMP_ROOM if stamped else 0)
    )


def holds(signature: bytes, attributes: bytes, certificate: bytes) -> bool:
    """Whether a card's signature over the attributes holds under its certificate."""
    key = load_der_x509_certificate(certificate).public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, attributes, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, attributes, padding.PKCS1v15(), hashes.SHA256())
        else:
            return False
    except InvalidSignature:
        return False
    return True


def is_canonical(container: bytes) -> bool:
    """Whether these are exactly the bytes that `assemble` makes of their own parts: the container stands
    outside the signed range, so nothing else would notice a change in what no signature covers."""
    info = asn1.ContentInfo.load(container, strict=True)
    signed = info["content"]
    signers = list(signed["signer_infos"])
    if len(signers) != 1:
        return False
    signer = signers[0]
    certificates = [c.chosen.dump() for c in signed["certificates"]]
    sid = signer["sid"].chosen
    own = [
        c
        for c in certificates
        if x509.Certificate.load(c).serial_number == sid["serial_number"].native
        and x509.Certificate.load(c).issuer == sid["issuer"]
    ]
    if len(own) != 1:
        return False
    chain = tuple(c for c in certificates if c != own[0])
    attributes = signer["signed_attrs"].untag().dump()
    again = _assembled(attributes, signer["signature"].native, own[0], chain)
    stamps = [token for attribute in signer["unsigned_attrs"] for token in attribute["values"]]
    if not stamps:
        return again == container
    token = stamps[0].dump()
    return (
        len(stamps) == 1
        and _stamped(again, token) == container
        and is_plain_token(token)
        and stamps_this(token, signer["signature"].native)
    )


def stamps_this(token: bytes, stamped: bytes) -> bool:
    """Whether a time-stamp token is of these bytes and holds under a certificate that it brings and that its signature
    names by digest (RFC 5035), so that none of it can be another. Raises for what cannot be read."""
    content = asn1.ContentInfo.load(token)["content"]
    signer = content["signer_infos"][0]
    certificate = certificate_of(signer, content)
    named = [
        entry["cert_hash"].native
        for attribute in signer["signed_attrs"]
        if attribute["type"].native in ("signing_certificate", "signing_certificate_v2")
        for value in attribute["values"]
        for entry in value["certs"]
    ]
    known = {
        hashlib.new(name, certificate.dump()).digest() for name in ("sha1", "sha256", "sha384", "sha512")
    }
    return bool(known & set(named)) and all(
        check_signer(signer, certificate, content, lambda name: hashlib.new(name, stamped).digest())
    )


def is_plain_token(token: bytes) -> bool:
    """Whether a time-stamp token is made of the parts that its signature, its certificates' issuers and RFC 3161 fix, and of
    nothing else: version and sets that nobody signed are what the parts make them."""
    info = asn1.ContentInfo.load(token, strict=True)
    signed = info["content"]
    if len(signed["signer_infos"]) != 1 or signed["crls"].native:
        return False
    signer = signed["signer_infos"][0]
    own = asn1.SignerInfo(_parts(signer, version="v1"))
    return _container(signed, own, version="v3", digests=[signer["digest_algorithm"]]) == token


def _signer(certificate: bytes, chain: tuple[bytes, ...], signature: bytes | None = None) -> Any:
    store = SimpleCertificateStore()
    for issuer in chain:
        store.register(x509.Certificate.load(issuer))
    return ExternalSigner(
        x509.Certificate.load(certificate), store, signature_value=signature, embed_roots=False
    )
