"""Diagrams of other tools: accepted and run by themselves, or rejected with the element named."""

from pathlib import Path

import pytest

from app.bpmn.lint import Surroundings, lint
from app.bpmn.parse import parse
from app.bpmn.reading import read
from app.bpmn.rehearse import rehearse
from app.refusal import Invalid
from tests.bpmn.diagrams import NOW, shape
from tests.bpmn.foreign import ACCEPTED, END, LOOP, MANY, START, arrows, event, file, one, process

CALLED_OFF = {"an end that ends all": {"e", "never"}, "an error out of a sub-process": {"sub"}}
"""What no round can pass, because something else always comes first."""


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_diagram_of_another_tool_is_accepted_and_runs_to_its_end(name: str):
    report = rehearse(parse(ACCEPTED[name]), {}, now=NOW)

    for played in report["processes"]:
        assert {r["outcome"] for r in played["rounds"]} == {"ended"}, played
        assert set(played["never_passed"]) == CALLED_OFF.get(name, set())


PLAIN = one(shape("task", "办理"), names="办理").decode()


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        ('<?xml version="1.0" encoding="GB2312"?>' + PLAIN).encode("gbk"),
        ('<?xml version="1.0" encoding="UTF-16"?>' + PLAIN).encode("utf-8"),
        (
            "\n  <?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n<!-- <!DOCTYPE x> -->" + PLAIN
        ).encode(),
        PLAIN.replace("bpmn:", "").replace("xmlns:bpmn", "xmlns").encode(),
        PLAIN.replace("bpmn:", "semantic:").replace("xmlns:bpmn", "xmlns:semantic").encode(),
    ],
    ids=["bom", "utf-16", "gbk", "says utf-16", "blanks first", "no prefix", "another prefix"],
)
def test_neither_encoding_nor_prefix_matters(data: bytes):
    assert "办理" in parse(data).nodes


def gate(condition: str, language: str = "") -> bytes:
    said = f"<bpmn:conditionExpression {language}>{condition}</bpmn:conditionExpression>"
    return file(process(
        START, shape("exclusiveGateway", "x", default="f1_x_e"), shape("endEvent", "no"), END,
        arrows("s>x", "x>e"), f'<bpmn:sequenceFlow id="asks" sourceRef="x" targetRef="no">{said}</bpmn:sequenceFlow>'))  # fmt: skip


@pytest.mark.parametrize(
    ("data", "rule", "element"),
    [
        (gate("${amount > 1000}"), "language", "asks"),
        (gate("#{approved}"), "language", "asks"),
        (gate("a === 1 &amp;&amp; b"), "feel", "asks"),
        (gate("x == 'yes'"), "feel", "asks"),
        (gate('__import__("os").system("true")'), "language", "asks"),
        (gate("/order/amount > 5", 'language="http://www.w3.org/1999/XPath"'), "language", "asks"),
        (gate("amount > 5", 'language="javascript"'), "language", "asks"),
        (one(shape("scriptTask", "evil"), names="evil"), "unsupported", "evil"),
        (one(event("intermediateThrowEvent", "t", "link", said='name="A"'), names="t"), "link", "t"),
        (file(process(START, shape("subProcess", "t", event("endEvent", "c", "cancel")), arrows("s>t"))), "unsupported", "c"),
        (one(shape("complexGateway", "c"), names="c"), "unsupported", "c"),
        (one(shape("adHocSubProcess", "a"), names="a"), "unsupported", "a"),
        (one(event("intermediateCatchEvent", "c", "conditional"), names="c"), "unsupported", "c"),
        (one(event("intermediateThrowEvent", "c", "compensate"), names="c"), "unsupported", "c"),
        (file(process(START, shape("subProcess", "ev", triggeredByEvent="true"))), "unsupported", "ev"),
        (one(event("intermediateCatchEvent", "c", "timer", "<bpmn:timeCycle>every day</bpmn:timeCycle>"),
             names="c"), "feel", "c"),
        (one(shape("task", "a~b"), names="a~b"), "reserved_id", "a~b"),
        (one(event("intermediateCatchEvent", "c", "timer", "<bpmn:timeDuration>${d}</bpmn:timeDuration>"),
             names="c"), "language", "c"),
        (file(process(shape("task", "a"), shape("task", "b"), arrows("a>b", "b>a"))), "start", "p"),
        (file(process(START, shape("subProcess", "sub", shape("task", "in")), arrows("s>in"))), "border", "f0_s_in"),
        (file(process(START, event("boundaryEvent", "lost", "timer", attachedToRef="gone"))), "boundary", "lost"),
        (file(process(START, shape("eventBasedGateway", "g"), shape("task", "t"), arrows("s>g", "g>t"))),
         "event_gateway", "f1_g_t"),
        (file(process(START, END, '<bpmn:sequenceFlow sourceRef="s" targetRef="x"/>')), "dangling", "s → x"),
        (one(shape("task", "t", '<bpmn:standardLoopCharacteristics loopMaximum="__import__"/>'), names="t"),
         "loop", "t"),
        (one(shape("task", "t", f"<bpmn:{LOOP}/><bpmn:{MANY}/>"), names="t"), "loop", "t"),
        (file(), "one_process", "d"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_rejected_by_name(data: bytes, rule: str, element: str):
    with pytest.raises(Invalid) as refused:
        parse(data)

    found = [(p["rule"], p["element"]) for p in refused.value.details["problems"]]
    assert (rule, element) in found


def chain(kind: str, length: int) -> bytes:
    names = [f"t{number}" for number in range(length)]
    return one(*(shape(kind, name) for name in names), names=" ".join(names))


@pytest.mark.parametrize("kind", ["userTask", "serviceTask"])
def test_a_long_row_of_shapes_is_read_and_run(kind: str):
    report = rehearse(parse(chain(kind, 400)), {}, now=NOW)

    assert report["outcome"] == "ended"
    assert report["processes"][0]["never_passed"] == []


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (chain("task", 2_600), "too_many"),
        (file(process("".join(f'<bpmn:subProcess id="n{i}">' for i in range(25)) + "</bpmn:subProcess>" * 25)), "too_deep"),
        (gate("1" + "+1" * 20_000 + " > 0"), "feel"),
        (gate("(" * 2_000 + "true" + ")" * 2_000), "feel"),
        (file(process(START, "<bpmn:scriptTask/>" * 5_000)), "unsupported"),
    ],
    ids=["shapes", "nesting", "long", "brackets", "problems"],
)  # fmt: skip
def test_what_is_too_large_is_refused(data: bytes, rule: str):
    with pytest.raises(Invalid) as refused:
        parse(data)

    problems = refused.value.details["problems"]
    assert rule in {p["rule"] for p in problems}
    assert len(problems) <= 100


def test_what_needs_more_than_a_drawing_is_kept_from_being_published():
    data = one(shape("transaction", "t"), names="t")

    found = {p.rule: p.element for p in lint(read(data), Surroundings(strict=True)) if p.fatal}

    assert found["unsupported"] == "t"


def advice(data: bytes) -> dict[str, str]:
    """Rule → element of what is said about a diagram that is accepted."""
    return {p.rule: p.element for p in parse(data).warnings}


def test_what_another_engine_would_understand_is_left_open_with_advice():
    guest = "<bpmn:extensionElements><spiffworkflow:allowGuest xmlns:spiffworkflow='http://spiffworkflow.org/bpmn/schema/1.0/core'>true</spiffworkflow:allowGuest></bpmn:extensionElements>"
    cycles = ("0 0 9-17 * * MON-FRI", "0 0/5 * * * ?", "@daily")
    for said in cycles:
        cron = event("intermediateCatchEvent", "c", "timer", f"<bpmn:timeCycle>{said}</bpmn:timeCycle>")
        assert advice(one(cron, names="c"))["schedule"] == "c"
    assert advice(one(shape("task", "t", f'<bpmn:{LOOP} loopMaximum="0"/>'), names="t"))["loop"] == "t"
    assert advice(one(shape("userTask", "u", guest), names="u"))["extension"] == "u"


def test_of_a_shape_that_cannot_run_only_the_shape_is_told():
    with pytest.raises(Invalid) as refused:
        parse(one(shape("scriptTask", "evil"), names="evil"))

    assert [p["element"] for p in refused.value.details["problems"]] == ["evil"]


def test_of_many_instances_some_are_played():
    said = f"<bpmn:{MANY}><bpmn:loopCardinality>900</bpmn:loopCardinality></bpmn:{MANY}>"

    report = rehearse(parse(one(shape("userTask", "u", said), names="u")), {}, now=NOW)

    assert report["outcome"] == "ended"
    assert len(report["processes"][0]["rounds"][0]["acts"]) == 20


CIRCLE = process(
    START, shape("serviceTask", "t"), shape("exclusiveGateway", "x"), arrows("s>t", "t>x", "x>t")
)
FORKS = process(
    START, shape("serviceTask", "t"), shape("parallelGateway", "g"), shape("serviceTask", "u"),
    arrows("s>t", "t>g", "g>t", "g>u", "u>t"))  # fmt: skip
ITSELF = process(START, shape("callActivity", "c", calledElement="p"), arrows("s>c"))
BILLION = process(START, shape("task", "t",
    "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>1000000000</bpmn:loopCardinality>"
    "</bpmn:multiInstanceLoopCharacteristics>"), arrows("s>t"))  # fmt: skip
FOREVER = process(START, shape("serviceTask", "t",
    "<bpmn:standardLoopCharacteristics><bpmn:loopCondition>true</bpmn:loopCondition>"
    "</bpmn:standardLoopCharacteristics>"), arrows("s>t"))  # fmt: skip


@pytest.mark.parametrize(
    "body", [CIRCLE, FORKS, ITSELF, BILLION], ids=["circle", "forks", "itself", "billion"]
)
def test_what_would_never_rest_is_bounded(body: str):
    report = rehearse(parse(file(body)), {}, now=NOW)

    assert report["outcome"] == "bounded"
    assert report["processes"][0]["rounds"][0]["fault"]["code"] == "flow.endless"


def test_a_token_that_waits_for_what_cannot_come_is_told_of():
    deadlock = file(process(
        START, shape("exclusiveGateway", "x"), shape("task", "a"), shape("task", "b"), shape("parallelGateway", "j"),
        END, arrows("s>x", "x>a", "x>b", "a>j", "b>j", "j>e")))  # fmt: skip

    report = rehearse(parse(deadlock), {}, now=NOW)

    assert report["outcome"] == "stuck"
    assert report["processes"][0]["rounds"][0]["stands_at"] == ["j"]


def test_nothing_that_a_file_says_is_evaluated(tmp_path: Path):
    file_, words = tmp_path / "touched", "__import__('pathlib').Path('{}').touch()"
    said = words.format(file_)
    data = file(process(START, shape("userTask", "t",
        '<bpmn:multiInstanceLoopCharacteristics behavior="All"><bpmn:loopDataInputRef>'
        f"{said}</bpmn:loopDataInputRef></bpmn:multiInstanceLoopCharacteristics>", implementation=said),
        event("boundaryEvent", "b", "message", attachedToRef="t", said=f'messageRef="{said}"'),
        shape("callActivity", "c", calledElement=said), END, arrows("s>t", "t>c", "c>e"), key=said))  # fmt: skip

    rehearse(parse(data), {}, now=NOW)

    assert not file_.exists()
