"""Tests share one PostgreSQL database and notice nothing of each other."""

import psycopg
import pytest

from tests.conftest import DATABASES
from tests.shared_tables import SharedTables

pytestmark = pytest.mark.skipif("postgresql" not in DATABASES, reason="needs PostgreSQL")


def test_each_test_finds_empty_tables_numbered_from_one_and_still_guarded(
    shared_postgresql: SharedTables,
) -> None:
    url = shared_postgresql.emptied()
    insert = "INSERT INTO unit (name, level, created_at) VALUES ('x', 1, now()) RETURNING id"
    forgotten = psycopg.connect(url)
    assert forgotten.execute(insert).fetchone() == (1,)
    forgotten.commit()
    forgotten.execute("SELECT * FROM unit FOR UPDATE")  # and the lock kept

    with psycopg.connect(shared_postgresql.emptied()) as connection:
        assert connection.execute("SELECT count(*) FROM unit").fetchone() == (0,)
        assert connection.execute(insert).fetchone() == (1,)
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"), connection.transaction():
            connection.execute("DELETE FROM log_entry")
        with pytest.raises(psycopg.errors.RaiseException, match="a database of its own"):
            connection.execute("ALTER TABLE unit ADD COLUMN thesis text")
    with pytest.raises(psycopg.OperationalError):
        forgotten.execute("SELECT 1")
