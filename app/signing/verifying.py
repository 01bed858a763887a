"""One verdict on a file, from the press, the electronic seals, and the register of withdrawals.

Needs no database and no Flask by itself: the command line, the public page and the commands all come here.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from app.crypto.certificates import Trust as SealTrust
from app.crypto.seal_data import KIND_TYPES
from app.crypto.seal_verdict import SealVerdict, verify_seal
from app.pdf import verifying
from app.pdf.confined import confined
from app.pdf.examining import examine, png_digest
from app.pdf.faults import Unanswered
from app.pdf.verifying import Report, SealCheck, SealChecker, Withdrawal
from app.signing.register import RegisterUnavailable
from app.signing.trust import Believed

Register = Callable[[list[str]], Mapping[str, Withdrawal]]
"""Asked with signature ids, answers with those withdrawn. Raises RegisterUnavailable."""

FORGED = frozenset(
    {
        "unreadable",
        "maker_signature_bad",
        "order_missing",
        "order_malformed",
        "order_signature_bad",
        "order_mismatch",
    }
)
"""Findings that make a seal false; the others leave it undecided."""


def verify(pdf: bytes, believed: Believed, *, at: datetime, register: Register | None = None) -> Report:
    """The report on one file. Never raises for anything a file may hold; bounded in time and memory."""
    try:
        examination = confined(examine, pdf, believed.press, at=at)
    except Unanswered:
        return verifying.unanswered(pdf, at=at)
    withdrawn: Mapping[str, Withdrawal] = {}
    unavailable: str | None = None
    ids = [one.claim.id for one in examination.signatures if one.claim.id]
    if register is not None and ids:
        try:
            withdrawn = register(ids)
        except RegisterUnavailable as error:
            withdrawn, unavailable = error.known, error.problem
    report = verifying.conclude(
        pdf,
        examination,
        believed.press,
        at=at,
        check_seal=seal_checker(believed.seals),
        withdrawals=withdrawn,
    )
    return verifying.with_problem(report, unavailable) if unavailable else report


def seal_checker(trust: SealTrust) -> SealChecker:
    """Judges the electronic seals that travel with signatures, under these roots."""

    def check(der: bytes, certificate: bytes, at: datetime) -> SealCheck:
        return _as_check(verify_seal(der, trust, at=at, signer_certificate=certificate))

    return check


def _as_check(verdict: SealVerdict) -> SealCheck:
    codes = [finding.code for finding in verdict.problems]
    others = [c for c in codes if c not in FORGED | {"signer_not_listed", "outside_validity"}]
    info = verdict.seal.info if verdict.seal else None
    kinds = {number: kind for kind, number in KIND_TYPES.items()}
    return SealCheck(
        es_id=info.es_id if info else None,
        name=info.name if info else None,
        kind=kinds.get(info.type) if info else None,
        maker=verdict.maker.subject if verdict.maker else None,
        valid_from=info.valid_from if info else None,
        valid_until=info.valid_until if info else None,
        picture=png_digest(info.picture.data) if info else None,
        png=info.picture.data if info else None,
        forged=", ".join(code for code in codes if code in FORGED),
        undecided=", ".join(others),
        outside_validity="outside_validity" in codes,
        listed="signer_not_listed" not in codes,
    )
