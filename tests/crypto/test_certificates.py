"""A certificate is good only with chain, dates, use and revocation all in order (A11)."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from app.crypto import certificates
from app.crypto.certificates import CertificateRefused, Trust, check_certificate, judge_certificate
from tests.crypto.pki import DAY, NOW, Authority


@pytest.fixture(scope="module")
def ca() -> Authority:
    return Authority()


def test_a_seal_card_of_a_trusted_authority_is_good(ca: Authority) -> None:
    card = ca.issue("某局办公室")

    verdict = check_certificate(card.der, ca.trust(), at=NOW, usage="seal")

    assert verdict.good and verdict.subject == "CN=某局办公室" and len(verdict.chain) == 2


def test_an_rsa_card_is_as_good(ca: Authority) -> None:
    card = ca.issue("某局", key=rsa.generate_private_key(65537, 2048))

    assert check_certificate(card.der, ca.trust(), at=NOW, usage="seal").good


@pytest.mark.parametrize("role", ["maker", "seal", "order"])
@pytest.mark.parametrize("usage", ["maker", "seal", "order"])
def test_a_certificate_fits_its_own_role_and_no_other(ca: Authority, role: str, usage: str) -> None:
    holder = ca.issue("某人", role=role)

    verdict = judge_certificate(holder.der, ca.trust(), at=NOW, usage=usage)  # type: ignore[arg-type]

    assert verdict.problem == (None if role == usage else "wrong_usage")


def test_one_that_may_not_sign_is_refused(ca: Authority) -> None:
    card = ca.issue("加密证书", signing=False)

    assert judge_certificate(card.der, ca.trust(), at=NOW, usage="seal").problem == "wrong_usage"


def test_a_ca_certificate_is_nobodys_seal(ca: Authority) -> None:
    der = ca.certificate.public_bytes(certificates.Encoding.DER)

    assert judge_certificate(der, ca.trust(), at=NOW, usage="any").problem == "wrong_usage"


def test_dates_are_those_of_the_moment_asked_for(ca: Authority) -> None:
    card = ca.issue("短期", start=NOW - DAY, end=NOW + DAY)

    verdicts = [
        judge_certificate(card.der, ca.trust(), at=NOW + n * DAY, usage="seal").problem for n in (-2, 0, 2)
    ]

    assert verdicts == ["not_yet_valid", None, "expired"]


def test_an_expired_card_is_refused_in_both_languages(ca: Authority) -> None:
    card = ca.issue("过期", end=NOW - DAY)

    with pytest.raises(CertificateRefused) as refused:
        check_certificate(card.der, ca.trust(), at=NOW, usage="seal")

    assert refused.value.code == "certificate.expired"
    assert "过期" in refused.value.text.zh and "expired" in refused.value.text.en


def test_another_authority_of_the_same_name_is_not_trusted(ca: Authority) -> None:
    card = Authority().issue("冒充")

    assert judge_certificate(card.der, ca.trust(), at=NOW, usage="seal").problem == "untrusted"


def test_a_leaf_issues_nothing(ca: Authority) -> None:
    card = ca.issue("某局")
    forger = Authority(name="某局")
    forger.key = card.key  # type: ignore[assignment]
    forged = forger.issue("下级")
    trust = Trust((ca.certificate,), (card.certificate,), (ca.crl(),))

    assert judge_certificate(forged.der, trust, at=NOW, usage="seal").problem == "untrusted"


def test_without_roots_nothing_is_trusted(ca: Authority) -> None:
    assert judge_certificate(ca.issue("某局").der, Trust(()), at=NOW).problem == "untrusted"


def test_a_revoked_card_is_refused_from_that_moment_on(ca: Authority) -> None:
    card = ca.issue("吊销")
    trust = ca.trust(ca.crl(card, at=NOW - DAY))

    assert judge_certificate(card.der, trust, at=NOW - 2 * DAY, usage="seal").good
    assert judge_certificate(card.der, trust, at=NOW, usage="seal").problem == "revoked"


def test_without_a_fresh_list_the_answer_is_no_unless_configured_otherwise(ca: Authority) -> None:
    card = ca.issue("某局")
    stale = ca.crl(fresh_until=NOW - DAY / 2)

    strict, lenient = ca.trust(stale), ca.trust(stale, crl_required=False)

    assert judge_certificate(card.der, strict, at=NOW, usage="seal").problem == "revocation_unknown"
    assert judge_certificate(card.der, lenient, at=NOW, usage="seal").good


def test_a_stale_list_still_revokes_what_it_names(ca: Authority) -> None:
    card = ca.issue("某局")
    stale = ca.crl(card, fresh_until=NOW - DAY / 2)

    verdict = judge_certificate(card.der, ca.trust(stale, crl_required=False), at=NOW, usage="seal")

    assert verdict.problem == "revoked"


def test_a_list_that_its_issuer_did_not_sign_counts_for_nothing(ca: Authority) -> None:
    card = ca.issue("某局")
    forged = Authority().crl(card)

    assert judge_certificate(card.der, ca.trust(forged), at=NOW).problem == "revocation_unknown"


@pytest.mark.parametrize("junk", [b"", b"\x30\x03\x02\x01\x01", b"-----BEGIN CERTIFICATE-----", b"\xff" * 99])
def test_bytes_that_are_no_certificate_are_called_unreadable(ca: Authority, junk: bytes) -> None:
    assert judge_certificate(junk, ca.trust(), at=NOW).problem == "unreadable"


def test_the_trust_folder_is_read_anew_each_time(ca: Authority, tmp_path: Path) -> None:
    card = ca.issue("某局")
    ca.publish(tmp_path)
    before = judge_certificate(card.der, certificates.trust_from(tmp_path), at=NOW, usage="seal")

    ca.publish(tmp_path, card)

    after = judge_certificate(card.der, certificates.trust_from(tmp_path), at=NOW, usage="seal")
    assert (before.problem, after.problem) == (None, "revoked")


def test_a_trust_folder_that_nobody_touched_is_read_once(
    ca: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root.pem"
    root.write_bytes(ca.certificate.public_bytes(certificates.Encoding.PEM))
    assert certificates.trust_from(tmp_path) is not certificates.trust_from(tmp_path), "touched just now"
    monkeypatch.setattr(certificates, "SETTLED_NS", -1)
    settled = certificates.trust_from(tmp_path)

    assert certificates.trust_from(tmp_path) is settled
    assert not certificates.trust_from(tmp_path, crl_required=False).crl_required
    root.write_bytes(Authority().certificate.public_bytes(certificates.Encoding.PEM))
    assert certificates.trust_from(tmp_path).roots != settled.roots


def test_an_issuing_authority_below_the_root_is_followed(ca: Authority) -> None:
    issuing = Authority(name="二级")
    issuing.certificate = ca._sign(issuing.subject, issuing.key.public_key(), ca.start, ca.end, ca=True)
    card = issuing.issue("某局")
    trust = Trust((ca.certificate,), (issuing.certificate,), (ca.crl(), issuing.crl()))

    verdict = judge_certificate(card.der, trust, at=NOW, usage="seal")

    assert verdict.good and len(verdict.chain) == 3
    assert isinstance(x509.load_der_x509_certificate(verdict.chain[1]), x509.Certificate)
