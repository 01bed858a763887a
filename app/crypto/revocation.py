"""What an authority says of its certificates from day to day: lists (CRL, RFC 5280) and answers (OCSP, RFC 6960).

Pure: nothing is fetched here, and nothing is believed that the authority has not signed. `app/cards/believing.py`
fetches what `places` names and keeps what is accepted here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

SKEW = timedelta(minutes=5)
"""How far an authority's clock may be ahead of ours."""
LIFE_UNSAID = timedelta(hours=24)
"""How long an answer counts that does not say when the next comes."""
NO_OCSP = (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature)


class NotAccepted(ValueError):
    """A list or an answer that is not believed; the message says why, for the administrator."""


@dataclass(frozen=True)
class Places:
    """Addresses that a certificate names: of its issuer's lists, and of whom to ask about itself. http and https."""

    lists: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a responder says of one certificate. `revoked_at`: None for a good one."""

    revoked_at: datetime | None
    said_at: datetime
    good_until: datetime

    def is_fresh(self, at: datetime) -> bool:
        """An answer newer than the moment in question serves it too, because a revocation carries its date."""
        return at <= self.good_until


def places(certificate: x509.Certificate) -> Places:
    """Where to ask; nothing for a certificate that says nothing, or says it badly."""
    try:
        extensions = certificate.extensions
    except ValueError:
        return Places()
    return Places(_lists(extensions), _answers(extensions))


def _lists(extensions: x509.Extensions) -> tuple[str, ...]:
    try:
        points = extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return ()
    # a list of some reasons only, or by another issuer, would be no proof of anything
    whole = [p for p in points if p.reasons is None and p.crl_issuer is None]
    return tuple(
        name.value
        for point in whole
        for name in point.full_name or ()
        if isinstance(name, x509.UniformResourceIdentifier) and _is_http(name.value)
    )


def _answers(extensions: x509.Extensions) -> tuple[str, ...]:
    try:
        told = extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(
        one.access_location.value
        for one in told
        if one.access_method == AuthorityInformationAccessOID.OCSP
        and isinstance(one.access_location, x509.UniformResourceIdentifier)
        and _is_http(one.access_location.value)
    )


def _is_http(address: str) -> bool:
    return address.lower().startswith(("http://", "https://"))


# --- lists ---


def is_list_of(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Named after that issuer and signed by it. A stale list still revokes what it names."""
    if crl.issuer != issuer.subject:
        return False
    try:
        return crl.is_signature_valid(issuer.public_key())  # pyright: ignore[reportArgumentType]
    except (TypeError, UnsupportedAlgorithm):
        return False


def clears(crl: x509.CertificateRevocationList, certificate: x509.Certificate, at: datetime) -> bool:
    """Whether it is fresh and speaks of this certificate at all, so that its silence means something."""
    return is_fresh(crl, at) and _speaks_of(crl, certificate)


def is_fresh(crl: x509.CertificateRevocationList, at: datetime) -> bool:
    """A list newer than the moment in question serves it too, because its entries carry dates."""
    return crl.next_update_utc is None or at <= crl.next_update_utc


def _speaks_of(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """An authority may publish its list in parts, each for the certificates that name its address (RFC 5280, 5.2.5).
    What we do not know (deltas, lists by others, of some reasons) speaks of nothing."""
    if not _is_known(crl):
        return False
    try:
        part = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return True
    authority = _is_authority(certificate)
    if (part.only_contains_user_certs and authority) or (part.only_contains_ca_certs and not authority):
        return False
    if part.full_name is None:
        return part.relative_name is None
    names = {name.value for name in part.full_name if isinstance(name, x509.UniformResourceIdentifier)}
    return bool(names & set(places(certificate).lists))


def _is_known(crl: x509.CertificateRevocationList) -> bool:
    """Nothing critical in it that we do not understand."""
    for extension in crl.extensions:
        part = extension.value
        if isinstance(part, x509.IssuingDistributionPoint):
            if part.only_some_reasons or part.indirect_crl or part.only_contains_attribute_certs:
                return False
        elif extension.critical:
            return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, x509.ExtensionNotFound):
        return False


def revokes(crl: x509.CertificateRevocationList, certificate: x509.Certificate, at: datetime) -> bool:
    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    return entry is not None and entry.revocation_date_utc <= at


def read_list(data: bytes) -> x509.CertificateRevocationList:
    """PEM or DER. Raises ValueError."""
    if data.lstrip().startswith(b"-----BEGIN"):
        return x509.load_pem_x509_crl(data)
    return x509.load_der_x509_crl(data)


def accept_list(
    data: bytes,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    kept: bytes | None,
    *,
    at: datetime,
) -> x509.CertificateRevocationList:
    """A list fetched from where this certificate says, which may take the place of `kept`: its issuer's, of now, speaking of
    it, and no older than what is there. Whoever sits on the line may hold back what was revoked since, but neither take it
    back nor put another authority's list, or another part, in its place. Raises NotAccepted."""
    try:
        crl = read_list(data)
        fits = _speaks_of(crl, certificate)
    except NO_OCSP as error:
        raise NotAccepted("it is no revocation list") from error
    if not is_list_of(crl, issuer):
        raise NotAccepted("it is not signed by the issuer of the certificate that names it")
    if not fits:
        raise NotAccepted(
            "it does not speak of the certificate that names it (another part, a delta, some reasons)"
        )
    if crl.last_update_utc > at + SKEW:
        raise NotAccepted("it comes from the future; check the clock")
    if not is_fresh(crl, at):
        raise NotAccepted("it is out of date")
    if kept is not None:
        before = read_list(kept)
        if before.issuer == crl.issuer and before.last_update_utc > crl.last_update_utc:
            raise NotAccepted("it is older than the list that is here already")
    return crl


# --- answers ---


def question(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """What an OCSP responder is asked, DER; SHA-1 names the issuer, as RFC 5019 has it and every responder knows."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1())  # noqa: S303
    return builder.build().public_bytes(Encoding.DER)


def accept_answer(
    data: bytes, certificate: x509.Certificate, issuer: x509.Certificate, *, at: datetime | None = None
) -> Answer:
    """What the responder said of this certificate, if the issuer or whom it has named said it. With `at` it must also be
    of now. Raises NotAccepted."""
    try:
        response = ocsp.load_der_ocsp_response(data)
        if response.response_status != ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise NotAccepted(f"the responder says {response.response_status.name.lower()}")
        signer = _signer(response, issuer)
        single = next((s for s in response.responses if _is_about(s, certificate, issuer)), None)
        produced_at = response.produced_at_utc
    except NotAccepted:
        raise
    except NO_OCSP as error:
        raise NotAccepted("it is no answer of an OCSP responder") from error
    if signer is None:
        raise NotAccepted("it is not signed by the issuer or a responder that the issuer has named")
    if single is None:
        raise NotAccepted("it is about another certificate")
    if single.certificate_status == ocsp.OCSPCertStatus.UNKNOWN:
        raise NotAccepted("the responder does not know the certificate")
    answer = Answer(
        revoked_at=single.revocation_time_utc,
        said_at=single.this_update_utc,
        good_until=single.next_update_utc or single.this_update_utc + LIFE_UNSAID,
    )
    if not signer.not_valid_before_utc - SKEW <= produced_at <= signer.not_valid_after_utc:
        raise NotAccepted("its signer's certificate did not hold when it was made")
    if at is not None and answer.said_at > at + SKEW:
        raise NotAccepted("it comes from the future; check the clock")
    if at is not None and not answer.is_fresh(at):
        raise NotAccepted("it is out of date")
    return answer


def _is_about(
    single: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate
) -> bool:
    if single.serial_number != certificate.serial_number:
        return False
    asked = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, single.hash_algorithm).build()
    return (asked.issuer_name_hash, asked.issuer_key_hash) == (
        single.issuer_name_hash,
        single.issuer_key_hash,
    )


def _signer(response: ocsp.OCSPResponse, issuer: x509.Certificate) -> x509.Certificate | None:
    """The issuer, or a responder whose certificate, for this purpose, is the issuer's (RFC 6960, 4.2.2.2)."""
    named = [c for c in response.certificates if _is_responder_of(c, issuer)]
    return next((c for c in (issuer, *named) if _has_signed(c, response)), None)


def _is_responder_of(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (*NO_OCSP, x509.ExtensionNotFound):
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in purposes


def _has_signed(certificate: x509.Certificate, response: ocsp.OCSPResponse) -> bool:
    key, how = certificate.public_key(), response.signature_hash_algorithm
    if how is None:
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), how)
        else:
            cast("ec.EllipticCurvePublicKey", key).verify(
                response.signature, response.tbs_response_bytes, ec.ECDSA(how)
            )
    except (*NO_OCSP, AttributeError):
        return False
    return True
