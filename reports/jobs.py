"""Building the ordered files, on the queue of reports. Each job may be lost or run twice; neither matters."""

from typing import Any
from zoneinfo import ZoneInfo

import structlog

from app.actor import SYSTEM, Actor
from app.audit import queries as audit
from app.clock import now
from app.exports import commands, queries
from app.people import queries as people
from app.refusal import Refusal
from app.settings import current_settings
from app.text import Text
from reports.catalogue import REPORTS, Report
from reports.table import Cell, Column, Table
from reports.workbook import workbook

log = structlog.get_logger()
BROKEN = Text(
    "生成报表时出错，请重新导出；仍不行请联系系统管理员",
    "The report could not be built; export again, or ask the system administrator",
)


def sweep() -> None:
    """Build whatever waits, oldest first: the scheduler asks each second, so that no lost nudge loses a file."""
    for export_id in queries.all_waiting():
        build(export_id)


def build(export_id: int) -> None:
    """Build one file, if it still waits. What goes wrong is told to the person who waits for it."""
    export = queries.export(export_id)
    if export.state != "waiting":
        return
    try:
        data, name, rows = _file(export)
    except Refusal as refusal:
        commands.fail(export_id, refusal.code, refusal.text, by=SYSTEM)
    except Exception:
        # whatever broke, the person who waits learns that nothing will come, and the log keeps the trace
        log.exception("export.broken", export_id=export_id)
        commands.fail(export_id, "export.broken", BROKEN, by=SYSTEM)
    else:
        commands.finish(export_id, data, name, rows, by=SYSTEM)


def _file(export: queries.Export) -> tuple[bytes, str, int]:
    """The file, its name, and how many rows its first sheet has."""
    report = REPORTS[export.report]
    actor = people.actor_of(export.ordered_by_id)
    tables = report.tables(actor, export.filters)
    zone = current_settings().time_zone
    about = _about(report, export.filters, actor, tables)
    data = workbook([*tables, about], language=export.language, time_zone=zone)
    day = export.ordered_at.astimezone(ZoneInfo(zone))
    name = f"{report.title.in_(export.language)} {day:%Y-%m-%d} {export.id}.xlsx"
    return data, name, len(tables[0].rows)


def _about(report: Report, filters: dict[str, Any], actor: Actor, tables: list[Table]) -> Table:
    """Who took what out when, and the log's checkpoint at that moment: an export can be proved."""
    asked = ", ".join(f"{name} = {value}" for name, value in filters.items() if value)
    rows: list[tuple[Cell, Cell]] = [
        (Text("报表", "Report"), report.title),
        (Text("导出人", "Exported by"), actor.name),
        (Text("导出时间", "Exported at"), now()),
        (Text("筛选条件", "Filter"), asked or Text("无", "none")),
        (Text("行数", "Rows"), len(tables[0].rows)),
        (Text("审计日志检查点", "Checkpoint of the audit log"), audit.checkpoint()),
    ]
    return Table(
        title=Text("导出说明", "About this export"),
        columns=(
            Column(title=Text("项目", "Item"), width=28),
            Column(title=Text("内容", "Content"), width=80),
        ),
        rows=rows,
    )
