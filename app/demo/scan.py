"""Draws what a scanner would give: a red seal over printed paper, turned, tinted, noisy, through JPEG.

For the demo and for tests, which know the true impression and compare.
"""

import io
import math
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_FONTS = Path("/usr/share/fonts/opentype/noto")
RED = (200, 30, 34)


@lru_cache(maxsize=16)
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(
        str(_FONTS / f"NotoSerifCJK-{'Bold' if bold else 'Regular'}.ttc"), size, index=2
    )


def clean_seal(text: str, bottom: str = "", *, side_px: int = 1000) -> Image.Image:
    """The true impression: ring, star, text on the arc, a line below. RGBA."""
    image = Image.new("RGBA", (side_px, side_px), (*RED, 0))
    draw = ImageDraw.Draw(image)
    centre, ring = side_px / 2, side_px * 0.032
    draw.ellipse((0, 0, side_px - 1, side_px - 1), outline=(*RED, 255), width=round(ring))
    points: list[tuple[float, float]] = []
    for i in range(10):
        radius = side_px * (0.16 if i % 2 == 0 else 0.061)
        angle = math.pi * i / 5 - math.pi / 2
        points.append((centre + radius * math.cos(angle), centre + radius * math.sin(angle)))
    draw.polygon(points, fill=(*RED, 255))
    size = round(side_px * min(0.13, 1.5 / max(8, len(text))))
    spread = math.radians(min(250, 21 * len(text)))
    for i, character in enumerate(text):
        angle = -spread / 2 + spread * (i / max(1, len(text) - 1))
        glyph = Image.new("RGBA", (size * 2, size * 2), (*RED, 0))
        ImageDraw.Draw(glyph).text(
            (size, size), character, font=font(size, bold=True), fill=(*RED, 255), anchor="mm"
        )
        glyph = glyph.rotate(-math.degrees(angle), resample=Image.Resampling.BICUBIC)
        radius = side_px * 0.385
        x, y = centre + radius * math.sin(angle), centre - radius * math.cos(angle)
        image.alpha_composite(glyph, (round(x - size), round(y - size)))
    if bottom:
        draw.text(
            (centre, side_px * 0.79),
            bottom,
            font=font(round(side_px * 0.075), bold=True),
            fill=(*RED, 255),
            anchor="mm",
        )
    return image


def square_seal(text: str, *, side_px: int = 1000) -> Image.Image:
    """A personal name seal: a frame and two or four characters, read from the right. RGBA."""
    image = Image.new("RGBA", (side_px, side_px), (*RED, 0))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, side_px - 1, side_px - 1), outline=(*RED, 255), width=round(side_px * 0.05))
    columns = [text[:2], text[2:]] if len(text) > 2 else [text]
    for column, characters in enumerate(reversed(columns)):
        for row, character in enumerate(characters):
            x = side_px * (0.5 if len(columns) == 1 else 0.29 + 0.42 * column)
            y = side_px * (0.29 + 0.42 * row if len(characters) > 1 else 0.5)
            draw.text(
                (x, y), character, font=font(round(side_px * 0.4), bold=True), fill=(*RED, 255), anchor="mm"
            )
    return image


def scan(
    text: str,
    bottom: str = "",
    *,
    diameter_mm: float = 42,
    dpi: int = 300,
    angle_deg: float = 6.0,
    noise: float = 14,
    print_lines: bool = True,
    seed: int = 1,
) -> bytes:
    """A JPEG of a piece of paper with that round seal pressed on it, turned clockwise by `angle_deg`."""
    return press(
        clean_seal(text, bottom),
        width_mm=diameter_mm,
        dpi=dpi,
        angle_deg=angle_deg,
        noise=noise,
        print_lines=print_lines,
        seed=seed,
    )


def press(
    seal: Image.Image,
    *,
    width_mm: float,
    dpi: int = 300,
    angle_deg: float = 6.0,
    noise: float = 14,
    print_lines: bool = True,
    seed: int = 1,
) -> bytes:
    """A JPEG of a piece of paper with this seal on it: square paper, the seal in its middle."""
    random = np.random.default_rng(seed)
    side = round(width_mm / 25.4 * dpi)
    paper_side = round(side * 1.7)
    paper = Image.new("RGB", (paper_side, paper_side), (244, 240, 228))
    if print_lines:
        draw = ImageDraw.Draw(paper)
        line = "本合同一式两份,甲乙双方各执一份,具有同等法律效力。签字盖章后生效。" * 2
        for y in range(round(side * 0.08), paper_side, round(dpi * 0.33)):
            draw.text((20, y), line, font=font(round(dpi * 0.145)), fill=(38, 38, 42))
    seal = seal.resize((side, side), Image.Resampling.LANCZOS)
    # ink is uneven, and print shows through it
    alpha = np.asarray(seal.getchannel("A"), dtype=np.float32) / 255
    grain = random.normal(0.9, 0.07, alpha.shape).clip(0.55, 1)
    ink = np.asarray(Image.new("RGB", seal.size, RED), dtype=np.float32) / 255
    corner = (paper_side - side) // 2
    base = np.asarray(paper, dtype=np.float32) / 255
    window = base[corner : corner + side, corner : corner + side]
    cover = (alpha * grain)[..., None]
    base[corner : corner + side, corner : corner + side] = (
        window * (1 - cover) + np.minimum(ink, window * 1.05) * cover
    )
    turned = Image.fromarray((base * 255).clip(0, 255).astype(np.uint8)).rotate(
        -angle_deg, resample=Image.Resampling.BICUBIC, fillcolor=(244, 240, 228)
    )
    values = np.asarray(turned, dtype=np.float32) + random.normal(0, noise, (paper_side, paper_side, 3))
    out = io.BytesIO()
    Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=82, dpi=(dpi, dpi))
    return out.getvalue()


def handwriting(*, ink: tuple[int, int, int] = (24, 28, 70), seed: int = 1) -> bytes:
    """A PNG photograph of a signature in blue-black ink, or another."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", (900, 340), (246, 245, 240))
    draw = ImageDraw.Draw(image)
    x, y = 80.0, 180.0
    points: list[tuple[float, float]] = []
    for i in range(90):
        x += 8
        y = 170 + 70 * math.sin(i / 4.3) + 30 * math.sin(i / 1.9) + float(random.normal(0, 2))
        points.append((x, y))
    draw.line(points, fill=ink, width=7, joint="curve")
    values = np.asarray(image, dtype=np.float32) + random.normal(0, 6, (340, 900, 3))
    out = io.BytesIO()
    Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()
