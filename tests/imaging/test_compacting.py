"""An impression goes on a card: small, and still the same shape."""

import io

import numpy as np
import pytest
from PIL import Image

from app.demo.scan import handwriting, scan
from app.imaging.checking import ImageRefused
from app.imaging.compacting import compact
from app.imaging.extracting import extract

LIMIT = 28 * 1024


def ink(png: bytes, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA").resize(size).getchannel("A")) > 127


@pytest.mark.parametrize("width_mm", [38.0, 50.0])
def test_a_scanned_seal_fits_and_keeps_its_shape(width_mm: float) -> None:
    full = extract(
        scan("北京示例科技有限公司", "合同专用章"), shape="round", width_mm=width_mm, height_mm=width_mm
    ).png
    assert len(full) > LIMIT

    small = compact(full, width_mm=width_mm, limit_bytes=LIMIT)

    assert len(small) <= LIMIT
    before, after = ink(full, (300, 300)), ink(small, (300, 300))
    assert (before & after).sum() / (before | after).sum() > 0.95
    image = Image.open(io.BytesIO(small))
    assert image.width / image.info["dpi"][0] * 25.4 == pytest.approx(width_mm, abs=0.5)
    red, green, blue, alpha = Image.open(io.BytesIO(small)).convert("RGBA").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    assert red > green and red > blue and alpha < 255


def test_a_signature_fits_too() -> None:
    full = extract(handwriting(), shape="signature", width_mm=50, height_mm=20).png

    assert len(compact(full, width_mm=50, limit_bytes=LIMIT)) <= LIMIT


def test_what_fits_already_is_left_as_it_is() -> None:
    assert compact(b"small", width_mm=40, limit_bytes=LIMIT) == b"small"


def test_noise_that_never_fits_is_refused() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (900, 900, 4), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG")

    with pytest.raises(ImageRefused, match="card"):
        compact(out.getvalue(), width_mm=38, limit_bytes=8 * 1024)
