"""What is true once a report was asked for, built, or taken away. Pure."""

from typing import Any

from app.fact import Fact, LogClass


class ExportOrdered(
    Fact, name="export.ordered", zh="申请导出报表", en="Report ordered", log_class=LogClass.SEAL_MANAGEMENT
):
    """`report`: its name in reports/catalogue.py. `filters`: what was asked for."""

    export_id: int
    report: str
    filters: dict[str, Any]


class ExportFinished(
    Fact, name="export.finished", zh="生成报表", en="Report built", log_class=LogClass.SEAL_MANAGEMENT
):
    export_id: int
    report: str
    file_name: str
    document_digest: str
    rows: int


class ExportFailed(
    Fact, name="export.failed", zh="报表生成失败", en="Report failed", log_class=LogClass.SEAL_MANAGEMENT
):
    export_id: int
    report: str
    code: str


class ExportFetched(
    Fact, name="export.fetched", zh="下载报表", en="Report downloaded", log_class=LogClass.SEAL_MANAGEMENT
):
    export_id: int
    report: str
    file_name: str
    document_digest: str
