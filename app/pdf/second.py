"""A second reading of a PDF's structure, by PDFium, where the first library gives up: readers mend broken cross-references,
and so do we before we call a file unreadable. Pure; PDFium is not safe among threads: call through `confined`."""

from ctypes import c_int
from typing import Any

import pypdfium2
import pypdfium2.raw as _raw

from app.pdf.claims import CLAIM_LIMIT, ByteRange

pdfium: Any = _raw


def second_reading(pdf: bytes) -> tuple[ByteRange, ...] | None:
    """The ranges of the filled signature fields, in the structure's order; None when PDFium cannot open it either."""
    try:
        document: Any = pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError:
        return None
    try:
        if len(document) == 0:
            return None
        count = min(pdfium.FPDF_GetSignatureCount(document.raw), CLAIM_LIMIT + 1)
        ranges = [_range(pdfium.FPDF_GetSignatureObject(document.raw, n)) for n in range(count)]
        return tuple(found for found in ranges if found is not None)
    finally:
        document.close()


def _range(signature: Any) -> ByteRange | None:
    """None for a field that nobody has filled. Numbers that are none of a range are kept as one that fits nothing."""
    numbers = (c_int * 4)()
    length = pdfium.FPDFSignatureObj_GetByteRange(signature, numbers, 4)
    if length == 0:
        return None
    a, b, c, d = (int(n) for n in numbers)
    return (a, b, c, d) if length == 4 else (-1, -1, -1, -1)
