"""What a file claims to be signed, read from its raw bytes alone. Pure.

A PDF library follows cross-references, and one changed byte can make a signature invisible to it. Here
nothing is followed: every `/ByteRange` array and every hexadecimal CMS container in the bytes is a claim, two
marks that no single change can remove together. A claim holds when its digest and its signature do. So any
change inside a signed range is seen, whatever else it broke (docs/verify.md).
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any, Literal

from app.pdf.algorithms import Unsupported, certificate_of, check_signer, digest_differs
from app.pdf.foreign import asn1_cms as asn1
from app.pdf.foreign import asn1_parser, generic

CLAIM_LIMIT = 200
"""More signatures than that in one file are not looked at; the file is then never genuine."""
CONTAINER_LIMIT_BYTES = 4 * 1024 * 1024

_BYTE_RANGE = re.compile(rb"/ByteRange[\s\x00]*\[([^\]/<>()]{0,200})")
_CONTAINER = re.compile(rb"(?i)30(?:80|[0-7][0-9a-f]|81..|82.{4}|83.{6}|84.{8})06092a864886f70d010702")
_LOWER, _UPPER = b"0123456789abcdef", b"0123456789ABCDEF"
_HEX = _LOWER + _UPPER + b" \t\r\n\f\0"

_RIGHTS = re.compile(rb"/TransformMethod\s*/UR3?\b")
_NEAR = 16 * 1024
_NULL = b"\5\0"

Fault = Literal[
    "range_unreadable",  # the four numbers cannot be read, or do not lie in this file
    "container_misplaced",  # what the range leaves out is not one container
    "container_unreadable",  # the container is no CMS
    "container_padded",  # something hides behind the container, where only zeros belong
    "unsupported",  # sound perhaps, but in a way we cannot compute
    "unclaimed",  # a container that no range speaks of
    "mac",  # what keeps an encrypted file whole (ISO 32004): nobody's signature
]
UNDECIDED: frozenset[str] = frozenset({"unsupported"})
"""Faults that say nothing against the file, only that we cannot tell."""

ByteRange = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """`gap`: from where to where the container stands, brackets included. `intact`: the digest over the range
    is the signed one. `valid`: the signature over it holds under `certificate` (DER). `id`: digest of what was
    signed, which names this signature for ever (its value would not do: ECDSA allows a second one). Nothing
    here speaks of trust."""

    byte_range: ByteRange | None
    gap: tuple[int, int] | None
    fault: Fault | None = None
    detail: str = ""
    intact: bool = False
    valid: bool = False
    container: bytes | None = field(default=None, repr=False)
    certificate: bytes | None = field(default=None, repr=False)
    id: str | None = None

    @property
    def holds(self) -> bool:
        return self.fault is None and self.intact and self.valid


def read_claims(pdf: bytes) -> list[Claim]:
    """Every claim in the bytes, each range once. Never raises."""
    claims: dict[ByteRange | int, Claim] = {}
    for match in _BYTE_RANGE.finditer(pdf):
        numbers = _numbers(match.group(1))
        key = numbers or match.start()
        if key not in claims:
            claims[key] = check_range(pdf, numbers)
        if len(claims) > CLAIM_LIMIT:
            break
    spoken_of = [claim.gap for claim in claims.values() if claim.gap]
    for start in _containers(pdf):
        if not any(gap[0] <= start < gap[1] for gap in spoken_of):
            claims[-1 - start] = _unclaimed(pdf, start)
        if len(claims) > CLAIM_LIMIT:
            break
    return [claim for claim in claims.values() if not _is_empty(claim) and claim.fault != "mac"]


def check_range(pdf: bytes, byte_range: ByteRange | None) -> Claim:
    """One claim, checked: the numbers, what they leave out, the digest, the signature. Never raises."""
    if byte_range is None:
        return Claim(byte_range=None, gap=None, fault="range_unreadable")
    start, length, resume, rest = byte_range
    gap = (length, resume)
    if start != 0 or not 0 < length < resume <= resume + rest <= len(pdf):
        return Claim(byte_range=byte_range, gap=None, fault="range_unreadable")
    container = _unwrap(pdf[length:resume])
    if container is None:
        return Claim(byte_range=byte_range, gap=gap, fault="container_misplaced")
    signed = (memoryview(pdf)[:length], memoryview(pdf)[resume : resume + rest])
    return _check_container(container, signed, byte_range, gap)


def is_usage_rights(pdf: bytes, claim: Claim) -> bool:
    """Whether this is what Adobe signed to let its reader save a form (ISO 32000-1, 12.8.2.3), which is nobody's signature on
    the document. Its dictionary says so inside what it signs, so nobody can make another signature one of these afterwards."""
    if not claim.holds or claim.gap is None:
        return False
    begin, end = claim.gap
    opening = pdf.rfind(b" obj", max(0, begin - _NEAR), begin)
    closing = pdf.find(b"endobj", end, end + _NEAR)
    return -1 not in (opening, closing) and bool(_RIGHTS.search(pdf[opening:begin] + pdf[end:closing]))


def _numbers(text: bytes) -> ByteRange | None:
    words = text.replace(b"\0", b" ").split()
    if len(words) != 4 or not all(word.isdigit() and len(word) < 16 for word in words):
        return None
    a, b, c, d = (int(word) for word in words)
    return a, b, c, d


def _unwrap(gap: bytes) -> bytes | None:
    """The bytes of the string that stands in the gap: `<hex>`, its digits alone, or `(literal)`."""
    if len(gap) > 2 * CONTAINER_LIMIT_BYTES:
        return None
    if gap[:1] == b"(":
        return _literal(gap)
    digits = gap.strip(b" \t\r\n\f\0")
    if digits[:1] == b"<" and digits[-1:] == b">":
        digits = digits[1:-1]
    # programs write it in one go and in one case; blanks among the digits, or both cases, were put there afterwards
    if not digits or (digits.translate(None, _LOWER) and digits.translate(None, _UPPER)):
        return None
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())


def _literal(gap: bytes) -> bytes | None:
    try:
        found: Any = generic.read_string_from_stream(BytesIO(gap))
        return bytes(found.original_bytes)
    except Exception:  # whatever the library says of foreign bytes: it is no string
        return None


def _check_container(
    padded: bytes, signed: tuple[memoryview, memoryview], byte_range: ByteRange, gap: tuple[int, int]
) -> Claim:
    claim = Claim(byte_range=byte_range, gap=gap)
    try:
        container = padded[: asn1_parser.peek(padded)]  # also of indefinite length, as BER has it
        info = asn1.ContentInfo.load(container)
        if info["content_type"].native == "authenticated_data":
            return replace(claim, container=container, fault="mac")
        content = info["content"]
        signers = list(content["signer_infos"])
        certificates = [certificate_of(signer, content) for signer in signers]
        _check_form(content, signers)
        claim = replace(
            claim,
            container=container,
            certificate=certificates[0].dump(),
            id=_id(signers[0]),
        )
    except Exception as error:  # asn1crypto raises anything for what is no CMS; that is the finding
        return replace(claim, fault="container_unreadable", detail=_say(error))
    if padded[len(container) :].strip(b"\0"):
        return replace(claim, fault="container_padded")
    try:
        if any(one.dump() != claim.certificate for one in certificates):
            raise Unsupported("several people in one container")
        checks = [
            check_signer(signer, certificate, content, lambda name: _digest(name, *signed))
            for signer, certificate in zip(signers, certificates, strict=True)
        ]
    except Exception as error:  # an algorithm nobody here computes, or a structure beyond its standard
        if any(digest_differs(signer, content, lambda name: _digest(name, *signed)) for signer in signers):
            return claim  # whatever the signature says, it says it of other bytes
        return replace(claim, fault="unsupported", detail=_say(error))
    return replace(claim, intact=all(intact for intact, _ in checks), valid=all(valid for _, valid in checks))


def _check_form(content: Any, signers: list[Any]) -> None:
    """What RFC 5652 (5.1, 5.3) asks of the parts that nobody signs: the digests are listed, the versions are those of the form."""
    listed = {one["algorithm"].dotted for one in content["digest_algorithms"]}
    for digest in [*content["digest_algorithms"], *(signer["digest_algorithm"] for signer in signers)]:
        if digest["parameters"].dump() not in (b"", _NULL):
            raise ValueError("a digest algorithm has parameters")
    for signer in signers:
        if signer["digest_algorithm"]["algorithm"].dotted not in listed:
            raise ValueError("a signer's digest algorithm is not listed")
        if (signer["version"].native == "v1") != (signer["sid"].name == "issuer_and_serial_number"):
            raise ValueError("a signer's version is not that of its form")


def _id(signer: Any) -> str:
    attributes = signer["signed_attrs"]
    # signed as a SET (RFC 5652, 5.4), carried under a tag of its own
    signed: bytes = b"\x31" + attributes.dump()[1:] if len(attributes) else signer["signature"].native
    return f"sha256:{hashlib.sha256(signed).hexdigest()}"


def _digest(algorithm: str, *parts: bytes | memoryview) -> bytes:
    digest = hashlib.new(algorithm, usedforsecurity=False)
    for part in parts:
        digest.update(part)
    return digest.digest()


def _containers(pdf: bytes) -> Iterator[int]:
    return (match.start() for match in _CONTAINER.finditer(pdf))


def _unclaimed(pdf: bytes, start: int) -> Claim:
    """A container that no range points at: its range was damaged, or taken away."""
    window = pdf[start : start + 2 * CONTAINER_LIMIT_BYTES]
    rest = window.lstrip(_HEX)
    end = start + len(window) - len(rest)
    gap = (start - 1, end + 1)
    container = _unwrap(pdf[start:end])
    found: Claim | None = None
    if container is not None:
        nothing = (memoryview(b""), memoryview(b""))
        found = _check_container(container, nothing, (0, 0, 0, 0), gap)
    return Claim(
        byte_range=None,
        gap=gap,
        fault="unclaimed",
        container=found.container if found else None,
        certificate=found.certificate if found else None,
        id=found.id if found else None,
    )


def _is_empty(claim: Claim) -> bool:
    """A place made ready for a signature that never came."""
    return claim.byte_range == (0, 0, 0, 0) and claim.container is None


def _say(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
