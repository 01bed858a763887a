"""Where a table leaves a gap, or two rules answer at once."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.bpmn import decision
from app.bpmn.decision.coverage import flaws
from tests.bpmn.makers import escaped, model, one_table

CELL = st.sampled_from(
    ["-", "< 2", "[2..5]", "(2..4)", "> 3", ">= 5", "3", "1, 4", "not(3)", "(1..2]", "[4..4]"]
)


@given(st.lists(CELL, min_size=1, max_size=4), st.sampled_from(["UNIQUE", "FIRST", "ANY"]))
def test_it_finds_what_asking_the_table_for_every_value_finds(cells: list[str], policy: str) -> None:
    xml = one_table([(cell, f'"{n}"') for n, cell in enumerate(cells)], policy=policy)
    gap, overlap = False, False
    for quarter in range(-4, 32):
        try:
            decision.parse(xml).decide("d", {"x": Decimal(quarter) / 4})
        except decision.NoMatch:
            gap = True
        except (decision.UniqueViolation, decision.AnyViolation):
            overlap = True
    found = flaws(xml)
    assert {f.kind for f in found} == {kind for kind, there in (("gap", gap), ("overlap", overlap)) if there}


def test_it_says_where_and_which_rules() -> None:
    found = flaws(one_table([("< 10", '"low"'), ("[5..20]", '"middle"'), ("> 20", '"high"')]))
    assert [(f.kind, f.rules, f.sure) for f in found] == [("overlap", (1, 2), True)]
    assert "不小于 5、小于 10" in found[0].where.zh and "is at least 5 and less than 10" in found[0].where.en
    (gap,) = flaws(one_table([("<= 1", '"a"'), (">= 2", '"b"')]))
    assert (gap.kind, gap.sure) == ("gap", False)  # 1 and 2 are neighbours, if only whole numbers come
    (gap,) = flaws(one_table([('"a"', "1"), ('"b"', "2")]))
    assert gap.where.zh.endswith("为其他值") and not gap.sure
    assert not flaws(one_table([('"a"', "1"), ("-", "2")], policy="FIRST"))
    assert not flaws(one_table([("limit > 3", "1")]))  # it asks for other data: not looked into
    (day,) = flaws(one_table([('< date("2026-05-01")', "1"), ('> date("2026-05-01")', "2")]))
    assert "2026-05-01" in day.where.zh


def test_a_gap_is_one_stretch_in_each_column_and_a_large_table_is_bounded() -> None:
    two = table_of(["amount", "unit"], [["< 10000", "-"], ["> 20000", "-"], ["-", 'not("财务")']])
    (gap,) = flaws(two)
    assert gap.where.zh == "「amount」不小于 10000、不大于 20000，且「unit」为“财务”"
    names = [f"c{n}" for n in range(10)]
    wide = [[f"[{(r * 7 + c) % 50}..{(r * 7 + c) % 50 + 9}]" for c in range(10)] for r in range(200)]
    found = flaws(table_of(names, wide))
    assert any(f.kind == "unchecked" for f in found) or any(f.kind == "gap" for f in found)


def table_of(asked: list[str], rules: list[list[str]]) -> bytes:
    columns = "".join(
        f'<input label="{a}"><inputExpression><text>{a}</text></inputExpression></input>' for a in asked
    )
    rows = "".join(
        "<rule>"
        + "".join(f"<inputEntry><text>{escaped(c)}</text></inputEntry>" for c in row)
        + "<outputEntry><text>1</text></outputEntry></rule>"
        for row in rules
    )
    return model(
        f'<decision id="d" name="D"><decisionTable hitPolicy="FIRST">{columns}<output name="o"/>{rows}</decisionTable></decision>'
    )
