"""What a person does to a scan before the ink is taken from it, and what they should look at afterwards. Pure."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.text import Text

LEAST_DPI = 200
"""Below it the small characters of an impression lose their strokes."""
LEAST_LEFT = 0.05
"""Of a side, so much always stays when a scan is cropped."""


@dataclass(frozen=True)
class Work:
    """`sensitivity`: 0.5 keeps only strong ink, 2 keeps faint ink. `turn_deg`: counter-clockwise, added to what is
    found by itself. `left`, `top`, `right`, `bottom`: shares of the side that are cut away."""

    sensitivity: float = 1.0
    turn_deg: float = 0.0
    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0

    def said(self) -> dict[str, str]:
        """As an application keeps it, so that the impression can be taken again."""
        kept = {"sensitivity": self.sensitivity, "turn": self.turn_deg}
        kept |= {f"crop_{side}": round(getattr(self, side) * 100, 1) for side in SIDES}
        return {name: f"{value:g}" for name, value in kept.items()}


SIDES = ("left", "top", "right", "bottom")


def work_of(said: Mapping[str, Any]) -> Work:
    """From a form: degrees, and percent of each side; what is no number changes nothing, what is too much is bounded."""
    shares = [_number(said.get(f"crop_{side}"), 0, 0, 90) / 100 for side in SIDES]
    for first, second in ((0, 2), (1, 3)):
        if (both := shares[first] + shares[second]) > 1 - LEAST_LEFT:
            shares[first] *= (1 - LEAST_LEFT) / both
            shares[second] *= (1 - LEAST_LEFT) / both
    return Work(
        _number(said.get("sensitivity"), 1, 0.4, 2.5), _number(said.get("turn"), 0, -180, 180), *shares
    )


def _number(said: Any, usual: float, least: float, most: float) -> float:
    try:
        value = float(said)
    except (TypeError, ValueError, OverflowError):
        return usual
    return min(most, max(least, value)) if math.isfinite(value) else usual


def cropped(image: Image.Image, work: Work) -> Image.Image:
    """The part that is left."""
    if not (work.left or work.top or work.right or work.bottom):
        return image
    width, height = image.size
    box = (
        math.floor(work.left * width),
        math.floor(work.top * height),
        math.ceil((1 - work.right) * width),
        math.ceil((1 - work.bottom) * height),
    )
    return image.crop(box)


def resolution(ink_px: float, side_mm: float) -> float:
    """Dots an inch of the ink itself in the scan, whatever the file says of itself."""
    return ink_px / (side_mm / 25.4)


def too_coarse(dpi: float) -> Text | None:
    if dpi >= LEAST_DPI:
        return None
    return Text(
        f"印迹只有约 {dpi:.0f} dpi，细小的字会模糊。请裁掉四周空白，或以 300 dpi 以上重新扫描",
        f"The ink has only about {dpi:.0f} dpi; small characters blur. Crop the paper around it, or scan at 300 dpi or more",
    )


def off_colour(red: float, green: float, blue: float) -> Text | None:
    """`red`, `green`, `blue`: the ink's mean on white paper, 0…1."""
    strength = red - max(green, blue)
    if strength >= 0.22 and abs(green - blue) <= 0.6 * strength:
        return None
    return Text(
        "印色不是正红，可能偏色、太淡或为复印件，请用原章印泥重盖后彩色扫描",
        "The ink is no clear red: a tint, too faint, or a copy. Press the seal again and scan it in colour",
    )


def misshapen(alpha: NDArray[Any], shape: str) -> Text | None:
    """Whether the edge is where a seal of that shape has it. `alpha`: the ink, cut to its size, 0…255."""
    if shape == "signature":
        return None
    least, names = {
        "round": (0.72, ("圆形", "round")),
        "oval": (0.72, ("椭圆形", "oval")),
        "square": (0.45, ("方形", "square")),
    }[shape]
    if _edge(alpha, square=shape == "square") >= least:
        return None
    return Text(
        f"没有找到完整的{names[0]}边框，请核对所选形状，或重新扫描完整的印迹",
        f"No complete {names[1]} edge was found; check the chosen shape, or scan the whole impression",
    )


def _edge(alpha: NDArray[Any], *, square: bool) -> float:
    """The share of directions from the middle in which there is ink at the edge; 0 for what has corners where a
    round seal has none."""
    small = Image.fromarray(alpha.astype(np.uint8)).convert("L").resize((160, 160), Image.Resampling.BOX)
    ink = np.asarray(small) > 90
    y, x = np.mgrid[:160, :160]
    across, down = (x - 79.5) / 80, (y - 79.5) / 80
    far = np.maximum(abs(across), abs(down)) if square else np.hypot(across, down)
    if not square and float(ink[far > 1.06].mean()) > 0.05:
        return 0.0
    direction = ((np.arctan2(down, across) + np.pi) / (2 * np.pi) * 72).astype(int) % 72
    found = np.unique(direction[ink & (far > 0.86) & (far <= 1.02)])
    return len(found) / 72


def ruler(width_mm: float) -> Iterator[tuple[float, float]]:
    """The ticks of a ruler: where, in mm, and how long: every mm, longer at 5, longest at 10."""
    for mm in range(math.ceil(width_mm) + 1):
        yield float(mm), 4 if mm % 10 == 0 else 3 if mm % 5 == 0 else 1.8
