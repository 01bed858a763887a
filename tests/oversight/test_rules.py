"""Who may read which part of the log (D6)."""

import pytest

from app.actor import Actor, Grant
from app.fact import LogClass
from app.glossary import ROLES
from app.oversight.rules import BUSINESS, READERS, below, scope_of
from app.refusal import Forbidden


def holder(*grants: tuple[str, int | None]) -> Actor:
    return Actor(id=1, name="某人", grants=frozenset(Grant(role=role, unit_id=unit) for role, unit in grants))


@pytest.mark.parametrize("role", sorted(set(ROLES) - set(READERS)))
def test_nobody_else_reads_the_log(role: str) -> None:
    with pytest.raises(Forbidden, match="Only the overseer"):
        scope_of(holder((role, None)))


def test_the_auditor_audits_the_two_other_officers() -> None:
    scope = scope_of(holder(("security_auditor", None)))
    assert scope.only_officers == {"system_administrator", "security_officer"}


def test_the_security_officer_reviews_everybody_but_the_audited() -> None:
    scope = scope_of(holder(("security_officer", None)))
    assert scope.without_officers == {"system_administrator", "security_officer"}
    assert scope.only_officers == frozenset()


def test_business_oversight_sees_seals_and_no_logins_or_settings() -> None:
    scope = scope_of(holder(("overseer", 3), ("overseer", 4)))
    assert scope.classes == BUSINESS
    assert not scope.classes & {LogClass.LOGIN, LogClass.CONFIGURATION, LogClass.LOG_READING}
    assert scope.units == {3, 4}
    assert scope_of(holder(("overseer", 3), ("overseer", None))).units is None


def test_a_unit_brings_what_is_under_it() -> None:
    parents = {1: None, 2: 1, 3: 2, 4: 1, 9: None}
    assert below(frozenset({2}), parents) == {2, 3}
    assert below(frozenset({1}), parents) == {1, 2, 3, 4}
