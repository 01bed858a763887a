"""Forms: what is accepted, what is said about what is not."""

from typing import Any

import pytest

from app.flows.forms import Choice, Form, fill, form_of, kept, permitted
from app.refusal import Invalid
from app.text import Text

ZH_EN = {"zh": "项", "en": "item"}


def form(**field: Any) -> Form:
    return form_of(
        "f", {"title": ZH_EN, "fields": [{"name": "a", "label": ZH_EN, "required": False, **field}]}
    )


@pytest.mark.parametrize(
    ("field", "raw", "value"),
    [
        ({"type": "text"}, "  字  ", "字"),
        ({"type": "text"}, "", None),
        ({"type": "text"}, None, None),
        ({"type": "number"}, "2.50", 2.5),
        ({"type": "number", "as": "integer"}, "3", 3),
        ({"type": "date"}, "2026-11-22", "2026-11-22"),
        ({"type": "choice", "choices": [{"value": "x", "label": ZH_EN}]}, "x", "x"),
        ({"type": "choice", "as": "integer", "choices": [{"value": "3", "label": ZH_EN}]}, "3", 3),
        ({"type": "file"}, {"name": "a", "digest": "sha256:0", "size": 1}, {"name": "a", "digest": "sha256:0", "size": 1}),
    ],
)  # fmt: skip
def test_values_come_in_their_types(field: dict[str, Any], raw: Any, value: Any):
    assert fill(form(**field), {"a": raw, "unasked": "x"}) == {"a": value}


@pytest.mark.parametrize(
    ("field", "raw"),
    [
        ({"type": "text", "max_length": 3}, "abcd"),
        ({"type": "text"}, "a\x00b"),
        ({"type": "text"}, ["x"]),
        ({"type": "number"}, "x"),
        ({"type": "number"}, "nan"),
        ({"type": "number", "min": 1, "max": 5}, "6"),
        ({"type": "number", "min": 1}, "0"),
        ({"type": "number", "as": "integer"}, "1.5"),
        ({"type": "date"}, "22/11/2026"),
        ({"type": "choice", "choices": [{"value": "x", "label": ZH_EN}]}, "y"),
        ({"type": "file"}, "x"),
        ({"type": "text", "required": True}, "  "),
    ],
)
def test_a_wrong_value_gets_a_sentence_in_both_languages(field: dict[str, Any], raw: Any):
    with pytest.raises(Invalid) as refused:
        fill(form(**field), {"a": raw})

    sentence = refused.value.fields["a"]
    assert sentence.zh and sentence.en and sentence.zh != sentence.en


def test_a_condition_makes_a_field_required():
    asked = form(type="text", required='decision = "send_back"')

    assert fill(asked, {}, data={"decision": "approve"}) == {"a": None}
    with pytest.raises(Invalid):
        fill(asked, {}, data={"decision": "send_back"})


def test_what_a_house_offers_is_what_can_be_chosen():
    asked = form(type="choice", source="cards")
    offered = {"a": [Choice("C-1", Text("卡", "card"))]}

    assert fill(asked, {"a": "C-1"}, offered=offered) == {"a": "C-1"}
    with pytest.raises(Invalid):
        fill(asked, {"a": "C-2"}, offered=offered)
    with pytest.raises(Invalid):
        fill(asked, {"a": "C-1"}, offered={})


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"title": ZH_EN},
        {"title": {"zh": "x"}, "fields": []},
        {"title": ZH_EN, "fields": [{"name": "a", "type": "magic", "label": ZH_EN}]},
        {"title": ZH_EN, "fields": [{"name": "A b", "type": "text", "label": ZH_EN}]},
        {"title": ZH_EN, "fields": [{"name": "a", "type": "choice", "label": ZH_EN}]},
        {"title": ZH_EN, "fields": [{"name": "a", "type": "text", "label": ZH_EN, "required": "a ="}]},
        {"title": ZH_EN, "fields": [{"name": "a", "type": "text", "label": ZH_EN}] * 2},
    ],
)
def test_a_malformed_form_is_refused(said: dict[str, Any]):
    with pytest.raises(Invalid):
        form_of("f", said)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("1234.50", 1234.5),
        ("¥1,234.5", 1234.5),
        ("1,234,567.89 元", 1234567.89),
        ("0", 0),
        ("-3", -3),
        (12, 12),
    ],
)
def test_money_is_read_as_people_write_it(raw: Any, value: float):
    assert fill(form(type="money"), {"a": raw}) == {"a": value}


@pytest.mark.parametrize("raw", ["1.234", "12,34", "1e3", "一百", "nan", "", "9" * 17, "1.", "- 3"])
def test_what_is_no_amount_is_refused(raw: str):
    with pytest.raises(Invalid):
        fill(form(type="money", required=True), {"a": raw})


def test_several_are_each_one_of_those_offered_and_once():
    asked = form(type="several", choices=[{"value": v, "label": ZH_EN} for v in "xyz"])

    assert fill(asked, {"a": ["z", "x", "z"]}) == {"a": ["x", "z"]}
    assert fill(asked, {"a": "y"}) == {"a": ["y"]}
    assert fill(asked, {"a": []}) == {"a": None}
    with pytest.raises(Invalid):
        fill(asked, {"a": ["x", "other"]})


def test_a_person_and_a_unit_are_among_those_offered():
    for kind in ("user", "unit"):
        assert fill(form(type=kind), {"a": "7"}, offered={"a": [Choice("7", Text("七", "7"))]}) == {"a": 7}
        with pytest.raises(Invalid):
            fill(form(type=kind), {"a": "8"}, offered={"a": [Choice("7", Text("七", "7"))]})


def test_a_file_is_a_handle_of_ones_own_and_a_picture_where_one_is_asked_for():
    paper = {"handle": "h", "name": "a.pdf", "digest": "sha256:0", "size": 1, "type": "application/pdf"}

    assert fill(form(type="file"), {"a": "h"}, files={"h": paper}) == {"a": paper}
    for kind, said in (("file", "other"), ("file", paper), ("image", "h"), ("signature", "h")):
        with pytest.raises(Invalid):
            fill(form(type=kind), {"a": said}, files={"h": paper})


def test_a_step_sees_and_changes_what_its_diagram_says():
    fields = [{"name": n, "type": "text", "label": ZH_EN, "required": True} for n in ("a", "b", "c")]
    seen = permitted(form_of("f", {"title": ZH_EN, "fields": fields}), " b=read, c = hide ")

    assert seen is not None
    assert [(f.name, f.access) for f in seen.fields] == [("a", "edit"), ("b", "read")]
    assert fill(seen, {"a": "1", "b": "forged", "c": "forged"}) == {"a": "1"}
    assert kept(seen, {"a": "x" * 30_000, "b": "y", "z": "?"}) == {"a": "x" * 20_000}
    assert permitted(None, "a=read") is None
