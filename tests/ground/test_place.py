"""The demo starts clean, and only where it has been before."""

import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from app import migrations
from app.db import db
from app.demo import place
from app.factory import create_app
from tests.conftest import DATABASES, _create_database, _drop_database, settings_for


def test_a_folder_with_someones_files_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")

    with pytest.raises(place.NotOurs, match="--var"):
        place.clean_folder(tmp_path)

    assert (tmp_path / "thesis.txt").read_text() == "ten years of work"


def test_a_folder_of_a_former_demo_starts_empty(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    place.clean_folder(folder)
    (folder / "old.pdf").write_text("old")

    place.clean_folder(folder)

    assert [p.name for p in folder.iterdir()] == [place.MARKER_FILE]


def test_a_database_with_someones_tables_is_refused_and_kept(database_url: str) -> None:
    with pytest.raises(place.NotOurs, match="empty database of its own"):
        place.clean_database(database_url)

    engine = sa.create_engine(database_url)
    assert len(sa.inspect(engine).get_table_names()) > 5
    engine.dispose()


@pytest.fixture(params=DATABASES)
def former_demo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database that a demo made, migrated as a demo migrates it; the URL."""
    name = f"demo_{secrets.token_hex(6)}"
    kind = str(request.param)
    url = f"sqlite:///{tmp_path / 'demo.sqlite'}" if kind == "sqlite" else _create_database(name)
    place.clean_database(url)
    app = create_app(settings_for(tmp_path / "var", url), pages=False, diagrams=False)
    with app.app_context():
        migrations.upgrade(app)
        db.session.remove()
        db.engine.dispose()
    yield url
    if kind != "sqlite":
        _drop_database(name)


def execute(url: str, *statements: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


def tables(url: str) -> list[str]:
    engine = sa.create_engine(url)
    names = sa.inspect(engine).get_table_names()
    engine.dispose()
    return names


def test_a_database_of_a_former_demo_starts_empty(former_demo: str) -> None:
    assert len(tables(former_demo)) > 5

    place.clean_database(former_demo)

    assert tables(former_demo) == [place.MARKER_TABLE]
    place.clean_database(former_demo)


SOMEONES = {
    "a table": ["CREATE TABLE thesis (page TEXT)"],
    "a view": ["CREATE VIEW report AS SELECT 1 AS one"],
    "a trigger": ["CREATE TRIGGER watch AFTER INSERT ON seal BEGIN SELECT 1; END"],
}
SOMEONES_IN_POSTGRESQL = {
    **SOMEONES,
    "a trigger": [
        "CREATE TRIGGER watch AFTER INSERT ON seal EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    ],
    "a schema": ["CREATE SCHEMA hr"],
    "a table of a schema": ["CREATE SCHEMA hr", "CREATE TABLE hr.staff (name TEXT)"],
    "a function": ["CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
    "a sequence": ["CREATE SEQUENCE numbers"],
    "a type": ["CREATE TYPE mood AS ENUM ('good')"],
    "a row type": ["CREATE TYPE pair AS (a int, b int)"],
    "a domain": ["CREATE DOMAIN positive AS int CHECK (VALUE > 0)"],
    "a materialized view": ["CREATE MATERIALIZED VIEW kept AS SELECT 1 AS one"],
}


@pytest.mark.parametrize(
    ("former_demo", "statements"),
    [
        pytest.param(kind, statements, id=f"{kind}-{what}")
        for kind in DATABASES
        for what, statements in (SOMEONES if kind == "sqlite" else SOMEONES_IN_POSTGRESQL).items()
    ],
    indirect=["former_demo"],
)
def test_what_somebody_added_beside_the_demo_is_refused_and_kept(
    former_demo: str, statements: list[str]
) -> None:
    execute(former_demo, *statements)
    before = tables(former_demo)

    with pytest.raises(place.NotOurs, match="beside what it did"):
        place.clean_database(former_demo)

    assert tables(former_demo) == before


@pytest.mark.skipif("postgresql" not in DATABASES, reason="needs PostgreSQL")
@pytest.mark.parametrize("what", [w for w in SOMEONES_IN_POSTGRESQL if w != "a trigger"])
def test_a_database_without_tables_may_still_be_somebodys(what: str) -> None:
    name = f"somebodys_{secrets.token_hex(6)}"
    url = _create_database(name)
    try:
        execute(url, *SOMEONES_IN_POSTGRESQL[what])
        with pytest.raises(place.NotOurs, match="did not make"):
            place.clean_database(url)
    finally:
        _drop_database(name)


@pytest.mark.parametrize("url", ["mysql://x/y", "oracle+what://x", "nonsense", "postgresql+none://x/y"])
def test_another_kind_of_database_gets_the_settings_own_sentence(url: str) -> None:
    with pytest.raises(place.NotOurs, match="postgresql:// or sqlite:/// expected"):
        place.clean_database(url)


def test_a_database_named_by_a_file_is_asked_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://real/one\n")

    named = {"DATABASE_URL_FILE": str(tmp_path / "url"), "DATABASE_URL": "sqlite:///other"}
    assert place.named_database(named) == "postgresql://real/one"
    assert place.named_database({"DATABASE_URL": "sqlite:///other"}) == "sqlite:///other"
    with pytest.raises(place.NotOurs, match="DATABASE_URL_FILE"):
        place.named_database({"DATABASE_URL_FILE": str(tmp_path / "none")})


def test_a_taken_port_is_named_with_the_remedy() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(place.NotOurs, match=f"{port}.*--port"):
            place.check_port("127.0.0.1", port, "--port")
