"""Time-stamps and what proves a signature later (PAdES B-T, B-LT, B-LTA), checked by pyHanko, poppler and openssl."""

import asyncio
import subprocess
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.policy_decl import PdfSignatureValidationSpec, SignatureValidationSpec
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import NO_REVOCATION, REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager

from app.demo.time_stamps import TimeStamper
from app.pdf import sealing
from app.pdf.confined import confined
from app.pdf.examining import examine
from app.pdf.lasting import place_stamp, with_validation_data
from app.pdf.stamping import NoStamp, certificates_in, query, token_in
from app.pdf.trusting import Trust
from app.pdf.verifying import Report, conclude
from tests.pdf import makers

AT = makers.NOW
LATER = AT + timedelta(days=365 * 5)


def crl() -> bytes:
    root = makers.root()
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.certificate.subject)
        .last_update(AT - timedelta(days=1))
        .next_update(AT + timedelta(days=10))
        .sign(root.key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.DER)


def trust() -> Trust:
    return Trust((makers.root().der,), (), (crl(),))


def stamper() -> TimeStamper:
    card = makers.root().time_stamper()
    return TimeStamper(card.key, card.certificate)  # type: ignore[arg-type]


def stamp(digest: bytes, by: TimeStamper | None = None) -> bytes:
    return token_in((by or stamper()).answer(query(digest, 7), at=AT), digest=digest, nonce=7)


def sealed(level: str, pdf: bytes | None = None, **more: object) -> bytes:
    """By a card whose certificate ends two years after."""
    card = makers.card()
    ready = makers.prepared(pdf, by=card, stamped=True, **more)
    signature = card.sign(ready.to_sign)
    token = stamp(sha256(signature).digest())
    done = sealing.embed(ready.pdf, ready.state, signature, token)
    if level in ("B-LT", "B-LTA"):
        certificates = (*sealing.certificates_of(ready.state), *certificates_in(token))
        done = confined(with_validation_data, done, certificates, trust(), ())
    if level == "B-LTA":
        placed = place_stamp(done)
        done = sealing.fill(placed.pdf, placed.room, stamp(placed.digest))
    return done


def verdict(pdf: bytes, at: object = AT) -> Report:
    return conclude(pdf, examine(pdf, trust(), at=at), trust(), at=at)  # type: ignore[arg-type]


@pytest.mark.parametrize("level", ["B-T", "B-LT", "B-LTA"])
def test_each_level_is_genuine_now_and_after_the_certificate_has_ended(level: str) -> None:
    pdf = sealed(level)
    for at in (AT, LATER):
        report = verdict(pdf, at)
        assert report.verdict == "genuine", (at, report.problems)
        assert report.signatures[0].examined.stamped_at == AT
    assert verdict(makers.sealed(), LATER).verdict == "indeterminate"


def test_another_seal_comes_after_all_of_it() -> None:
    """B11: each keeps its stamps, whatever the other's level is."""
    both = sealed("B-LTA", sealed("B-LTA"), x_pt=30.0)
    mixed = makers.sealed(sealed("B-LTA"), x_pt=30.0)
    again = sealed("B-LT", makers.sealed(), x_pt=30.0)
    for pdf in (both, mixed, again):
        report = verdict(pdf)
        assert report.verdict == "genuine", report.problems


def test_pyhanko_finds_all_that_it_needs_in_the_document() -> None:
    """Its validator for the long term, with the root alone and nothing fetched, long after."""
    pdf = sealed("B-LTA")
    root = asn1_x509.Certificate.load(makers.root().der)
    store = DocumentSecurityStore.read_dss(PdfFileReader(BytesIO(pdf)))
    assert len(store.certs) == 3 and len(store.crls) == 1
    spec = PdfSignatureValidationSpec(
        SignatureValidationSpec(
            CertValidationPolicySpec(
                trust_manager=SimpleTrustManager.build([root]),
                revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO),
            ),
            # whether the last authority was revoked since is today's question, not the document's
            ts_cert_validation_policy=CertValidationPolicySpec(
                trust_manager=SimpleTrustManager.build([root]),
                revinfo_policy=CertRevTrustPolicy(NO_REVOCATION),
            ),
        )
    )
    embedded = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures[0]
    found = asyncio.run(
        ades_lta_validation(
            embedded,
            spec,
            timing_info=ValidationTimingInfo(
                validation_time=LATER, best_signature_time=LATER, point_in_time_validation=True
            ),
        )
    )
    assert found.ades_subindic == AdESPassed.OK, found.failure_msg


@pytest.mark.parametrize("level", ["B-T", "B-LT", "B-LTA"])
def test_poppler_calls_the_signature_valid(level: str, tmp_path: Path) -> None:
    (tmp_path / "s.pdf").write_bytes(sealed(level))
    told = subprocess.run(
        ["pdfsig", "-nocert", "s.pdf"], cwd=tmp_path, capture_output=True, text=True, check=False
    ).stdout
    assert "Signature is Valid" in told


def test_openssl_verifies_our_authoritys_stamps_and_we_take_those_of_openssl(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(makers.root().pem)
    digest = sha256(b"data").digest()
    (tmp_path / "ours.tsr").write_bytes(stamper().answer(query(digest, 5), at=AT))
    at = str(int(AT.timestamp()))
    done = subprocess.run(
        ["openssl", "ts", "-verify", "-digest", digest.hex(), "-in", "ours.tsr", "-CAfile", "root.pem", "-attime", at],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Verification: OK" in done.stdout, done.stderr

    card = makers.root().time_stamper()
    (tmp_path / "tsa.key").write_bytes(
        card.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (tmp_path / "tsa.pem").write_bytes(
        x509.load_der_x509_certificate(card.certificate).public_bytes(Encoding.PEM)
    )
    (tmp_path / "serial").write_text("01")
    (tmp_path / "ts.cnf").write_text(
        "[tsa]\ndefault_tsa = t\n[t]\nserial = serial\ncrypto_device = builtin\nsigner_digest = sha256\n"
        "default_policy = 1.2.3.4\ndigests = sha256\nordering = no\ntsa_name = no\ness_cert_id_chain = no\n"
        "ess_cert_id_alg = sha256\n"
    )
    (tmp_path / "q.tsq").write_bytes(query(digest, 9))
    subprocess.run(
        ["openssl", "ts", "-reply", "-config", "ts.cnf", "-queryfile", "q.tsq", "-signer", "tsa.pem", "-inkey", "tsa.key", "-out", "r.tsr"],
        cwd=tmp_path, capture_output=True, check=True,
    )  # fmt: skip
    assert token_in((tmp_path / "r.tsr").read_bytes(), digest=digest, nonce=9)


@pytest.mark.parametrize("wrong", ["digest", "nonce", "rejected", "damaged", "html"])
def test_an_answer_that_is_no_stamp_of_this_is_refused(wrong: str) -> None:
    digest = sha256(b"data").digest()
    answer = stamper().answer(query(digest, 7), at=AT)
    if wrong == "damaged":
        answer = answer[:-5] + bytes([answer[-5] ^ 1]) + answer[-4:]
    if wrong == "rejected":
        answer = stamper().answer(b"no query")
    if wrong == "html":
        answer = b"<html>busy</html>"
    with pytest.raises(NoStamp):
        token_in(
            answer,
            digest=sha256(b"other").digest() if wrong == "digest" else digest,
            nonce=8 if wrong == "nonce" else 7,
        )


@given(st.data())
def test_no_changed_byte_of_a_stamped_container_stays_unseen(data: st.DataObject) -> None:
    pdf = _stamped()
    [one] = examine(pdf, trust(), at=AT).signatures
    start, end = one.claim.gap  # type: ignore[misc]
    used = len(pdf[start + 1 : end - 1].rstrip(b"0"))
    at = data.draw(st.integers(start + 1, start + used))
    digit = int(pdf[at : at + 1], 16) ^ data.draw(st.sampled_from([1, 2, 4, 8]))
    changed = pdf[:at] + b"%x" % digit + pdf[at + 1 :]
    assert verdict(changed).verdict != "genuine", at - start


_made: list[bytes] = []


def _stamped() -> bytes:
    if not _made:
        _made.append(sealed("B-T", seal_der=b"an electronic seal"))
    return _made[0]


def test_the_container_says_nothing_more_than_it_must(tmp_path: Path) -> None:
    """A second stamp, or another attribute beside it, is nothing of ours."""
    assert (
        verdict(sealed("B-T")).signatures[0].examined.canonical is None
    )  # no electronic seal: nobody says it is ours
    ours = sealed("B-T", seal_der=b"an electronic seal")
    [one] = examine(ours, trust(), at=AT).signatures
    assert one.canonical is True
