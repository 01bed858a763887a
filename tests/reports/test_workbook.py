"""The Excel file: text stays text, whatever it looks like; figures and moments are figures and moments."""

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.text import Text
from reports import workbook as module
from reports.table import Cell, Column, Table
from reports.workbook import clean, workbook


def a_table(*rows: tuple[Cell, ...], columns: int = 1, strong: frozenset[int] = frozenset()) -> Table:
    heads = [Column(title=Text(f"第{i}列", f"Column {i}"), width=20 + i) for i in range(columns)]
    return Table(title=Text("台帐", "Ledger"), columns=heads, rows=rows, strong=strong)


def opened(*tables: Table, language: str = "zh") -> Any:
    return openpyxl.load_workbook(io.BytesIO(workbook(tables, language=language, time_zone="Asia/Shanghai")))


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://x","y")',
        "+1",
        "-1",
        "@SUM(1)",
        "#N/A",
        "#DIV/0!",
        "=",
        "公章",
        " 空 格 ",
        "TRUE",
        "1",
    ],
)
def test_text_stays_text(text: str) -> None:
    cell = opened(a_table((text,))).active["A2"]
    assert (cell.value, cell.data_type) == (text, "s")


def test_control_characters_are_shown_and_break_nothing() -> None:
    cell = opened(a_table(("a\x00b\x07c\x7fd\ud800e\uffff\n",))).active["A2"]
    assert cell.value == "a␀b␇c␡d\ufffde\ufffd\n"


def test_what_excel_would_read_as_an_escape_is_escaped() -> None:
    data = workbook([a_table(("_x0041_",))], language="zh", time_zone="UTC")
    sheet = zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml").decode()
    assert "_x005F_x0041_" in sheet


def test_a_text_too_long_for_a_cell_is_cut_with_a_mark() -> None:
    said = clean("印" * 40_000)
    assert len(said) == 32_767 and said.endswith("…")


def test_numbers_are_numbers_and_moments_are_local() -> None:
    moment = datetime(2025, 5, 1, 16, 30, tzinfo=UTC)
    row = opened(a_table((3, 2.5, moment, None), columns=4)).active[2]
    assert [cell.value for cell in row[:3]] == [3, 2.5, datetime(2025, 5, 2, 0, 30)]
    assert row[2].number_format == "yyyy-mm-dd hh:mm"


def test_the_header_is_in_the_readers_language_frozen_and_wide_enough() -> None:
    sheet = opened(a_table(("x",), columns=1)).active
    assert (sheet.title, sheet["A1"].value, sheet.freeze_panes) == ("台帐", "第0列", "A2")
    assert sheet.column_dimensions["A"].width == 20 and sheet["A1"].font.bold
    assert opened(a_table((Text("甲", "A"),)), language="en").active["A2"].value == "A"


def test_sums_stand_out() -> None:
    sheet = opened(a_table((Text("合计", "Total"), 3), columns=2, strong=frozenset({0}))).active
    assert sheet["A2"].font.bold and sheet["B2"].font.bold


def test_sheets_have_lawful_names_of_their_own() -> None:
    table = Table(title=Text("[a]:b*c?/\\" * 9, "x"), columns=[Column(title=Text("甲", "A"))], rows=[])
    names = opened(table, table).sheetnames
    assert len(set(names)) == 2 and all(len(name) <= 31 for name in names)


def test_more_rows_than_a_sheet_holds_go_on_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ROWS", 2)
    book = opened(a_table(("a",), ("b",), ("c",)))
    assert book.sheetnames == ["台帐", "台帐 2"]
    assert [sheet.max_row for sheet in book] == [3, 2]


def test_a_row_of_another_length_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="2 cells under 1 columns"):
        a_table(("a", "b"))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_any_text_survives_as_it_can_be_written(text: str) -> None:
    cell = opened(a_table((text,))).active["A2"]
    assert cell.data_type in ("s", "n")
    assert (cell.value or "").replace("_x005F_", "_") == clean(text).replace("_x005F_", "_")
