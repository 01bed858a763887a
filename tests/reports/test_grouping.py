"""Figures by group: the sums of the parts are the whole."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from app.text import Text
from reports.grouping import SUBTOTAL, TOTAL, Key, Sum, grouped
from reports.table import Column


@dataclass(frozen=True)
class Use:
    level: int
    unit: str
    times: int


LEVEL = Key[Use](
    column=Column(title=Text("层级", "Level")), order=lambda u: (u.level,), shown=lambda u: u.level
)
UNIT = Key[Use](column=Column(title=Text("单位", "Unit")), order=lambda u: (u.unit,), shown=lambda u: u.unit)
SUMS = (
    Sum[Use](title=Text("数", "Count"), of=lambda _u: 1),
    Sum[Use](title=Text("次", "Times"), of=lambda u: u.times),
)


def test_groups_have_subtotals_and_a_total() -> None:
    uses = [Use(1, "厅", 5), Use(2, "乙处", 1), Use(2, "甲处", 2), Use(2, "甲处", 3)]

    table = grouped(Text("用印", "Uses"), uses, (LEVEL, UNIT), SUMS)

    assert [tuple(row) for row in table.rows] == [
        (1, "厅", 1, 5),
        (2, "乙处", 1, 1),
        (2, "甲处", 2, 5),
        (2, SUBTOTAL, 3, 6),
        (TOTAL, None, 4, 11),
    ]
    assert table.strong == {3, 4}


def test_nothing_to_group_is_a_total_of_nothing() -> None:
    table = grouped(Text("用印", "Uses"), [], (LEVEL, UNIT), SUMS)
    assert [tuple(row) for row in table.rows] == [(TOTAL, None, 0, 0)]


USES = st.lists(st.builds(Use, st.integers(1, 3), st.sampled_from("甲乙丙"), st.integers(0, 9)), max_size=30)


@given(USES)
def test_the_parts_add_up_to_the_whole(uses: list[Use]) -> None:
    table = grouped(Text("用印", "Uses"), uses, (LEVEL, UNIT), SUMS)
    plain = [row for index, row in enumerate(table.rows) if index not in table.strong]
    for column, whole in ((2, len(uses)), (3, sum(use.times for use in uses))):
        assert sum(row[column] for row in plain) == whole == table.rows[-1][column]  # type: ignore[misc]
    assert len({(row[0], row[1]) for row in plain}) == len(plain) == len({(u.level, u.unit) for u in uses})
