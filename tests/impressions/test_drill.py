"""What the drill of impressions calls held: nothing less than all kept, one effective, never two, no error."""

from dataclasses import replace

import pytest

from app.drill.impressions import Outcome

GOOD = Outcome(
    acts=9, registered=6, resumed=3, told={}, kept=6, effective=1, most_effective=1, looks=50, errors=[], seconds=1.0
)  # fmt: skip


def test_all_kept_and_one_effective_is_held() -> None:
    assert GOOD.held
    assert replace(GOOD, told={"impression.cannot_resume": 2}).held


@pytest.mark.parametrize(
    "changed",
    [
        {"kept": 5},
        {"effective": 0},
        {"effective": 2},
        {"most_effective": 2},
        {"looks": 0},
        {"errors": ["! busy"]},
    ],
)
def test_anything_less_is_not(changed: dict[str, object]) -> None:
    assert not replace(GOOD, **changed).held  # type: ignore[arg-type]
