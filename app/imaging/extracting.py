"""From a scan to an impression: the ink alone, upright, at its true size (A3). Pure.

1. Paper becomes white: each channel is divided by the paper's own colour.
2. Ink: for a red seal, redness `R - max(G, B)`; for a signature, how far from white. A ramp around Otsu's threshold.
3. Print that crosses the ink leaves holes: a black pixel takes the side of most of the others around it.
4. Specks go: ink that has too little ink around it.
5. The angle: printed lines of the paper, if there are any; else the frame of a square seal, or the left-right
   symmetry of a round one.
6. Cut to the ink, scale to 600 dots an inch of the true size.
"""

import io
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from app.imaging.checking import ImageRefused, open_image
from app.imaging.workshop import Work, cropped, misshapen, off_colour, resolution, too_coarse
from app.text import Text

Shape = Literal["round", "oval", "square", "signature"]
Plane = NDArray[np.float32]
Colours = tuple[Plane, Plane, Plane]
Mask = NDArray[np.bool_]

DPI = 600
LONGEST_PX = 1600
INK = (196, 22, 28)
LARGEST_ANGLE = 15.0
AS_IT_IS = Work()


@dataclass(frozen=True)
class Extraction:
    """`png`: RGBA, transparent, cut to the ink. `angle_deg`: by which the scan was turned, counter-clockwise.
    `coverage`: share of the picture that is ink. `warnings`: what a person should look at."""

    png: bytes = field(repr=False)
    width_mm: float
    height_mm: float
    angle_deg: float
    coverage: float
    warnings: tuple[Text, ...] = ()


def extract(
    data: bytes,
    *,
    shape: Shape,
    width_mm: float,
    height_mm: float,
    work: Work = AS_IT_IS,
    limit_pixels: int = 12_000_000,
) -> Extraction:
    """The impression in a scan, after what a person did to it. Raises ImageRefused when it is no picture, or holds
    no ink."""
    image = cropped(open_image(data, limit_pixels=limit_pixels), work)
    image.thumbnail((LONGEST_PX, LONGEST_PX))
    colours = _paper_to_white(_on_white(image))
    strength = _inkiness(colours) if shape == "signature" else _redness(colours)
    threshold = _otsu(strength) / work.sensitivity
    if threshold <= 0 or float((strength > threshold).mean()) < 0.0005:
        if shape != "signature" and float((_darkness(colours) > 0.4).mean()) > 0.01:
            raise ImageRefused(
                "image.not_red",
                "印迹不是红色：可能是黑白扫描或复印件。请用红色印泥重盖后彩色扫描",
                "The ink is not red: a black-and-white scan or a copy. Press it in red and scan it in colour",
            )
        raise ImageRefused(
            "image.no_ink",
            "图片中没有找到红色印迹或签名笔迹。请上传清晰的彩色扫描件",
            "No red ink or handwriting was found in the picture. Upload a clear colour scan",
        )
    alpha = np.clip((strength - 0.45 * threshold) / (0.55 * threshold), 0, 1).astype(np.float32)
    warnings: list[Text] = []
    angle = 0.0
    dark = (_darkness(colours) > 0.6) & (alpha < 0.5)
    if shape != "signature":
        alpha, crossed = _fill_crossings(alpha, dark)
        if crossed > 0.008:
            warnings.append(
                Text(
                    "印迹与印刷文字重叠，已自动修补，请核对细节；最好换用空白纸上的印迹",
                    "Print crosses the ink and was mended; check the details, or use an impression on blank paper",
                )
            )
    alpha = _without_specks(alpha)
    if shape != "signature":
        angle = _angle(dark, alpha > 0.5, shape)
        _add(warnings, off_colour(*_mean_colour(colours, alpha, dark)))
    angle += work.turn_deg
    plane = Image.fromarray((alpha * 255).astype(np.uint8), "L")
    if abs(angle) >= 0.1:
        plane = plane.rotate(angle, resample=Image.Resampling.BICUBIC, expand=True)
    plane, stretched, across_px = _cut(plane, shape, width_mm, height_mm)
    _add(warnings, too_coarse(resolution(across_px, width_mm)))
    if stretched > 0.08:
        warnings.append(
            Text(
                "印迹的宽高比例与所选尺寸不符，请核对尺寸，或重新扫描完整的印迹",
                "The ink is not of the proportions of the chosen size; check the size, or scan the whole impression",
            )
        )
    else:
        _add(warnings, misshapen(np.asarray(plane), shape))
    coverage = float((np.asarray(plane) > 127).mean())
    if coverage < 0.02:
        warnings.append(Text("印迹很淡，请检查是否完整", "The ink is very faint; check that it is complete"))
    result = Image.new("RGBA", plane.size, (*(INK if shape != "signature" else (20, 20, 24)), 0))
    result.putalpha(plane)
    return Extraction(_png(result), width_mm, height_mm, round(angle, 2), coverage, tuple(warnings))


def _add(warnings: list[Text], found: Text | None) -> None:
    if found is not None:
        warnings.append(found)


def _mean_colour(colours: Colours, alpha: Plane, dark: Mask) -> tuple[float, float, float]:
    """Of the ink itself, print across it left out."""
    ink = (alpha > 0.8) & ~dark
    if not ink.any():
        return 1.0, 1.0, 1.0
    red, green, blue = (float(band[ink].mean()) for band in colours)
    return red, green, blue


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(DPI, DPI))
    return out.getvalue()


def _on_white(image: Image.Image) -> Colours:
    """Red, green and blue, 0…1; what is transparent is paper."""
    if image.mode == "RGBA":
        paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(paper, image)
    red, green, blue = (
        (np.asarray(band, dtype=np.float32) / 255).astype(np.float32) for band in image.convert("RGB").split()
    )
    return red, green, blue


def _paper_to_white(colours: Colours) -> Colours:
    """Divide by the paper's colour: the median of the brighter half, told from every fourth pixel."""
    sample = np.stack([band[::4, ::4].ravel() for band in colours])
    brightness = sample.min(axis=0)
    paper = np.median(sample[:, brightness >= np.median(brightness)], axis=1)
    red, green, blue = (
        np.minimum(band / np.float32(max(0.2, float(white))), 1).astype(np.float32)
        for band, white in zip(colours, paper, strict=True)
    )
    return red, green, blue


def _redness(colours: Colours) -> Plane:
    red, green, blue = colours
    return np.maximum(red - np.maximum(green, blue), 0).astype(np.float32)


def _darkness(colours: Colours) -> Plane:
    red, green, blue = colours
    return (1 - np.maximum(np.maximum(red, green), blue)).astype(np.float32)


def _inkiness(colours: Colours) -> Plane:
    """High for black, blue and red pens alike: none of them is bright in green and red at once."""
    return (1 - (colours[0] + colours[1]) / 2).astype(np.float32)


def _otsu(plane: Plane) -> float:
    """Otsu's threshold between the two kinds of pixel, over 256 steps; 0 when there is but one kind."""
    counts, edges = np.histogram(plane, bins=256, range=(0, 1))
    weights = np.cumsum(counts) / max(1, counts.sum())
    means = np.cumsum(counts * edges[:-1]) / max(1, counts.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (means[-1] * weights - means) ** 2 / (weights * (1 - weights))
    best = int(np.nanargmax(between)) if np.isfinite(between).any() else 0
    return float(edges[best + 1]) if plane.max() > 0.12 else 0.0


def _box(plane: NDArray[Any], radius: int) -> Plane:
    """The mean over a square of side 2·radius+1, to 1/255."""
    image = Image.fromarray((plane * np.float32(255)).astype(np.uint8), "L")
    return (np.asarray(image.filter(ImageFilter.BoxBlur(radius)), dtype=np.float32) / 255).astype(np.float32)


def _fill_crossings(alpha: Plane, dark: Mask) -> tuple[Plane, float]:
    """Black print over red ink: a dark pixel becomes ink where most others around it are. Gives the share of
    the ink that was mended."""
    radius = max(3, round(min(alpha.shape) / 160))
    others = ~dark
    ink_around = _box(alpha * others, radius)
    others_around = _box(others, radius)
    mended = dark & (ink_around > 0.55 * np.maximum(others_around, 0.02))
    filled = np.where(mended, 1.0, alpha).astype(np.float32)
    share = float(mended.sum()) / max(1.0, float((filled > 0.5).sum()))
    return filled, share


def _without_specks(alpha: Plane) -> Plane:
    radius = max(4, round(min(alpha.shape) / 90))
    fine = _box(alpha, 1)
    return np.where((_box(alpha > 0.5, radius) > 0.06) & (fine > 0.3), alpha, 0).astype(np.float32)


def _angle(dark: Mask, ink: Mask, shape: Shape) -> float:
    """How far the scan is turned, in degrees counter-clockwise to set it right; 0 when nothing tells."""
    if float(dark.mean()) > 0.004:
        found, contrast = _best_angle(_small(dark, 500), _lines)
        if contrast > 1.25:
            return found
    if shape == "square":
        found, contrast = _best_angle(_small(_to_ink(ink), 300), _lines)
        return found if contrast > 1.25 else 0.0
    found, contrast = _best_angle(_small(_to_ink(ink), 220), _symmetry)
    return found if contrast > 1.08 else 0.0


def _to_ink(ink: Mask) -> Mask:
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if rows.size else ink


def _small(mask: Mask, side: int) -> Image.Image:
    image = Image.fromarray((mask * 255).astype(np.uint8), "L")
    image.thumbnail((side, side), Image.Resampling.BOX)
    return image


def _best_angle(image: Image.Image, score: Any) -> tuple[float, float]:
    """The angle with the highest score, and how far it stands out from the median of all."""
    rough = image.copy()
    rough.thumbnail((image.width // 2, image.height // 2), Image.Resampling.BOX)
    coarse = np.arange(-LARGEST_ANGLE, LARGEST_ANGLE + 0.1, 1.0)
    scores = np.array([score(rough, a) for a in coarse])
    centre = coarse[int(scores.argmax())]
    fine = np.arange(centre - 1.0, centre + 1.01, 0.1)
    fine_scores = np.array([score(image, a) for a in fine])
    best = float(fine[int(fine_scores.argmax())])
    return best, float(scores.max() / max(1e-9, float(np.median(scores))))


def _turned(image: Image.Image, angle: float) -> Plane:
    return np.asarray(image.rotate(angle, resample=Image.Resampling.BILINEAR), dtype=np.float32)


def _lines(image: Image.Image, angle: float) -> float:
    """High when rows are either full of print or empty: lines of text lie level."""
    rows = _turned(image, angle).sum(axis=1)
    return float(((rows[1:] - rows[:-1]) ** 2).sum())


def _symmetry(image: Image.Image, angle: float) -> float:
    """High when left mirrors right, as a seal's star, ring and text do when it stands upright."""
    turned = _turned(image, angle)
    return float((turned * turned[:, ::-1]).sum())


def _cut(
    plane: Image.Image, shape: Shape, width_mm: float, height_mm: float
) -> tuple[Image.Image, float, float]:
    """Cut to the ink and scale to the true size; also how far its proportions are from those of the true size, and
    how many pixels of the scan its width took. A round seal stays round: one side rules both."""
    values = np.asarray(plane) > 127
    # the outermost row of a ring or a frame already holds many pixels; less than that is a burr
    share = {"round": 0.02, "oval": 0.02, "square": 0.2}.get(shape, 0)
    least = max(1, round(share * min(values.shape)))
    rows, columns = np.flatnonzero(values.sum(1) > least), np.flatnonzero(values.sum(0) > least)
    if not rows.size or not columns.size:
        raise ImageRefused(
            "image.no_ink",
            "图片中没有找到完整的印迹，请重新扫描",
            "No complete impression was found in the picture; scan it again",
        )
    left, top, right, bottom = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    stretched = abs((right - left) * height_mm / ((bottom - top) * width_mm) - 1)
    if shape == "round":
        side = max(right - left, bottom - top)
        x, y = (left + right) / 2, (top + bottom) / 2
        left, top = round(x - side / 2), round(y - side / 2)
        right, bottom = left + side, top + side
    cut = plane.crop((left, top, right, bottom))
    scale = min(DPI / 25.4, LONGEST_PX / max(width_mm, height_mm))
    size = (max(1, round(width_mm * scale)), max(1, round(height_mm * scale)))
    if shape == "signature":
        across = cut.width * max(1.0, cut.height * width_mm / (cut.width * height_mm))
        return _inside(cut, size), 0.0, across
    return cut.resize(size, Image.Resampling.LANCZOS), stretched, float(cut.width)


def _inside(cut: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A signature keeps its own proportions, in the middle of its field."""
    ratio = min(size[0] / cut.width, size[1] / cut.height)
    small = cut.resize(
        (max(1, round(cut.width * ratio)), max(1, round(cut.height * ratio))), Image.Resampling.LANCZOS
    )
    field_ = Image.new("L", size, 0)
    field_.paste(small, ((size[0] - small.width) // 2, (size[1] - small.height) // 2))
    return field_
