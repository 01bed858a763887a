"""The structure of an electronic seal ↔ bytes: built as v4 (GB/T 38540-2020) or v5, read as v1, v4, v5. Pure.

Received bytes are kept as they came: a signature is checked over raw slices, never over what was encoded
again (docs/seal-structure.md). Whether a seal is to be believed is `seal_verdict.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar, cast

from app.crypto import seal_asn1
from app.refusal import Invalid

asn1: Any = seal_asn1  # asn1crypto has no types; ours begin here

SEAL_LIMIT_BYTES = 512 * 1024
"""No seal is larger; a card holds a few dozen KB."""

VENDOR = "YINXU"
CERTS, DIGESTS = 1, 2  # certListType

KIND_TYPES = {"official": 1, "personal_name": 2, "personal_signature": 3}
"""SES_ESPropertyInfo.type is defined by the business; this is ours. Append only."""

Structure = Literal[1, 4, 5]
T = TypeVar("T")

_NOT_A_SEAL = (
    ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError, AttributeError
)  # fmt: skip
"""What asn1crypto raises for bytes that are no DER, or not this shape."""


class SealUnreadable(Invalid):
    """These bytes are no electronic seal that we can read."""

    def __init__(self, why: str) -> None:
        super().__init__(
            "seal_data.unreadable",
            zh="这不是可读取的电子印章数据，请重新取得原始文件",
            en="This is no electronic seal that can be read; obtain the original file again",
            why=why,
        )


@dataclass(frozen=True, kw_only=True)
class Picture:
    """`format`: "PNG", "GIF", "OFD" …; `data`: its bytes; sizes in whole mm, as in the standard."""

    format: str
    data: bytes = field(repr=False)
    width_mm: int
    height_mm: int


@dataclass(frozen=True, kw_only=True)
class Extension:
    """One ExtData. `oid`: dotted."""

    oid: str
    value: bytes = field(repr=False)
    critical: bool = False


@dataclass(frozen=True, kw_only=True)
class SealInfo:
    """SES_SealInfo. `raw`: its DER as it came. `certificates` or `certificate_digests` (name → bytes) by
    `cert_list_type`; a v1 seal has certificates always."""

    raw: bytes = field(repr=False)
    version: int
    vendor: str
    es_id: str
    type: int
    name: str
    certificates: tuple[bytes, ...] = field(repr=False)
    certificate_digests: tuple[tuple[str, bytes], ...] = ()
    created_at: datetime
    valid_from: datetime
    valid_until: datetime
    picture: Picture
    extensions: tuple[Extension, ...] = ()

    def extension(self, oid: str) -> Extension | None:
        return next((e for e in self.extensions if e.oid == oid), None)


@dataclass(frozen=True, kw_only=True)
class SealData:
    """SESeal. `signed`: exactly the bytes the maker's signature is over. `algorithm`: the OID, dotted."""

    raw: bytes = field(repr=False)
    structure: Structure
    info: SealInfo
    maker_certificate: bytes = field(repr=False)
    algorithm: str
    signature: bytes = field(repr=False)
    signed: bytes = field(repr=False)
    time_stamp: bytes | None = field(default=None, repr=False)


# --- building ---


def build_seal_info(
    *,
    es_id: str,
    kind: str,
    name: str,
    card_certificate: bytes,
    picture: Picture,
    created_at: datetime,
    valid_from: datetime,
    valid_until: datetime,
    extensions: Sequence[Extension] = (),
    version: Literal[4, 5] = 4,
) -> bytes:
    """The DER of SES_SealInfo: what the maker card signs. Source: GB/T 38540-2020 §6.1; GM/T 0031-2025 (v5).

    `es_id`: ASCII, unique. Moments are cut to whole seconds, as GeneralizedTime has them in DER.
    Refuses with Invalid when the id is not ASCII (IA5String) or a moment has no zone.
    """
    if not es_id.isascii() or not es_id:
        raise SealUnreadable("esID must be ASCII")
    fields: dict[str, Any] = {
        "header": {"id": "ES", "version": version, "vid": VENDOR},
        "es_id": es_id,
        "property": {
            "type": KIND_TYPES[kind],
            "name": name,
            "cert_list_type": CERTS,
            "cert_list": asn1.Certs([card_certificate]),
            "create_date": _whole(created_at),
            "valid_start": _whole(valid_from),
            "valid_end": _whole(valid_until),
        },
        "picture": {
            "type": picture.format,
            "data": picture.data,
            "width": picture.width_mm,
            "height": picture.height_mm,
        },
    }
    if extensions:
        fields["ext_datas"] = [
            {"extn_id": e.oid, "critical": e.critical, "extn_value": e.value} for e in extensions
        ]
    return cast(bytes, asn1.SealInfo(fields).dump())


def assemble_seal(seal_info: bytes, *, maker_certificate: bytes, algorithm: str, signature: bytes) -> bytes:
    """The DER of SESeal, `seal_info` spliced in verbatim. `algorithm`: OID of the maker's signature."""
    seal = asn1.Seal(
        {
            "seal_info": asn1.core.Any.load(seal_info, strict=True),
            "cert": maker_certificate,
            "sign_alg": algorithm,
            "signed_value": _bits(signature),
        }
    )
    return cast(bytes, seal.dump())


def _whole(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise SealUnreadable("a moment needs its zone")
    return moment.astimezone(UTC).replace(microsecond=0)


def _bits(data: bytes) -> Any:
    return asn1.core.BitString.load(
        asn1.core.OctetBitString(data).dump()  # the class differs, the bytes do not
    )


# --- reading ---


def parse_seal(der: bytes) -> SealData:
    """Read a SESeal of any structure. Refuses with SealUnreadable, whatever the bytes are.

    Two elements: v1. Five: v5. Four: as the header's version says.
    """
    return _guarded(lambda: _parse_seal(der), der)


def parse_seal_info(der: bytes) -> SealInfo:
    """Read a SES_SealInfo of v4 or v5 standing alone, as it goes to the maker card."""
    return _guarded(lambda: _info(der, asn1.SealInfo), der)


def _guarded(read: Callable[[], T], der: bytes) -> T:
    if len(der) > SEAL_LIMIT_BYTES:
        raise SealUnreadable("too large")
    try:
        return read()
    except _NOT_A_SEAL as error:
        raise SealUnreadable(type(error).__name__) from error


def _parse_seal(der: bytes) -> SealData:
    elements = _children(der)
    if len(elements) == 2:
        return _parse_v1(der)
    seal: Any = asn1.Seal.load(der, strict=True)
    info = _info(elements[0], asn1.SealInfo)
    return SealData(
        raw=der,
        structure=5 if len(elements) == 5 or info.version == 5 else 4,
        info=info,
        maker_certificate=seal["cert"].native,
        algorithm=seal["sign_alg"].dotted,
        signature=_octets(seal["signed_value"]),
        signed=elements[0],
        time_stamp=_octets(seal["time_stamp"]) if len(elements) == 5 else None,
    )


def _parse_v1(der: bytes) -> SealData:
    seal: Any = asn1.SealV1.load(der, strict=True)
    raw_info, raw_sign = _children(der)
    signing: Any = seal["sign_info"]
    certificate, algorithm, _ = _children(raw_sign)
    return SealData(
        raw=der,
        structure=1,
        info=_info(raw_info, asn1.SealInfoV1),
        maker_certificate=signing["cert"].native,
        algorithm=signing["sign_alg"].dotted,
        signature=_octets(signing["sign_data"]),
        signed=_sequence(raw_info, certificate, algorithm),
    )


def _info(raw: bytes, shape: Any) -> SealInfo:
    info: Any = shape.load(raw, strict=True)
    if info["header"]["id"].native != "ES":
        raise SealUnreadable("header")
    prop, picture = info["property"], info["picture"]
    certificates, digests = _cert_list(prop)
    return SealInfo(
        raw=raw,
        version=info["header"]["version"].native,
        vendor=info["header"]["vid"].native,
        es_id=info["es_id"].native,
        type=prop["type"].native,
        name=prop["name"].native,
        certificates=certificates,
        certificate_digests=digests,
        created_at=_moment(prop["create_date"]),
        valid_from=_moment(prop["valid_start"]),
        valid_until=_moment(prop["valid_end"]),
        picture=Picture(
            format=picture["type"].native,
            data=picture["data"].native,
            width_mm=picture["width"].native,
            height_mm=picture["height"].native,
        ),
        extensions=_extensions(info["ext_datas"]),
    )


def _cert_list(prop: Any) -> tuple[tuple[bytes, ...], tuple[tuple[str, bytes], ...]]:
    if isinstance(prop, asn1.PropertyInfoV1):
        return tuple(c.native for c in prop["cert_list"]), ()
    raw = cast(bytes, prop["cert_list"].dump())
    if prop["cert_list_type"].native == DIGESTS:
        digests: Any = asn1.CertDigests.load(raw, strict=True)
        return (), tuple((d["type"].native, d["value"].native) for d in digests)
    certificates: Any = asn1.Certs.load(raw, strict=True)
    return tuple(c.native for c in certificates), ()


def _extensions(ext_datas: Any) -> tuple[Extension, ...]:
    if isinstance(ext_datas, asn1.core.Void):
        return ()
    return tuple(
        Extension(oid=e["extn_id"].dotted, critical=bool(e["critical"].native), value=e["extn_value"].native)
        for e in ext_datas
    )


def _moment(value: Any) -> datetime:
    moment = cast(datetime, value.native)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _octets(bits: Any) -> bytes:
    """The bytes of a BIT STRING; signatures have whole ones."""
    contents = cast(bytes, bits.contents)
    if not contents or contents[0] != 0:
        raise SealUnreadable("bit string")
    return contents[1:]


def _children(der: bytes) -> list[bytes]:
    """The raw elements of a SEQUENCE, verbatim."""
    sequence = asn1.core.Asn1Value.load(der, strict=True)
    if not isinstance(sequence, asn1.core.Sequence):
        raise SealUnreadable("not a sequence")
    contents, found = cast(bytes, sequence.contents), list[bytes]()
    while contents:
        size = cast(int, asn1.parser.peek(contents))
        found.append(contents[:size])
        contents = contents[size:]
    return found


def _sequence(*elements: bytes) -> bytes:
    """A SEQUENCE around raw elements."""
    body = b"".join(elements)
    if len(body) < 0x80:
        return b"\x30" + bytes([len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return b"\x30" + bytes([0x80 | len(length)]) + length + body
