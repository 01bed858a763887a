"""The one decision on use: every reason to refuse is enough, and what it allows it can explain."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.actor import Actor, Grant
from app.refusal import Refusal
from app.seals import rules
from app.text import Text

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
SUN = Actor(id=7, name="孙用", grants=frozenset({Grant(role="seal_user", unit_id=3)}))

seals = st.builds(
    rules.SealView,
    name=st.just("预算处"),
    valid_from=st.sampled_from([NOW - DAY, NOW + DAY]),
    valid_until=st.sampled_from([NOW - DAY / 2, NOW + 9 * DAY]),
    issued=st.booleans(),
    suspended=st.booleans(),
    cancelled=st.booleans(),
    card_problem=st.sampled_from([None, Text("已挂失", "lost")]),
)
grants = st.builds(
    rules.GrantView,
    id=st.integers(1, 99),
    user_id=st.sampled_from([None, 7, 8]),
    role=st.sampled_from(["seal_user", "seal_manager"]),
    unit_path=st.sampled_from([frozenset({3, 1}), frozenset({4, 1})]),
    unit_name=st.just("预算处"),
    functions=st.lists(st.sampled_from(rules.FUNCTIONS), unique=True),
    valid_from=st.sampled_from([NOW - DAY, NOW + DAY]),
    valid_until=st.sampled_from([None, NOW - DAY / 2, NOW + DAY]),
    withdrawn=st.booleans(),
    document_digest=st.sampled_from([None, "sha256:aa", "sha256:bb"]),
)


def serves(grant: rules.GrantView) -> bool:
    """The law said a second time, plainly: does this grant let Sun seal document aa as PDF now?"""
    for_sun = grant.user_id == 7 or (
        grant.user_id is None and grant.role == "seal_user" and 3 in grant.unit_path
    )
    in_time = grant.valid_from <= NOW and (grant.valid_until is None or grant.valid_until >= NOW)
    fitting = "pdf" in grant.functions and grant.document_digest in (None, "sha256:aa")
    return for_sun and in_time and fitting and not grant.withdrawn


@given(seals, st.lists(grants, max_size=5))
def test_use_is_allowed_exactly_when_the_seal_lives_and_a_grant_serves(
    seal: rules.SealView, held: list[rules.GrantView]
) -> None:
    decision = rules.decide_use(seal, held, SUN, function="pdf", document_digest="sha256:aa", at=NOW)

    lives = (
        seal.issued
        and not seal.suspended
        and not seal.cancelled
        and seal.card_problem is None
        and seal.valid_from <= NOW <= seal.valid_until
    )
    assert decision.allowed == (lives and any(serves(g) for g in held))
    assert decision.because.zh and decision.because.en
    if decision.allowed:
        assert any(g.id == decision.grant_id and serves(g) for g in held)


@given(seals, st.lists(grants, max_size=5))
def test_stations_and_the_system_use_no_seal(seal: rules.SealView, held: list[rules.GrantView]) -> None:
    """A18: a person uses a seal."""
    for nobody in (Actor(kind="station", station_id=1), Actor(kind="system"), Actor()):
        decision = rules.decide_use(seal, held, nobody, function="pdf", document_digest=None, at=NOW)
        assert not decision.allowed


@pytest.mark.parametrize(
    ("kind", "keeping", "unit", "user", "card_user", "expected"),
    [
        ("personal_name", "personal", None, 7, 7, (7, None, None)),  # A17
        ("personal_signature", "unit", None, 7, None, (7, None, None)),  # A17
        ("official", "unit", 3, None, None, (None, "seal_user", 3)),  # A18
        ("official", "personal", 3, None, 9, (9, None, None)),  # A19
    ],
)
def test_a_seal_goes_to_whom_the_keeping_of_its_card_says(
    kind: str,
    keeping: str,
    unit: int | None,
    user: int | None,
    card_user: int | None,
    expected: tuple[int | None, str | None, int | None],
) -> None:
    grantee = rules.grantee_by_keeping(
        kind=kind,
        keeping=keeping,
        owner_unit_id=unit,
        owner_user_id=user,
        card_owner_user_id=card_user,
    )

    assert (grantee.user_id, grantee.role, grantee.unit_id) == expected


def test_where_nobody_follows_somebody_has_to_decide() -> None:
    with pytest.raises(Refusal, match=r"seal\.no_grantee"):
        rules.grantee_by_keeping(
            kind="official",
            keeping="personal",
            owner_unit_id=3,
            owner_user_id=None,
            card_owner_user_id=None,
        )


@given(st.sets(st.integers(1, 5)), st.integers(1, 5))
def test_no_approver_operates(approvers: set[int], operator: int) -> None:
    try:
        rules.check_may_operate(operator, frozenset(approvers))
        allowed = True
    except Refusal:
        allowed = False

    assert allowed == (operator not in approvers)


@pytest.mark.parametrize(
    ("kind", "unit", "person", "card_unit", "card_person", "card_units", "keeping", "fits"),
    [
        ("official", 3, None, 3, None, (), "unit", True),
        ("official", 3, None, 4, None, (), "unit", False),
        ("official", 3, None, None, 7, (3, 1), "personal", True),
        ("official", 3, None, None, 7, (4, 1), "personal", False),
        ("personal_name", None, 7, None, 7, (3, 1), "personal", True),
        ("personal_name", None, 7, None, 8, (3, 1), "personal", False),
        ("personal_signature", None, 7, 3, None, (), "unit", False),
    ],
)
def test_a_seal_goes_on_a_card_of_its_owner(
    kind: str,
    unit: int | None,
    person: int | None,
    card_unit: int | None,
    card_person: int | None,
    card_units: tuple[int, ...],
    keeping: str,
    fits: bool,
) -> None:
    try:
        rules.check_card_owner(
            kind=kind,
            owner_unit_id=unit,
            owner_user_id=person,
            card_unit_id=card_unit,
            card_user_id=card_person,
            card_user_units=frozenset(card_units),
            keeping=keeping,
        )
        found = True
    except Refusal:
        found = False

    assert found == fits


def test_a_seal_is_kept_as_its_application_said() -> None:
    rules.check_keeping("official", asked="unit", card="unit")
    rules.check_keeping("personal_name", asked="personal", card="unit")
    with pytest.raises(Refusal, match=r"seal\.other_keeping"):
        rules.check_keeping("official", asked="unit", card="personal")
