"""A rule table as plain data: what it says as DMN and back, what stays untouched, how two versions differ."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from app.bpmn import decision, feel
from app.bpmn.table_cells import ANY, Cell, Value, cell, literal, text
from app.bpmn.table_difference import differences
from app.bpmn.table_sheet import Column, Rule, blank, copied, sheets, write

ROUTING = (Path(__file__).parents[2] / "workflows/seal_approval/routing.dmn").read_text("utf-8")

numbers = st.decimals(-1000, 1000, allow_nan=False, allow_infinity=False, places=2)
dates = st.dates(date(2000, 1, 1), date(2100, 1, 1))
texts = st.text(st.characters(exclude_categories=("C",)), max_size=8)
ordered = st.sampled_from([numbers, dates])


@st.composite
def cells(draw: st.DrawFn) -> tuple[Cell, list[Value]]:
    """A cell, and values of its type to ask it about."""
    kind = draw(st.sampled_from(["any", "is", "not", "lt", "le", "gt", "ge", "between"]))
    of = (
        draw(ordered)
        if kind in ("lt", "le", "gt", "ge", "between")
        else draw(st.sampled_from([numbers, dates, texts]))
    )
    most = {"is": 4, "not": 4, "any": 0}.get(kind, 2 if kind == "between" else 1)
    least = 2 if kind == "between" else min(1, most)
    values = draw(st.lists(of, min_size=least, max_size=most))
    values = sorted(values) if kind == "between" else values
    ends = draw(st.sampled_from(["[]", "[)", "(]", "()"])) if kind == "between" else "[]"
    return Cell(kind, tuple(values), ends), [*values, *draw(st.lists(of, min_size=1, max_size=3))]  # type: ignore[arg-type]


def means(said: Cell, value: Value) -> bool:
    v = said.values
    return {
        "any": lambda: True,
        "is": lambda: value in v,
        "not": lambda: value not in v,
        "lt": lambda: value < v[0],
        "le": lambda: value <= v[0],
        "gt": lambda: value > v[0],
        "ge": lambda: value >= v[0],
        "between": lambda: (
            (v[0] < value or (said.ends[0] == "[" and v[0] == value))
            and (value < v[1] or (said.ends[1] == "]" and v[1] == value))
        ),
    }[said.kind]()  # type: ignore[operator]


@given(cells())
def test_a_cell_says_the_same_as_data_as_text_and_to_the_engine(drawn: tuple[Cell, list[Value]]):
    said, values = drawn
    assert cell(text(said)) == said
    tests = feel.unary_tests(text(said))
    assert [tests(v) for v in values] == [means(said, v) for v in values]


def test_what_no_kind_can_say_is_kept_as_it_was_written():
    for said in ("? > limit", '"a", 3', '< "b"', 'date("2026-02-31")', "null", "[1..x]", "not(? > 3)", "1e3"):
        assert cell(said) == Cell("written", text=said) and text(cell(said)) == said
    assert literal(Decimal("-0.50")) == "-0.50" and cell("-") == cell("") == ANY


def test_writing_changes_what_was_changed_and_nothing_else():
    (sheet,) = sheets(ROUTING)
    assert write(ROUTING, sheet) == ROUTING
    rules = list(sheet.rules)
    rules[1] = replace(rules[1], cells=(rules[1].cells[0], Cell("gt", (Decimal(2),))))
    changed = write(ROUTING, replace(sheet, rules=tuple(rules)))
    expected = ROUTING.replace("<text>&gt; 1</text>", "<text>&gt; 2</text>")
    assert etree.canonicalize(changed) == etree.canonicalize(
        expected
    )  # lxml folds lines inside a tag, no more
    assert [t.zh for t in differences(ROUTING, changed)] == ["规则 2：单位层级（1 为最高） > 1 → > 2"]

    commented = ROUTING.replace("<decision ", "<!-- why --><decision ").replace(
        "</definitions>", '<x:own xmlns:x="urn:x" a="1"/></definitions>'
    )
    written = write(commented, replace(sheet, rules=tuple(rules)))
    assert "<!-- why -->" in written and '<x:own xmlns:x="urn:x" a="1"/>' in written


def test_rules_and_columns_are_added_copied_moved_and_removed():
    (sheet,) = sheets(ROUTING)
    first, second, last = sheet.rules
    amount = Column("金额", "amount", "number")
    wider = replace(
        sheet,
        inputs=(*sheet.inputs, amount),
        rules=tuple(
            replace(rule, cells=(*rule.cells, said))
            for rule, said in (
                (second, Cell("between", (Decimal(1), Decimal(5)), "[)")),
                (first, ANY),
                (copied(first), Cell("ge", (Decimal(9),))),
                (last, ANY),
            )
        ),
    )
    changed = write(ROUTING, wider)
    (again,) = sheets(changed)
    assert [r.cells for r in again.rules] == [r.cells for r in wider.rules]
    assert 'id="personal"' in changed and "Personal name seals" in changed
    model = decision.parse(changed.encode())
    assert (
        model.decide("routing", {"kind": "official", "unit_level": 2, "amount": 3}).matched[0].id
        == "department"
    )
    assert "新增条件列「金额」" in [t.zh for t in differences(ROUTING, changed)]

    narrow = replace(
        again, inputs=again.inputs[:1], rules=tuple(replace(r, cells=r.cells[:1]) for r in again.rules[:1])
    )
    smaller = write(changed, narrow)
    assert [len(r.cells) for r in sheets(smaller)[0].rules] == [1]
    assert any(t.en.endswith("was removed") for t in differences(changed, smaller))
    with_default = replace(sheet, policy="UNIQUE", outputs=(replace(sheet.outputs[0], default='"office"'),))
    assert sheets(write(ROUTING, with_default))[0].outputs[0].default == '"office"'
    fresh = replace(sheet, rules=(*sheet.rules, blank(sheet)))
    assert sheets(write(ROUTING, fresh))[0].rules[3] == Rule((ANY, ANY), ('"office"',), "", 3)
