"""What the bench of Excel counts is a file whose cells are those it was given."""

import io

from openpyxl import load_workbook

from app.bench import excel
from app.bench.plain_openpyxl import plain_workbook
from app.text import Text
from reports.table import Table
from reports.workbook import workbook


def test_both_files_hold_the_same_cells() -> None:
    rows = excel._rows(50)  # pyright: ignore[reportPrivateUsage]
    columns = excel._COLUMNS  # pyright: ignore[reportPrivateUsage]
    table = Table(title=Text("用印", "Uses"), columns=columns, rows=rows)
    ours = load_workbook(io.BytesIO(workbook([table], language="zh", time_zone="UTC")))["用印"]
    bare = [[excel._bare(v) for v in row] for row in rows]  # pyright: ignore[reportPrivateUsage]
    theirs = load_workbook(io.BytesIO(plain_workbook(bare)))["rows"]
    told = [[cell.value for cell in row] for row in ours.iter_rows(min_row=2)]
    assert told == [[cell.value for cell in row] for row in theirs.iter_rows()]
    kinds = {(cell.column, cell.data_type) for row in ours.iter_rows(min_row=2) for cell in row}
    assert kinds == {(n, "s") for n in range(1, 8)} | {(n, "n") for n in range(8, 11)} | {
        (11, "d"),
        (12, "d"),
    }
