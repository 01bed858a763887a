"""Reading a diagram: once per content, never trusting it."""

import pytest

from app.bpmn import reading
from app.bpmn.parse import parse, program
from app.refusal import Invalid
from tests.bpmn.diagrams import action, bpmn, flow, line, shape, shipped


def test_the_same_content_is_parsed_once():
    data = line(shape("userTask", "review"), names=["review"])

    assert parse(data) is parse(bytes(data))


def test_a_diagram_tells_its_shapes_its_actions_and_what_it_calls():
    data = line(
        action("do", "a/do", x="1"), shape("callActivity", "sub", calledElement="other"), names=["do", "sub"]
    )

    diagram = parse(data)

    assert diagram.operators == {"a/do": frozenset({"x"})}
    assert diagram.calls == {"other"}
    assert diagram.nodes["do"].kind == "serviceTask"


def test_the_shipped_diagrams_have_a_place_for_every_shape_and_no_warnings():
    for diagram in shipped().values():
        drawn = {s.id for s in diagram.picture.shapes}
        assert set(diagram.nodes) <= drawn, diagram.key
        assert not diagram.warnings, diagram.key
        assert diagram.picture.width > 300


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>', "doctype"),
        ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x []><x/>'.encode("utf-16"), "doctype"),
        (b"<a><b></a>", "not_xml"),
        (b"", "not_xml"),
        (b"\x00\xff" * 100, "not_xml"),
        (b"<a>" * 200 + b"</a>" * 200, "too_deep"),
        (b"<a>" + b"<b/>" * (reading.MAX_ELEMENTS + 1) + b"</a>", "too_many"),
        (b"<a>" + b" " * reading.MAX_BYTES + b"</a>", "too_large"),
    ],
)
def test_hostile_xml_is_refused_by_name(data: bytes, rule: str):
    with pytest.raises(Invalid) as refused:
        parse(data)

    assert refused.value.code == f"diagram.{rule}"
    assert refused.value.text.zh and refused.value.text.en


def test_a_rejected_diagram_names_every_problem():
    data = bpmn(
        shape("startEvent", "begin"),
        shape("scriptTask", "evil", "<bpmn:script>x = 1</bpmn:script>"),
        shape("endEvent", "finish"),
        flow("begin", "evil"),
        flow("evil", "finish"),
    )

    with pytest.raises(Invalid) as refused:
        parse(data)

    assert refused.value.details["problems"][0]["element"] == "evil"


def test_calling_what_does_not_exist_or_in_a_circle_is_refused():
    calls_b = parse(bpmn(*_calls("b"), key="a"))
    calls_a = parse(bpmn(*_calls("a"), key="b"))

    with pytest.raises(Invalid, match="missing"):
        program(calls_b, {})
    with pytest.raises(Invalid, match="circle"):
        program(calls_b, {"a": calls_b, "b": calls_a})


def _calls(key: str) -> tuple[str, ...]:
    return (
        shape("startEvent", "begin"),
        shape("callActivity", "sub", calledElement=key),
        shape("endEvent", "finish"),
        flow("begin", "sub"),
        flow("sub", "finish"),
    )
