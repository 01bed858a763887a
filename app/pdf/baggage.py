"""What travels in a signature's container and is not signed itself: certificates and time-stamps. Pure.

The container stands outside the signed range. In what we sealed every byte of it is known (`cms.is_canonical`); in what other
programs sealed, each part that somebody signed must still hold under that somebody's key.
"""

import hashlib
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from app.pdf.algorithms import certificate_of, check_signer
from app.pdf.cms import STAMP
from app.pdf.foreign import asn1_cms as asn1
from app.pdf.trusting import Trust


def is_sound(container: bytes, trust: Trust) -> bool:
    """False when a certificate in the container is not as its issuer signed it, or a time-stamp is not of this signature.
    What nobody here can judge (an issuer who is not known, an algorithm) says nothing. Never raises."""
    try:
        content: Any = asn1.ContentInfo.load(container)["content"]
        certificates = [one.chosen.dump() for one in content["certificates"] if one.name == "certificate"]
    except Exception:  # the claim was read, so something beside the signer's own parts was made unreadable
        return False
    known = [*certificates, *trust.roots, *trust.intermediates]
    return all(_as_issued(one, known, trust) for one in certificates) and _stamps_hold(content, known, trust)


def _as_issued(der: bytes, known: list[bytes], trust: Trust) -> bool:
    try:
        certificate = x509.load_der_x509_certificate(der)
    except ValueError:
        return False
    if not der.endswith(b"\0" + certificate.signature):  # a signature is whole bytes
        return False
    if any(_same_number(certificate, one) and one != der for one in (*trust.roots, *trust.intermediates)):
        return False
    answers = [_issued(certificate, issuer) for issuer in known]
    asked = [answer for answer in answers if answer is not None]
    return not asked or any(asked)


def _same_number(certificate: x509.Certificate, other: bytes) -> bool:
    """Whether both say that they are the same certificate: key, number and one of the names."""
    try:
        found = x509.load_der_x509_certificate(other)
        return (
            found.serial_number == certificate.serial_number
            and found.public_key() == certificate.public_key()
            and found.subject == certificate.subject
        )
    except Exception:  # keys that cannot be loaded cannot be compared
        return False


def _issued(certificate: x509.Certificate, issuer_der: bytes) -> bool | None:
    """Whether that certificate's key signed this one; None when it does not claim so, or nobody can compute it."""
    try:
        issuer = x509.load_der_x509_certificate(issuer_der)
        if issuer.subject != certificate.issuer or not _keys_agree(certificate, issuer):
            return None
        _verify(certificate, issuer)
    except InvalidSignature:
        return False
    except Exception:  # an algorithm that is not computed here
        return None
    return True


def _verify(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    """Raises InvalidSignature. Old authorities signed themselves with SHA-1, which the library no longer takes for a proof; it
    still shows whether a byte was changed."""
    key, digest = issuer.public_key(), certificate.signature_hash_algorithm
    if isinstance(key, rsa.RSAPublicKey) and isinstance(digest, hashes.SHA1):
        key.verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), digest)
    else:
        certificate.verify_directly_issued_by(issuer)


def _keys_agree(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Authorities renew their keys under the same name: identifiers, where both are given, tell which one is meant."""
    try:
        named = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return True
    return named.key_identifier is None or named.key_identifier == own.digest


def _stamps_hold(content: Any, known: list[bytes], trust: Trust) -> bool:
    return all(
        _holds(token, signer["signature"].native) and _brings_sound(token, known, trust)
        for signer in content["signer_infos"]
        for attribute in signer["unsigned_attrs"]
        if attribute["type"].native == STAMP
        for token in attribute["values"]
    )


def _brings_sound(token: Any, known: list[bytes], trust: Trust) -> bool:
    """Whether the certificates that came with a stamp are as they were issued."""
    try:
        brought = [one.chosen.dump() for one in token["content"]["certificates"] if one.name == "certificate"]
    except Exception:  # a stamp may bring none
        return True
    return all(_as_issued(one, [*known, *brought], trust) for one in brought)


def _holds(token: Any, stamped: bytes) -> bool:
    try:
        content: Any = token["content"]
        signer: Any = content["signer_infos"][0]
        certificate = certificate_of(signer, content)
    except Exception:  # its authority's certificate is elsewhere, or it cannot be read: nobody can say
        return True
    try:
        return all(
            check_signer(signer, certificate, content, lambda name: hashlib.new(name, stamped).digest())
        )
    except Exception:  # an algorithm nobody here computes
        return True
