"""Where the demo lives: a folder and a database that it made itself. It never touches another's.

The folder carries a marker file, the database a marker table; without them what is found there is somebody's,
and the demo refuses it.
"""

import importlib
import importlib.util
import re
import secrets
import shutil
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DatabaseError

from app.settings import NO_DATABASE_URL, is_database_url

MARKER_FILE = ".made-by-yinxu-demo"
MARKER_TABLE = "yinxu_demo_marker"


class NotOurs(RuntimeError):
    """Something is in the way that the demo did not make; the message names the remedy."""


def clean_folder(folder: Path) -> None:
    """An empty folder with our marker, whatever a former demo left in it."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER_FILE).exists():
        raise NotOurs(
            f"{folder} holds files that the demo did not make. "
            "Name another folder with --var DIR, or empty it yourself."
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARKER_FILE).write_text("This folder is emptied by every run of `yinxu demo`.\n")


def named_database(environment: Mapping[str, str]) -> str:
    """What DATABASE_URL says, or the file of DATABASE_URL_FILE; empty for the demo's own SQLite.

    The file wins, as in the settings: a database that our processes would write to is one that was asked first.
    """
    file = environment.get("DATABASE_URL_FILE")
    if not file:
        return environment.get("DATABASE_URL", "")
    try:
        return Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotOurs(f"DATABASE_URL_FILE cannot be read: {error}") from error


def clean_database(url: str) -> None:
    """An empty database with our marker. Refuses one that holds anything the demo did not make: without the
    marker anything at all, beside the marker whatever is not a table of our own."""
    if not is_database_url(url):
        raise NotOurs(NO_DATABASE_URL)
    try:
        engine = sa.create_engine(url)
    except (ArgumentError, ImportError) as error:
        raise NotOurs(f"{NO_DATABASE_URL} ({error})") from error
    try:
        with engine.begin() as connection:
            found = _found_in(connection)
            marked = f"table {MARKER_TABLE}" in found
            ours = _ours(connection.dialect.name) if marked else frozenset[str]()
            _refuse(engine.url.database, sorted(found - ours), marked=marked)
            if marked and engine.dialect.name == "postgresql":
                _drop(connection, found & ours)
        if marked and engine.dialect.name == "sqlite":
            engine.dispose()
            for suffix in ("", "-wal", "-shm"):
                Path(f"{engine.url.database}{suffix}").unlink(missing_ok=True)
        with engine.begin() as connection:
            connection.execute(sa.text(f"CREATE TABLE {MARKER_TABLE} (made_by TEXT NOT NULL)"))
    except DatabaseError as error:
        raise NotOurs(f"the database of DATABASE_URL does not answer: {error.orig}") from error
    finally:
        engine.dispose()


def _refuse(database: str | None, strange: list[str], *, marked: bool) -> None:
    if not strange:
        return
    some = ", ".join(strange[:5]) + (f" and {len(strange) - 5} more" if len(strange) > 5 else "")
    raise NotOurs(
        f"the database {database!r} holds {some}, which the demo did not make"
        f"{' beside what it did' if marked else ''}. "
        "Give the demo an empty database of its own in DATABASE_URL."
    )


def _ours(dialect: str) -> frozenset[str]:
    """What `yinxu db upgrade` creates, and our marker; in the words of `_found_in`."""
    from app.audit.models import append_only_ddl
    from app.db import Base
    from app.factory import HOUSES

    for house in HOUSES:
        if importlib.util.find_spec(f"app.{house}.models"):
            importlib.import_module(f"app.{house}.models")
    guards = re.findall(
        r"CREATE (?:OR REPLACE )?(TRIGGER|FUNCTION) (\w+)", "\n".join(append_only_ddl(dialect))
    )
    tables = (*Base.metadata.tables, "alembic_version", MARKER_TABLE)
    return frozenset(
        {f"table {name}" for name in tables} | {f"{kind.lower()} {name}" for kind, name in guards}
    )


def _drop(connection: sa.Connection, things: Iterable[str]) -> None:
    """These tables, all at once since they refer to each other, with their triggers; then what those called.
    Nothing else goes with them: without CASCADE the database itself would object."""
    words = [thing.split(" ", 1) for thing in sorted(things)]
    for kind in ("table", "function"):
        names = ", ".join(f'public."{name}"' for of, name in words if of == kind)
        if names:
            connection.execute(sa.text(f"DROP {kind.upper()} {names}"))


_IN_SQLITE = "SELECT type || ' ' || name FROM sqlite_master WHERE type <> 'index' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"

_IN_POSTGRESQL = """
WITH of_extensions AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
strange AS (
  SELECT oid, nspname FROM pg_namespace
  WHERE nspname NOT LIKE 'pg!_%' ESCAPE '!' AND nspname <> 'information_schema'
)
SELECT 'schema ' || nspname FROM strange
WHERE nspname <> 'public' AND ('pg_namespace'::regclass, oid) NOT IN (SELECT * FROM of_extensions)
UNION ALL
SELECT CASE relkind WHEN 'r' THEN 'table ' WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view '
                    WHEN 'S' THEN 'sequence ' WHEN 'c' THEN 'type ' ELSE 'relation ' END
       || CASE nspname WHEN 'public' THEN '' ELSE nspname || '.' END || relname
FROM pg_class c JOIN strange n ON n.oid = relnamespace
WHERE relkind NOT IN ('i', 'I', 't') AND ('pg_class'::regclass, c.oid) NOT IN (SELECT * FROM of_extensions)
  AND NOT (relkind = 'S' AND EXISTS ( -- a column's own sequence comes and goes with its table
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')))
UNION ALL
SELECT 'function ' || proname FROM pg_proc p JOIN strange n ON n.oid = pronamespace
WHERE ('pg_proc'::regclass, p.oid) NOT IN (SELECT * FROM of_extensions)
UNION ALL
SELECT 'type ' || typname FROM pg_type t JOIN strange n ON n.oid = typnamespace
WHERE typrelid = 0 AND typcategory <> 'A' AND ('pg_type'::regclass, t.oid) NOT IN (SELECT * FROM of_extensions)
UNION ALL
SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
"""
"""Whatever somebody may have made; the server's own and what belongs to extensions is left out."""


def _found_in(connection: sa.Connection) -> set[str]:
    """Everything in the database, in words: `table seal`, `view report`, `schema hr`."""
    catalogue = _IN_POSTGRESQL if connection.dialect.name == "postgresql" else _IN_SQLITE
    return set(connection.scalars(sa.text(catalogue)))


def check_port(host: str, port: int, option: str) -> None:
    """Refuses when somebody listens on the port already; the sentence names the option that moves us."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise NotOurs(
                f"port {port} is taken by another program. Stop it, or choose another port with {option}."
            ) from error


def write_secret(path: Path, value: str | None = None) -> Path:
    """A file only we can read, with the value or with 32 random bytes in hexadecimal."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(value or secrets.token_hex(32))
    return path
