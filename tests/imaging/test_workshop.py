"""Cropping, turning, and what a person is told about their scan (A3)."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.demo.scan import clean_seal, press, square_seal
from app.imaging.checking import ImageRefused
from app.imaging.extracting import Shape, extract
from app.imaging.workshop import LEAST_LEFT, Work, cropped, off_colour, ruler, too_coarse, work_of

SEAL = press(clean_seal("示例科技有限公司"), width_mm=42, dpi=200, print_lines=False, angle_deg=0)


def said(data: bytes, shape: Shape = "round", **work: float) -> list[str]:
    size = 42 if shape == "round" else 20
    return [
        w.en for w in extract(data, shape=shape, width_mm=size, height_mm=size, work=Work(**work)).warnings
    ]


def painted(data: bytes, *, grey: bool = False, scale: float = 1.0) -> bytes:
    image, out = Image.open(io.BytesIO(data)), io.BytesIO()
    image = image.resize((round(image.width * scale), round(image.height * scale)))
    (image.convert("L") if grey else image).save(out, "PNG")
    return out.getvalue()


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["turn", "sensitivity", "crop_left", "crop_right", "crop_top", "crop_bottom"]),
        st.one_of(st.floats(), st.text(max_size=5), st.none()),
    )
)
def test_whatever_a_form_says_something_is_left(form: dict[str, object]) -> None:
    work = work_of(form)

    assert work.left + work.right <= 1 - LEAST_LEFT + 1e-9 and work.top + work.bottom <= 1 - LEAST_LEFT + 1e-9
    assert -180 <= work.turn_deg <= 180 and 0.4 <= work.sensitivity <= 2.5
    left = cropped(Image.new("RGB", (200, 100)), work)
    assert left.width >= 10 and left.height >= 5
    again = work_of(work.said())
    assert abs(again.left - work.left) < 0.001 and again.turn_deg == pytest.approx(
        work.turn_deg, rel=1e-4, abs=1e-4
    )


def test_a_good_scan_needs_no_remark_and_a_turn_is_added_to_what_was_found() -> None:
    assert said(SEAL) == []
    turned = extract(SEAL, shape="round", width_mm=42, height_mm=42, work=Work(turn_deg=90))
    assert abs(turned.angle_deg - 90) < 1


def test_cutting_away_half_a_seal_is_said() -> None:
    assert any("edge" in w or "proportions" in w for w in said(SEAL, left=0.5))


def test_a_coarse_scan_is_said_with_its_resolution() -> None:
    assert too_coarse(200) is None
    assert any("dpi" in w for w in said(painted(SEAL, scale=0.5)))


def test_a_square_seal_is_no_round_one_and_the_other_way_round() -> None:
    square = press(square_seal("张三之印"), width_mm=20, dpi=300, print_lines=False, angle_deg=0)

    assert not [w for w in said(square, "square") if "edge" in w]
    assert any("round edge" in w for w in said(square, "round"))


def test_black_ink_is_refused_and_a_tint_is_said() -> None:
    with pytest.raises(ImageRefused, match="not red"):
        extract(painted(SEAL, grey=True), shape="round", width_mm=42, height_mm=42)
    assert off_colour(0.85, 0.2, 0.2) is None
    for tint in ((0.9, 0.6, 0.1), (0.6, 0.1, 0.5), (0.9, 0.8, 0.8)):
        assert off_colour(*tint) is not None


def test_the_ruler_has_a_tick_for_every_millimetre() -> None:
    ticks = dict(ruler(42))

    assert set(ticks) == {float(mm) for mm in range(43)}
    assert ticks[40] > ticks[35] > ticks[36]
