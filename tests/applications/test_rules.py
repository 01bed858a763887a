"""A2, D13: what each kind of application must say."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.actor import SYSTEM, Actor, Grant
from app.applications import rules
from app.people.rules import CREDIT_ALPHABET, check_credit_code, credit_check_character
from app.refusal import Conflict, Forbidden, Invalid
from tests.applications.makers import CREDIT_CODE

OFFICIAL = {
    "owner_unit_id": "3",
    "seal_name": "预算处",
    "seal_type": "department",
    "credit_code": "",
    "keeping": "unit",
    "handler": "钱某",
    "reason": "换刻",
    "size": "round-42",
}
PERSONAL = {"owner_user_id": "7", "reason": "新任", "size": "square-20"}


def filled(kind: rules.Kind, form: dict[str, str], **changes: str) -> rules.Filled:
    return rules.check_form(kind, {**form, **changes}, check_credit_code=check_credit_code)


def wrong(kind: rules.Kind, form: dict[str, str], **changes: str) -> set[str]:
    with pytest.raises(Invalid, match=r"application\.incomplete") as refused:
        filled(kind, form, **changes)
    assert all(text.zh and text.en for text in refused.value.fields.values())
    return set(refused.value.fields)


def test_a_complete_official_form_is_read() -> None:
    found = filled("official", OFFICIAL)

    assert (found.owner_unit_id, found.owner_user_id) == (3, None)
    assert (found.shape, found.width_mm, found.height_mm) == ("round", 42, 42)


def test_a_personal_seal_is_kept_by_its_person_and_named_after_them() -> None:
    found = filled("personal_name", PERSONAL, seal_name="别人", keeping="unit")

    assert (found.owner_unit_id, found.owner_user_id) == (None, 7)
    assert found.keeping == "personal"
    assert found.seal_name == ""


@pytest.mark.parametrize(
    "name", ["owner_unit_id", "seal_name", "seal_type", "keeping", "handler", "reason", "size"]
)
def test_every_field_of_the_official_form_is_needed(name: str) -> None:
    assert wrong("official", OFFICIAL, **{name: " "}) == {name}


def test_everything_wrong_is_said_at_once() -> None:
    assert wrong("official", {}) == set(OFFICIAL) - {"credit_code"}
    assert wrong("personal_signature", {}) == {"owner_user_id", "reason", "size"}


@pytest.mark.parametrize("number", ["²", "-1", "1e3", "9" * 5000, "１", "1;drop"])
def test_what_is_no_number_is_refused(number: str) -> None:
    assert wrong("official", OFFICIAL, owner_unit_id=number) == {"owner_unit_id"}


@pytest.mark.parametrize(
    "code", ["", "123", CREDIT_CODE[:-1] + "?", CREDIT_CODE[:-1] + "I", CREDIT_CODE + "0"]
)
def test_a_units_own_seal_needs_a_true_credit_code(code: str) -> None:
    assert wrong("official", OFFICIAL, seal_type="unit", letter="x", credit_code=code) == {"credit_code"}


def test_one_wrong_character_of_a_credit_code_is_noticed() -> None:
    assert filled("official", OFFICIAL, seal_type="unit", letter="x", credit_code=CREDIT_CODE.lower())
    for place in range(18):
        other = "A" if CREDIT_CODE[place] != "A" else "B"
        changed = CREDIT_CODE[:place] + other + CREDIT_CODE[place + 1 :]
        assert wrong("official", OFFICIAL, credit_code=changed) == {"credit_code"}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_one_wrong_character_of_any_credit_code_is_found(data: st.DataObject) -> None:
    """GB 32100-2015: the weights are powers of 3 modulo the prime 31, so no one change leaves the sum as it was,
    nor does an exchange of two neighbours."""
    letters = st.sampled_from(CREDIT_ALPHABET)
    body = "91" + data.draw(st.text("0123456789", min_size=6, max_size=6)) + data.draw(st.text(letters, min_size=9, max_size=9))  # fmt: skip
    code = body + credit_check_character(body)
    check_credit_code(code)
    place = data.draw(st.integers(0, 17))
    other = data.draw(letters.filter(lambda c: c != code[place]))
    turned = code[:place] + code[place + 1 : place + 2] + code[place] + code[place + 2 :]

    for changed in {code[:place] + other + code[place + 1 :], turned} - {code}:
        with pytest.raises(Invalid):
            check_credit_code(changed)


@pytest.mark.parametrize(
    ("seal_type", "code", "size", "fits"),
    [
        ("unit", "11110000MB0000000X", "round-50", True),  # an authority
        ("unit", "91110108MA00DEMA0M", "round-50", False),  # an enterprise
        ("department", "11110000MB0000000X", "round-50", False),  # a part of an authority
        ("unit", "91110108MA00DEMA0M", "round-45", True),
        ("finance", "", "oval-45x30", True),
        ("contract", "", "oval-45x30", False),
    ],
)
def test_the_state_says_how_large_a_seal_may_be(seal_type: str, code: str, size: str, fits: bool) -> None:
    assert (rules.check_size(seal_type, code, size) is None) == fits


@pytest.mark.parametrize(
    ("said", "fits"),
    [("", True), ("1101080123456", True), ("京A12345", False), ("ab1234", True), ("12345", False), ("9901080123456", False)],
)  # fmt: skip
def test_a_register_number_is_as_the_police_give_it(said: str, fits: bool) -> None:
    assert (rules.check_register_number(said) is None) == fits


def test_what_depends_on_another_answer_is_asked_for() -> None:
    assert wrong("official", OFFICIAL, keeping="personal") == {"keeper_user_id"}
    assert (
        filled("official", OFFICIAL, keeping="personal", keeper_user_id="7").fields["keeper_user_id"] == "7"
    )
    assert wrong("official", OFFICIAL, seal_type="business") == {"purpose"}
    assert wrong("official", OFFICIAL, seal_type="unit", credit_code=CREDIT_CODE) == {"letter"}
    assert wrong("personal_name", PERSONAL, purpose="字" * 301) == {"purpose"}


def test_the_credit_code_is_the_registered_one() -> None:
    rules.check_code_of_unit("", CREDIT_CODE)
    rules.check_code_of_unit(CREDIT_CODE, None)
    with pytest.raises(Invalid, match=r"application\.foreign_code"):
        rules.check_code_of_unit(CREDIT_CODE, "91110000100006866L")


@pytest.mark.parametrize(
    ("kind", "form", "size"),
    [
        ("official", OFFICIAL, "square-20"),
        ("official", OFFICIAL, "round-99"),
        ("official", OFFICIAL, "oval-45x30"),  # of a department
        ("personal_name", PERSONAL, "round-42"),
        ("personal_signature", PERSONAL, "square-20"),
    ],
)
def test_a_size_that_the_kind_may_not_have_is_refused(
    kind: rules.Kind, form: dict[str, str], size: str
) -> None:
    assert wrong(kind, form, size=size) == {"size"}


def test_an_oval_seal_is_for_finance() -> None:
    assert filled("official", OFFICIAL, size="oval-45x30", seal_type="finance").shape == "oval"


def test_one_applies_for_the_own_unit() -> None:
    clerk = Actor(id=1, grants=frozenset({Grant(role="applicant", unit_id=3)}))

    rules.check_may_apply(clerk, frozenset({3, 1}))
    with pytest.raises(Forbidden, match=r"application\.not_your_unit"):
        rules.check_may_apply(clerk, frozenset({4, 1}))


def test_nobody_and_nothing_decides_but_the_office_of_the_unit() -> None:
    rules.check_office(
        Actor(id=1, grants=frozenset({Grant(role="seal_office", unit_id=1)})), frozenset({3, 1})
    )

    for by in (SYSTEM, Actor(id=1), Actor(id=1, grants=frozenset({Grant(role="seal_office", unit_id=9)}))):
        with pytest.raises(Forbidden, match=r"application\.not_office"):
            rules.check_office(by, frozenset({3, 1}))


def test_nobody_decides_on_their_own() -> None:
    rules.check_not_own(Actor(id=1), 2, 3)

    for applicant, owner in ((1, None), (2, 1)):
        with pytest.raises(Forbidden, match=r"application\.own"):
            rules.check_not_own(Actor(id=1), applicant, owner)


def test_what_is_decided_is_decided() -> None:
    with pytest.raises(Conflict, match=r"application\.wrong_state"):
        rules.check_status("approved", "submitted")
