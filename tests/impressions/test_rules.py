"""The law of impressions: what may follow what."""

import pytest

from app.actor import Actor, Grant
from app.impressions import rules
from app.impressions.rules import State
from app.refusal import Conflict, Forbidden, Invalid

MANAGER = Actor(id=1, name="赵管", grants=frozenset({Grant(role="seal_manager", unit_id=3)}))


def test_an_effective_impression_can_be_used() -> None:
    rules.check_usable(State("effective"))


@pytest.mark.parametrize("status", ["suspended", "displaced", "destroyed"])
def test_any_other_makes_no_seal(status: rules.Status) -> None:
    with pytest.raises(Conflict) as refused:
        rules.check_usable(State(status, "磨损"))

    assert refused.value.code == f"impression.{status}"
    assert refused.value.text.zh and refused.value.text.en


@pytest.mark.parametrize(
    ("verb", "lawful"),
    [
        ("suspend", {"effective"}),
        ("resume", {"suspended", "displaced"}),
        ("destroy", {"effective", "suspended", "displaced"}),
    ],
)
@pytest.mark.parametrize("status", ["effective", "suspended", "displaced", "destroyed"])
def test_what_may_follow_what(verb: str, lawful: set[str], status: rules.Status) -> None:
    if status in lawful:
        rules.check_change(verb, State(status))  # type: ignore[arg-type]
        return
    with pytest.raises(Conflict, match=f"impression.cannot_{verb}"):
        rules.check_change(verb, State(status))  # type: ignore[arg-type]


def test_a_manager_rules_over_the_own_unit_only() -> None:
    rules.check_may_change(MANAGER, frozenset({3, 1}))

    with pytest.raises(Forbidden, match=r"impression\.not_manager"):
        rules.check_may_change(MANAGER, frozenset({4, 1}))


@pytest.mark.parametrize("reason", ["", " ", "x"])
def test_a_change_gives_its_reason(reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.check_reason(reason)

    assert "reason" in refused.value.fields


def test_a_destroyed_sample_stays_sealed() -> None:
    with pytest.raises(Conflict, match=r"impression\.sealed"):
        rules.check_may_open(State("destroyed"))
