"""The register of withdrawals (撤章), asked by every verification (D5): in our database, or in a file.

A file is what an organisation may publish for those who verify offline: one JSON object a line,
`{"id": "sha256:…", "at": "2026-11-22T08:00:00+00:00", "reason": "…"}`, as `yinxu verify --register` takes it.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from app.pdf.verifying import Withdrawal


class RegisterUnavailable(Exception):
    """The register is there and cannot be asked. What it would say is unknown, so nothing is genuine."""


def from_file(path: Path) -> dict[str, Withdrawal]:
    """Every withdrawal of a published register, by signature id."""
    found: dict[str, Withdrawal] = {}
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                entry: dict[str, Any] = json.loads(line)
                found[str(entry["id"])] = Withdrawal(
                    at=datetime.fromisoformat(entry["at"]), reason=str(entry.get("reason", ""))
                )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RegisterUnavailable(str(error)) from error
    return found


def from_database(url: str, ids: Iterable[str]) -> dict[str, Withdrawal]:
    """The withdrawals of these signatures. Reads one table and needs nothing else of the server."""
    table = sa.table(
        "withdrawal", sa.column("signature_id"), sa.column("at", sa.DateTime()), sa.column("reason")
    )
    wanted = list(ids)
    try:
        engine = sa.create_engine(url)
        try:
            with engine.connect() as connection:
                rows = connection.execute(
                    sa.select(table.c.signature_id, table.c.at, table.c.reason).where(
                        table.c.signature_id.in_(wanted)
                    )
                ).all()
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        raise RegisterUnavailable(str(error)) from error
    return {
        str(row[0]): Withdrawal(
            at=row[1] if row[1].tzinfo else row[1].replace(tzinfo=UTC), reason=str(row[2])
        )
        for row in rows
    }
