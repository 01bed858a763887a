"""An impression small enough for a card: one ink, sixteen densities, as fine a raster as fits. Pure.

A card holds a few dozen KB, a scanned impression at 600 dpi several hundred. The shape is what a seal's picture
is about; differences in the colour of its ink, which are noise of paper and scanner, are left out.
"""

import hashlib
import io
from collections import OrderedDict

import numpy as np
from PIL import Image

from app.imaging.checking import ImageRefused

LEVELS = 16
DENSITIES_DPI = (600, 450, 360, 300, 240, 200, 150)
"""Tried from the finest; 150 dpi still shows the strokes of small characters."""


def compact(png: bytes, *, width_mm: float, limit_bytes: int) -> bytes:
    """The same picture in at most `limit_bytes`; untouched when it fits already.

    `png`: RGBA, transparent background, `width_mm` wide on paper. Refuses ImageRefused when even the coarsest
    raster is too large.
    """
    if len(png) <= limit_bytes:
        return png
    asked = (hashlib.sha256(png).digest(), width_mm, limit_bytes)
    found = _recent.get(asked)
    if found is None:
        found = _recent[asked] = _compacted(png, width_mm, limit_bytes)
        if len(_recent) > KEPT:
            _recent.popitem(last=False)
    return found


KEPT = 16
_recent: OrderedDict[tuple[bytes, float, int], bytes] = OrderedDict()
"""The last results: one impression goes onto several cards, and stations wait while it is drawn anew (50 ms and more)."""


def _compacted(png: bytes, width_mm: float, limit_bytes: int) -> bytes:
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    for dpi in DENSITIES_DPI:
        width = round(width_mm / 25.4 * dpi)
        if width > image.width:
            continue
        found = _encoded(_scaled(image, width), dpi)
        if len(found) <= limit_bytes:
            return found
    raise ImageRefused(
        "image.too_large_for_card",
        "印模图像过于复杂，卡内放不下，请换一张更清晰的扫描件重新申请",
        "The impression is too intricate for a card; apply again with a cleaner scan",
    )


def _scaled(image: Image.Image, width: int) -> Image.Image:
    if width == image.width:
        return image
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _encoded(image: Image.Image, dpi: int) -> bytes:
    """A palette of one ink in LEVELS densities."""
    pixels = np.asarray(image, dtype=np.float64)
    density = pixels[..., 3]
    total = density.sum() or 1.0
    ink = [round(float((pixels[..., c] * density).sum() / total)) for c in range(3)]
    steps = np.rint(density / 255 * (LEVELS - 1)).astype(np.uint8)
    picture = Image.fromarray(steps).convert("L")
    picture = Image.frombytes("P", picture.size, picture.tobytes())
    picture.putpalette(ink * LEVELS)
    out = io.BytesIO()
    picture.save(
        out,
        "PNG",
        optimize=True,
        bits=4,
        dpi=(dpi, dpi),
        transparency=bytes(round(i * 255 / (LEVELS - 1)) for i in range(LEVELS)),
    )
    return out.getvalue()
