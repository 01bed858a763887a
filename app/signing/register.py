"""The register of withdrawals (撤章), asked by every verification (D5): in our database, or in a file.

A file is what an organisation may publish for those who verify offline, as `yinxu verify --register` takes it.
One JSON object a line; the first says how many follow, so that a file cut short is seen to be:

    {"register": "yinxu-withdrawals/1", "entries": 1}
    {"id": "sha256:…", "at": "2026-11-22T08:00:00+00:00", "reason": "…"}
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.pdf.verifying import Withdrawal

SCHEMA = "yinxu-withdrawals/1"


class RegisterUnavailable(Exception):
    """The register is there and cannot be asked. What it would say is unknown, so nothing is genuine."""

    problem = "register_unavailable"

    def __init__(self, why: str, known: Mapping[str, Withdrawal] | None = None) -> None:
        super().__init__(why)
        self.known: Mapping[str, Withdrawal] = known or {}
        """What it did say: a withdrawal that was read is one."""


class RegisterIncomplete(RegisterUnavailable):
    """It is empty, was cut short, or does not say how much it should hold: silence in it proves nothing."""

    problem = "register_incomplete"


def from_file(path: Path) -> dict[str, Withdrawal]:
    """Every withdrawal of a published register, by signature id. Raises RegisterUnavailable."""
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        head: dict[str, Any] = lines.pop(0) if lines and "register" in lines[0] else {}
        found = {
            str(entry["id"]): Withdrawal(
                at=datetime.fromisoformat(entry["at"]), reason=str(entry.get("reason", ""))
            )
            for entry in lines
        }
        stated = (head["register"], head["entries"]) if head else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RegisterUnavailable(str(error)) from error
    if stated != (SCHEMA, len(lines)):
        raise RegisterIncomplete(f"it says {stated} of itself and holds {len(lines)} entries", found)
    return found


def from_database(url: str, ids: Iterable[str]) -> dict[str, Withdrawal]:
    """The withdrawals of these signatures. Reads one table and needs nothing else of the server."""
    import sqlalchemy as sa  # here: most verifications ask no database, and this costs a quarter of a second
    from sqlalchemy.exc import SQLAlchemyError

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
