"""What was added after a signature, as people see it: the pages as they were when it was signed beside the pages as they are. Pure.

An update appends, so the revision that a sound signature covers still stands at the head of the file. What was changed inside
the signed range is gone, and nobody can show it. Call through `confined`.
"""

from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image, ImageChops

from app.pdf.faults import Broken, OutsidePage
from app.pdf.rendering import render_page

PAGES_LOOKED_AT = 60
PAGES_SHOWN = 6
DPI = 60
_SEEN = 12
"""How far a shade may be off before an eye, or a renderer, says otherwise."""


@dataclass(frozen=True, kw_only=True)
class ChangedPage:
    """`before`, `now`: PNGs; None where there was, or is, no such page."""

    number: int
    before: bytes | None = field(repr=False)
    now: bytes | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Changes:
    """`pages`: the first that look different. `more`: how many besides. `looked_at`: up to which page was looked."""

    pages: tuple[ChangedPage, ...]
    more: int
    looked_at: int


def changes_since(pdf: bytes, end: int) -> Changes:
    """The pages that look different from the revision that ends at byte `end`."""
    signed = pdf[:end]
    found: list[ChangedPage] = []
    looked_at = 0
    for number in range(1, PAGES_LOOKED_AT + 1):
        before, now = _drawn(signed, number), _drawn(pdf, number)
        if before is None and now is None:
            break
        looked_at = number
        if before is None or now is None or _differ(before, now):
            found.append(ChangedPage(number=number, before=before, now=now))
    return Changes(
        pages=tuple(found[:PAGES_SHOWN]), more=max(0, len(found) - PAGES_SHOWN), looked_at=looked_at
    )


def _drawn(pdf: bytes, number: int) -> bytes | None:
    try:
        return render_page(pdf, number, dpi=DPI)
    except (OutsidePage, Broken):
        return None


def _differ(one: bytes, other: bytes) -> bool:
    with Image.open(BytesIO(one)) as a, Image.open(BytesIO(other)) as b:
        if a.size != b.size:
            return True
        difference = ImageChops.difference(a.convert("L"), b.convert("L"))
        return difference.point([255 if shade > _SEEN else 0 for shade in range(256)]).getbbox() is not None
