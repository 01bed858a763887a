"""A database of a bench's own, so that measuring leaves nothing behind: a schema on PostgreSQL, a file on SQLite."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Generator
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from app import servers
from app.crypto.first_keys import make_missing
from app.db import db
from app.factory import create_app
from app.settings import Settings


@contextlib.contextmanager
def staged(url: str | None) -> Generator[Settings]:
    """Settings of a server on fresh tables in that database (SQLite when None), with keys in a real token. The
    process' environment says the same as long as it lasts, for the processes that a bench starts."""
    with (
        tempfile.TemporaryDirectory(prefix="yinxu-bench-") as folder,
        _place(url, Path(folder)) as place,
        servers.redis_server(Path(folder) / "redis") as redis_url,
    ):
        environment = {
            "DATABASE_URL": place,
            "REDIS_URL": redis_url,
            "YINXU_ENVIRONMENT": "test",
            "YINXU_VAR_DIR": folder,
            "YINXU_SECRET_KEY": secrets.token_hex(32),
            "YINXU_SERVER_TOKEN_PIN": secrets.token_hex(8),
        }
        before = {name: os.environ.get(name) for name in environment}
        os.environ.update(environment)
        try:
            settings = Settings()
            make_missing(settings)
            with create_app(settings, pages=False, diagrams=False).app_context():
                db.create_all()
                db.session.remove()
                db.engine.dispose()
            yield settings
        finally:
            for name, value in before.items():
                _restore(name, value)


def server() -> Flask:
    """The server on the stage, as a worker has it: no pages."""
    return create_app(Settings(), pages=False, diagrams=False)


def _restore(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


@contextlib.contextmanager
def _place(url: str | None, folder: Path) -> Generator[str]:
    if not url or url.startswith("sqlite"):
        yield f"sqlite:///{folder}/bench.sqlite"
        return
    asked = sa.make_url(url).set(drivername="postgresql+psycopg")
    schema = f"yinxu_bench_{secrets.token_hex(4)}"
    engine = sa.create_engine(asked)
    try:
        with engine.begin() as connection:
            connection.execute(sa.schema.CreateSchema(schema))
        ours = asked.update_query_dict({"options": f"-csearch_path={schema}"})
        yield ours.render_as_string(hide_password=False)
    finally:
        with engine.begin() as connection:
            connection.execute(sa.schema.DropSchema(schema, cascade=True, if_exists=True))
        engine.dispose()
