"""The content of a SES_SealInfo: everything but its extensions, and its hash. Pure.

The order lies in the extensions and names the hash of the rest, so it binds header, esID, property and
picture. The content is the SEQUENCE of the first four elements, each as it came; built without extensions,
the structure *is* its content (GB/T 38540-2020 §6.1).
"""

from hashlib import sha256

from card_agent.protocol.codec import Malformed

_CONTENT_ELEMENTS = 4


def content_sha256(seal_info: bytes) -> str:
    """`seal_info`: DER of SES_SealInfo, with or without extDatas. Lower-case hex."""
    return sha256(content(seal_info)).hexdigest()


def content(seal_info: bytes) -> bytes:
    """Refuses with Malformed what is no SEQUENCE of four or five elements."""
    start, end = _span(seal_info, 0)
    if seal_info[:1] != b"\x30" or end != len(seal_info):
        raise Malformed("no SEQUENCE")
    cuts = [start]
    while cuts[-1] < end:
        cuts.append(_span(seal_info, cuts[-1])[1])
    if cuts[-1] != end or len(cuts) - 1 not in (_CONTENT_ELEMENTS, _CONTENT_ELEMENTS + 1):
        raise Malformed("not the elements of a SES_SealInfo")
    body = seal_info[start : cuts[_CONTENT_ELEMENTS]]
    return b"\x30" + _length(len(body)) + body


def _span(der: bytes, at: int) -> tuple[int, int]:
    """Where the value of the element at `at` begins and ends; definite lengths only, as DER has."""
    if at + 2 > len(der):
        raise Malformed("DER ends early")
    first, start = der[at + 1], at + 2
    if first < 0x80:
        size = first
    else:
        count = first & 0x7F
        if not 1 <= count <= 4 or start + count > len(der):
            raise Malformed("a DER length")
        size, start = int.from_bytes(der[start : start + count], "big"), start + count
    if start + size > len(der):
        raise Malformed("DER ends early")
    return start, start + size


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets
