"""A3: from a skewed, noisy scan over print to the impression, measured against the true one."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from app.demo.scan import clean_seal, handwriting, scan
from app.imaging.checking import ImageRefused
from app.imaging.extracting import extract

NAME, BOTTOM = "北京示例科技有限公司供应链中心", "合同专用章"


def overlap(png: bytes, truth: Image.Image) -> float:
    """Intersection over union of the ink."""
    found = np.asarray(Image.open(io.BytesIO(png)).getchannel("A")) > 127
    true = np.asarray(truth.resize(found.shape[::-1]).getchannel("A")) > 127
    return float((found & true).sum() / (found | true).sum())


@pytest.mark.parametrize("angle", [-9, 0, 4.5, 8])
@pytest.mark.parametrize("over_print", [True, False])
def test_a_skewed_noisy_scan_gives_the_impression_upright(angle: float, over_print: bool) -> None:
    data = scan(NAME, BOTTOM, angle_deg=angle, print_lines=over_print, seed=7)

    found = extract(data, shape="round", width_mm=42, height_mm=42)

    assert abs(found.angle_deg - angle) < 0.6
    assert overlap(found.png, clean_seal(NAME, BOTTOM)) > (0.85 if over_print else 0.87)


def test_the_picture_is_transparent_and_of_true_size() -> None:
    found = extract(scan(NAME, BOTTOM), shape="round", width_mm=42, height_mm=42)

    image = Image.open(io.BytesIO(found.png))
    assert image.mode == "RGBA"
    assert image.getpixel((2, 2))[3] == 0  # type: ignore[index]
    assert image.width / image.info["dpi"][0] * 25.4 == pytest.approx(42, abs=0.5)


def test_a_signature_keeps_its_proportions_in_its_field() -> None:
    found = extract(handwriting(), shape="signature", width_mm=40, height_mm=15)

    image = Image.open(io.BytesIO(found.png))
    assert image.width / image.height == pytest.approx(40 / 15, rel=0.02)
    assert 0.01 < found.coverage < 0.3


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is huge, in a few bytes."""
    ihdr = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", ihdr), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


TRUE = scan(NAME)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"just some text that calls itself seal.png", "image.not_a_picture"),
        (b"", "image.not_a_picture"),
        (b"PK\x03\x04" + b"\0" * 200, "image.not_a_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image.not_a_picture"),
        (TRUE[: len(TRUE) // 3], "image.damaged"),
        (png_header(20_000, 20_000), "image.too_large"),
    ],
)
def test_what_is_no_picture_is_refused_in_both_languages(data: bytes, code: str) -> None:
    with pytest.raises(ImageRefused) as refused:
        extract(data, shape="round", width_mm=42, height_mm=42)

    assert refused.value.code == code
    assert refused.value.text.zh
    assert refused.value.text.en


def test_a_scan_without_ink_is_refused() -> None:
    blank = io.BytesIO()
    Image.new("RGB", (400, 400), (250, 248, 240)).save(blank, "PNG")

    with pytest.raises(ImageRefused, match="No red ink"):
        extract(blank.getvalue(), shape="round", width_mm=42, height_mm=42)
