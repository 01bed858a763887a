"""What can be done with exports, in the order of one's life."""

from typing import Any

from app import jobs, store
from app.actor import Actor
from app.clock import now
from app.command import command
from app.db import db, lock_row
from app.exports import queries, rules
from app.exports.facts import ExportFailed, ExportFetched, ExportFinished, ExportOrdered
from app.exports.models import Export
from app.text import Text

BUILD = "reports.jobs.build"
"""The job that builds a file, by its dotted path: reports stand above this house."""


@command
def order(report: str, filters: dict[str, Any], language: str, *, by: Actor) -> ExportOrdered:
    """Ask for a report; a worker builds it. Refuses Forbidden without a role for it, TooMany past the limit."""
    rules.check_may_order(by)
    rules.check_waiting(queries.waiting(by))
    assert by.id is not None
    export = Export(report=report, filters=filters, language=language, ordered_by_id=by.id, ordered_at=now())
    db.session.add(export)
    db.session.flush()
    jobs.enqueue("reports", BUILD, export.id)
    return ExportOrdered(export_id=export.id, report=report, filters=filters)


@command
def finish(export_id: int, data: bytes, file_name: str, rows: int, *, by: Actor) -> ExportFinished:
    """Keep the file. Built twice (a job may run twice), the first one stays."""
    export = lock_row(Export, export_id)
    if export.ended_at is None:
        export.file_digest = store.put(data)
        export.file_name, export.file_bytes, export.rows = file_name, len(data), rows
        export.ended_at = now()
    return ExportFinished(
        export_id=export.id,
        report=export.report,
        file_name=export.file_name or file_name,
        document_digest=export.file_digest or "",
        rows=export.rows or 0,
    )


@command
def fail(export_id: int, code: str, reason: Text, *, by: Actor) -> ExportFailed:
    """Say why there is no file. `code`: dotted, for the log."""
    export = lock_row(Export, export_id)
    if export.ended_at is None:
        export.failed_zh, export.failed_en, export.ended_at = reason.zh, reason.en, now()
    return ExportFailed(export_id=export.id, report=export.report, code=code)


@command
def fetch(export_id: int, *, by: Actor) -> ExportFetched:
    """Take the file away. Refuses NotFound to anyone but the orderer, Conflict when there is no file."""
    export = queries.own_export(export_id, by)
    rules.check_ready(export.state)
    return ExportFetched(
        export_id=export.id,
        report=export.report,
        file_name=export.file_name or "",
        document_digest=export.file_digest or "",
    )
