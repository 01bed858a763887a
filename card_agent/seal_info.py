"""Reads what the maker card is asked to sign (SES_SealInfo, GB/T 38540-2020 §6.1) far enough to check it
against the order; and the signed attributes of a document's signature (RFC 5652 §5.3)."""

# asn1crypto ships no types; what leaves this module is typed
from dataclasses import dataclass, field
from typing import Any, cast

from asn1crypto import cms, core, tsp  # pyright: ignore[reportMissingTypeStubs]

from card_agent.protocol.codec import Malformed
from card_agent.protocol.names import ORDER_EXTENSION_OID
from card_agent.protocol.statements import Signed, hex_digest, read_order_extension

_asn1: Any = core
_cms: Any = cms
_tsp: Any = tsp
_BAD_DER = (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError, AttributeError)
_CERTIFICATES = 1  # certListType


@dataclass(frozen=True, kw_only=True)
class SealInfo:
    """`picture`: its bytes; `picture_format` as it says, e.g. "PNG". `certificates`: DER."""

    version: int
    es_id: str
    name: str
    certificates: tuple[bytes, ...] = field(repr=False)
    picture: bytes = field(repr=False)
    picture_format: str
    width_mm: int
    height_mm: int
    order: Signed


def read_seal_info(der: bytes) -> SealInfo:
    """Refuses with Malformed what is no SES_SealInfo of v4 or v5 with a list of certificates and exactly one
    order."""
    try:
        header, es_id, prop, picture, ext_datas = _elements(der)
        _kind, name, list_type, certificates, *_dates = _elements(prop)
        if _native(list_type) != _CERTIFICATES:
            raise Malformed("certListType")
        picture_format, data, width, height = _elements(picture)
        return SealInfo(
            version=cast(int, _native(_elements(header)[1])),
            es_id=cast(str, _native(es_id)),
            name=cast(str, _native(name)),
            certificates=tuple(cast(bytes, _native(c)) for c in _elements(certificates)),
            picture=cast(bytes, _native(data)),
            picture_format=cast(str, _native(picture_format)),
            width_mm=cast(int, _native(width)),
            height_mm=cast(int, _native(height)),
            order=_order(ext_datas),
        )
    except Malformed:
        raise
    except _BAD_DER as error:
        raise Malformed(f"SES_SealInfo: {type(error).__name__}") from error


def _order(ext_datas: bytes) -> Signed:
    values = [
        cast(bytes, _native(extension[-1]))
        for extension in (_elements(e) for e in _elements(ext_datas))
        if _dotted(extension[0]) == ORDER_EXTENSION_OID
    ]
    if len(values) != 1:
        raise Malformed("not exactly one order")
    return read_order_extension(values[0])


def _elements(der: bytes) -> list[bytes]:
    """The raw elements of a SEQUENCE."""
    parsed = _asn1.Sequence.load(der, strict=True)
    return [cast(bytes, parsed[i].dump()) for i in range(len(parsed))]


def _native(der: bytes) -> object:
    return cast(object, _asn1.Asn1Value.load(der, strict=True).native)


def _dotted(der: bytes) -> str:
    return cast(str, _asn1.ObjectIdentifier.load(der, strict=True).dotted)


def check_signed_attributes(der: bytes, card_certificate: bytes) -> None:
    """Refuses with Malformed anything but the signed attributes of a CMS signature by this card.

    A card that signs whatever it is handed could be made to sign a receipt or a certificate; so the bytes
    must be a SET with contentType data, a SHA-256 messageDigest, and name this card's certificate (ESS
    signing-certificate-v2).
    """
    try:
        attributes = _cms.CMSAttributes.load(der, strict=True)
        found: dict[str, Any] = {a["type"].native: a["values"] for a in attributes}
        content_type = found["content_type"].native
        digest = found["message_digest"].native
        ess = _tsp.SigningCertificateV2.load(found["signing_certificate_v2"][0].dump())
        named = ess["certs"][0]["cert_hash"].native.hex()
        algorithm = ess["certs"][0]["hash_algorithm"]["algorithm"].native
    except _BAD_DER as error:
        raise Malformed(f"signed attributes: {type(error).__name__}") from error
    if content_type != ["data"] or len(digest) != 1 or len(digest[0]) != 32:
        raise Malformed("signed attributes: contentType or messageDigest")
    if algorithm != "sha256" or named != hex_digest(card_certificate):
        raise Malformed("signed attributes: another card's certificate")
