"""Excel: 100,000 rows of twelve cells by the writer of the reports, beside openpyxl's write-only mode with the same cells.

Ours besides keeps text that looks like a formula as text, shows what XML cannot carry, and lays the sheet out; a test reads both
files again, cell by cell. Memory: how much more a process needs at its height for ten times the rows, beyond the rows themselves.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from app.bench.measure import Measure
from app.bench.plain_openpyxl import PlainCell, plain_workbook
from app.text import Text
from reports.table import Column, Table
from reports.workbook import workbook

ROWS = 100_000
SLOWEST = 1.3
"""How many times as long as the bare library."""
_START = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)
_COLUMNS = (
    *(Column(title=Text(f"文字 {n}", f"Text {n}")) for n in range(7)),
    *(Column(title=Text(f"数 {n}", f"Number {n}"), kind="number") for n in range(3)),
    *(Column(title=Text(f"时间 {n}", f"Time {n}"), kind="moment") for n in range(2)),
)


def measures() -> Iterator[Measure]:
    table = Table(title=Text("用印", "Uses"), columns=_COLUMNS, rows=_rows(ROWS))
    bare = [[_bare(value) for value in row] for row in table.rows]
    ours, theirs = list[float](), list[float]()
    for _ in range(3):
        ours.append(_seconds(lambda: workbook([table], language="zh", time_zone="Asia/Shanghai")))
        theirs.append(_seconds(lambda: plain_workbook(bare)))
    mine, plain = min(ours), min(theirs)
    yield Measure(
        name="excel.rows", ours=ROWS / mine, unit="rows/s", baseline=ROWS / plain, ratio=plain / mine,
        goal=1 / SLOWEST,
    )  # fmt: skip
    few, many = _peak_mib(ROWS // 10), _peak_mib(ROWS)
    yield Measure(
        name="excel.memory",
        ours=many,
        unit="MiB at most",
        baseline=few,
        ratio=1.0 if many < 1 else few / many,
        goal=None,
    )


def _rows(count: int) -> list[list[str | int | float | datetime]]:
    return [
        [
            f"北京示例科技有限公司第 {n % 500} 部门", f"采购合同 {n}.pdf", "合同协议", f"sha256:{n:064x}", "张三", "=1+1", "已盖章",
            n, n * 0.5, n % 7, _START + timedelta(seconds=n), _START + timedelta(minutes=n),
        ]
        for n in range(count)
    ]  # fmt: skip


def _bare(value: object) -> PlainCell:
    """As somebody would hand it over: the library knows no time zones, and would make a formula of what looks like one."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return value if isinstance(value, str | int | float) else None


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _peak_mib(rows: int) -> float:
    """What a process of its own needs at its height, above what the rows took."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", _IN_A_PROCESS, str(rows)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


_IN_A_PROCESS = """
import resource, sys
from app.bench import excel
from app.text import Text
from reports.table import Table
from reports.workbook import workbook
table = Table(title=Text("a", "a"), columns=excel._COLUMNS, rows=excel._rows(int(sys.argv[1])))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
workbook([table], language="zh", time_zone="Asia/Shanghai")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
