"""What keeps a signature verifiable after its certificates have ended: the lists and answers of its day in the document
(PAdES B-LT), and a time-stamp around all of it (B-LTA). ETSI EN 319 142-1, 5.4 and 5.5; ISO 32000-2, 12.8.4.3. Pure.

Both are revisions of their own, after the signature: what was signed is never touched.
"""

from io import BytesIO
from typing import Any

from app.pdf import cms
from app.pdf.foreign import (
    DocumentSecurityStore,
    DocumentTimestamp,
    SigFieldSpec,
    asn1_crl,
    asn1_ocsp,
    asn1_x509,
)
from app.pdf.reading import open_writer, refusing
from app.pdf.sealing import Placed, free_name, reserve
from app.pdf.trusting import Trust


def with_validation_data(
    pdf: bytes, certificates: tuple[bytes, ...], trust: Trust, answers: tuple[bytes, ...] = ()
) -> bytes:
    """The document with these certificates (DER), their issuers as far as they are believed here, the lists of those issuers,
    and these OCSP answers."""
    known = [asn1_x509.Certificate.load(der) for der in (*certificates, *trust.intermediates, *trust.roots)]
    wanted = _with_issuers([asn1_x509.Certificate.load(der) for der in certificates], known)
    issuers = {one.issuer.hashable for one in wanted}
    lists = [one for one in map(asn1_crl.CertificateList.load, trust.crls) if one.issuer.hashable in issuers]
    with refusing():
        writer = open_writer(pdf)
        if writer.prev.encrypted:
            writer.encrypt(b"")
        DocumentSecurityStore.supply_dss_in_writer(
            writer,
            None,
            certs=wanted,
            crls=lists,
            ocsps=[asn1_ocsp.OCSPResponse.load(one) for one in answers],
        )
        return _written(writer)


def _with_issuers(certificates: list[Any], known: list[Any]) -> list[Any]:
    """These and all above them, each once."""
    found: dict[bytes, Any] = {}
    waiting = list(certificates)
    while waiting:
        one = waiting.pop()
        if one.dump() not in found:
            found[one.dump()] = one
            waiting += [other for other in known if other.subject == one.issuer]
    return list(found.values())


def place_stamp(pdf: bytes) -> Placed:
    """Room for a time-stamp around the whole document; `fill` puts the token in."""
    with refusing():
        writer = open_writer(pdf)
        if writer.prev.encrypted:
            writer.encrypt(b"")
        dictionary = DocumentTimestamp(bytes_reserved=2 * cms.STAMP_ROOM)
        return reserve(writer, SigFieldSpec(free_name(writer.prev, "Stamp")), dictionary)


def _written(writer: Any) -> bytes:
    out = BytesIO()
    writer.write(out)
    return out.getvalue()
