"""A model made elsewhere runs here: prefixes, types, functions that call themselves, services, imports."""

import contextlib
import copy
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from app.bpmn import decision, feel
from tests.bpmn.makers import escaped, literal, model, one_table, table


def said(xml: bytes, name: str, data: Mapping[str, Any] | None = None) -> Any:
    """As the standard has it: what does not fit is null, and one broken decision leaves the others alone."""
    return feel.to_json(decision.read(xml, forgiving=True).decide(name, data or {}, strict=False).value)


def decided(name: str, inside: str, *, typed: str = "", needs: str = "", knows: str = "") -> str:
    reference = f' typeRef="{typed}"' if typed else ""
    asks = "".join(
        f'<informationRequirement><required{kind} href="#{to}"/></informationRequirement>'
        for kind, to in (word.split(":") for word in needs.split())
    ) + "".join(
        f'<knowledgeRequirement><requiredKnowledge href="#{to}"/></knowledgeRequirement>'
        for to in knows.split()
    )
    variable = f'<variable name="{name}"{reference}/>'
    return f'<decision id="{name}" name="{name}">{variable}{asks}{inside}</decision>'


def knowledge(name: str, params: str, body: str, *, typed: str = "", knows: str = "") -> str:
    formal = "".join(
        f'<formalParameter name="{word.partition(":")[0]}"'
        + (f' typeRef="{word.partition(":")[2]}"' if ":" in word else "")
        + "/>"
        for word in params.split()
    )
    variable = f'<variable name="{name}"' + (f' typeRef="{typed}"' if typed else "") + "/>"
    asks = "".join(
        f'<knowledgeRequirement><requiredKnowledge href="#{to}"/></knowledgeRequirement>'
        for to in knows.split()
    )
    return (
        f'<businessKnowledgeModel id="{name}" name="{name}">{variable}'
        f"<encapsulatedLogic>{formal}{body}</encapsulatedLogic>{asks}</businessKnowledgeModel>"
    )


PERSON = """<itemDefinition name="tPerson">
  <itemComponent name="name"><typeRef>string</typeRef></itemComponent>
  <itemComponent name="birth day"><typeRef>feel:date</typeRef></itemComponent></itemDefinition>
<itemDefinition name="tPeople" isCollection="true"><typeRef>own:tPerson</typeRef></itemDefinition>
<itemDefinition name="tNames" isCollection="true"><typeRef>string</typeRef></itemDefinition>
<itemDefinition name="tGreeting"><functionItem outputTypeRef="string"><parameters name="p" typeRef="tPerson"/>
</functionItem></itemDefinition>"""


# -- what others write ----------------------------------------------------------------------------------------


def test_prefixes_layout_and_extensions_of_others_change_nothing() -> None:
    xml = f"""<?xml version="1.0" encoding="UTF-8"?>
    <semantic:definitions xmlns:semantic="http://www.omg.org/spec/DMN/20180521/MODEL/" xmlns="urn:vendor"
      xmlns:feel="http://www.omg.org/spec/DMN/20180521/FEEL/" xmlns:dmndi="http://www.omg.org/spec/DMN/20180521/DMNDI/"
      name="m" namespace="urn:vendor" expressionLanguage="http://www.omg.org/spec/DMN/20180521/FEEL/">
    <semantic:extensionElements><rss version="2.0"><decision id="not this one"/></rss></semantic:extensionElements>
    <semantic:itemDefinition name="tRate"><semantic:typeRef>feel:number</semantic:typeRef></semantic:itemDefinition>
    <semantic:inputData id="i" name="Rate"><semantic:variable name="Rate" typeRef="tns:tRate"/></semantic:inputData>
    <semantic:decision id="d" name="Twice the&#10; rate"><semantic:extensionElements/>
      <semantic:variable name="Twice the rate" typeRef="feel:number"/>
      <semantic:informationRequirement><semantic:requiredInput href="#i"/></semantic:informationRequirement>
      <semantic:authorityRequirement><semantic:requiredAuthority href="#k"/></semantic:authorityRequirement>
      <semantic:literalExpression expressionLanguage="FEEL"><semantic:text>{escaped("Rate * 2")}</semantic:text>
      </semantic:literalExpression></semantic:decision>
    <semantic:knowledgeSource id="k" name="The law"/>
    <dmndi:DMNDI><dmndi:DMNDiagram/></dmndi:DMNDI></semantic:definitions>""".encode()
    assert said(xml, "Twice the rate", {"Rate": 21}) == 42


def test_a_file_in_its_makers_namespace_that_declares_the_standards_is_read() -> None:
    xml = model(decided("d", literal("1 + 1")))
    standard = b"https://www.omg.org/spec/DMN/20191111/MODEL/"
    vendors = xml.replace(b'xmlns="' + standard, b'xmlns:dmn="' + standard + b'" xmlns="urn:vendor')
    assert said(vendors, "d") == 2
    with pytest.raises(decision.DecisionError, match="not a DMN"):
        decision.parse(xml.replace(standard, b"urn:vendor"))


def test_a_decision_that_cannot_be_read_leaves_the_others_alone() -> None:
    xml = model(
        decided("good", literal("1 + 1"))
        + decided("bad", literal("1 + "))
        + decided("above", literal("bad = null"), needs="Decision:bad")
        + decided("java", "<functionDefinition kind='Java'>" + literal("1") + "</functionDefinition>")
        + decided("one", literal("two"), needs="Decision:two")
        + decided("two", literal("one"), needs="Decision:one")
    )
    assert said(xml, "good") == 2
    for name in ("bad", "above", "java", "one", "two"):
        with pytest.raises(decision.DecisionError):
            said(xml, name)


def test_a_flow_still_refuses_the_whole_file() -> None:
    with pytest.raises(decision.DecisionError, match="1 \\+"):
        decision.parse(model(decided("good", literal("1")) + decided("bad", literal("1 + "))))


def test_a_long_text_that_cannot_be_read_is_not_repeated_whole() -> None:
    with pytest.raises(decision.DecisionError) as refusal:
        decision.parse(model(decided("d", literal("[" * 9_000))))
    assert len(refusal.value.text.en) < 500


# -- types ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "typed", "answer"),
    [
        ('{name: "张", birth day: @"1990-01-31", more: 1}', "tPerson",
         {"name": "张", "birth day": "1990-01-31", "more": 1}),
        ('{name: "张"}', "tPerson", None),
        ('"张"', "tNames", ["张"]),
        ('["张"]', "string", "张"),
        ("[1]", "string", None),
        ("1", "tNames", None),
        ('@"2025-01-31"', "date and time", "2025-01-31T00:00:00Z"),
        ("null", "tNames", None),
        ("1", "tUnknown", 1),
    ],
)  # fmt: skip
def test_a_result_is_brought_to_its_declared_type_or_is_null(text: str, typed: str, answer: Any) -> None:
    assert said(model(PERSON + decided("d", literal(text), typed=typed)), "d") == answer


def test_declared_types_are_known_to_expressions() -> None:
    person = '{name: "a", birth day: @"1990-01-31"}'
    checks = [
        (f"{person} instance of tPerson", True),
        ('{name: "a"} instance of tPerson', False),
        (f"[{person}] instance of tPeople", True),
        (f"[{person}] instance of list<tPerson>", True),
        ('(function(p: tPerson) "hello") instance of tGreeting', True),
        ("(function(p: tPerson) 1) instance of tGreeting", False),
        ("(function(p: tPerson) p.name)(" + person + ")", "a"),
        ('(function(p: tPerson) p = null)({name: "a"})', True),
    ]
    xml = model(PERSON + decided("d", "<list>" + "".join(literal(text) for text, _ in checks) + "</list>"))
    assert said(xml, "d") == [answer for _, answer in checks]


def test_what_comes_from_outside_may_lack_a_part() -> None:
    xml = model(
        PERSON
        + '<inputData id="who" name="who"><variable name="who" typeRef="tPerson"/></inputData>'
        + decided("d", literal("[who.name, who.birth day]"), needs="Input:who")
    )
    assert said(xml, "d", {"who": {"name": "a"}}) == ["a", None]
    assert said(xml, "d", {"who": {"name": "a", "birth day": "1990-01-31"}}) == ["a", "1990-01-31"]


def test_a_variable_may_say_that_it_holds_many_or_the_type_its_function_gives() -> None:
    def entry(variable: str, inside: str) -> str:
        return f"<contextEntry>{variable}{inside}</contextEntry>"

    first = '<formalParameter name="a"/>' + '<formalParameter name="b"/>' + literal("a > b")
    xml = model(
        decided(
            "d",
            "<context>"
            + entry('<variable name="names" typeRef="string" isCollection="true"/>', literal('["b", "a"]'))
            + entry(
                '<variable name="first" typeRef="boolean"/>',
                f"<functionDefinition>{first}</functionDefinition>",
            )
            + entry("", literal("sort(names, first)"))
            + "</context>",
        )
    )
    assert said(xml, "d") == ["b", "a"]


def test_several_outputs_fill_a_structured_type_with_signs_in_its_names() -> None:
    status = (
        '<itemDefinition name="tStatus"><itemComponent name="Approved/Declined"><typeRef>string</typeRef>'
        '</itemComponent><itemComponent name="Rate"><typeRef>string</typeRef></itemComponent></itemDefinition>'
    )
    rules = [("< 10", '"Declined"', '"Best"'), ("-", '"Approved"', '"Standard"')]
    chosen = table(
        rules,
        outputs=("Approved/Declined", "Rate"),
        policy="PRIORITY",
        output_values=('"Approved","Declined"',),
    )
    xml = model(
        status
        + decided("Status", chosen, typed="tStatus")
        + decided("word", literal("Status.Approved/Declined"), needs="Decision:Status")
    )
    assert said(xml, "Status", {"x": 1}) == {"Approved/Declined": "Approved", "Rate": "Standard"}
    assert said(xml, "word", {"x": 1}) == "Approved"


def test_a_priority_table_without_listed_values_takes_those_of_its_type() -> None:
    risk = '<itemDefinition name="tRisk"><typeRef>string</typeRef><allowedValues><text>"high", "low"</text>'
    rules = [("> 1", '"low"'), ("> 5", '"high"')]
    xml = model(
        f"{risk}</allowedValues></itemDefinition>"
        + decided("d", table(rules, policy="PRIORITY", output_values=("-",)))
    ).replace(
        b'<output name="y"><outputValues><text>-</text></outputValues>', b'<output name="y" typeRef="tRisk">'
    )
    assert (said(xml, "d", {"x": 9}), said(xml, "d", {"x": 2})) == ("high", "low")


# -- business knowledge and services --------------------------------------------------------------------------


def test_business_knowledge_may_call_itself_and_ends() -> None:
    factorial = knowledge("fact", "n:number", literal("if n <= 1 then 1 else n * fact(n - 1)"), knows="fact")
    endless = knowledge("endless", "n", literal("endless(n)"))
    xml = model(
        factorial
        + endless
        + decided("d", literal("fact(20)"), knows="fact")
        + decided("e", literal("endless(1)"), knows="endless")
    )
    assert decision.read(xml, forgiving=True).decide("d", {}).value == Decimal(2432902008176640000)
    with pytest.raises(decision.DecisionError, match="call each other too deeply"):
        said(xml, "e")


def test_an_argument_of_a_wrong_type_is_null_and_the_call_goes_on() -> None:
    named = knowledge("named", "p:tPerson", literal("p != null"))
    xml = model(PERSON + named + decided("d", literal('named({name: "a"})'), knows="named"))
    assert said(xml, "d") is False


def test_the_variable_of_business_knowledge_types_its_result() -> None:
    many = '<itemDefinition name="tMany"><functionItem outputTypeRef="tNames"/></itemDefinition>'
    xml = model(PERSON + many + knowledge("one", "", literal('"a"'), typed="tMany"))
    assert said(xml, "one") == ["a"]


def test_business_knowledge_is_asked_by_name_with_its_arguments_as_input() -> None:
    xml = model(knowledge("sum of", "a:number b:number", literal("a + b")))
    assert said(xml, "sum of", {"a": 40, "b": 2}) == 42


def test_a_service_takes_its_input_decisions_from_whoever_asks() -> None:
    service = (
        '<decisionService id="s" name="s"><outputDecision href="#d"/><inputDecision href="#given"/>'
        "</decisionService>"
    )
    two = '<decisionService id="t" name="t"><outputDecision href="#d"/><outputDecision href="#given"/></decisionService>'
    xml = model(
        service
        + two
        + decided("given", literal('"own"'))
        + decided("d", literal('given + "!"'), needs="Decision:given")
        + decided("caller", literal('s("called")'), knows="s")
    )
    assert said(xml, "s", {"given": "asked"}) == "asked!"
    assert said(xml, "s") == "own!"
    assert said(xml, "d", {"given": "asked"}) == "own!"
    assert said(xml, "caller") == "called!"
    assert said(xml, "t") == {"d": "own!", "given": "own"}


def test_logic_that_names_an_input_it_does_not_require_sees_it_in_its_type() -> None:
    xml = model(
        '<inputData id="day" name="the day"><variable name="the day" typeRef="date"/></inputData>'
        + knowledge("year", "", literal("the day.year"))
        + decided("d", literal("year()"), knows="year")
    )
    assert said(xml, "d", {"the day": "2025-01-31"}) == 2025


# -- imports --------------------------------------------------------------------------------------------------

IMPORTED = model(
    PERSON
    + '<inputData id="who" name="who"><variable name="who" typeRef="string"/></inputData>'
    + decided("greeting", literal('"Hello " + who'), needs="Input:who")
    + knowledge("greet", "p:tPerson", literal('"Hi " + p.name'))
).replace(b'namespace="urn:test"', b'namespace="urn:a"')


def importing(alias: str, inside: str) -> bytes:
    kind = "https://www.omg.org/spec/DMN/20191111/MODEL/"
    said = f'<import namespace="urn:a" name="{alias}" importType="{kind}" locationURI="a.dmn"/>'
    return model(said + inside)


def needing(name: str, text: str) -> str:
    return (
        f'<decision id="{name}" name="{name}"><variable name="{name}"/>'
        '<informationRequirement><requiredDecision href="urn:a#greeting"/></informationRequirement>'
        '<informationRequirement><requiredInput href="urn:a#who"/></informationRequirement>'
        '<knowledgeRequirement><requiredKnowledge href="urn:a#greet"/></knowledgeRequirement>'
        f"{literal(text)}</decision>"
    )


class Shelf(dict[str, bytes]):
    """Models by namespace."""

    def find(self, namespace: str, location: str) -> "tuple[bytes, Shelf] | None":
        return (self[namespace], self) if namespace in self else None


def imported(xml: bytes, data: dict[str, Any], *, library: Mapping[str, bytes] | None = None) -> Any:
    files = Shelf({"urn:a": IMPORTED} if library is None else library)
    found = decision.read(xml, forgiving=True, library=files)
    return feel.to_json(found.decide("d", data, strict=False).value)


@pytest.mark.parametrize("data", [{"model A": {"who": "张"}}, {"model A.who": "张"}, {"who": "张"}])
def test_an_imported_model_is_seen_under_its_name(data: dict[str, Any]) -> None:
    person = '{name: model A.who, birth day: @"1990-01-31"}'
    xml = importing(
        "model A",
        needing("d", f"[model A.greeting, model A.greet({person}), {person} instance of model A.tPerson]"),
    )
    assert imported(xml, data) == ["Hello 张", "Hi 张", True]


def test_an_import_without_a_name_is_seen_as_if_it_stood_here() -> None:
    assert imported(importing("", needing("d", "greeting")), {"who": "张"}) == "Hello 张"


def test_a_service_over_an_imported_decision_names_its_parameter_as_the_file_sees_it() -> None:
    service = (
        '<decisionService id="s" name="s"><outputDecision href="urn:a#greeting"/>'
        '<inputData href="urn:a#who"/></decisionService>'
    )
    call = decided("d", literal('s(A.who: "张") + s("李")'), knows="s")
    assert imported(importing("A", service + call), {}) == "Hello 张Hello 李"


def test_an_import_that_is_not_at_hand_leaves_the_rest() -> None:
    xml = importing("A", needing("x", "A.greeting") + decided("d", literal("1")))
    assert imported(xml, {}, library={}) == 1
    assert imported(xml, {}, library={"urn:a": b"not a model"}) == 1
    assert decision.parse(xml).decide("d", {}).value == 1


def test_models_that_import_each_other_end() -> None:
    kind = "https://www.omg.org/spec/DMN/20191111/MODEL/"
    back = IMPORTED.replace(
        b"<itemDefinition",
        f'<import namespace="urn:test" name="B" importType="{kind}"/><itemDefinition'.encode(),
        1,
    )
    xml = importing("A", needing("d", "A.greeting"))
    assert imported(xml, {"who": "x"}, library={"urn:a": back, "urn:test": xml}) == "Hello x"
    with pytest.raises(decision.DecisionError, match="too deep"):
        decision.read(xml, forgiving=False, library=Shelf({"urn:a": back, "urn:test": xml}))


def test_a_table_with_one_broken_cell_names_it_when_asked() -> None:
    broken = decision.read(one_table([("-", "1"), ("< <", "2")]), forgiving=True)
    with pytest.raises(decision.DecisionError, match="< <"):
        broken.decide("d", {"x": 1})


# -- damaged models -------------------------------------------------------------------------------------------

SOUND = [
    IMPORTED,
    model(
        PERSON
        + decided("d", table([("< 1", '"a"'), ("-", "x")], policy="PRIORITY", output_values=('"a", "b"',)))
        + knowledge("b", "p:tPerson", literal("p.name"))
        + decided("e", literal("b(d)"), needs="Decision:d", knows="b", typed="tNames")
    ),
]
SCRAPS = ["", "1 +", "null", "tPerson", "#d", "urn:a#b", "COLLECT", "SUM", "? > 1", "function(a) a", "(1..2]"]
DAMAGE = st.tuples(
    st.integers(0, 60), st.sampled_from(["drop", "text", "attribute", "tag", "copy"]), st.integers(0, 60)
)


@settings(max_examples=150, deadline=None)
@given(sound=st.sampled_from(SOUND), damages=st.lists(DAMAGE, min_size=1, max_size=5))
def test_a_damaged_model_answers_or_is_a_decision_error(
    sound: bytes, damages: list[tuple[int, str, int]]
) -> None:
    root = etree.fromstring(sound)
    for place, kind, other in damages:
        elements = list(root.iter())
        damage(
            elements[place % len(elements)],
            kind,
            elements[other % len(elements)],
            SCRAPS[other % len(SCRAPS)],
        )
    xml = etree.tostring(root)
    for forgiving in (True, False):
        with contextlib.suppress(decision.DecisionError):
            found = decision.read(xml, forgiving=forgiving, library=Shelf({"urn:a": IMPORTED}))
            for name in found.ids:
                with contextlib.suppress(decision.DecisionError, feel.FeelError):
                    feel.dumps(found.decide(name, {"x": 1, "who": [None]}, strict=False).value)


def damage(element: Any, kind: str, other: Any, scrap: str) -> None:
    if kind == "drop" and element.getparent() is not None:
        element.getparent().remove(element)
    elif kind == "text":
        element.text = scrap
    elif kind == "tag":
        element.tag = other.tag
    elif kind == "copy" and len(other) < 5:
        element.append(copy.deepcopy(other))
    elif element.attrib:
        element.set(sorted(element.attrib)[0], scrap)


@pytest.mark.parametrize(
    ("policy", "answer"),
    [("U", decision.UniqueViolation), ("F", 10), ("R", [10, 20]), ("C", [10, 20]), ("C+", 30), ("C#", 2), ("C&lt;", 10), ("C&gt;", 20)],
)  # fmt: skip
def test_the_letters_of_a_tables_corner_are_read_too(policy: str, answer: Any) -> None:
    xml = one_table([("> 1", "10"), ("> 2", "20")], policy=policy)

    if isinstance(answer, type):
        with pytest.raises(answer):
            said(xml, "d", {"x": 3})
    else:
        assert said(xml, "d", {"x": 3}) == answer


def test_of_several_outputs_those_without_a_name_go_by_their_label() -> None:
    inside = """<decisionTable><output label="Route"/><output label="Days"/>
      <rule><outputEntry><text>"office"</text></outputEntry><outputEntry><text>3</text></outputEntry></rule></decisionTable>"""

    assert said(model(decided("d", inside)), "d") == {"Route": "office", "Days": 3}
