"""Where a seal stands on a page: from what people see to the page's own space. Pure.

People see a page after /Rotate, cut to its crop box, with the origin at its lower left corner, in points of
1/72 inch. The file counts in user space: unrotated, with an origin of its own, in units of /UserUnit points.
"""

from dataclasses import dataclass
from typing import Any

from app.pdf.faults import Broken, OutsidePage
from app.pdf.reading import inherited, value

POINTS_PER_MM = 72 / 25.4
PAPER_LIMIT_PT = 14_400
"""200 inches: more than that and no viewer agrees with another."""
_SLACK_PT = 0.5


@dataclass(frozen=True, kw_only=True)
class PageSize:
    """A page as people see it: width and height in points, `rotate` in degrees clockwise."""

    width_pt: float
    height_pt: float
    rotate: int
    left: float
    bottom: float
    unit: float


def page_size(page: Any) -> PageSize:
    """Refuses Broken when the page has no sensible size."""
    box = inherited(page, "/CropBox") or inherited(page, "/MediaBox")
    if box is None or len(box) != 4:
        raise Broken("a page without a media box")
    x0, y0, x1, y1 = (float(v) for v in box)
    left, right, bottom, top = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
    unit = float(value(page, "/UserUnit") or 1)
    width, height = (right - left) * unit, (top - bottom) * unit
    if not (1 <= width <= PAPER_LIMIT_PT and 1 <= height <= PAPER_LIMIT_PT and unit > 0):
        raise Broken(f"a page of {width} x {height} points")
    rotate = int(inherited(page, "/Rotate") or 0) % 360
    if rotate % 90:
        raise Broken(f"a page rotated by {rotate} degrees")
    if rotate in (90, 270):
        width, height = height, width
    return PageSize(width_pt=width, height_pt=height, rotate=rotate, left=left, bottom=bottom, unit=unit)


def user_box(
    page: PageSize, *, x_pt: float, y_pt: float, width_mm: float, height_mm: float
) -> tuple[float, float, float, float]:
    """The seal's rectangle in user space: left, bottom, right, top. `x_pt`, `y_pt`: its lower left corner as
    seen. Refuses OutsidePage unless all of it is on the page."""
    width, height = width_mm * POINTS_PER_MM, height_mm * POINTS_PER_MM
    inside = (
        x_pt >= -_SLACK_PT
        and y_pt >= -_SLACK_PT
        and x_pt + width <= page.width_pt + _SLACK_PT
        and y_pt + height <= page.height_pt + _SLACK_PT
    )
    if not inside:
        raise OutsidePage
    a = _to_user(page, x_pt, y_pt)
    b = _to_user(page, x_pt + width, y_pt + height)
    return (min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))


def _to_user(page: PageSize, x: float, y: float) -> tuple[float, float]:
    """One point as seen → user space. The page is turned clockwise for showing, so we turn it back."""
    if page.rotate == 90:
        x, y = page.height_pt - y, x
    elif page.rotate == 180:
        x, y = page.width_pt - x, page.height_pt - y
    elif page.rotate == 270:
        x, y = y, page.width_pt - x
    return page.left + x / page.unit, page.bottom + y / page.unit


def upright_matrix(rotate: int) -> tuple[int, int, int, int, int, int]:
    """The appearance's /Matrix that turns it against the page, so that the seal stands upright when seen."""
    return {
        0: (1, 0, 0, 1, 0, 0),
        90: (0, 1, -1, 0, 0, 0),
        180: (-1, 0, 0, -1, 0, 0),
        270: (0, -1, 1, 0, 0, 0),
    }[rotate]
