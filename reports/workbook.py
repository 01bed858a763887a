"""Tables → a spreadsheet file (.xlsx). The only importer of openpyxl.

Every text is written as text: a cell that begins with `=` is never a formula, `#N/A` never an error value
(ASVS 1.2.10). What XML cannot carry is shown as a visible mark, so that one bad file name breaks no export.
"""

import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ERROR_CODES
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from app.text import Text
from reports.table import Cell, Column, Table

MAX_ROWS = 1_048_575
"""Rows of one sheet under its header: Excel's limit."""
MAX_TEXT = 32_767
"""Characters of one cell: Excel's limit."""

_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_ODD = re.compile(f"^=|_x|{_UNWRITABLE.pattern}")
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_NOT_IN_A_TITLE = re.compile(r"[\[\]:*?/\\']")
_HEADER = Font(bold=True, color="FFFFFF")
_HEADER_FILL = PatternFill("solid", fgColor="8C2A1E")
_STRONG = Font(bold=True)
_FORMATS = {"moment": "yyyy-mm-dd hh:mm", "date": "yyyy-mm-dd"}


def workbook(tables: Sequence[Table], *, language: str, time_zone: str) -> bytes:
    """The file: one sheet a table (more, where a table has more rows than a sheet holds)."""
    book = Workbook(write_only=True)
    writer = _Writer(language, ZoneInfo(time_zone))
    titles: set[str] = set()
    for table in tables:
        for number, (first, last) in enumerate(_pieces(len(table.rows)), 1):
            title = _unique(_sheet_title(writer.said(table.title), number), titles)
            writer.sheet(book.create_sheet(title), table, first, last)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _pieces(count: int) -> Iterator[tuple[int, int]]:
    for first in range(0, max(count, 1), MAX_ROWS):
        yield first, min(first + MAX_ROWS, count)


def _sheet_title(title: str, number: int) -> str:
    """At most 31 characters, without those that Excel forbids."""
    suffix = f" {number}" if number > 1 else ""
    return _NOT_IN_A_TITLE.sub("_", clean(title))[: 31 - len(suffix)] + suffix


def _unique(title: str, taken: set[str]) -> str:
    number = 2
    wanted = title
    while title.lower() in taken:
        suffix = f" ({number})"
        title, number = wanted[: 31 - len(suffix)] + suffix, number + 1
    taken.add(title.lower())
    return title


def clean(text: str) -> str:
    """The text as a spreadsheet can hold it: control characters as visible marks (␀, ␇ …), cut at the limit
    with a mark."""
    said = _UNWRITABLE.sub(_mark, text)
    return said if len(said) <= MAX_TEXT else said[: MAX_TEXT - 1] + "…"


def _mark(found: "re.Match[str]") -> str:
    code = ord(found.group())
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else "\ufffd"


class _Writer:
    def __init__(self, language: str, zone: ZoneInfo) -> None:
        self.language = language
        self.zone = zone

    def said(self, value: str | Text) -> str:
        return value.in_(self.language) if isinstance(value, Text) else value

    def sheet(self, sheet: Any, table: Table, first: int, last: int) -> None:
        sheet.freeze_panes = "A2"
        for index, column in enumerate(table.columns, 1):
            sheet.column_dimensions[get_column_letter(index)].width = column.width
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(table.columns))}{last - first + 1}"
        sheet.append([self._header(sheet, column) for column in table.columns])
        # one cell for all moments of a column: a row is written before the next one is asked for
        dated = [self._dated(sheet, column) for column in table.columns]
        for index in range(first, last):
            strong = index in table.strong
            cells = zip(table.rows[index], table.columns, dated, strict=True)
            sheet.append([self.cell(sheet, value, column, strong, day) for value, column, day in cells])
        sheet.close()

    def _header(self, sheet: Any, column: Column) -> Any:
        cell = self._text(sheet, self.said(column.title))
        cell.font, cell.fill = _HEADER, _HEADER_FILL
        cell.alignment = Alignment(vertical="center", wrap_text=True)
        return cell

    def cell(self, sheet: Any, value: Cell, column: Column, strong: bool, dated: Any) -> Any:
        """A cell of write-only mode; plain values where nothing has to be said about them."""
        if value is None or value == "":
            return None
        if isinstance(value, (str, Text)):
            text = self.said(value)
            if not strong and len(text) < MAX_TEXT and not _ODD.search(text) and text not in ERROR_CODES:
                return text  # nothing in it means anything to the library or to Excel
            made = self._text(sheet, text)
        elif isinstance(value, datetime):
            moment = value.astimezone(self.zone).replace(tzinfo=None, microsecond=0)
            made = self._dated(sheet, column) if strong else dated
            made._value, made.data_type = moment, "d"
        else:
            if not strong:
                return value
            made = WriteOnlyCell(sheet, value)
        if strong:
            made.font = _STRONG
        return made

    def _dated(self, sheet: Any, column: Column) -> Any:
        made: Any = WriteOnlyCell(sheet, None)
        made.number_format = _FORMATS.get(column.kind, _FORMATS["moment"])
        return made

    def _text(self, sheet: Any, text: str) -> Any:
        cell = cast(Any, WriteOnlyCell(sheet, None))
        # Excel reads _x0041_ in a text as A: the underscore before it is written as an escape itself
        cell._value = _ESCAPE.sub("_x005F_", clean(text))
        cell.data_type = "s"
        return cell
