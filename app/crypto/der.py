"""The elements of DER, one level at a time: bounded, never recursive, and blind to what the bytes mean. Pure.

For bytes that others made. Nothing here copies, follows nesting or believes a length: what was read is a slice of what
came, so that a signature is checked over the very bytes it was made over.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

CHILDREN_LIMIT = 4096
"""No structure of ours has more elements on one level."""

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OID = 0x01, 0x02, 0x03, 0x04, 0x06
UTF8, PRINTABLE, IA5, UTC_TIME, GENERALIZED_TIME, SEQUENCE = 0x0C, 0x13, 0x16, 0x17, 0x18, 0x30
EXPLICIT_0 = 0xA0


class Malformed(ValueError):
    """These bytes are no DER, or not the element that belongs here. `code`: what is wrong, in one word."""

    def __init__(self, code: str, where: str = "") -> None:
        super().__init__(f"{code} {where}".strip())
        self.code = code
        self.where = where


@dataclass(frozen=True)
class Element:
    """`raw`: header and contents as they came; `body`: the contents."""

    tag: int
    raw: memoryview
    body: memoryview

    def expect(self, tag: int, where: str) -> memoryview:
        """The contents, if this is such an element."""
        if self.tag != tag:
            raise Malformed("wrong_tag", where)
        return self.body


def first(data: memoryview, where: str = "") -> tuple[Element, memoryview]:
    """The element that `data` begins with, and what follows it. Refuses Malformed whatever is no DER: multi-byte tags,
    indefinite and padded lengths, and contents that end too early."""
    if len(data) < 2:
        raise Malformed("truncated", where)
    tag, length, start = data[0], data[1], 2
    if tag & 0x1F == 0x1F:
        raise Malformed("wrong_tag", where)
    if length == 0x80:
        raise Malformed("indefinite_length", where)
    if length > 0x80:
        size = length & 0x7F
        start += size
        if size > 8:
            raise Malformed("bad_length", where)
        if len(data) < start:
            raise Malformed("truncated", where)
        length = int.from_bytes(data[2:start], "big")
        if length < 0x80 or length.bit_length() <= 8 * (size - 1):
            raise Malformed("bad_length", where)
    end = start + length
    if len(data) < end:
        raise Malformed("truncated", where)
    return Element(tag, data[:end], data[start:end]), data[end:]


def children(body: memoryview, where: str = "", limit: int = CHILDREN_LIMIT) -> list[Element]:
    """All elements of one level."""
    found: list[Element] = []
    while body:
        if len(found) == limit:
            raise Malformed("too_many", where)
        element, body = first(body, where)
        found.append(element)
    return found


def sequence(*elements: bytes | memoryview) -> bytes:
    """A SEQUENCE around elements as they stand."""
    body = b"".join(elements)
    if len(body) < 0x80:
        return bytes([SEQUENCE, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([SEQUENCE, 0x80 | len(length)]) + length + body


# --- values ---


def integer(element: Element, where: str) -> int:
    """An INTEGER of at most 64 bits."""
    body = element.expect(INTEGER, where)
    if not 1 <= len(body) <= 9:
        raise Malformed("bad_integer", where)
    return int.from_bytes(body, "big", signed=True)


def oid(element: Element, where: str) -> str:
    """An OBJECT IDENTIFIER, dotted."""
    body = bytes(element.expect(OID, where))
    if not 1 <= len(body) <= 64 or body[-1] & 0x80:
        raise Malformed("bad_oid", where)
    arcs: list[int] = []
    value = 0
    for byte in body:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    top = min(arcs[0] // 40, 2)
    return ".".join(map(str, (top, arcs[0] - 40 * top, *arcs[1:])))


def bits(element: Element, where: str) -> memoryview:
    """A BIT STRING of whole bytes."""
    body = element.expect(BIT_STRING, where)
    if not body or body[0] != 0:
        raise Malformed("bad_bit_string", where)
    return body[1:]


def text(element: Element, where: str, *tags: int, limit: int = 4096) -> str:
    """A string of one of these tags; what is no UTF-8 is read as GB 18030, as some makers write names."""
    if element.tag not in tags:
        raise Malformed("wrong_tag", where)
    if len(element.body) > limit:
        raise Malformed("too_long", where)
    data = bytes(element.body)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace")


def moment(element: Element, where: str) -> datetime:
    """UTCTime or GeneralizedTime. A time without zone is taken as UTC; seconds and fractions may be missing."""
    if element.tag not in (UTC_TIME, GENERALIZED_TIME):
        raise Malformed("wrong_tag", where)
    said = bytes(element.body[:40]).decode("ascii", "replace").strip()
    try:
        return _moment(said, element.tag == UTC_TIME)
    except (ValueError, OverflowError):
        raise Malformed("bad_time", where) from None


def _moment(said: str, short: bool) -> datetime:
    zone = UTC
    if said.endswith("Z"):
        said = said[:-1]
    elif said[-5:-4] in ("+", "-") and said[-4:].isdecimal():
        away = timedelta(hours=int(said[-4:-2]), minutes=int(said[-2:]))
        zone = timezone(-away if said[-5] == "-" else away)
        said = said[:-5]
    digits, _, fraction = said.replace(",", ".").partition(".")
    if not (digits.isascii() and digits.isdecimal()) or (fraction and not fraction.isdecimal()):
        raise ValueError(said)
    if short:
        digits = ("19" if int(digits[:2]) >= 50 else "20") + digits
    if len(digits) not in (10, 12, 14):
        raise ValueError(said)
    numbers = [int(digits[:4])] + [int(digits[i : i + 2]) for i in range(4, len(digits), 2)]
    return datetime(*numbers, tzinfo=zone).astimezone(UTC)  # type: ignore[arg-type, misc]
