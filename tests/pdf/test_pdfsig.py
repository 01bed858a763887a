"""An independent program agrees: poppler's pdfsig, trusting our root and nothing else."""

import shutil
from pathlib import Path

import pytest

from app.demo.pdfsig import pdfsig_verdict, trust_database
from tests.pdf import makers

pytestmark = pytest.mark.skipif(
    not (shutil.which("pdfsig") and shutil.which("certutil")), reason="needs poppler-utils and libnss3-tools"
)


@pytest.fixture
def nss(tmp_path: Path) -> Path:
    (tmp_path / "root.pem").write_bytes(makers.root().pem)
    return trust_database(tmp_path / "nss", [tmp_path / "root.pem"])


def ask(pdf: bytes, nss: Path) -> object:
    file = nss.parent / "document.pdf"
    file.write_bytes(pdf)
    return pdfsig_verdict(file, nss)


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_sealed_document_is_genuine_to_pdfsig_too(nss: Path, kind: str) -> None:
    verdict = ask(makers.sealed(by=makers.card(kind), seal_der=b"a seal"), nss)

    assert verdict.good, verdict.said
    [signature] = verdict.signatures
    assert (signature.field, signature.signer) == ("Seal1", "Harbour Office Seal")
    assert (signature.hash_algorithm, signature.kind) == ("SHA-256", "ETSI.CAdES.detached")


def test_a_changed_document_is_altered_to_pdfsig_too(nss: Path) -> None:
    assert ask(makers.sealed().replace(b"1000", b"9000"), nss).word == "altered"


def test_a_document_with_something_added_is_not_good(nss: Path) -> None:
    verdict = ask(makers.sealed() + b"% more\n", nss)

    assert not verdict.good


def test_a_card_of_another_root_is_untrusted(nss: Path) -> None:
    foreign = makers.authority("Other").card("Harbour Office Seal")

    assert ask(makers.sealed(by=foreign), nss).word == "untrusted"


def test_a_swapped_unsigned_document_is_not_good(nss: Path) -> None:
    verdict = ask(makers.small_pdf(), nss)

    assert (verdict.good, verdict.word) == (False, "unsigned")


def test_both_seals_of_two_are_valid(nss: Path) -> None:
    verdict = ask(makers.sealed(makers.sealed(), by=makers.card("rsa"), x_pt=50.0), nss)

    assert [s.valid for s in verdict.signatures] == [True, True]
    assert verdict.good, verdict.said
