"""Pictures fit to be shown: in small, or with the viewer's name across, so that a copy tells who took it. Pure."""

import io
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_FONT = Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc")


@lru_cache(maxsize=4)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.truetype(str(_FONT), size, index=2) if _FONT.exists() else ImageFont.load_default(size)


def watermarked(png: bytes, text: str) -> bytes:
    """`png`: RGBA; at most 640 pixels wide afterwards: enough to compare, too little to reuse."""
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    image.thumbnail((640, 640))
    mark = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(mark)
    size = max(12, image.width // 14)
    for y in range(0, image.height, size * 3):
        for x in range(-(y // 3) % (size * 6) - size * 6, image.width, size * 6):
            draw.text((x, y), text, font=_font(size), fill=(40, 60, 120, 90))
    out = io.BytesIO()
    Image.alpha_composite(image, mark).save(out, "PNG")
    return out.getvalue()


def thumbnail(png: bytes, side_px: int = 72) -> bytes:
    """In small, for lists: enough to tell one impression from another, far too coarse to be used."""
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    image.thumbnail((side_px, side_px))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
