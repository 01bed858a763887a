"""Is this certificate good: its chain, its dates, its use, and is it revoked? (A11)

Path building is `cryptography`'s; the profile (which key usage a role needs) and the look into the revocation
lists are ours. Roots are the `*.pem` of the trust folder, lists the files of its `crls/`, further issuing
certificates those of its `intermediates/`, answers of OCSP responders those of its `ocsp/` (`revocation.py`).
"""

import functools
import itertools
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification
from cryptography.x509.oid import NameOID

from app.crypto import revocation
from app.refusal import Conflict
from app.text import Text
from card_agent.protocol import names

E = TypeVar("E", bound=x509.ExtensionType)
Usage = Literal["maker", "seal", "order", "any"]

UNREADABLE = (ValueError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension)
"""What `cryptography` raises for bytes that are no certificate it can use."""

MAKER_EKU = x509.ObjectIdentifier(names.MAKER_EKU)
"""Marks a seal maker's certificate (制章者)."""
ORDER_EKU = x509.ObjectIdentifier(names.ORDER_EKU)
"""Marks the certificate of a server that orders productions."""


@dataclass(frozen=True)
class Trust:
    """What is believed: roots, further issuing certificates, revocation lists. `crl_required`: whether a
    certificate is refused of which no fresh list or answer speaks (fail closed). `answers`: the folder of what OCSP
    responders said."""

    roots: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...] = ()
    crls: tuple[x509.CertificateRevocationList, ...] = ()
    crl_required: bool = True
    answers: Path | None = None


@dataclass(frozen=True, kw_only=True)
class CertificateVerdict:
    """`problem`: None when good, else a code: unreadable, untrusted, not_yet_valid, expired, revoked,
    revocation_unknown, wrong_usage. `text` says it to people, with the remedy."""

    problem: str | None
    text: Text
    subject: str = ""
    issuer: str = ""
    fingerprint: str = ""
    serial: str = ""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    chain: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def good(self) -> bool:
        return self.problem is None


class CertificateRefused(Conflict):
    """This certificate cannot be used; the verdict says why."""

    def __init__(self, verdict: CertificateVerdict) -> None:
        super().__init__(
            f"certificate.{verdict.problem}",
            zh=verdict.text.zh,
            en=verdict.text.en,
            subject=verdict.subject,
            fingerprint=verdict.fingerprint,
        )
        self.verdict = verdict


PROBLEMS: dict[str, Text] = {
    "unreadable": Text(
        "证书无法读取，请换卡或重新写入证书", "The certificate cannot be read; use another card"
    ),
    "untrusted": Text(
        "证书不是由受信任的机构颁发，请换用受信任 CA 颁发的证书",
        "The certificate comes from no trusted authority; use one from a trusted CA",
    ),
    "not_yet_valid": Text(
        "证书尚未生效，请检查本机时间或等证书生效后再办理",
        "The certificate is not valid yet; check the clock, or wait until it is",
    ),
    "expired": Text(
        "证书已过期，请向 CA 更新证书后再办理", "The certificate has expired; have the CA renew it first"
    ),
    "revoked": Text(
        "证书已被吊销，请停止使用此卡并联系印章管理部门",
        "The certificate has been revoked; stop using this card and tell the seal office",
    ),
    "revocation_unknown": Text(
        "没有该颁发机构的最新吊销列表，无法确认证书是否已吊销，请管理员更新吊销列表",
        "There is no fresh revocation list of its issuer, so nobody can tell whether it is revoked; "
        "have the administrator update the lists",
    ),
    "wrong_usage": Text(
        "证书用途不符，请换用为此用途颁发的卡",
        "The certificate was not issued for this use; take a card issued for it",
    ),
}


def check_certificate(
    certificate: bytes, trust: Trust, *, at: datetime, usage: Usage = "any"
) -> CertificateVerdict:
    """The verdict when good; refuses with CertificateRefused otherwise. `certificate`: DER. Source: A11."""
    verdict = judge_certificate(certificate, trust, at=at, usage=usage)
    if not verdict.good:
        raise CertificateRefused(verdict)
    return verdict


def judge_certificate(
    certificate: bytes, trust: Trust, *, at: datetime, usage: Usage = "any"
) -> CertificateVerdict:
    """Judge without refusing: for verdicts on seals and documents. Order: readable, dates, use, chain,
    revocation; the first fault found is the one told."""
    try:
        found = x509.load_der_x509_certificate(certificate)
        found.public_key()
        subject, issuer = found.subject.rfc4514_string(), found.issuer.rfc4514_string()
    except UNREADABLE:
        return CertificateVerdict(problem="unreadable", text=PROBLEMS["unreadable"])
    problem, chain = _problem(found, trust, at, usage)
    return CertificateVerdict(
        problem=problem,
        text=PROBLEMS[problem] if problem else Text("证书有效", "The certificate is good"),
        subject=subject,
        issuer=issuer,
        fingerprint=fingerprint(certificate),
        serial=f"{found.serial_number:x}",
        valid_from=found.not_valid_before_utc,
        valid_until=found.not_valid_after_utc,
        chain=tuple(c.public_bytes(Encoding.DER) for c in chain),
    )


def _problem(
    certificate: x509.Certificate, trust: Trust, at: datetime, usage: Usage
) -> tuple[str | None, Sequence[x509.Certificate]]:
    if at < certificate.not_valid_before_utc:
        return "not_yet_valid", ()
    if at > certificate.not_valid_after_utc:
        return "expired", ()
    if not _fit_for(certificate, usage):
        return "wrong_usage", ()
    chain = _chain(certificate, trust, at)
    if not chain:
        return "untrusted", ()
    return _revocation(chain, trust, at), chain


def _fit_for(certificate: x509.Certificate, usage: Usage) -> bool:
    """A leaf that may sign, and carries the marker its role needs. No CA certificate fits any role."""
    try:
        extensions = certificate.extensions
    except UNREADABLE:
        return False
    constraints = _extension(extensions, x509.BasicConstraints)
    key_usage = _extension(extensions, x509.KeyUsage)
    purposes = _extension(extensions, x509.ExtendedKeyUsage) or ()
    if constraints and constraints.ca:
        return False
    if usage == "any":
        return True
    if key_usage is None or not key_usage.digital_signature:
        return False
    if usage == "seal":
        # a maker's or a server's key must never pass for a seal's
        return MAKER_EKU not in purposes and ORDER_EKU not in purposes
    return (MAKER_EKU if usage == "maker" else ORDER_EKU) in purposes


def _extension(extensions: x509.Extensions, kind: type[E]) -> E | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _chain(certificate: x509.Certificate, trust: Trust, at: datetime) -> Sequence[x509.Certificate]:
    """From the leaf to a root, both included; empty when there is no path."""
    if not trust.roots:
        return ()
    # the web's profile for leaves (a DNS name, a TLS purpose) is not ours; issuers keep its strict one
    policy = (
        verification.PolicyBuilder()
        .store(verification.Store(list(trust.roots)))
        .time(at)
        .extension_policies(ca_policy=_issuer_policy(), ee_policy=verification.ExtensionPolicy.permit_all())
    )
    try:
        return policy.build_client_verifier().verify(certificate, list(trust.intermediates)).chain
    except verification.VerificationError:
        return ()


def _issuer_policy() -> verification.ExtensionPolicy:
    """An issuer must say that it is a CA; the rest of the web's profile is left out."""
    return verification.ExtensionPolicy.permit_all().require_present(
        x509.BasicConstraints,
        verification.Criticality.AGNOSTIC,
        lambda _policy, _certificate, constraints: _must_be_ca(constraints),
    )


def _must_be_ca(constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        raise ValueError("an issuer must be a CA")


def _revocation(chain: Sequence[x509.Certificate], trust: Trust, at: datetime) -> str | None:
    """A list or an answer that names it revokes it, however old; one that is fresh clears it."""
    for certificate, issuer in itertools.pairwise(chain):
        lists = [c for c in trust.crls if revocation.is_list_of(c, issuer)]
        answer = _answer(certificate, issuer, trust)
        if any(revocation.revokes(c, certificate, at) for c in lists):
            return "revoked"
        if answer and answer.revoked_at is not None and answer.revoked_at <= at:
            return "revoked"
        cleared = any(revocation.clears(c, certificate, at) for c in lists) or (
            answer and answer.is_fresh(at)
        )
        if trust.crl_required and not cleared:
            return "revocation_unknown"
    return None


def _answer(
    certificate: x509.Certificate, issuer: x509.Certificate, trust: Trust
) -> revocation.Answer | None:
    """What a responder said of it last, if it was kept (`app/cards/believing.py`)."""
    if trust.answers is None:
        return None
    kept = trust.answers / answer_file(certificate)
    try:
        return revocation.accept_answer(kept.read_bytes(), certificate, issuer)
    except (FileNotFoundError, revocation.NotAccepted):
        return None


def answer_file(certificate: x509.Certificate) -> str:
    """The name of the file that holds the last answer about it."""
    return fingerprint(certificate.public_bytes(Encoding.DER)) + ".der"


# --- reading the trust folder ---


def trust_from(folder: Path, *, crl_required: bool = True) -> Trust:
    """What the folder says now: replacing a revocation list needs no restart. A folder that nobody has touched is not
    read again; one that was touched a moment ago is, as two changes may bear one time.

    Raises OSError or ValueError for a file that cannot be read: trust is never guessed.
    """
    files = tuple(
        tuple((str(path), *_stamp(path)) for path in sorted(place.glob(pattern)) if _is_whole(path))
        for place, pattern in ((folder, "*.pem"), (folder / "intermediates", "*.pem"), (folder / "crls", "*"))
    )
    touched = max((stamp for kind in files for _, *stamps in kind for stamp in stamps[:2]), default=0)
    read = _trust_in if abs(time.time_ns() - touched) > SETTLED_NS else _trust_in.__wrapped__
    return read(files, crl_required, folder / "ocsp")


SETTLED_NS = 2_000_000_000
_Seen = tuple[str, int, int, int, int]
"""A file's path, when it was written, when it was changed in any way (ns), its size and its inode."""


def _is_whole(path: Path) -> bool:
    """A file, and not one that is being written (it gets its own name when it is whole)."""
    return path.is_file() and path.suffix != ".new"


def _stamp(path: Path) -> tuple[int, int, int, int]:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino


@functools.lru_cache(maxsize=4)
def _trust_in(files: tuple[tuple[_Seen, ...], ...], crl_required: bool, answers: Path) -> Trust:
    roots, intermediates, crls = ([Path(seen[0]) for seen in kind] for kind in files)
    return Trust(
        roots=tuple(_certificates(roots)),
        intermediates=tuple(_certificates(intermediates)),
        crls=tuple(revocation.read_list(path.read_bytes()) for path in crls),
        crl_required=crl_required,
        answers=answers,
    )


def trust_of(
    roots: Iterable[bytes],
    intermediates: Iterable[bytes] = (),
    crls: Iterable[bytes] = (),
    answers: Path | None = None,
) -> Trust:
    """The same from DER in hand; certificates whose issuer has no fresh list are not refused for that."""
    return Trust(
        roots=tuple(x509.load_der_x509_certificate(der) for der in roots),
        intermediates=tuple(x509.load_der_x509_certificate(der) for der in intermediates),
        crls=tuple(x509.load_der_x509_crl(der) for der in crls),
        answers=answers,
    )


def _certificates(paths: Iterable[Path]) -> Iterable[x509.Certificate]:
    for path in paths:
        yield from x509.load_pem_x509_certificates(path.read_bytes())


def as_der(data: bytes) -> bytes:
    """A certificate file, PEM or DER, as DER; what is neither comes back as it is and will be refused."""
    if not data.lstrip().startswith(b"-----BEGIN"):
        return data
    try:
        return x509.load_pem_x509_certificate(data).public_bytes(Encoding.DER)
    except UNREADABLE:
        return data


def root_certificates(trust: Trust) -> tuple[bytes, ...]:
    """The roots, DER: what a station pins when it enrols."""
    return tuple(c.public_bytes(Encoding.DER) for c in trust.roots)


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of the DER, hex."""
    return sha256(certificate).hexdigest()


def common_name(certificate: bytes) -> str:
    """The subject's CN, or its whole name; a dash when unreadable."""
    try:
        subject = x509.load_der_x509_certificate(certificate).subject
    except UNREADABLE:
        return "—"
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else subject.rfc4514_string()
