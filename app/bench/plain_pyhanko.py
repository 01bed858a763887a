"""pyHanko as its own documentation uses it, for one visible PAdES signature; and its verdict on a file."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from asn1crypto import x509 as _x509
from PIL import Image
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

x509: Any = _x509


class _Card(Signer):
    """A signer whose key is on a card, as pyHanko wants it to be written."""

    def __init__(self, certificate: bytes, sign: Callable[[bytes], bytes]) -> None:
        super().__init__(
            signing_cert=x509.Certificate.load(certificate), cert_registry=SimpleCertificateStore()
        )
        self._sign = sign

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        return bytes(72) if dry_run else self._sign(data)


class PlainPyHanko:
    """The same card and picture as ours; what can be made once is made once."""

    def __init__(self, certificate: bytes, sign: Callable[[bytes], bytes], png: bytes) -> None:
        self._signer = _Card(certificate, sign)
        self._style = StaticStampStyle(background=PdfImage(Image.open(BytesIO(png))), border_width=0)

    def seal(self, pdf: bytes, field: str, box: tuple[int, int, int, int]) -> bytes:
        out = BytesIO()
        metadata = PdfSignatureMetadata(
            field_name=field, subfilter=SigSeedSubFilter.PADES, md_algorithm="sha256"
        )
        PdfSigner(
            metadata,
            signer=self._signer,
            stamp_style=self._style,
            new_field_spec=SigFieldSpec(field, on_page=0, box=box),
        ).sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), output=out)
        return out.getvalue()


def all_good(pdf: bytes, root: bytes) -> bool:
    """Whether pyHanko calls every signature of the file valid and trusted."""
    context = ValidationContext(trust_roots=[x509.Certificate.load(root)])
    found: list[Any] = list(PdfFileReader(BytesIO(pdf)).embedded_signatures)
    return bool(found) and all(validate_pdf_signature(one, context).bottom_line for one in found)
