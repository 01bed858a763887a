"""The same seal is known again, another is not, however much alike they are."""

from functools import lru_cache

import pytest

from app.demo.scan import clean_seal, press
from app.imaging.extracting import extract
from app.imaging.likeness import agreement, likeness, same_seal


@lru_cache
def taken(name: str, bottom: str, seed: int) -> bytes:
    angle, over_print = ((0.0, False), (4.0, True), (-7.0, False))[seed]
    data = press(
        clean_seal(name, bottom), width_mm=42, dpi=150, print_lines=over_print, angle_deg=angle, seed=seed
    )
    return likeness(extract(data, shape="round", width_mm=42, height_mm=42).png)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seal_pressed_again_is_the_same(seed: int) -> None:
    one, again = (
        taken("北京示例科技有限公司", "合同专用章", 0),
        taken("北京示例科技有限公司", "合同专用章", seed),
    )

    assert same_seal(one, again) and same_seal(again, one)
    assert agreement(one, one) > 0.999


@pytest.mark.parametrize(
    ("name", "bottom"),
    [
        ("北京示例科技有限公司", "财务专用章"),
        ("上海示例科技有限公司", "合同专用章"),
        ("预算处合同专用章", ""),
    ],
)
def test_a_seal_that_differs_in_two_characters_is_another(name: str, bottom: str) -> None:
    assert agreement(taken("北京示例科技有限公司", "合同专用章", 0), taken(name, bottom, 1)) < 0.87
