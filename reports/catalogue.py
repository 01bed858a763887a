"""Which reports there are. A new one is a function of a person and filters, and a line here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.actor import Actor
from app.text import Text
from reports import ledger
from reports.table import Table


@dataclass(frozen=True, kw_only=True)
class Report:
    title: Text
    about: Text
    tables: Callable[[Actor, dict[str, Any]], list[Table]]


REPORTS: dict[str, Report] = {
    "ledger": Report(
        title=Text("电子印章台帐", "Seal ledger"),
        about=Text(
            "每枚印章一行，另有按单位层级、按部门的汇总表",
            "One row a seal, with sheets of figures by level and by department",
        ),
        tables=ledger.tables,
    ),
}
