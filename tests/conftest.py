"""What every test may lean on: an app on either database, with software keys and a Redis of its own.

The servers are started once for the whole run, by the process that steers it, from what `make setup`
installed; with workers (`-n`) each worker keeps its own SQLite file to copy and PostgreSQL database to empty.
"""

import contextlib
import gc
import os
import secrets
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from app import servers
from app.settings import Settings
from tests import quick
from tests.shared_tables import SharedTables

DATABASES = tuple(os.environ.get("YINXU_TEST_DATABASES", "sqlite,postgresql").split(","))
ONE_DATABASE = pytest.mark.parametrize("database_url", DATABASES[:1], indirect=True)
"""For a test with many cases whose law never reaches the database."""
STRICT_DATABASE = pytest.mark.parametrize("database_url", DATABASES[-1:], indirect=True)
"""For many cases of what a database may refuse: PostgreSQL, the stricter, wherever it is there."""
_stack = contextlib.ExitStack()
# a busy machine is no fault of the law under test
hypothesis_settings.register_profile(
    "busy",
    deadline=None,
    max_examples=int(os.environ.get("YINXU_TEST_EXAMPLES", "50")),
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis_settings.load_profile("busy")
quick.remember()


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers once; workers inherit their addresses through the environment."""
    # a shell starts what it puts in the background deaf to Ctrl-C, and so would be every program under test
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    # PostgreSQL runs as another user when we are root, so its folder must be reachable by all
    folder = Path(tempfile.mkdtemp(prefix="yinxu-test-"))
    folder.chmod(0o755)
    _stack.callback(shutil.rmtree, folder, ignore_errors=True)
    if "YINXU_TEST_REDIS_URL" not in os.environ:
        os.environ["YINXU_TEST_REDIS_URL"] = _stack.enter_context(servers.redis_server(folder / "redis"))
    if "postgresql" in DATABASES and "YINXU_TEST_POSTGRESQL_URL" not in os.environ:
        url = _stack.enter_context(servers.postgresql_server(folder / "postgresql"))
        os.environ["YINXU_TEST_POSTGRESQL_URL"] = url


ABOUT_PAGES = (
    "test_pages.py",
    "_pages.py",
    "test_views.py",
    "_browser.py",
    "test_refusals.py",
    "test_problems.py",
)
"""Files (and all of tests/web) about what pages and refusals say. What they ask of the database is asked on both by the
tests of the commands and queries, and each page is opened on SQLite by every role (tests/web/test_doors.py)."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests about pages run on one database, the stricter; YINXU_TEST_EVERYTHING=1 runs them on both."""
    if "YINXU_TEST_EVERYTHING" in os.environ or len(DATABASES) == 1:
        return
    there = {item.nodeid for item in items}
    twins = [
        item
        for item in items
        if (item.path.name.endswith(ABOUT_PAGES) or "/tests/web/" in item.path.as_posix())
        and DATABASES[0] in item.nodeid
        and item.nodeid.replace(DATABASES[0], DATABASES[-1]) in there
    ]
    config.hook.pytest_deselected(items=twins)
    items[:] = [item for item in items if item not in set(twins)]


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was imported stays: to look through it for litter again and again took a tenth of the run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


STAGES = {
    "tests/journeys/test_demo.py": "demo",
    "tests/journeys/test_lasting.py": "demo",
    "tests/journeys/test_services.py": "services",
    "tests/web/test_browser.py": "browser",
}
"""Files whose tests share what is dear to start: one worker plays all of a stage, one after the other."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """As xdist shares tests out, but a stage is never played twice. (Its own groups do nothing under pytest 9.2.)"""
    from xdist.scheduler import LoadScopeScheduling

    class ByStage(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return STAGES.get(nodeid.split("::", maxsplit=1)[0], nodeid)

    return ByStage(config, log)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        _stack.close()


def settings_for(var_dir: Path, database_url: str, **more: object) -> Settings:
    """Settings of a test's app: throw-away secrets, software keys, everything under `var_dir`."""
    values: dict[str, object] = {
        "environment": "test",
        "var_dir": var_dir,
        "database_url": database_url,
        "DATABASE_URL": database_url,
        "REDIS_URL": os.environ.get("YINXU_TEST_REDIS_URL", "redis://127.0.0.1:1/0"),
        "secret_key": secrets.token_hex(32),
        "key_backend": "software",
        "agent_poll_s": 0,
        **more,
    }
    values.pop("database_url")
    return Settings(**values)  # type: ignore[arg-type]


def _make_tables(folder: Path, url: str) -> None:
    from app.db import db
    from app.factory import create_app

    app = create_app(settings_for(folder, url))
    with app.app_context():
        db.create_all()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with every table; each test gets a copy of the file."""
    path = tmp_path_factory.mktemp("template") / "template.sqlite"
    _make_tables(path.parent / "var", f"sqlite:///{path}")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture(scope="session")
def shared_postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedTables]:
    """This worker's one database with every table, emptied for each test: to copy one takes ten times as long."""
    name = f"shared_{secrets.token_hex(4)}"
    url = _create_database(name)
    _make_tables(tmp_path_factory.mktemp("shared"), url)
    with psycopg.connect(url, autocommit=True) as connection:
        yield SharedTables(url, connection)
    _drop_database(name)


def _server_url() -> str:
    return os.environ["YINXU_TEST_POSTGRESQL_URL"]


def _create_database(name: str) -> str:
    """Another database, for tests that make, change or take away tables; empty, and theirs to drop."""
    with psycopg.connect(_server_url(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type]
    return _server_url().replace("/postgres?", f"/{name}?")


def _drop_database(name: str) -> None:
    with psycopg.connect(_server_url(), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')  # type: ignore[arg-type]


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database with every table, once for each kind of database."""
    if request.param == "postgresql":
        return request.getfixturevalue("shared_postgresql").emptied()
    path = tmp_path / "test.sqlite"
    shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
    return f"sqlite:///{path}"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "var", database_url)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The whole server on a fresh database, inside an application context."""
    from app.db import db
    from app.factory import create_app

    flask_app = create_app(settings)
    flask_app.testing = True
    with flask_app.app_context():
        yield flask_app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
