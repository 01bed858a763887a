"""Forms: what is accepted, what is said about what is not."""

from typing import Any

import pytest

from app.flows.forms import Choice, Form, fill, form_of
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
