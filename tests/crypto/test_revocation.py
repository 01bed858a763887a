"""Lists and answers are believed only from the authority itself, of now, and about this certificate (A11)."""

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from app.crypto.certificates import Trust, answer_file, judge_certificate
from app.crypto.revocation import NotAccepted, accept_answer, accept_list, places, question
from tests.crypto.pki import DAY, NOW, Authority, Holder


@pytest.fixture(scope="module")
def ca() -> Authority:
    return Authority()


def answer(
    ca: Authority,
    about: Holder,
    *,
    revoked_at: dt.datetime | None = None,
    said_at: dt.datetime = NOW - dt.timedelta(hours=1),
    until: dt.datetime | None = NOW + DAY,
    by: Holder | None = None,
    named: bool = True,
    status: ocsp.OCSPCertStatus | None = None,
) -> bytes:
    """As a responder makes it: the authority itself, or `by`, whose certificate comes along."""
    signer = by.certificate if by else ca.certificate
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=about.certificate, issuer=ca.certificate, algorithm=hashes.SHA1(),
        cert_status=status or (ocsp.OCSPCertStatus.REVOKED if revoked_at else ocsp.OCSPCertStatus.GOOD),
        this_update=said_at, next_update=until, revocation_time=revoked_at, revocation_reason=None,
    )  # fmt: skip
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer)
    if by and named:
        builder = builder.certificates([by.certificate])
    return builder.sign(by.key if by else ca.key, hashes.SHA256()).public_bytes(Encoding.DER)


def responder(ca: Authority, *, for_it: bool = True) -> Holder:
    """A responder of the authority's; without `for_it` its certificate is for something else."""
    plain = ca.issue("responder")
    purpose = ExtendedKeyUsageOID.OCSP_SIGNING if for_it else ExtendedKeyUsageOID.TIME_STAMPING
    builder = (
        x509.CertificateBuilder()
        .subject_name(plain.certificate.subject)
        .issuer_name(ca.subject)
        .public_key(plain.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ca.start)
        .not_valid_after(ca.end)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    )
    return Holder(builder.sign(ca.key, hashes.SHA256()), plain.key)


def test_the_issuer_or_whom_it_named_may_answer(ca: Authority) -> None:
    card = ca.issue("卡")

    for by in (None, responder(ca)):
        found = accept_answer(answer(ca, card, by=by), card.certificate, ca.certificate, at=NOW)
        assert found.revoked_at is None and found.good_until == NOW + DAY


def test_everybody_else_says_nothing(ca: Authority) -> None:
    card, other = ca.issue("卡"), Authority()
    wrong = {
        "not signed by": [
            answer(other, card),
            answer(ca, card, by=other.issue("stranger")),
            answer(ca, card, by=responder(ca, for_it=False)),
            answer(ca, card, by=responder(other)),
            answer(ca, card, by=responder(ca), named=False),
        ],
        "another certificate": [answer(ca, ca.issue("别的卡"))],
        "future": [answer(ca, card, said_at=NOW + DAY / 2)],
        "out of date": [
            answer(ca, card, said_at=NOW - 3 * DAY, until=NOW - DAY),
            answer(ca, card, said_at=NOW - 3 * DAY, until=None),
        ],
        "does not know": [answer(ca, card, status=ocsp.OCSPCertStatus.UNKNOWN)],
        "no answer": [b"", b"\x30\x00", answer(ca, card)[:-20], question(card.certificate, ca.certificate)],
        "try_later": [
            ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(
                Encoding.DER
            )
        ],
    }
    for why, answers in wrong.items():
        for one in answers:
            with pytest.raises(NotAccepted, match=why):
                accept_answer(one, card.certificate, ca.certificate, at=NOW)


def test_an_answer_clears_and_revokes_where_there_is_no_list(ca: Authority, tmp_path: Path) -> None:
    card, gone = ca.issue("卡"), ca.issue("吊销的卡")
    for holder, revoked_at in ((card, None), (gone, NOW - DAY)):
        kept = answer(ca, holder, revoked_at=revoked_at)
        (tmp_path / answer_file(holder.certificate)).write_bytes(kept)
    trust = Trust((ca.certificate,), answers=tmp_path)

    def problem(holder: Holder, at: dt.datetime) -> str | None:
        return judge_certificate(holder.der, trust, at=at, usage="seal").problem

    assert problem(card, NOW) is None
    assert problem(gone, NOW) == "revoked"
    assert problem(gone, NOW - 2 * DAY) is None  # what was sealed before stays good
    assert problem(card, NOW + 2 * DAY) == "revocation_unknown"  # it has run out
    assert problem(gone, NOW + 2 * DAY) == "revoked"  # and this one never recovers
    assert problem(ca.issue("没有答复的卡"), NOW) == "revocation_unknown"


URL = "http://ca.example/part-1.crl"


def part(ca: Authority, *, url: str = URL, **more: bool) -> x509.CertificateRevocationList:
    flags = dict.fromkeys(("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl"), False)
    scope = x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier(url)], relative_name=None, only_some_reasons=None,
        only_contains_attribute_certs=False, **{**flags, **more},
    )  # fmt: skip
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.subject)
        .last_update(NOW - DAY)
        .next_update(NOW + DAY)
        .add_extension(scope, critical=True)
    )
    return builder.sign(ca.key, hashes.SHA256())


def naming(ca: Authority, url: str, asked: str = "http://ca.example/ocsp") -> Holder:
    """A card whose certificate says where the list is, and whom to ask."""
    plain = ca.issue("卡")
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
    ask = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(asked))
    builder = x509.CertificateBuilder(
        plain.certificate.issuer, plain.certificate.subject, plain.key.public_key(),
        x509.random_serial_number(), ca.start, ca.end, [*plain.certificate.extensions],
    )  # fmt: skip
    builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    builder = builder.add_extension(x509.AuthorityInformationAccess([ask]), critical=False)
    return Holder(builder.sign(ca.key, hashes.SHA256()), plain.key)


def test_a_part_of_a_list_speaks_only_of_those_that_name_it(ca: Authority) -> None:
    mine, others = naming(ca, URL), naming(ca, "http://ca.example/part-2.crl")
    assert places(mine.certificate).lists == (URL,)
    assert places(mine.certificate).answers == ("http://ca.example/ocsp",)

    trust = ca.trust(part(ca))
    assert judge_certificate(mine.der, trust, at=NOW, usage="seal").good
    assert judge_certificate(others.der, trust, at=NOW, usage="seal").problem == "revocation_unknown"
    for kind in ("only_contains_ca_certs", "indirect_crl"):
        unfit = ca.trust(part(ca, **{kind: True}))
        assert judge_certificate(mine.der, unfit, at=NOW, usage="seal").problem == "revocation_unknown"


def test_a_list_takes_the_place_of_an_older_one_of_its_authority_only(ca: Authority) -> None:
    def der(crl: x509.CertificateRevocationList) -> bytes:
        return crl.public_bytes(Encoding.DER)

    kept, card = der(ca.crl(at=NOW - DAY)), naming(ca, URL).certificate
    for data in (der(ca.crl(at=NOW)), der(part(ca))):
        accept_list(data, card, ca.certificate, kept, at=NOW)
        accept_list(data, card, ca.certificate, None, at=NOW)
    for why, data in {
        "older than": der(ca.crl(at=NOW - 2 * DAY)),
        "not signed by": der(Authority().crl(at=NOW)),
        "out of date": der(ca.crl(at=NOW - 3 * DAY, fresh_until=NOW - DAY)),
        "future": der(ca.crl(at=NOW + DAY)),
        "no revocation list": b"<html>503</html>",
        "not speak": der(part(ca, indirect_crl=True)),
        "another part": der(part(ca, url="http://ca.example/part-2.crl")),
    }.items():
        with pytest.raises(NotAccepted, match=why):
            accept_list(data, card, ca.certificate, kept, at=NOW)
