"""Everything a PDF says about its signatures, from its bytes, its structure and a set of roots. Pure.

Two readings meet: `claims` looks at raw bytes and follows nothing; pyHanko follows the structure and tells
names, revisions, and what was changed after each signature. What only one of them sees is itself a finding.
"""

from dataclasses import dataclass
from dataclasses import field as entry
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from typing import Any, Literal

from PIL import Image
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation.status import SignatureCoverageLevel

from app.pdf import cms
from app.pdf.baggage import is_sound
from app.pdf.claims import CLAIM_LIMIT, ByteRange, Claim, check_range, is_usage_rights, read_claims
from app.pdf.faults import ENCRYPTED
from app.pdf.foreign import DiffResult, generic
from app.pdf.foreign import asn1_cms as asn1
from app.pdf.located import CHANGES, located
from app.pdf.reading import looks_like_pdf, open_reader, value
from app.pdf.sealing import PIXEL_LIMIT, SEAL_KEY
from app.pdf.second import second_reading
from app.pdf.stamping import document_stamp_at, stamped_at
from app.pdf.trusting import Holder, Trust, TrustProblem, holder_of, judge_trust
from app.refusal import Refusal

Coverage = Literal["entire_file", "entire_revision", "partial", "unclear"]
Modification = Literal["none", "lta_updates", "form_filling", "annotations", "other", "unknown"]

COVERAGE: dict[SignatureCoverageLevel, Coverage] = {
    SignatureCoverageLevel.ENTIRE_FILE: "entire_file",
    SignatureCoverageLevel.ENTIRE_REVISION: "entire_revision",
    SignatureCoverageLevel.CONTIGUOUS_BLOCK_FROM_START: "partial",
    SignatureCoverageLevel.UNCLEAR: "unclear",
}
MODIFICATION: dict[ModificationLevel, Modification] = {
    ModificationLevel.NONE: "none",
    ModificationLevel.LTA_UPDATES: "lta_updates",
    ModificationLevel.FORM_FILLING: "form_filling",
    ModificationLevel.ANNOTATIONS: "annotations",
    ModificationLevel.OTHER: "other",
}


@dataclass(frozen=True, kw_only=True)
class Examined:
    """One signature. `field` is None when only the raw bytes speak of it. `permits`: the highest modification
    its own DocMDP entry allows, None when it says nothing. `seal`: DER of the electronic seal in the signed
    range. `stamp`: digest of the picture shown (`picture_digest`). `canonical`: see `cms.is_canonical`, None
    unless the signature is of our making and holds. `baggage_sound`: see `baggage.is_sound`.
    `stamped_at`: when it is proved to have existed, by a believed time-stamp
    on it or on the document around it; the signer's certificate is judged at that moment."""

    field: str | None
    claim: Claim
    holder: Holder | None
    time: datetime | None
    reason: str | None
    is_time_stamp: bool
    trust_problem: TrustProblem | None
    coverage: Coverage
    modification: Modification
    permits: int | None
    canonical: bool | None
    baggage_sound: bool = True
    stamped_at: datetime | None = None
    seal: bytes | None = entry(default=None, repr=False)
    stamp: str | None = None


@dataclass(frozen=True, kw_only=True)
class Examination:
    """`is_pdf`: it has a PDF's header. `fault`: why its structure cannot be read (a refusal's code), or None.
    `signatures`: in the order of their revisions, those that only the raw bytes speak of last.
    `unread_fields`: how many signature fields the library could not make sense of. `confirmed`: in spite of the
    fault, another library reads the structure and sees one signature, which covers the whole file."""

    is_pdf: bool
    fault: str | None
    signatures: tuple[Examined, ...]
    unread_fields: int = 0
    too_many: bool = False
    confirmed: bool = False


def examine(pdf: bytes, trust: Trust, *, at: datetime) -> Examination:
    """Never raises. `at`: the moment at which certificates are judged."""
    claims = {claim.byte_range or claim.gap: claim for claim in read_claims(pdf)}
    too_many = len(claims) > CLAIM_LIMIT
    fault: str | None = None
    unread = 0
    found: list[Examined] = []
    unlocked = True
    if looks_like_pdf(pdf) and not too_many:
        try:
            reader = open_reader(pdf)
            unlocked = _unlocked(reader)
            known, unread = located(reader)
            pairs: list[tuple[Any, Claim]] = []
            for one in known:
                byte_range = _range_of(one)
                pairs.append((one, claims.pop(byte_range, None) or check_range(pdf, byte_range)))
            proofs = _document_stamps(pairs, trust, at)
            for one, claim in pairs:
                found.append(_examine_embedded(one, claim, pdf, _Judge(trust, at, proofs)))
        except Refusal as refusal:
            fault = refusal.code
        except Exception as error:  # foreign bytes make the library raise nearly anything
            fault = f"pdf.broken: {type(error).__name__}" if unlocked else ENCRYPTED
    claims = {key: claim for key, claim in claims.items() if not is_usage_rights(pdf, claim)}
    confirmed = False
    if fault is not None and unlocked and len(claims) <= 1 and not found:
        fault, confirmed = _read_again(pdf, fault, list(claims.values()))
    found.extend(_examine_raw(claim, pdf, _Judge(trust, at, ())) for claim in claims.values())
    return Examination(
        is_pdf=looks_like_pdf(pdf),
        fault=fault,
        signatures=tuple(found),
        unread_fields=unread,
        too_many=too_many,
        confirmed=confirmed,
    )


def _unlocked(reader: Any) -> bool:
    """Many files are encrypted under an empty password. Under another one the structure can often be read all the same."""
    if not reader.encrypted:
        return True
    try:
        return bool(reader.decrypt(b"").status.name != "FAILED")
    except Exception:  # for readers with a certificate of their own, or broken
        return False


def _read_again(pdf: bytes, fault: str, claims: list[Claim]) -> tuple[str | None, bool]:
    """The fault that remains when PDFium has read it too, and whether PDFium sees exactly the one signature that covers
    every byte of the file: then there is nothing around it that would have to be explained."""
    ranges = second_reading(pdf) if looks_like_pdf(pdf) else None
    if ranges is None:
        return fault, False
    if not claims:
        return (None if not ranges else fault), False
    [claim] = claims
    whole = claim.byte_range is not None and claim.byte_range[2] + claim.byte_range[3] == len(pdf)
    return fault, claim.holds and whole and ranges == (claim.byte_range,)


def _range_of(embedded: Any) -> ByteRange | None:
    return _numbers_of(embedded.byte_range)


def _numbers_of(array: Any) -> ByteRange | None:
    numbers = [int(n) for n in array]
    return (numbers[0], numbers[1], numbers[2], numbers[3]) if len(numbers) == 4 else None


def _document_stamps(
    pairs: list[tuple[Any, Claim]], trust: Trust, at: datetime
) -> tuple[tuple[int, datetime], ...]:
    """Believed document time-stamps: up to which byte, when."""
    return tuple(
        (claim.byte_range[2] + claim.byte_range[3], time)
        for one, claim in pairs
        if _is_time_stamp(one) and claim.holds and claim.byte_range and claim.container
        if (time := document_stamp_at(claim.container, trust, at=at)) is not None
    )


def _is_time_stamp(embedded: Any) -> bool:
    """By its type, or by its filter: some programs leave the type out."""
    return embedded.sig_object_type == "/DocTimeStamp" or (
        value(embedded.sig_object, "/SubFilter") == "/ETSI.RFC3161"
    )


def _examine_embedded(embedded: Any, claim: Claim, pdf: bytes, judge: "_Judge") -> Examined:
    dictionary: Any = embedded.sig_object
    coverage, modification = _changes(embedded, claim, pdf)
    seal = _seal(embedded)
    return Examined(
        field=embedded.field_name,
        claim=claim,
        holder=holder_of(claim.certificate) if claim.certificate else None,
        time=_moment(embedded, claim),
        reason=_text(value(dictionary, "/Reason")),
        is_time_stamp=_is_time_stamp(embedded),
        baggage_sound=claim.container is None or is_sound(claim.container, judge.roots),
        stamped_at=judge.stamped(claim),
        trust_problem=judge.trust(claim),
        coverage=coverage,
        modification=modification,
        permits=_permits(embedded),
        canonical=_canonical(claim) if seal is not None and claim.holds else None,
        seal=seal,
        stamp=_stamp(embedded) if seal is not None and claim.holds else None,
    )


def _examine_raw(claim: Claim, pdf: bytes, judge: "_Judge") -> Examined:
    """A claim that the structure does not know of: how far it reaches is all that can be said."""
    whole = claim.byte_range is not None and claim.byte_range[2] + claim.byte_range[3] == len(pdf)
    return Examined(
        field=None,
        claim=claim,
        holder=holder_of(claim.certificate) if claim.certificate else None,
        time=None,
        reason=None,
        is_time_stamp=False,
        baggage_sound=claim.container is None or is_sound(claim.container, judge.roots),
        stamped_at=judge.stamped(claim),
        trust_problem=judge.trust(claim),
        coverage="entire_file" if whole else "unclear",
        modification="unknown",
        permits=None,
        canonical=None,
    )


def _changes(embedded: Any, claim: Claim, pdf: bytes) -> tuple[Coverage, Modification]:
    """What came after the signature. Not asked when the signature itself does not hold."""
    try:
        level = embedded.evaluate_signature_coverage()
        embedded.coverage = level
        coverage = COVERAGE[level]
        if not claim.holds:
            return coverage, "unknown"
        if coverage == "entire_revision" and _trails(embedded, pdf):
            return coverage, "other"
        result = embedded.evaluate_modifications(CHANGES)
    except Exception:  # an update that the library cannot follow is one that nobody can explain
        return "unclear", "unknown"
    if isinstance(result, DiffResult):
        return coverage, MODIFICATION[result.modification_level]
    return coverage, "other"


def _trails(embedded: Any, pdf: bytes) -> bool:
    """Whether bytes follow that belong to no revision: a further revision ends with its own %%EOF."""
    if embedded.signed_revision == embedded.reader.xrefs.total_revisions - 1:
        return True
    end = pdf.rfind(b"%%EOF") + len(b"%%EOF")
    return bool(pdf[end:].strip(b"\r\n"))


def _permits(embedded: Any) -> int | None:
    try:
        level = embedded.docmdp_level
    except Exception:  # an entry that cannot be read permits nothing beyond the default
        return None
    return level.value if level is not None else None


def _moment(embedded: Any, claim: Claim) -> datetime | None:
    """What the signer says of the time: in what was signed, else in the dictionary."""
    try:
        signer = asn1.ContentInfo.load(claim.container)["content"]["signer_infos"][0]
        said = [a["values"][0].native for a in signer["signed_attrs"] if a["type"].native == "signing_time"]
        moment = said[0] if said else generic.parse_pdf_date(embedded.sig_object["/M"], strict=False)
    except Exception:  # a date nobody can read is no date
        return None
    return moment if isinstance(moment, datetime) and moment.tzinfo is not None else None


@dataclass(frozen=True)
class _Judge:
    """Judges certificates at `at`, or at the earliest moment at which the signature is proved to have existed when the
    certificate has ended or was revoked since."""

    roots: Trust
    at: datetime
    proofs: tuple[tuple[int, datetime], ...]

    def stamped(self, claim: Claim) -> datetime | None:
        if claim.container is None or not claim.holds:
            return None
        end = claim.byte_range[2] + claim.byte_range[3] if claim.byte_range else None
        around = [time for reach, time in self.proofs if end is not None and reach > end]
        own = stamped_at(claim.container, self.roots, at=self.at)
        return min([*around, *([own] if own else [])], default=None)

    def trust(self, claim: Claim) -> TrustProblem | None:
        if claim.certificate is None:
            return "unreadable"
        others = _certificates(claim)
        problem = judge_trust(claim.certificate, others, self.roots, at=self.at)
        if problem in ("expired", "revoked") and (proved := self.stamped(claim)) is not None:
            return judge_trust(claim.certificate, others, self.roots, at=proved)
        return problem


def _certificates(claim: Claim) -> tuple[bytes, ...]:
    try:
        bag = asn1.ContentInfo.load(claim.container)["content"]["certificates"]
        return tuple(choice.chosen.dump() for choice in bag if choice.name == "certificate")
    except Exception:  # nothing readable came along
        return ()


def _canonical(claim: Claim) -> bool:
    try:
        return claim.container is not None and cms.is_canonical(claim.container)
    except Exception:  # what cannot be assembled again was not assembled by us
        return False


def _seal(embedded: Any) -> bytes | None:
    """The electronic seal's bytes; empty when the entry is no stream, which no checker takes for a seal."""
    try:
        pieces = embedded.sig_field["/AP"]["/N"]["/PieceInfo"]
        if SEAL_KEY not in pieces:
            return None
    except Exception:  # no appearance, or none with anything of a program
        return None
    try:
        return bytes(pieces[SEAL_KEY]["/Private"].data)
    except Exception:  # whatever stands there is no seal; the checker will say so
        return b""


def _text(value: Any) -> str | None:
    return str(value)[:500] if isinstance(value, str) else None


# --- the picture shown ---


def picture_digest(width: int, height: int, rgb: bytes, alpha: bytes) -> str:
    """Names a picture by its pixels: fully transparent ones count by their transparency alone."""
    size = (width, height)
    opacity = Image.frombytes("L", size, alpha)
    shown = Image.composite(
        Image.frombytes("RGB", size, rgb), Image.new("RGB", size), opacity.point(lambda a: 255 if a else 0)
    )
    return sha256(f"{width}x{height}:".encode() + shown.tobytes() + alpha).hexdigest()


def png_digest(png: bytes) -> str | None:
    """`picture_digest` of a PNG; None when it is none, or too large to be a seal's."""
    try:
        with Image.open(BytesIO(png), formats=["PNG"]) as image:
            if image.width * image.height > PIXEL_LIMIT:
                return None
            rgba = image.convert("RGBA")
    except (OSError, ValueError, SyntaxError):
        return None
    return picture_digest(*rgba.size, rgba.convert("RGB").tobytes(), rgba.getchannel("A").tobytes())


def _stamp(embedded: Any) -> str | None:
    """The digest of the seal's picture in the field's appearance, or None when it shows none of ours."""
    try:
        appearance: Any = embedded.sig_field["/AP"]["/N"]
        image: Any = appearance["/Resources"]["/XObject"]["/Seal"]
        mask: Any = image["/SMask"]
        width, height = int(image["/Width"]), int(image["/Height"])
        rgb, alpha = image.data, mask.data
        if len(rgb) != 3 * width * height or len(alpha) != width * height:
            return None
        return picture_digest(width, height, rgb, alpha)
    except Exception:  # no picture, or none drawn as we draw it
        return None
