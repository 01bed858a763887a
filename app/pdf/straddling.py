"""骑缝章: one seal across the right edges of all pages, each page bearing its strip. Pure.

The strips are stamp annotations of the revision that the signature covers, so a page that is taken out, put in or exchanged
leaves a gap in the seal as well as in the digest. After an earlier signature they would be a change of what was signed, so
only the first seal on a document may have them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.pdf.faults import OutsidePage, SignedBefore, SinglePage
from app.pdf.foreign import generic, pdf_name
from app.pdf.geometry import POINTS_PER_MM, PageSize, page_size, user_box
from app.pdf.inspecting import Inspection
from app.pdf.reading import pages_of

PAGES_A_SEAL = 20
"""More pages share several seals: on paper a strip narrower than two millimetres shows nothing."""
_PRINTED_AND_FIXED = 4 | 64 | 128
"""Annotation flags Print, ReadOnly and Locked (ISO 32000-1, table 165)."""


@dataclass(frozen=True, kw_only=True)
class Strip:
    """What a page bears: the `index`-th of `of` strips of a seal, from the left."""

    index: int
    of: int


def strips(pages: int) -> list[Strip]:
    """One a page; seals share the pages as evenly as can be."""
    seals = -(-pages // PAGES_A_SEAL)
    shared, over = divmod(pages, seals)
    return [Strip(index=i, of=n) for k in range(seals) for n in [shared + (k < over)] for i in range(n)]


def check_straddles(found: Inspection, *, width_mm: float, height_mm: float, y_pt: float) -> None:
    """Refuses SinglePage, SignedBefore, and OutsidePage when a page is lower than the seal reaches. `y_pt`: the seal's lower
    edge above each page's, as seen."""
    _check(len(found.pages), found.signatures)
    for size, strip in zip(found.pages, strips(len(found.pages)), strict=True):
        _box(size, strip, width_mm=width_mm, height_mm=height_mm, y_pt=y_pt)


Draw = Callable[[tuple[float, float, float, float], int, Strip], Any]


def straddle(writer: Any, *, width_mm: float, height_mm: float, y_pt: float, draw: Draw) -> None:
    """Put the strips on. `draw`: the form that shows a strip in a box on a page that is turned so."""
    pages = list(pages_of(writer.prev))
    _check(len(pages), len(writer.prev.embedded_signatures))
    for page, strip in zip(pages, strips(len(pages)), strict=True):
        size = page_size(page)
        box = _box(size, strip, width_mm=width_mm, height_mm=height_mm, y_pt=y_pt)
        here = generic.IndirectObject(page.container_ref.idnum, page.container_ref.generation, writer)
        annotation = generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Subtype"): pdf_name("/Stamp"),
                pdf_name("/Rect"): generic.ArrayObject([generic.FloatObject(v) for v in box]),
                pdf_name("/F"): generic.NumberObject(_PRINTED_AND_FIXED),
                pdf_name("/P"): here,
                pdf_name("/AP"): generic.DictionaryObject(
                    {pdf_name("/N"): writer.add_object(draw(box, size.rotate, strip))}
                ),
            }
        )
        writer.register_annotation(here, writer.add_object(annotation))


def _check(pages: int, signatures: int) -> None:
    if pages < 2:
        raise SinglePage
    if signatures:
        raise SignedBefore


def _box(
    size: PageSize, strip: Strip, *, width_mm: float, height_mm: float, y_pt: float
) -> tuple[float, float, float, float]:
    """The strip's rectangle, along the right edge."""
    width = width_mm / strip.of
    x_pt = size.width_pt - width * POINTS_PER_MM
    try:
        return user_box(size, x_pt=x_pt, y_pt=y_pt, width_mm=width, height_mm=height_mm)
    except OutsidePage as error:
        raise OutsidePage("straddle_pt") from error
