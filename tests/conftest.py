"""What every test may lean on: an app on either database, with software keys and a Redis of its own.

The servers are started once for the whole run, by the process that steers it, from what `make setup`
installed; with workers (`-n`) each worker keeps templates of its own and copies them for each test.
"""

import contextlib
import os
import secrets
import shutil
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

DATABASES = tuple(os.environ.get("YINXU_TEST_DATABASES", "sqlite,postgresql").split(","))
_stack = contextlib.ExitStack()
# a busy machine is no fault of the law under test
hypothesis_settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("busy")


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers once; workers inherit their addresses through the environment."""
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


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An empty database of each kind with every table, to be copied: name of a file or a database."""
    from app.db import db
    from app.factory import create_app

    folder = tmp_path_factory.mktemp("templates")
    made: dict[str, str] = {}
    for kind in DATABASES:
        if kind == "sqlite":
            made[kind] = str(folder / "template.sqlite")
            url = f"sqlite:///{made[kind]}"
        else:
            made[kind] = f"template_{secrets.token_hex(4)}"
            url = _create_database(made[kind])
        app = create_app(settings_for(folder / kind, url))
        with app.app_context():
            db.create_all()
            db.session.remove()
            db.engine.dispose()
        if kind == "sqlite":
            with sqlite3.connect(made[kind]) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return made


def _server_url() -> str:
    return os.environ["YINXU_TEST_POSTGRESQL_URL"]


def _create_database(name: str, template: str | None = None) -> str:
    with psycopg.connect(_server_url(), autocommit=True) as connection:
        clause = f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""
        connection.execute(f'CREATE DATABASE "{name}"{clause}')  # type: ignore[arg-type]
    return _server_url().replace("/postgres?", f"/{name}?")


def _drop_database(name: str) -> None:
    with psycopg.connect(_server_url(), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')  # type: ignore[arg-type]


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, templates: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """A fresh database with every table, once for each kind of database."""
    if request.param == "sqlite":
        shutil.copyfile(templates["sqlite"], tmp_path / "test.sqlite")
        yield f"sqlite:///{tmp_path / 'test.sqlite'}"
        return
    name = f"test_{secrets.token_hex(6)}"
    yield _create_database(name, templates["postgresql"])
    _drop_database(name)


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
