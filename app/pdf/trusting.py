"""Does a signer's certificate lead to a root that we trust, at a moment? Pure: nothing is fetched."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from pyhanko_certvalidator.errors import (
    ExpiredError,
    NotYetValidError,
    PathBuildingError,
    RevokedError,
)

from app.pdf.foreign import CertificateValidator, ValidationContext, pem
from app.pdf.foreign import asn1_crl as crl
from app.pdf.foreign import asn1_x509 as x509

TrustProblem = Literal["untrusted", "expired", "not_yet_valid", "revoked", "wrong_usage", "unreadable"]


PROBLEMS: dict[type[Exception], TrustProblem] = {
    RevokedError: "revoked",
    ExpiredError: "expired",
    NotYetValidError: "not_yet_valid",
    PathBuildingError: "untrusted",
}


@dataclass(frozen=True)
class Trust:
    """DER of what is believed: roots, further issuing certificates, revocation lists."""

    roots: tuple[bytes, ...] = ()
    intermediates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Whose certificate it is, in words."""

    name: str
    subject: str
    issuer: str
    serial: str


def holder_of(certificate: bytes) -> Holder | None:
    """None when the certificate's names cannot be read."""
    try:
        found = x509.Certificate.load(certificate)
        native: dict[str, Any] = found.subject.native
        name = native.get("common_name") or native.get("organization_name") or found.subject.human_friendly
        return Holder(
            name=name if isinstance(name, str) else ", ".join(name),
            subject=_rfc4514(found.subject),
            issuer=_rfc4514(found.issuer),
            serial=f"{found.serial_number:x}",
        )
    except Exception:  # a certificate that cannot be read has no name; asn1crypto raises anything
        return None


@lru_cache(maxsize=256)
def judge_trust(
    certificate: bytes, others: tuple[bytes, ...], trust: Trust, *, at: datetime
) -> TrustProblem | None:
    """None when trusted at `at`. `others`: certificates that came with the signature. Never raises.

    Remembered: the same card signs many documents, and the answer depends on the arguments alone.
    """
    try:
        found = x509.Certificate.load(certificate)
        if not _may_sign(found):
            return "wrong_usage"
        context = ValidationContext(
            trust_roots=_load(trust.roots),
            other_certs=_load(trust.intermediates),
            crls=list(trust.crls),
            moment=at,
            revocation_mode="soft-fail",
        )
        validator = CertificateValidator(
            found,
            intermediate_certs=_load(o for o in others if o != certificate),
            validation_context=context,
        )
        asyncio.run(validator.async_validate_usage(set()))
    except Exception as error:  # a certificate or list that breaks the library gains no trust by it
        for kind, problem in PROBLEMS.items():
            if isinstance(error, kind):
                return problem
        return "unreadable"
    return None


_SHORT = {
    "common_name": "CN",
    "organization_name": "O",
    "organizational_unit_name": "OU",
    "country_name": "C",
    "state_or_province_name": "ST",
    "locality_name": "L",
    "serial_number": "2.5.4.5",
    "organization_identifier": "2.5.4.97",
}


def _rfc4514(name: Any) -> str:
    """A distinguished name as RFC 4514 writes it: most specific first, commas and their like escaped."""
    parts = [
        f"{_SHORT.get(pair['type'].native, pair['type'].dotted)}={_escaped(str(pair['value'].native))}"
        for rdn in reversed(list(name.chosen))
        for pair in rdn
    ]
    return ",".join(parts)


def _escaped(value: str) -> str:
    return "".join(f"\\{c}" if c in ',+"\\<>;' else c for c in value)


def objects_in(data: bytes) -> list[tuple[Literal["certificate", "crl"], bytes]]:
    """The certificates and revocation lists of a file, PEM or DER, in its order; none when it holds neither."""
    ders: list[bytes]
    try:
        if not pem.detect(data):
            ders = [data]
        else:
            ders = [der for _name, _headers, der in pem.unarmor(data, multiple=True)]
    except Exception:  # not what it looked like; a file that holds nothing gives no trust
        return []
    found: list[tuple[Literal["certificate", "crl"], bytes]] = []
    for der in ders:
        kind = _kind(der)
        if kind is not None:
            found.append((kind, der))
    return found


def _kind(der: bytes) -> Literal["certificate", "crl"] | None:
    try:
        x509.Certificate.load(der, strict=True).native  # noqa: B018 - reading all of it is the test
    except Exception:  # asn1crypto raises anything for what is no certificate
        try:
            crl.CertificateList.load(der, strict=True).native  # noqa: B018
        except Exception:  # nor a list
            return None
        return "crl"
    return "certificate"


def _load(certificates: Iterable[bytes]) -> list[Any]:
    return [x509.Certificate.load(der) for der in certificates]


def _may_sign(certificate: Any) -> bool:
    usage = certificate.key_usage_value
    return usage is None or bool({"digital_signature", "non_repudiation"} & usage.native)
