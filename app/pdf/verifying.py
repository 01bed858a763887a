"""Is this file genuine? From what was examined to one verdict and a report. Pure. Its JSON: docs/verify.md.

`examine` reads the file (best in `confined`); `conclude` weighs it together with what only others know:
whether the electronic seals hold, and which signatures have been withdrawn.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from app.pdf.claims import UNDECIDED
from app.pdf.examining import Examination, Examined
from app.pdf.faults import ENCRYPTED
from app.pdf.problems import Problem, problem
from app.pdf.trusting import Trust

Verdict = Literal["genuine", "altered", "indeterminate", "unsigned", "unreadable", "withdrawn"]
EXIT_CODES: dict[Verdict, int] = {
    "genuine": 0,
    "altered": 1,
    "indeterminate": 2,
    "unsigned": 3,
    "unreadable": 4,
    "withdrawn": 5,
}

FORM_FILLING_PERMITTED = 2
"""ISO 32000-1 Table 254: the DocMDP level from which filling in forms is permitted."""


@dataclass(frozen=True, kw_only=True)
class SealCheck:
    """What is known of an electronic seal. `forged`, `undecided`, `outside_validity`: reasons, empty when
    none. `listed`: the signer's certificate is one of the seal's. `picture`: digest of its picture's pixels
    (`examining.png_digest`)."""

    es_id: str | None
    name: str | None
    kind: str | None
    maker: str | None
    valid_from: datetime | None
    valid_until: datetime | None
    picture: str | None
    forged: str = ""
    undecided: str = ""
    outside_validity: bool = False
    listed: bool = True
    png: bytes | None = field(default=None, repr=False)

    @property
    def holds(self) -> bool | None:
        """True, False, or None for undecided."""
        if self.forged or not self.listed:
            return False
        return None if self.undecided or self.outside_validity else True


SealChecker = Callable[[bytes, bytes, datetime], SealCheck]
"""`(seal DER, signer's certificate DER, moment) → SealCheck`; never raises."""


@dataclass(frozen=True, kw_only=True)
class Withdrawal:
    """撤章, from the register. `at`: since when."""

    at: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class SignatureReport:
    examined: Examined
    seal: SealCheck | None
    seal_picture_shown: bool | None
    withdrawal: Withdrawal | None

    @property
    def trusted(self) -> bool:
        return self.examined.trust_problem is None


@dataclass(frozen=True, kw_only=True)
class Report:
    """`aspects`: 来源 source, 内容 content, 印章 seal, each True, False, or None for undecided or absent."""

    verdict: Verdict
    is_pdf: bool
    signatures: tuple[SignatureReport, ...]
    problems: tuple[Problem, ...]
    at: datetime
    sha256: str

    @property
    def aspects(self) -> dict[str, bool | None]:
        if not self.signatures:
            return {"source": None, "content": None, "seal": None}
        codes = {p.code for p in self.problems}
        seals = [s.seal.holds for s in self.signatures if s.seal is not None]
        broken = any(p.weight == "altered" and not p.code.startswith("seal_") for p in self.problems)
        return {
            "source": all(s.trusted for s in self.signatures) or None,
            "content": False if broken else None if codes & _CONTENT_UNDECIDED else True,
            "seal": _all(seals) if "seal_picture_differs" not in codes else False,
        }


_CONTENT_UNDECIDED = {"unsupported", "structure_unreadable", "too_many_signatures", "unanswered"}


def conclude(
    pdf: bytes,
    examination: Examination,
    trust: Trust,
    *,
    at: datetime,
    check_seal: SealChecker | None = None,
    withdrawals: Mapping[str, Withdrawal] | None = None,
) -> Report:
    """The report. `withdrawals`: by signature id; None when the register was there but could not be asked is
    told by `register_unavailable` (the caller's problem to add with `with_problem`)."""
    reports = tuple(_report(e, at, check_seal, withdrawals or {}) for e in examination.signatures)
    problems = [p for index in range(len(reports)) for p in _problems_of(reports, index, examination, trust)]
    if examination.too_many:
        problems.append(problem("too_many_signatures"))
    if reports and (examination.fault or examination.unread_fields) and not examination.confirmed:
        problems.append(problem("structure_unreadable", detail=examination.fault or "a signature field"))
    verdict = _verdict(examination, reports, problems)
    if verdict == "unreadable":
        problems.append(problem(_why_unreadable(pdf, examination), detail=examination.fault or ""))
    return Report(
        verdict=verdict,
        is_pdf=examination.is_pdf,
        signatures=reports,
        problems=tuple(problems),
        at=at,
        sha256=sha256(pdf).hexdigest(),
    )


def with_problem(report: Report, code: str) -> Report:
    """The same report with one more problem, and the verdict that follows."""
    added = problem(code)
    verdict = report.verdict
    if verdict == "genuine" or (added.weight == "altered" and verdict in ("genuine", "indeterminate")):
        verdict = added.weight
    return Report(
        verdict=verdict,
        is_pdf=report.is_pdf,
        signatures=report.signatures,
        problems=(*report.problems, added),
        at=report.at,
        sha256=report.sha256,
    )


def unanswered(pdf: bytes, *, at: datetime) -> Report:
    """When reading took more time or memory than it may: nothing is known, and that is said."""
    claimed = b"/ByteRange" in pdf
    return Report(
        verdict="indeterminate" if claimed else "unreadable",
        is_pdf=pdf[:5] == b"%PDF-",
        signatures=(),
        problems=(problem("unanswered"),),
        at=at,
        sha256=sha256(pdf).hexdigest(),
    )


# --- one signature ---


def _report(
    examined: Examined,
    at: datetime,
    check_seal: SealChecker | None,
    withdrawals: Mapping[str, Withdrawal],
) -> SignatureReport:
    seal = shown = None
    if examined.seal is not None and check_seal is not None:
        seal = check_seal(examined.seal, examined.claim.certificate or b"", examined.time or at)
        if seal.picture is not None and examined.claim.holds:
            shown = seal.picture == examined.stamp
    return SignatureReport(
        examined=examined,
        seal=seal,
        seal_picture_shown=shown,
        withdrawal=withdrawals.get(examined.claim.id or ""),
    )


def _problems_of(
    reports: tuple[SignatureReport, ...], index: int, examination: Examination, trust: Trust
) -> list[Problem]:
    report = reports[index]
    one = report.examined
    found = [_integrity(one), _trust(one, trust)]
    if one.claim.holds:
        found.append(_additions(reports, index, examination))
    if one.canonical is False or not one.baggage_sound:
        found.append("container_rewritten")
    found += _seal(report)
    detail = one.claim.detail
    return [problem(code, field=one.field, detail=detail) for code in found if code is not None]


def _integrity(one: Examined) -> str | None:
    fault = one.claim.fault
    if fault is not None:
        return "unsupported" if fault in UNDECIDED else "signature_damaged"
    if not one.claim.intact:
        return "content_altered"
    return None if one.claim.valid else "signature_invalid"


def _trust(one: Examined, trust: Trust) -> str | None:
    if one.trust_problem is None or one.claim.certificate is None:
        return None
    if not trust.roots:
        return "no_roots"
    return "certificate_unreadable" if one.trust_problem == "unreadable" else one.trust_problem


def _additions(reports: tuple[SignatureReport, ...], index: int, examination: Examination) -> str | None:
    """What came after this signature, and whether it may. Filling in forms needs a permission of its own, or
    a later seal that covers it: then that seal's owner answers for it."""
    one = reports[index].examined
    if one.field is None:
        if not examination.fault and not examination.unread_fields:
            return "signature_hidden"
        # nobody can read what follows; it is explained only when some signature covers all of the file
        explained = any(r.examined.claim.holds and r.examined.coverage == "entire_file" for r in reports)
    elif one.coverage not in ("entire_file", "entire_revision"):
        explained = False
    elif one.modification == "form_filling":
        explained = _may_fill(one, [r.examined for r in reports[index + 1 :]])
    else:
        explained = one.modification in ("none", "lta_updates")
    return None if explained else "added_after"


def _may_fill(one: Examined, others: list[Examined]) -> bool:
    if one.permits is not None:
        return one.permits >= FORM_FILLING_PERMITTED
    later = [s for s in others if s.field and not s.is_time_stamp]
    return any(s.claim.holds and s.modification in ("none", "lta_updates") for s in later)


def _seal(report: SignatureReport) -> list[str | None]:
    seal = report.seal
    if seal is None:
        return []
    return [
        "seal_forged" if seal.forged else None,
        None if seal.listed else "seal_not_signers",
        "seal_picture_differs" if report.seal_picture_shown is False else None,
        "seal_undecided" if seal.undecided else None,
        "seal_outside_validity" if seal.outside_validity else None,
    ]


# --- the whole ---


def _verdict(
    examination: Examination, reports: tuple[SignatureReport, ...], problems: list[Problem]
) -> Verdict:
    if not reports:
        if examination.too_many:
            return "indeterminate"
        return "unsigned" if examination.is_pdf and not examination.fault else "unreadable"
    weights = {p.weight for p in problems}
    if "altered" in weights:
        return "altered"
    if any(r.withdrawal for r in reports):
        return "withdrawn"
    return "indeterminate" if weights else "genuine"


def _why_unreadable(pdf: bytes, examination: Examination) -> str:
    if not pdf:
        return "empty_file"
    if examination.fault == ENCRYPTED:
        return "encrypted"
    return "pdf_broken" if examination.is_pdf else "not_a_pdf"


def _all(answers: list[bool | None]) -> bool | None:
    if not answers or None in answers:
        return False if False in answers else None
    return all(answers)


# --- its JSON ---


def as_json(report: Report) -> dict[str, Any]:
    """The report as docs/verify.md fixes it."""
    return {
        "schema": "yinxu-verify/1",
        "format": "pdf" if report.is_pdf else "unknown",
        "verdict": report.verdict,
        "aspects": report.aspects,
        "at": report.at.isoformat(),
        "sha256": report.sha256,
        "signatures": [_signature_json(s) for s in report.signatures],
        "problems": [
            {"code": p.code, "field": p.field, "zh": p.text.zh, "en": p.text.en} for p in report.problems
        ],
    }


def _signature_json(report: SignatureReport) -> dict[str, Any]:
    one = report.examined
    holder, certificate = one.holder, one.claim.certificate
    return {
        "field": one.field,
        "signer": holder.name if holder else None,
        "time": one.time.isoformat() if one.time else None,
        "stamped_at": one.stamped_at.isoformat() if one.stamped_at else None,
        "intact": one.claim.fault is None and one.claim.intact,
        "valid": one.claim.fault is None and one.claim.valid,
        "trusted": report.trusted,
        "coverage": one.coverage,
        "modification": one.modification,
        "seal": _seal_json(report.seal, report.seal_picture_shown),
        "id": one.claim.id,
        "reason": one.reason,
        "certificate": None
        if holder is None or certificate is None
        else {
            "subject": holder.subject,
            "issuer": holder.issuer,
            "serial": holder.serial,
            "sha256": sha256(certificate).hexdigest(),
        },
        "withdrawn": None
        if report.withdrawal is None
        else {"at": report.withdrawal.at.isoformat(), "reason": report.withdrawal.reason},
    }


def _seal_json(seal: SealCheck | None, shown: bool | None) -> dict[str, Any] | None:
    if seal is None:
        return None
    return {
        "es_id": seal.es_id,
        "name": seal.name,
        "kind": seal.kind,
        "maker": seal.maker,
        "valid_from": seal.valid_from.isoformat() if seal.valid_from else None,
        "valid_until": seal.valid_until.isoformat() if seal.valid_until else None,
        "holds": seal.holds,
        "picture_shown": shown,
    }
