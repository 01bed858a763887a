"""Where the demo lives: a folder and a database that it made itself. It never touches another's.

The folder carries a marker file, the database a marker table; without them what is found there is somebody's,
and the demo refuses it.
"""

import secrets
import shutil
import socket
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

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


def clean_database(url: str) -> None:
    """An empty database with our marker. Refuses one that holds tables but not the marker."""
    engine = sa.create_engine(url)
    try:
        with engine.begin() as connection:
            tables = sa.inspect(connection).get_table_names()
            if tables and MARKER_TABLE not in tables:
                raise NotOurs(
                    f"the database {engine.url.database!r} holds tables that the demo did not make. "
                    "Give the demo an empty database of its own in DATABASE_URL."
                )
            if tables and connection.dialect.name == "postgresql":
                connection.execute(sa.text("DROP SCHEMA public CASCADE"))
                connection.execute(sa.text("CREATE SCHEMA public"))
        if tables and engine.dialect.name == "sqlite":
            engine.dispose()
            for suffix in ("", "-wal", "-shm"):
                Path(f"{engine.url.database}{suffix}").unlink(missing_ok=True)
        with engine.begin() as connection:
            connection.execute(sa.text(f"CREATE TABLE {MARKER_TABLE} (made_by TEXT NOT NULL)"))
    except OperationalError as error:
        raise NotOurs(f"the database of DATABASE_URL does not answer: {error.orig}") from error
    finally:
        engine.dispose()


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
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(value or secrets.token_hex(32))
    return path
