"""Whether a statement is really the server's: signature, certificate, and a root that was pinned at
enrolment."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from card_agent.fault import Untrusted
from card_agent.protocol.codec import Malformed
from card_agent.protocol.names import ECDSA_SHA256, MAKER_EKU, ORDER_EKU
from card_agent.protocol.statements import Signed, Statement, open_statement, payload

S = TypeVar("S", bound=Statement)

CLOCK_SLACK = timedelta(seconds=120)


class Trust:
    """`roots`: DER certificates pinned at enrolment. An order certificate must be issued by one of them
    directly and marked for orders, so that no card's certificate of the same CA can pass for the server's."""

    def __init__(self, roots: Sequence[bytes]) -> None:
        self._roots = [x509.load_der_x509_certificate(root) for root in roots]
        self._known: dict[bytes, x509.Certificate] = {}

    def open(self, kind: type[S], signed: Signed, *, at: datetime | None = None) -> S:
        """The statement. Refuses with Untrusted. `at`: the moment its certificate must have been valid
        (now)."""
        try:
            statement = open_statement(kind, signed)
            data = payload(statement)
        except Malformed as error:
            raise Untrusted(f"{kind.__name__}: {error}") from error
        certificate = self.check_certificate(signed.certificate)
        moment = at or datetime.now(UTC)
        if not certificate.not_valid_before_utc - CLOCK_SLACK <= moment <= certificate.not_valid_after_utc:
            raise Untrusted("the order certificate is not valid at this time")
        key = certificate.public_key()
        if statement.alg != ECDSA_SHA256 or not isinstance(key, ec.EllipticCurvePublicKey):
            raise Untrusted(f"algorithm {statement.alg}")
        try:
            key.verify(signed.signature, data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as error:
            raise Untrusted(f"{kind.__name__}: signature") from error
        return statement

    def check_certificate(self, der: bytes) -> x509.Certificate:
        """An order certificate (DER) of a server that we trust; its dates are not looked at here."""
        if der not in self._known:
            self._known[der] = self._checked(der)
        return self._known[der]

    def _checked(self, der: bytes) -> x509.Certificate:
        try:
            certificate = x509.load_der_x509_certificate(der)
            extensions = certificate.extensions
        except ValueError as error:
            raise Untrusted("the order certificate cannot be read") from error
        try:
            purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            is_ca = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except x509.ExtensionNotFound as error:
            raise Untrusted("the order certificate is not one for orders") from error
        if is_ca or x509.ObjectIdentifier(ORDER_EKU) not in purposes:
            raise Untrusted("the order certificate is not one for orders")
        if not any(_issued_by(certificate, root) for root in self._roots):
            raise Untrusted("the order certificate comes from no pinned root")
        return certificate


def _issued_by(certificate: x509.Certificate, root: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def is_maker(certificate: bytes | None) -> bool:
    """Whether a card's certificate (DER) is a seal maker's. Whether it is good, the server judges."""
    if certificate is None:
        return False
    try:
        extensions = x509.load_der_x509_certificate(certificate).extensions
        purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    return x509.ObjectIdentifier(MAKER_EKU) in purposes
