"""What `yinxu seal inspect` says of a seal: the JSON of docs/seal-structure.md, and the sentences for people. Pure."""

import warnings
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from app.crypto import maker_signature
from app.crypto.seal_reading import Problem, Reading, sha256
from app.text import Text

LISTED_LIMIT = 64
"""So many certificates, digests and extensions are told one by one; `count` has them all."""
CERTIFICATE_LIMIT_BYTES = 64 * 1024

PROBLEMS: dict[str, Text] = {
    "cannot_open": Text("无法打开文件", "The file cannot be opened"),
    "not_a_file": Text("不是普通文件", "This is no ordinary file"),
    "empty": Text("文件为空", "The file is empty"),
    "too_large": Text("文件过大，不是电子印章", "The file is too large for an electronic seal"),
    "not_a_seal": Text("不是电子印章数据", "This is no electronic seal"),
    "bad_pem": Text("PEM 不完整", "The PEM is incomplete"),
    "bad_base64": Text("Base64 编码有误", "The base64 is damaged"),
    "trailing_bytes": Text("印章数据之后还有多余字节", "Bytes follow the seal that do not belong to it"),
    "truncated": Text("数据不完整", "The data end too early"),
    "wrong_tag": Text("此处不是应有的元素", "Another element stands where this one belongs"),
    "wrong_count": Text("元素个数不对", "There are too many or too few elements"),
    "indefinite_length": Text(
        "使用了不定长编码，不符合 DER", "An indefinite length, which DER does not know"
    ),
    "bad_length": Text("长度编码有误", "A length is not encoded as DER demands"),
    "too_many": Text("元素过多", "Too many elements"),
    "too_long": Text("字段过长", "The field is too long"),
    "bad_integer": Text("整数过大或编码有误", "The integer is too large, or damaged"),
    "bad_oid": Text("对象标识符有误", "The object identifier is damaged"),
    "bad_bit_string": Text("位串有误", "The bit string is damaged"),
    "bad_time": Text("时间有误", "This is no point in time"),
    "unknown_version": Text("未知的结构版本", "An unknown version of the structure"),
    "unknown_list_type": Text("未知的证书列表类型", "An unknown kind of list of certificates"),
    "malformed": Text("数据已损坏", "The data are damaged"),
}

SIGNATURES: dict[str, Text] = {
    "good": Text("制章者签名有效", "the maker's signature is good"),
    "bad": Text("制章者签名不成立，数据被改动过", "the maker's signature is BAD: the data were changed"),
    "unknown": Text("制章者签名无法判断", "the maker's signature cannot be judged"),
}
STATES: dict[str, Text] = {
    "current": Text("在有效期内", "valid now"),
    "not_yet": Text("尚未生效", "not valid yet"),
    "ended": Text("已过有效期", "no longer valid"),
}


def as_json(reading: Reading, *, at: datetime, pixels: tuple[str, int, int] | None) -> dict[str, Any]:
    """`at`: the moment for which `validity.state` is said. `pixels`: the picture's format and size, when known."""
    return {
        "readable": reading.readable,
        "encoding": reading.encoding,
        "version": reading.version,
        "name": reading.name,
        "signature": reading.signature,
        "es_id": reading.es_id,
        "type": reading.type,
        "vendor": reading.vendor,
        "header_version": reading.header_version,
        "maker": certificate(reading.maker_certificate, at),
        "algorithm": _algorithm(reading.algorithm),
        "validity": _validity(reading, at),
        "picture": _picture(reading, pixels),
        "users": _users(reading, at),
        "extensions": {
            "count": len(reading.extensions),
            "listed": [
                {"oid": e.oid, "critical": e.critical, "bytes": len(e.value), "sha256": sha256(e.value)}
                for e in reading.extensions[:LISTED_LIMIT]
            ],
        },
        "time_stamp": _bytes(reading.time_stamp),
        "problems": [_problem(p) for p in reading.problems],
    }


def certificate(der: bytes | None, at: datetime) -> dict[str, Any] | None:
    """Whom a certificate names. Without believing it: nobody asks here who issued it."""
    if der is None:
        return None
    said: dict[str, Any] = dict.fromkeys(
        ("subject", "issuer", "serial", "valid_from", "valid_until", "state")
    )
    if len(der) <= CERTIFICATE_LIMIT_BYTES:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = x509.load_der_x509_certificate(der)
                start, end = found.not_valid_before_utc, found.not_valid_after_utc
                said |= {
                    "subject": found.subject.rfc4514_string(),
                    "issuer": found.issuer.rfc4514_string(),
                    "serial": f"{found.serial_number:x}",
                    "valid_from": _moment(start),
                    "valid_until": _moment(end),
                    "state": _state(start, end, at),
                }
        except (ValueError, TypeError, OverflowError, x509.InvalidVersion, UnsupportedAlgorithm):
            pass  # its hash still says which it is
    return said | {"bytes": len(der), "sha256": sha256(der)}


def _algorithm(oid: str | None) -> dict[str, Any] | None:
    if oid is None:
        return None
    scheme = maker_signature.SCHEMES.get(oid)
    return {"oid": oid, "name": scheme.name if scheme else None, "weak": bool(scheme and scheme.weak)}


def _validity(reading: Reading, at: datetime) -> dict[str, Any] | None:
    created, start, end = reading.created, reading.valid_from, reading.valid_until
    if created is None and start is None and end is None:
        return None
    state = _state(start, end, at) if start and end else None
    return {"created": _moment(created), "from": _moment(start), "until": _moment(end), "state": state}


def _state(start: datetime, end: datetime, at: datetime) -> str:
    return "not_yet" if at < start else "ended" if at > end else "current"


def _moment(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _picture(reading: Reading, pixels: tuple[str, int, int] | None) -> dict[str, Any] | None:
    if reading.picture is None and reading.picture_type is None:
        return None
    form, width, height = pixels or (None, None, None)
    return {
        "type": reading.picture_type,
        "width_mm": reading.width_mm,
        "height_mm": reading.height_mm,
        "format": form,
        "width_px": width,
        "height_px": height,
        **(_bytes(reading.picture) or {"bytes": None, "sha256": None}),
    }


def _users(reading: Reading, at: datetime) -> dict[str, Any]:
    return {
        "list": reading.cert_list,
        "count": len(reading.users) + len(reading.digests),
        "certificates": [certificate(c, at) for c in reading.users[:LISTED_LIMIT]],
        "digests": [
            {"type": kind, "value": value.hex()[:256]} for kind, value in reading.digests[:LISTED_LIMIT]
        ],
    }


def _bytes(data: bytes | None) -> dict[str, Any] | None:
    return None if data is None else {"bytes": len(data), "sha256": sha256(data)}


def _problem(problem: Problem) -> dict[str, str]:
    text = PROBLEMS[problem.code]
    return {"code": problem.code, "where": problem.where, "zh": text.zh, "en": text.en}


def in_words(found: dict[str, Any]) -> str:
    """The same for people, a line a thing, both languages. Nothing of the file can move a terminal's cursor."""
    lines = [f"{found['file']}: {_both(SIGNATURES[found['signature']])}"]
    if found["version"]:
        lines.append(
            f"  印章 seal: {found['name'] or '?'} (v{found['version']}, {found['es_id']}, {found['vendor']})"
        )
    if maker := found["maker"]:
        until = f", {maker['valid_from']} – {maker['valid_until']}" if maker["subject"] else ""
        lines.append(f"  制章者 maker: {maker['subject'] or maker['sha256']}{until}")
    if validity := found["validity"]:
        state = f" ({_both(STATES[validity['state']])})" if validity["state"] else ""
        lines.append(f"  有效期 validity: {validity['from']} – {validity['until']}{state}")
    if picture := found["picture"]:
        size = f", {picture['width_px']} × {picture['height_px']} px" if picture["width_px"] else ""
        millimetres = f"{picture['width_mm']} × {picture['height_mm']} mm"
        lines.append(f"  印模 picture: {picture['type']}, {millimetres}{size}, {picture['bytes']} bytes")
    users = found["users"]
    if users["list"]:
        named = [c["subject"] or c["sha256"] for c in users["certificates"]] + [
            d["value"] for d in users["digests"]
        ]
        lines.append(f"  使用者 users: {users['count']}: {'; '.join(named[:5])}")
    lines += [f"  - {p['where']}: {p['zh']} / {p['en']}".replace("- : ", "- ") for p in found["problems"]]
    return "\n".join(
        "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line) for line in lines
    )


def _both(text: Text) -> str:
    return f"{text.zh} / {text.en}"
