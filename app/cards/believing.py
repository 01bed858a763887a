"""Keeping what is believed up to date: authorities brought in by hand, their lists and answers fetched (A11).

Judging never waits for the outside world: it reads the trust folder. This module is what writes there: an authority once
it stands in the log, a list (CRL) or an answer (OCSP) once `app/crypto/revocation.py` has accepted it. What cannot be
fetched or is not accepted leaves the old one in its place, which runs out: then certificates are refused, with the reason.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa
import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from app import outward
from app.cards import queries
from app.cards.models import Card
from app.crypto import revocation
from app.crypto.certificates import Trust, answer_file, fingerprint
from app.crypto.revocation import NotAccepted
from app.db import db
from app.refusal import Invalid
from app.settings import current_settings

LARGEST_LIST, LARGEST_ANSWER = 32 * 1024 * 1024, 64 * 1024
"""Bytes."""
SECONDS_A_FETCH = 10.0
log = structlog.get_logger()


# --- authorities ---


@dataclass(frozen=True)
class Authority:
    """A certificate of an authority that is to be believed. `is_root`: it vouches for itself."""

    certificate: x509.Certificate

    @property
    def is_root(self) -> bool:
        return self.certificate.issuer == self.certificate.subject

    @property
    def subject(self) -> str:
        return self.certificate.subject.rfc4514_string()

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.certificate.public_bytes(Encoding.DER))

    @property
    def place(self) -> str:
        """Its file, below the trust folder."""
        name = f"{self.fingerprint[:32]}.pem"
        return name if self.is_root else f"intermediates/{name}"


def read_authorities(data: bytes, *, at: datetime) -> list[Authority]:
    """The authorities in a file: PEM, DER, or a PKCS#7 bundle (.p7b). Refuses `Invalid` for what is none, or is one no
    more."""
    found = _certificates(data)
    if not found:
        raise Invalid(
            "trust.unreadable",
            zh="文件中没有证书；请提供 PEM、DER 或 PKCS#7（.p7b）格式的 CA 证书",
            en="There is no certificate in the file; give a CA certificate as PEM, DER or PKCS#7 (.p7b)",
        )
    for certificate in found:
        if not _may_issue(certificate) or at > certificate.not_valid_after_utc:
            name = certificate.subject.rfc4514_string()
            raise Invalid(
                "trust.no_authority",
                zh=f"{name} 不是有效的 CA 证书（须为 CA、可签发证书且未过期）",
                en=f"{name} is no CA certificate that holds (it must be a CA's, allow issuing, and not be expired)",
            )
    return [Authority(c) for c in found]


def _certificates(data: bytes) -> list[x509.Certificate]:
    for load in READERS:
        try:
            return load(data)
        except Exception:  # noqa: S112  (each reader complains of the others' formats in its own way)
            continue
    return []


def _one(data: bytes) -> list[x509.Certificate]:
    return [x509.load_der_x509_certificate(data)]


READERS: tuple[Callable[[bytes], list[x509.Certificate]], ...] = (
    x509.load_pem_x509_certificates,
    _one,
    pkcs7.load_pem_pkcs7_certificates,
    pkcs7.load_der_pkcs7_certificates,
)


def _may_issue(certificate: x509.Certificate) -> bool:
    try:
        extensions = certificate.extensions
        if not extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        return extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except (ValueError, x509.ExtensionNotFound):
        return False


def check_issued(authorities: Iterable[Authority], trust: Trust) -> None:
    """Each that is no root is issued by one that is believed, or comes with it. Refuses `Invalid`."""
    coming = list(authorities)
    known = [*trust.roots, *trust.intermediates, *(a.certificate for a in coming)]
    for one in coming:
        if issuer_of(one.certificate, known) is None:
            raise Invalid(
                "trust.no_issuer",
                zh=f"{one.subject} 的上级 CA 未受信任；请先导入其根证书",
                en=f"The authority above {one.subject} is not believed here; import its root first",
            )


def lay_down(authority: Authority, folder: Path) -> None:
    """Believe it from now on."""
    _write(folder / authority.place, authority.certificate.public_bytes(Encoding.PEM))


def issuer_of(certificate: x509.Certificate, known: Iterable[x509.Certificate]) -> x509.Certificate | None:
    """Which of these has signed it."""
    for issuer in known:
        if issuer.subject == certificate.issuer:
            try:
                certificate.verify_directly_issued_by(issuer)
            except Exception:  # noqa: S112  (a key of another kind raises anything)
                continue
            return issuer
    return None


# --- lists and answers ---


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What came of asking one address. `why`: empty when it was accepted. `good_until`: of what is kept now."""

    url: str
    kind: str
    about: str
    why: str
    good_until: datetime | None = None


@dataclass
class Keeper:
    """Asks what is due. `tried`: when an address was asked last (monotonic seconds), kept from one time to the next."""

    folder: Path
    every_s: float
    private_allowed: bool
    tried: dict[str, float] = field(default_factory=dict[str, float])
    look_up: outward.Resolve | None = None

    def refresh(
        self,
        trust: Trust,
        leaves: list[x509.Certificate],
        *,
        at: datetime,
        seconds: float,
        all_of_it: bool = False,
    ) -> list[Fetched]:
        """Whatever is due, or all of it, until so many seconds are over; the rest is due the next time."""
        known = [*trust.roots, *trust.intermediates]
        end, done = time.monotonic() + seconds, list[Fetched]()
        for ask in self._questions(leaves, trust, known, at):
            if time.monotonic() > end:
                break
            if all_of_it or self._is_due(ask, at):
                done.append(self._fetch(ask, at))
        return done

    def _questions(
        self, leaves: list[x509.Certificate], trust: Trust, known: list[x509.Certificate], at: datetime
    ) -> "Iterator[_Question]":
        seen = set[str]()
        for certificate in [*trust.intermediates, *leaves]:
            named = revocation.places(certificate)
            if not (named.lists or named.answers) or at > certificate.not_valid_after_utc:
                continue
            issuer = issuer_of(certificate, known)
            if issuer is None:
                continue
            for url in named.lists:
                if url not in seen:
                    seen.add(url)
                    place = self.folder / "crls" / f"fetched-{sha256(url.encode()).hexdigest()[:32]}.crl"
                    yield _ListQuestion(url, place, issuer.subject.rfc4514_string(), certificate, issuer)
            for url in named.answers[:1]:
                place = self.folder / "ocsp" / answer_file(certificate)
                yield _AnswerQuestion(url, place, certificate.subject.rfc4514_string(), certificate, issuer)

    def _is_due(self, ask: "_Question", at: datetime) -> bool:
        """Long enough since it was asked, here or by another process; after a failure sooner, but not at once."""
        tried = self.tried.get(ask.key)
        if tried is not None and time.monotonic() - tried < min(self.every_s, 300.0):
            return False
        try:
            return at.timestamp() - ask.place.stat().st_mtime >= self.every_s
        except FileNotFoundError:
            return True

    def _fetch(self, ask: "_Question", at: datetime) -> Fetched:
        self.tried[ask.key] = time.monotonic()
        try:
            data = outward.fetch(
                ask.url, limit_bytes=ask.limit_bytes, seconds=SECONDS_A_FETCH, private_allowed=self.private_allowed,
                body=ask.body(), content_type=ask.content_type, look_up=self.look_up,
            )  # fmt: skip
            good_until = ask.accept(data, at)
            _write(ask.place, data)
            why = ""
        except (outward.Unreachable, outward.NotAllowed, NotAccepted) as error:
            why, good_until = str(error), None
            log.warning("trust.not_refreshed", url=ask.url, kind=ask.kind, about=ask.about, why=why)
        return Fetched(url=ask.url, kind=ask.kind, about=ask.about, why=why, good_until=good_until)


@dataclass(frozen=True)
class _ListQuestion:
    url: str
    place: Path
    about: str
    certificate: x509.Certificate
    issuer: x509.Certificate
    kind = "list"
    limit_bytes = LARGEST_LIST
    content_type = ""

    @property
    def key(self) -> str:
        return self.url

    def body(self) -> None:
        return None

    def accept(self, data: bytes, at: datetime) -> datetime | None:
        kept = self.place.read_bytes() if self.place.exists() else None
        return revocation.accept_list(data, self.certificate, self.issuer, kept, at=at).next_update_utc


@dataclass(frozen=True)
class _AnswerQuestion:
    url: str
    place: Path
    about: str
    certificate: x509.Certificate
    issuer: x509.Certificate
    kind = "answer"
    limit_bytes = LARGEST_ANSWER
    content_type = "application/ocsp-request"

    @property
    def key(self) -> str:
        return f"{self.url} {self.place.name}"

    def body(self) -> bytes:
        return revocation.question(self.certificate, self.issuer)

    def accept(self, data: bytes, at: datetime) -> datetime:
        found = revocation.accept_answer(data, self.certificate, self.issuer, at=at)
        if self.place.exists():
            kept = revocation.accept_answer(self.place.read_bytes(), self.certificate, self.issuer)
            if kept.said_at > found.said_at:
                raise NotAccepted("it is older than the answer that is here already")
        return found.good_until


_Question = _ListQuestion | _AnswerQuestion


def keeper() -> Keeper:
    """This installation's."""
    settings = current_settings()
    assert settings.trust_dir is not None
    return Keeper(settings.trust_dir, settings.trust_refresh_s, settings.trust_private_allowed)


def refresh(keeper: Keeper, *, at: datetime, seconds: float, all_of_it: bool = False) -> list[Fetched]:
    """For the authorities that are believed here, and every card that may be used."""
    leaves = [x509.load_der_x509_certificate(der) for der in _cards_in_use()]
    db.session.rollback()  # nobody waits for the outside world with a transaction open
    return keeper.refresh(queries.trust(), leaves, at=at, seconds=seconds, all_of_it=all_of_it)


def _cards_in_use() -> list[bytes]:
    query = sa.select(Card.certificate).where(Card.state.not_in(("lost", "destroyed"))).order_by(Card.id)
    return list(db.session.scalars(query))


def _write(path: Path, data: bytes) -> None:
    """Whoever reads meanwhile finds the old or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(data)
    fresh.replace(path)
