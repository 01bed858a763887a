"""Decision tables: every hit policy, typed inputs, required decisions, and what is refused."""

import itertools
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.bpmn import decision
from tests.bpmn.makers import literal, model, one_table, table

RISK = [("< 10", '"low"', "1"), ("[5..20]", '"middle"', "2"), ("> 15", '"high"', "3")]


def asked(xml: bytes, data: dict[str, Any], *, strict: bool = True) -> Any:
    return decision.parse(xml).decide(None, data, strict=strict).value


def risks(policy: str, **more: Any) -> bytes:
    return one_table(RISK, outputs=("risk", "points"), policy=policy, **more)


# -- hit policies ---------------------------------------------------------------------------------------------


def test_unique_gives_the_one_rule_and_tells_which() -> None:
    result = decision.parse(risks("UNIQUE")).decide("d", {"x": 2})
    assert result.outputs == {"risk": "low", "points": 1}
    (rule,) = result.matched
    assert (rule.index, rule.id, rule.description) == (1, "rule_1", "row 1")


def test_unique_refuses_two_rules_and_names_them() -> None:
    for strict in (True, False):
        with pytest.raises(decision.UniqueViolation, match="rules 1, 2"):
            asked(risks("UNIQUE"), {"x": 7}, strict=strict)


def test_a_policy_that_is_not_said_is_unique() -> None:
    xml = one_table([("-", "1"), ("-", "2")]).replace(b' hitPolicy="UNIQUE"', b"")
    with pytest.raises(decision.UniqueViolation):
        asked(xml, {})


def test_first_gives_the_first() -> None:
    assert asked(risks("FIRST"), {"x": 7}) == {"risk": "low", "points": 1}


def test_any_agrees_or_is_refused() -> None:
    agreeing = one_table([("< 10", '"ok"'), ("> 5", '"ok"')], policy="ANY")
    assert asked(agreeing, {"x": 7}) == "ok"
    for strict in (True, False):
        with pytest.raises(decision.AnyViolation):
            asked(risks("ANY"), {"x": 7}, strict=strict)


ORDERED = {"output_values": ('"high","middle","low"',)}


def test_priority_gives_the_output_that_is_listed_first() -> None:
    assert asked(risks("PRIORITY", **ORDERED), {"x": 7}) == {"risk": "middle", "points": 2}


def test_output_order_gives_all_as_listed_and_rule_order_as_written() -> None:
    by_output = asked(risks("OUTPUT ORDER", **ORDERED), {"x": 7})
    by_rule = asked(risks("RULE ORDER"), {"x": 7})
    assert [row["risk"] for row in by_output] == ["middle", "low"]
    assert [row["risk"] for row in by_rule] == ["low", "middle"]


@pytest.mark.parametrize(
    ("aggregation", "answer"), [("", [1, 2, 5]), ("SUM", 8), ("COUNT", 3), ("MIN", 1), ("MAX", 5)]
)
def test_collect_gathers(aggregation: str, answer: Any) -> None:
    xml = one_table([("> 0", "1"), ("> 1", "2"), ("> 2", "5")], policy="COLLECT", aggregation=aggregation)
    assert asked(xml, {"x": 3}) == answer


# -- no match -------------------------------------------------------------------------------------------------


def test_no_match_is_an_error_that_says_what_was_given() -> None:
    with pytest.raises(decision.NoMatch, match=r"x = 500") as refusal:
        asked(one_table([("< 10", "1")]), {"x": 500})
    assert "没有适用的规则" in refusal.value.text.zh
    assert asked(one_table([("< 10", "1")]), {"x": 500}, strict=False) is None


def test_a_default_answers_when_no_rule_does() -> None:
    xml = one_table([("< 10", '"low"')], defaults=('"unknown"',))
    assert decision.parse(xml).decide("d", {"x": 500}).outputs == {"y": "unknown"}


def test_collecting_nothing_is_an_answer() -> None:
    assert asked(one_table([("< 10", "1")], policy="COLLECT"), {"x": 500}) == []
    assert asked(one_table([("< 10", "1")], policy="COLLECT", aggregation="COUNT"), {"x": 500}) == 0


# -- types ----------------------------------------------------------------------------------------------------


def test_text_of_a_date_becomes_a_date_where_one_is_declared() -> None:
    xml = one_table([('< date("2025-06-01")', '"before"')], input_types=("date",))
    assert asked(xml, {"x": "2025-05-31"}) == "before"
    assert asked(xml, {"x": date(2025, 5, 31)}) == "before"


def test_a_value_of_another_type_is_refused_by_name() -> None:
    xml = one_table([("-", "1")], input_types=("number",))
    with pytest.raises(decision.InvalidInput, match="'x' is 'ten', which is not number"):
        asked(xml, {"x": "ten"})


def test_a_value_that_is_not_allowed_is_refused() -> None:
    xml = one_table([("-", "1")], allowed=('"red","green"',))
    assert asked(xml, {"x": "red"}) == 1
    with pytest.raises(decision.InvalidInput):
        asked(xml, {"x": "blue"})


def test_item_definitions_hold_for_input_data() -> None:
    xml = model(
        """<itemDefinition name="tPerson"><itemComponent name="Full Name"><typeRef>string</typeRef></itemComponent>
             <itemComponent name="born"><typeRef>date</typeRef></itemComponent></itemDefinition>
           <itemDefinition name="tLevel"><typeRef>number</typeRef><allowedValues><text>[1..5]</text></allowedValues>
           </itemDefinition>
           <inputData id="i1" name="The Person"><variable name="The Person" typeRef="tPerson"/></inputData>
           <inputData id="i2" name="level"><variable name="level" typeRef="tLevel"/></inputData>
           <decision id="d" name="d"><informationRequirement><requiredInput href="#i1"/></informationRequirement>
             <informationRequirement><requiredInput href="#i2"/></informationRequirement>"""
        + literal("The Person.Full Name + string(The Person.born.year) + string(level)")
        + "</decision>"
    )
    person = {"Full Name": "张", "born": "1990-01-01"}
    assert asked(xml, {"The Person": person, "level": 3}) == "张19903"
    with pytest.raises(decision.InvalidInput, match="not tLevel"):
        asked(xml, {"The Person": person, "level": 9})


# -- models of several decisions -------------------------------------------------------------------------------

CHAIN = model(
    f"""<inputData id="amount" name="Loan Amount"/>
    <decision id="fee" name="Base Fee">
      <informationRequirement><requiredInput href="#amount"/></informationRequirement>
      {table([("<= 100", "5"), ("> 100", "9")], inputs=("Loan Amount",))}</decision>
    <businessKnowledgeModel id="bkm" name="with tax"><encapsulatedLogic><formalParameter name="net"/>
      {literal("net * 1.1")}</encapsulatedLogic></businessKnowledgeModel>
    <decision id="total" name="Total">
      <informationRequirement><requiredDecision href="#fee"/></informationRequirement>
      <knowledgeRequirement><requiredKnowledge href="#bkm"/></knowledgeRequirement>
      {literal("with tax(Base Fee)")}</decision>
    <decisionService id="s" name="service"><outputDecision href="#total"/><encapsulatedDecision href="#fee"/>
      <inputData href="#amount"/></decisionService>
    <decision id="twice" name="twice">
      <knowledgeRequirement><requiredKnowledge href="#s"/></knowledgeRequirement>
      {literal("service(10) + service(Loan Amount: 1000)")}</decision>"""
)


def test_required_decisions_are_answered_first_and_leave_their_rules() -> None:
    result = decision.parse(CHAIN).decide("total", {"Loan Amount": 250})
    assert result.value == Decimal("9.9")
    assert [(rule.decision, rule.index) for rule in result.matched] == [("Base Fee", 2)]


def test_a_decision_is_asked_by_id_or_by_name() -> None:
    asked_by = decision.parse(CHAIN)
    assert asked_by.decide("Base Fee", {"Loan Amount": 1}).value == 5
    assert asked_by.decide("fee", {"Loan Amount": 1}).value == 5
    assert asked_by.decide("service", {"Loan Amount": 1}).value == Decimal("5.5")
    with pytest.raises(decision.UnknownDecision, match=r"fee \(Base Fee\)"):
        asked_by.decide("nothing", {})


def test_a_decision_service_is_a_function() -> None:
    assert decision.parse(CHAIN).decide("twice", {}).value == Decimal("15.4")


def test_boxed_expressions() -> None:
    def entry(name: str, inside: str) -> str:
        variable = f'<variable name="{name}"/>' if name else ""
        return f"<contextEntry>{variable}{inside}</contextEntry>"

    rows = "".join(f"<row>{literal(a)}{literal(b)}</row>" for a, b in (("1", '"a"'), ("2", '"b"')))
    iterator = f"<in>{literal('[1, 2, 3]')}</in>"
    xml = model(
        f"""<decision id="d" name="d"><context>
        {entry("table of two", f'<relation><column name="n"/><column name="s"/>{rows}</relation>')}
        {
            entry(
                "add",
                f'<functionDefinition><formalParameter name="p"/>{literal("p + 1")}</functionDefinition>',
            )
        }
        {
            entry(
                "invoked",
                f'<invocation>{literal("add")}<binding><parameter name="p"/>{literal("41")}</binding>'
                "</invocation>",
            )
        }
        {entry("some list", f"<list>{literal('1')}{literal('invoked')}</list>")}
        {
            entry(
                "chosen",
                f"<conditional><if>{literal('invoked > 1')}</if><then>{literal('1')}</then>"
                f"<else>{literal('2')}</else></conditional>",
            )
        }
        {entry("squares", f'<for iteratorVariable="i">{iterator}<return>{literal("i * i")}</return></for>')}
        {entry("odd ones", f"<filter>{iterator}<match>{literal('odd(item)')}</match></filter>")}
        {
            entry(
                "all small",
                f'<every iteratorVariable="i">{iterator}<satisfies>{literal("i < 9")}</satisfies></every>',
            )
        }
        {entry("", literal("[table of two.s, invoked, some list, chosen, squares, odd ones, all small]"))}
        </context></decision>"""
    )
    assert asked(xml, {}) == [["a", "b"], 42, [1, 42], 1, [1, 4, 9], [1, 3], True]


@pytest.mark.parametrize(
    "namespace",
    [
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
        "http://www.omg.org/spec/DMN/20151101/dmn11.xsd",
        "http://www.omg.org/spec/DMN/20191111/MODEL/",
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "https://www.omg.org/spec/DMN/20191111/MODEL/",
        "https://www.omg.org/spec/DMN/20211108/MODEL/",
        "https://www.omg.org/spec/DMN/20230324/MODEL/",
    ],
)
def test_every_version_from_1_1_to_1_5_is_read(namespace: str) -> None:
    assert (
        asked(model(f'<decision id="d" name="d">{literal("1 + 1")}</decision>', namespace=namespace), {}) == 2
    )


# -- hostile and mistaken files --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"not xml",
        b"<definitions/>",
        b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e "x">]><definitions/>',
        model('<decision id="d" name="d">' + literal("1 +") + "</decision>"),
        one_table([("((", "1")]),
        one_table([("-", "1")], policy="BOGUS"),
        one_table([("-", "1")], policy="PRIORITY"),
        one_table([("-", "1")], policy="COLLECT", aggregation="AVERAGE"),
        one_table([("-",)]),
        model('<decision id="d" name="d"><literalExpression expressionLanguage="javascript"><text>1</text>'
              "</literalExpression></decision>"),
        model('<decision id="a" name="a"><informationRequirement><requiredDecision href="#a"/>'
              f"</informationRequirement>{literal('a')}</decision>"),
        model('<itemDefinition name="A"><typeRef>B</typeRef></itemDefinition>'
              '<itemDefinition name="B"><typeRef>A</typeRef></itemDefinition>'),
        model(f'<decision id="d" name="d"><functionDefinition kind="Java">{literal("1")}</functionDefinition></decision>'),
        model("<decision id='d' name='d'>" + "<list>" * 300 + "</list>" * 300 + "</decision>"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_trusted_is_refused_with_a_reason(xml: bytes) -> None:
    with pytest.raises(decision.DecisionError) as refusal:
        decision.parse(xml)
    assert refusal.value.text.zh and refusal.value.text.en


def test_a_mistake_in_a_cell_names_its_row() -> None:
    with pytest.raises(decision.DecisionError, match=r"inputEntry|rule"):
        decision.parse(one_table([("-", "1"), ("< <", "2")]))


def test_an_endless_expression_is_an_error_not_a_hang() -> None:
    xml = model(f'<decision id="d" name="d">{literal("count(for i in 1..100000000 return i)")}</decision>')
    with pytest.raises(decision.DecisionError, match="too"):
        asked(xml, {})


def test_many_tables_in_one_answer_share_its_budget() -> None:
    parts = "".join(
        f'<decision id="d{i}" name="d{i}">'
        + (
            f'<informationRequirement><requiredDecision href="#d{i - 1}"/></informationRequirement>'
            if i
            else ""
        )
        + literal("every i in 1..90000 satisfies true")
        + "</decision>"
        for i in range(20)
    )
    with pytest.raises(decision.DecisionError, match="too many steps"):
        asked(model(parts), {})


# -- properties ------------------------------------------------------------------------------------------------

BOUNDS = st.lists(st.integers(-50, 50), min_size=2, max_size=6, unique=True).map(sorted)


@settings(max_examples=60, deadline=None)
@given(bounds=BOUNDS, x=st.integers(-60, 60))
def test_rows_that_divide_the_line_give_exactly_one_answer(bounds: list[int], x: int) -> None:
    rows = [(f"< {bounds[0]}", "0")]
    rows += [(f"[{a}..{b})", str(i)) for i, (a, b) in enumerate(itertools.pairwise(bounds), 1)]
    rows += [(f">= {bounds[-1]}", str(len(bounds)))]
    assert asked(one_table(rows), {"x": x}) == sum(x >= bound for bound in bounds)


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.integers(0, 5), min_size=1, max_size=8), x=st.integers(0, 5))
def test_policies_agree_about_what_matches(values: list[int], x: int) -> None:
    rows = [(f">= {value}", str(index)) for index, value in enumerate(values)]
    collected = asked(one_table(rows, policy="COLLECT"), {"x": x})
    expected = [index for index, value in enumerate(values) if x >= value]
    assert collected == expected
    assert asked(one_table(rows, policy="FIRST"), {"x": x}, strict=False) == (
        expected[0] if expected else None
    )
    count = asked(one_table(rows, policy="COLLECT", aggregation="COUNT"), {"x": x})
    assert count == len(expected)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(model))
def test_random_bytes_are_a_decision_error(data: bytes) -> None:
    try:
        decision.parse(data)
    except decision.DecisionError as refusal:
        json.dumps(refusal.text.zh)
