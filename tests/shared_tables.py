"""One PostgreSQL database for all tests of a worker: every test finds it as if it had just been made.

No row is left, every number begins at 1, no connection of an earlier test is open; and no test can change the
tables, for the database itself refuses it.
"""

import secrets
from typing import Any

import psycopg

from app.audit.models import APPEND_ONLY

KEEP_TABLES = """
CREATE FUNCTION tables_are_shared() RETURNS event_trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'these tables are shared: a test that changes any makes a database of its own'; END $$;
CREATE EVENT TRIGGER tables_are_shared ON ddl_command_start EXECUTE FUNCTION tables_are_shared();
"""
NOBODY_ELSE = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
BEGIN_AT_ONE = """
SELECT setval(format('%I', sequencename)::regclass, start_value, false) FROM pg_sequences
WHERE last_value IS NOT NULL
"""


class SharedTables:
    """`url`: of the database, its tables made. `connection`: a superuser's, autocommit, kept for the whole run."""

    def __init__(self, url: str, connection: psycopg.Connection[Any]) -> None:
        self._url, self._connection = url, connection
        self._run(KEEP_TABLES)
        # whoever replicates meets neither foreign keys nor that event trigger
        self._run("SET session_replication_role = replica")
        # the housekeeper, who sweeps up deleted rows meanwhile, gives way after so long
        self._run("SET deadlock_timeout = '20ms'")
        names = self._run(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
        self._emptying = "; ".join(f'DELETE FROM "{name}"' for (name,) in names.fetchall())

    def emptied(self) -> str:
        """The database's URL, spelt anew for each test: what is counted in Redis is counted for one URL."""
        self._run(NOBODY_ELSE)
        disarm, arm = (
            "; ".join(f"ALTER TABLE {table} {verb} TRIGGER {table}_append_only" for table in APPEND_ONLY)
            for verb in ("DISABLE", "ENABLE ALWAYS")
        )
        self._run(f"BEGIN; {disarm}; {self._emptying}; {arm}; COMMIT")
        self._run(BEGIN_AT_ONE)
        return f"{self._url}&application_name=test_{secrets.token_hex(6)}"

    def _run(self, statement: str) -> psycopg.Cursor[Any]:
        return self._connection.execute(statement)  # type: ignore[arg-type]
