"""The bench of sealing counts only what two independent programs call valid."""

import shutil
from pathlib import Path

import pytest

from app.bench import sealing
from app.demo.pdfsig import trust_database
from tests.pdf import makers


@pytest.mark.skipif(
    not (shutil.which("pdfsig") and shutil.which("certutil")), reason="needs poppler-utils and libnss3-tools"
)
def test_a_file_that_does_not_verify_ends_the_bench(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(makers.root().pem)
    nss = trust_database(tmp_path / "nss", [tmp_path / "root.pem"])
    sealed = makers.sealed(seal_der=b"a seal")

    sealing._check("sound", sealed, makers.root().der, nss)
    with pytest.raises(sealing.NotGood, match="changed"):
        sealing._check("changed", sealed.replace(b"1000 yuan", b"9000 yuan"), makers.root().der, nss)


def test_the_long_document_has_its_pages() -> None:
    assert sealing._pages(3).count(b"/Type /Page\n") == 3
