"""A seal made anywhere, read as far as it can be read: v1 (GM/T 0031-2014), v4 (GB/T 38540-2020), v5 (GM/T 0031-2025). Pure.

`seal_data.py` reads what this product shall believe and refuses all else. This module looks at files of other makers,
whole or damaged: it says what stands in them, what is wrong with them, and whether the maker's signature holds. It never
raises, never follows nesting, and copies no more than the file. What is signed: docs/seal-structure.md.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from app.crypto import der, maker_signature
from app.crypto.der import Element, Malformed
from app.crypto.signing import Verdict

FILE_LIMIT_BYTES = 16 * 1024 * 1024
"""A seal weighs a few dozen KB, one with a drawing in OFD perhaps a few hundred."""

T = TypeVar("T")
STRINGS = (der.UTF8, der.PRINTABLE, der.IA5, 0x14, 0x16, 0x1E)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """`code`: as in docs/seal-structure.md. `where`: the field, empty for the file."""

    code: str
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class Extension:
    oid: str
    critical: bool
    value: bytes = field(repr=False)


@dataclass(kw_only=True)
class Reading:
    """What was found. Fields stay None where the structure could not be read; `problems` says why.

    `version`: 1, 4 or 5, of the structure. `header_version`: what SES_Header says. `users`: certificates (DER) of those who
    may use the seal, or `digests` of them, by `cert_list`. `signature`: the maker's.
    """

    encoding: str | None = None
    version: int | None = None
    header_version: int | None = None
    vendor: str | None = None
    es_id: str | None = None
    type: int | None = None
    name: str | None = None
    cert_list: str | None = None
    users: list[bytes] = field(default_factory=list[bytes], repr=False)
    digests: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    created: datetime | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    picture_type: str | None = None
    picture: bytes | None = field(default=None, repr=False)
    width_mm: int | None = None
    height_mm: int | None = None
    extensions: list[Extension] = field(default_factory=list[Extension])
    maker_certificate: bytes | None = field(default=None, repr=False)
    algorithm: str | None = None
    signed: bytes | None = field(default=None, repr=False)
    signature_value: bytes | None = field(default=None, repr=False)
    time_stamp: bytes | None = field(default=None, repr=False)
    signature: Verdict = "unknown"
    problems: list[Problem] = field(default_factory=list[Problem])

    @property
    def readable(self) -> bool:
        """Whether this is a seal at all, in one piece."""
        return self.version is not None and not self.problems

    def attempt(self, read: Callable[[], T]) -> T | None:
        """What `read` gives; None, with a problem noted, when the bytes do not allow it."""
        try:
            return read()
        except Malformed as fault:
            self.problems.append(Problem(code=fault.code, where=fault.where))
        except (IndexError, ValueError, OverflowError):
            self.problems.append(Problem(code="malformed"))
        return None


def read_seal(data: bytes) -> Reading:
    """Whatever the bytes are. The signature is `good` only when the key in the maker's certificate confirms it
    over the bytes as they stand, and the file is this seal and nothing else."""
    reading = Reading()
    found = reading.attempt(lambda: _decoded(data))
    if found is None:
        return reading
    reading.encoding, content = found
    framed = reading.attempt(lambda: _frame(reading, memoryview(content)))
    if not framed:
        return reading
    whole = not reading.problems
    reading.attempt(lambda: _info(reading, framed))
    assert reading.signed is not None and reading.signature_value is not None
    verdict = maker_signature.judge(
        reading.algorithm or "", reading.maker_certificate or b"", reading.signature_value, reading.signed
    )
    # nobody has confirmed a file that is more than the seal
    reading.signature = verdict if whole or verdict == "bad" else "unknown"
    return reading


# --- the file ---


def _decoded(data: bytes) -> tuple[str, bytes]:
    """DER as it is, or out of PEM or base64."""
    if not data:
        raise Malformed("empty")
    if len(data) > FILE_LIMIT_BYTES:
        raise Malformed("too_large")
    if data[0] == der.SEQUENCE:
        return "der", data
    text = data.removeprefix(b"\xef\xbb\xbf").strip()
    if text.startswith(b"-----BEGIN "):
        return "pem", _base64(_pem_body(text))
    if re.fullmatch(rb"[A-Za-z0-9+/=\s_-]+", text):
        return "base64", _base64(text)
    raise Malformed("not_a_seal")


def _pem_body(text: bytes) -> bytes:
    found = re.match(rb"-----BEGIN [^\r\n-]{1,64}-----\s", text)
    end = text.find(b"-----END ")
    if not found or end < found.end():
        raise Malformed("bad_pem")
    return text[found.end() : end]


def _base64(text: bytes) -> bytes:
    packed = b"".join(text.split()).translate(bytes.maketrans(b"-_", b"+/"))
    try:
        found = base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("bad_base64") from None
    if found[:1] != bytes([der.SEQUENCE]):
        raise Malformed("not_a_seal")
    return found


# --- the frame: who signed what ---


def _frame(reading: Reading, data: memoryview) -> Element:
    """Version, certificate, algorithm and signature; gives SES_SealInfo, not yet looked into."""
    seal, rest = der.first(data, "SESeal")
    if rest:
        reading.problems.append(Problem(code="trailing_bytes"))
    parts = der.children(seal.expect(der.SEQUENCE, "SESeal"), "SESeal", limit=8)
    if len(parts) == 2:
        _signed_v1(reading, parts)
    elif len(parts) in (4, 5):
        _signed(reading, parts)
    else:
        raise Malformed("not_a_seal", "SESeal")
    parts[0].expect(der.SEQUENCE, "SES_SealInfo")
    return parts[0]


def _signed_v1(reading: Reading, parts: list[Element]) -> None:
    """GM/T 0031-2014: signed is a SEQUENCE of info, certificate and algorithm."""
    signing = der.children(parts[1].expect(der.SEQUENCE, "signInfo"), "signInfo", limit=8)
    if len(signing) != 3:
        raise Malformed("wrong_count", "signInfo")
    _maker(reading, *signing)
    reading.signed = der.sequence(parts[0].raw, signing[0].raw, signing[1].raw)
    reading.version = 1


def _signed(reading: Reading, parts: list[Element]) -> None:
    """GB/T 38540-2020 and GM/T 0031-2025: signed is the info alone. Which of them the header says."""
    _maker(reading, *parts[1:4])
    reading.signed = bytes(parts[0].raw)
    reading.version = 5 if len(parts) == 5 or _says_5(parts[0]) else 4
    if len(parts) == 5:
        stamp = der.children(parts[4].expect(der.EXPLICIT_0, "timeStamp"), "timeStamp", limit=2)
        reading.time_stamp = bytes(der.bits(stamp[0], "timeStamp"))


def _says_5(info: Element) -> bool:
    """What cannot be read is read again, and complained of, with the content: its signature is judged all the same."""
    try:
        header, _ = der.first(info.body)
        return der.integer(der.children(header.body, limit=8)[1], "header.version") == 5
    except (Malformed, IndexError):
        return False


def _maker(reading: Reading, certificate: Element, algorithm: Element, value: Element) -> None:
    reading.maker_certificate = bytes(certificate.expect(der.OCTET_STRING, "cert"))
    reading.algorithm = der.oid(algorithm, "signAlgID")
    reading.signature_value = bytes(der.bits(value, "signedValue"))


# --- the content ---


def _info(reading: Reading, info: Element) -> None:
    """Each part for itself: what can be read is told, whatever is wrong beside it."""
    parts = der.children(info.body, "SES_SealInfo", limit=8)
    if not 4 <= len(parts) <= 5:
        raise Malformed("wrong_count", "SES_SealInfo")
    reading.attempt(lambda: _header(reading, parts[0]))
    reading.es_id = reading.attempt(lambda: der.text(parts[1], "esID", *STRINGS))
    reading.attempt(lambda: _property(reading, parts[2]))
    reading.attempt(lambda: _picture(reading, parts[3]))
    if len(parts) == 5:
        reading.attempt(lambda: _extensions(reading, parts[4]))


def _header(reading: Reading, element: Element) -> None:
    parts = der.children(element.expect(der.SEQUENCE, "header"), "header", limit=8)
    if len(parts) != 3:
        raise Malformed("wrong_count", "header")
    reading.header_version = der.integer(parts[1], "header.version")
    reading.vendor = der.text(parts[2], "header.Vid", *STRINGS)
    if der.text(parts[0], "header.ID", *STRINGS) != "ES":
        raise Malformed("not_a_seal", "header.ID")
    if reading.version != 1 and reading.header_version not in (4, 5):
        raise Malformed("unknown_version", "header.version")


def _property(reading: Reading, element: Element) -> None:
    parts = der.children(element.expect(der.SEQUENCE, "property"), "property", limit=16)
    if len(parts) != (6 if reading.version == 1 else 7):
        raise Malformed("wrong_count", "property")
    reading.type = reading.attempt(lambda: der.integer(parts[0], "property.type"))
    reading.name = reading.attempt(lambda: der.text(parts[1], "property.name", *STRINGS))
    created, start, end = parts[-3:]
    reading.created = reading.attempt(lambda: der.moment(created, "property.createDate"))
    reading.valid_from = reading.attempt(lambda: der.moment(start, "property.validStart"))
    reading.valid_until = reading.attempt(lambda: der.moment(end, "property.validEnd"))
    kind = 1 if reading.version == 1 else der.integer(parts[2], "property.certListType")
    _users(reading, parts[-4], kind)


def _users(reading: Reading, listed: Element, kind: int) -> None:
    found = der.children(listed.expect(der.SEQUENCE, "property.certList"), "property.certList")
    if kind == 1:
        reading.cert_list = "certificates"
        reading.users = [bytes(c.expect(der.OCTET_STRING, "property.certList")) for c in found]
    elif kind == 2:
        reading.cert_list = "digests"
        for one in found:
            pair = der.children(one.expect(der.SEQUENCE, "property.certList"), "property.certList", limit=4)
            if len(pair) != 2:
                raise Malformed("wrong_count", "property.certList")
            named = (
                der.oid(pair[0], "")
                if pair[0].tag == der.OID
                else der.text(pair[0], "property.certList", *STRINGS)
            )
            reading.digests.append((named, bytes(pair[1].expect(der.OCTET_STRING, "property.certList"))))
    else:
        raise Malformed("unknown_list_type", "property.certListType")


def _picture(reading: Reading, element: Element) -> None:
    parts = der.children(element.expect(der.SEQUENCE, "picture"), "picture", limit=8)
    if len(parts) != 4:
        raise Malformed("wrong_count", "picture")
    reading.picture_type = reading.attempt(lambda: der.text(parts[0], "picture.type", *STRINGS, limit=64))
    reading.picture = reading.attempt(lambda: bytes(parts[1].expect(der.OCTET_STRING, "picture.data")))
    reading.width_mm = reading.attempt(lambda: der.integer(parts[2], "picture.width"))
    reading.height_mm = reading.attempt(lambda: der.integer(parts[3], "picture.height"))


def _extensions(reading: Reading, element: Element) -> None:
    """Untagged as in samples, or under [0] as the text of 2014 has them; `critical` may be left out."""
    if element.tag == der.EXPLICIT_0:
        (element,) = der.children(element.body, "extDatas", limit=1)
    for one in der.children(element.expect(der.SEQUENCE, "extDatas"), "extDatas"):
        parts = der.children(one.expect(der.SEQUENCE, "extDatas"), "extDatas", limit=4)
        if len(parts) not in (2, 3):
            raise Malformed("wrong_count", "extDatas")
        critical = len(parts) == 3 and any(parts[1].expect(der.BOOLEAN, "extDatas.critical"))
        value = bytes(parts[-1].expect(der.OCTET_STRING, "extDatas.extnValue"))
        reading.extensions.append(
            Extension(oid=der.oid(parts[0], "extDatas"), critical=critical, value=value)
        )


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
