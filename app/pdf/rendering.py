"""Pages as pictures, with PDFium. Pure. PDFium is not safe among threads: call through `confined`."""

import logging
from io import BytesIO
from typing import Any

import pypdfium2

from app.pdf.faults import Broken, OutsidePage

DPI_LIMIT = 200
SIDE_LIMIT_PX = 6_000

logging.getLogger("pypdfium2").setLevel(logging.ERROR)


def render_page(pdf: bytes, page: int, *, dpi: int = 96) -> bytes:
    """A PNG of page `page` (from 1) as people see it, seals included. The resolution gives way on huge paper.

    Refuses Broken, and OutsidePage for a page that does not exist.
    """
    try:
        document: Any = pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError as error:
        raise Broken(f"PDFium: {error}") from error
    try:
        if not 1 <= page <= len(document):
            raise OutsidePage
        document.init_forms()
        leaf = document[page - 1]
        width, height = leaf.get_size()
        scale = min(min(dpi, DPI_LIMIT) / 72, SIDE_LIMIT_PX / max(width, height, 1))
        out = BytesIO()
        leaf.render(scale=scale, may_draw_forms=True).to_pil().save(out, "PNG")
        return out.getvalue()
    except pypdfium2.PdfiumError as error:
        raise Broken(f"PDFium: {error}") from error
    finally:
        document.close()
