"""What somebody writes who knows openpyxl and nothing of us: its write-only mode, row by row."""

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from openpyxl import Workbook

PlainCell = str | int | float | datetime | None


def plain_workbook(rows: Iterable[Sequence[PlainCell]]) -> bytes:
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet("rows")
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
