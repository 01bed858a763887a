"""骑缝章: the strips on the pages' edges make one seal again when the pages are fanned out."""

import shutil
import subprocess
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.pdf import claims, faults, inspecting
from app.pdf.confined import confined
from app.pdf.geometry import POINTS_PER_MM
from app.pdf.rendering import render_page
from app.pdf.straddling import PAGES_A_SEAL, check_straddles, strips
from tests.pdf import makers

DPI = 200


def paper(pages: int, **more: str) -> bytes:
    pdf = makers.small_pdf(pages=pages, **more)
    return pdf.replace(makers.CONTENT, b" " * len(makers.CONTENT))


def coloured() -> bytes:
    """A picture of which every column has its own shade of red."""
    picture = Image.new("RGBA", (200, 160))
    picture.putdata([(255, x, x, 255) for _ in range(160) for x in range(200)])  # type: ignore[arg-type]
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def edges(pdf: bytes, pages: int) -> list[Image.Image]:
    """What stands in colour at each page's right edge, cut out."""
    found: list[Image.Image] = []
    for number in range(1, pages + 1):
        with Image.open(BytesIO(confined(render_page, pdf, number, dpi=DPI))) as page:
            shown = page.convert("RGB")
        edge = shown.crop((shown.width - round(45 / 25.4 * DPI), 0, shown.width, shown.height))
        red = edge.getchannel("B").point(lambda b: 255 if b < 250 else 0).getbbox()
        assert red is not None and red[2] >= edge.width - 1, number
        found.append(edge.crop(red))
    return found


@pytest.mark.parametrize(
    "extra", ["", "/Rotate 90 ", "/Rotate 180 ", "/Rotate 270 /CropBox [20 30 500 700] "]
)
def test_the_strips_of_all_pages_make_the_seal_again(extra: str) -> None:
    """In order, at true size, at the same height, however the pages are turned and cropped."""
    pdf = makers.sealed(
        paper(3, page_extra=extra),
        stamp_png=coloured(),
        width_mm=40.0,
        height_mm=32.0,
        x_pt=20.0,
        y_pt=20.0,
        page=3,
        straddle_pt=300.0,
    )

    parts = edges(pdf, 3)

    assert sum(p.width for p in parts) == pytest.approx(40 / 25.4 * DPI, abs=4)
    assert {round(p.height / DPI * 25.4) for p in parts} == {32}
    shades = [p.getpixel((x, p.height // 2))[1] for p in parts for x in range(2, p.width - 2)]  # type: ignore[index]
    assert all(b - a >= -2 for a, b in pairwise(shades)), "the columns are out of order"
    assert shades[0] < 10 and shades[-1] > 188


def test_other_programs_call_it_sound_and_so_with_a_second_seal(tmp_path: Path) -> None:
    once = makers.sealed(paper(4), straddle_pt=200.0, x_pt=20.0)
    (tmp_path / "twice.pdf").write_bytes(makers.sealed(once, x_pt=200.0))

    told = subprocess.run(
        ["pdfsig", "-nocert", "twice.pdf"], cwd=tmp_path, capture_output=True, text=True, check=False
    ).stdout

    assert told.count("Signature is Valid") == 2
    assert [c.holds for c in claims.read_claims((tmp_path / "twice.pdf").read_bytes())] == [True, True]


def test_a_page_of_another_size_has_its_strip_at_its_own_edge() -> None:
    pdf = paper(2).replace(b"/MediaBox [0 0 595 842]", b"/MediaBox [0 0 842 595]", 1)
    assert pdf != paper(2)
    parts = edges(
        makers.sealed(pdf, stamp_png=coloured(), width_mm=40.0, height_mm=32.0, straddle_pt=100.0), 2
    )
    assert [round(p.width / DPI * 25.4) for p in parts] == [20, 20]


def test_one_page_has_no_edge_to_seal_across() -> None:
    with pytest.raises(faults.SinglePage):
        makers.sealed(paper(1), straddle_pt=100.0)
    with pytest.raises(faults.SinglePage):
        check_straddles(inspecting.inspect(paper(1)), width_mm=40, height_mm=40, y_pt=0)


def test_what_was_signed_before_gets_no_strips() -> None:
    signed = makers.sealed(paper(3))
    with pytest.raises(faults.SignedBefore):
        makers.sealed(signed, straddle_pt=100.0)
    with pytest.raises(faults.SignedBefore):
        check_straddles(inspecting.inspect(signed), width_mm=40, height_mm=40, y_pt=0)


@pytest.mark.parametrize("y_pt", [-10.0, 842 - 40 * POINTS_PER_MM + 2])
def test_a_strip_outside_a_page_is_refused_at_its_own_field(y_pt: float) -> None:
    with pytest.raises(faults.OutsidePage) as refused:
        check_straddles(inspecting.inspect(paper(3)), width_mm=40, height_mm=40, y_pt=y_pt)
    assert list(refused.value.fields) == ["straddle_pt"]


@given(st.integers(2, 2000))
def test_seals_share_the_pages_evenly_and_completely(pages: int) -> None:
    shared = strips(pages)
    assert len(shared) == pages
    at = 0
    while at < pages:
        of = shared[at].of
        assert 2 <= of <= PAGES_A_SEAL
        assert [(s.index, s.of) for s in shared[at : at + of]] == [(i, of) for i in range(of)]
        at += of
    assert max(s.of for s in shared) - min(s.of for s in shared) <= 1


def test_poppler_draws_them_too(tmp_path: Path) -> None:
    assert shutil.which("pdftoppm")
    (tmp_path / "s.pdf").write_bytes(
        makers.sealed(paper(2), stamp_png=coloured(), width_mm=40.0, height_mm=32.0, straddle_pt=300.0)
    )
    subprocess.run(["pdftoppm", "-r", "100", "-png", "s.pdf", "p"], cwd=tmp_path, check=True)
    for name in ("p-1.png", "p-2.png"):
        with Image.open(tmp_path / name) as page:
            edge = page.convert("RGB").crop((page.width - 100, 0, page.width, page.height))
        box = edge.getchannel("B").point(lambda b: 255 if b < 250 else 0).getbbox()
        assert box is not None and (box[2] - box[0]) / 100 * 25.4 == pytest.approx(20, abs=0.6)
