"""Any byte of any stored column of the log, changed behind its back, is noticed; so is a row taken or doubled."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.audit.models import APPEND_ONLY, LogPending, append_only_ddl
from app.audit.verify import Report, walk
from app.db import Base, db
from tests.audit.makers import CLERK, log_alone, stamp, write
from tests.conftest import settings_for

TABLES = (*APPEND_ONLY, LogPending.__tablename__)
COLUMNS = [(name, column.name) for name in TABLES for column in Base.metadata.tables[name].columns]


@dataclass
class Specimen:
    """A log of 300 entries in SQLite, with a checkpoint outside, to be spoiled and restored."""

    app: Flask
    path: Path
    witnessed: str

    def restore(self) -> None:
        db.session.rollback()
        db.session.remove()
        db.engine.dispose()
        for suffix in ("-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(f"{self.path}.whole", self.path)

    def spoil(self, statement: str, *values: Any) -> int:
        with closing(sqlite3.connect(self.path)) as connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall()
            for (name,) in names:
                connection.execute(f"DROP TRIGGER {name}")
            changed = connection.execute(statement, values).rowcount
            for guard in append_only_ddl("sqlite"):
                connection.execute(guard)
            connection.commit()
            return changed

    def rows(self, table: str, column: str) -> list[tuple[int, Any]]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall()

    def verify(self) -> Report:
        return walk(self.witnessed)


@pytest.fixture(scope="module")
def specimen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Specimen]:
    folder = tmp_path_factory.mktemp("specimen")
    path = folder / "log.sqlite"
    with log_alone(settings_for(folder / "var", f"sqlite:///{path}")) as app:
        write(300, batch=100)
        for number in range(3):
            stamp(number, by=CLERK)
        witnessed = (folder / "var/witness/latest.checkpoint").read_text()
        db.session.remove()
        db.engine.dispose()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(path, f"{path}.whole")
        yield Specimen(app, path, witnessed)


def changed(value: Any, at: int, bit: int) -> Any:
    """The value with one bit of one byte (or of a number) turned."""
    if isinstance(value, int):
        return value ^ (1 << bit)
    data = bytearray(value.encode() if isinstance(value, str) else value)
    data[at % len(data)] ^= 1 << bit
    return bytes(data).decode("latin-1") if isinstance(value, str) else bytes(data)


def test_the_specimen_is_whole(specimen: Specimen) -> None:
    specimen.restore()
    assert specimen.verify().as_json()["breaks"] == []


@pytest.mark.parametrize(("table", "column"), COLUMNS)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_turned_bit_in_any_column_is_found(
    specimen: Specimen, table: str, column: str, data: st.DataObject
) -> None:
    specimen.restore()
    rows = specimen.rows(table, column)
    rowid, value = data.draw(st.sampled_from(rows))
    spoilt = changed(value, data.draw(st.integers(0, 4000)), data.draw(st.integers(0, 6)))
    if any(spoilt == other for _, other in rows if isinstance(value, int)):
        return  # taken already: the database's own keys refuse it
    try:
        assert specimen.spoil(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", spoilt, rowid) == 1
    except sqlite3.IntegrityError:
        return

    assert not specimen.verify().intact


@pytest.mark.parametrize(("table", "column"), COLUMNS)
@pytest.mark.parametrize("kind", ["X'00ff80'", "CAST(X'00ff80' AS TEXT)", "0.5", "'seven'"])
def test_a_value_of_another_kind_is_found_and_does_not_stop_the_verifier(
    specimen: Specimen, table: str, column: str, kind: str
) -> None:
    """SQLite keeps anything in any column; only row ids and places must be numbers."""
    specimen.restore()
    rows = specimen.rows(table, column)
    if not rows:
        return
    rowid, _ = rows[len(rows) // 2]
    try:
        specimen.spoil(f"UPDATE {table} SET {column} = {kind} WHERE rowid = ?", rowid)
    except sqlite3.IntegrityError:
        return

    report = specimen.verify()

    assert not report.intact
    assert all(isinstance(found["at"], int) for found in report.as_json()["breaks"])


@pytest.mark.parametrize("table", APPEND_ONLY)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_row_taken_from_any_table_is_found(specimen: Specimen, table: str, data: st.DataObject) -> None:
    specimen.restore()
    rowid, _ = data.draw(st.sampled_from(specimen.rows(table, "rowid")))
    assert specimen.spoil(f"DELETE FROM {table} WHERE rowid = ?", rowid) == 1
    assert not specimen.verify().intact


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=st.integers(0, 299), second=st.integers(0, 299))
def test_two_entries_that_change_places_are_found(specimen: Specimen, first: int, second: int) -> None:
    specimen.restore()
    if first == second:
        return
    for old, new in ((first, -1), (second, first), (-1, second)):
        specimen.spoil("UPDATE log_leaf SET seq = ? WHERE seq = ?", new, old)
        specimen.spoil("UPDATE log_token SET seq = ? WHERE seq = ?", new, old)
    report = specimen.verify()
    assert min(first, second) >= min(found.at for found in report.breaks)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(size=st.integers(0, 299))
def test_a_log_cut_off_anywhere_is_found_where_it_was_cut(specimen: Specimen, size: int) -> None:
    specimen.restore()
    for statement in (
        "DELETE FROM log_token WHERE seq >= ?",
        "DELETE FROM log_entry WHERE id IN (SELECT entry_id FROM log_leaf WHERE seq >= ?)",
        "DELETE FROM log_leaf WHERE seq >= ?",
        "DELETE FROM log_checkpoint WHERE size > ?",
        "DELETE FROM log_node WHERE (position + 1) * 256 > ?",
    ):
        specimen.spoil(statement, size)
    assert (size, "truncated") in [(found.at, found.kind) for found in specimen.verify().breaks]
