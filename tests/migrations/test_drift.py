"""Models and migrations never drift: both ways of making a database leave the same catalogue behind.

Compared are the databases' own words, since a comparison of metadata misses index conditions, checks and
triggers.
"""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from app import migrations
from app.db import db
from app.factory import create_app
from tests.conftest import DATABASES, _create_database, _drop_database, settings_for

POSTGRESQL = {
    "columns": "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default "
    "FROM information_schema.columns WHERE table_schema = 'public'",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace",
    "triggers": "SELECT tgrelid::regclass::text, tgname, tgenabled::text, pg_get_triggerdef(oid) FROM pg_trigger "
    "WHERE NOT tgisinternal",
}
SQLITE = {"everything": "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"}


def catalogue(url: str) -> dict[str, set[tuple[str, ...]]]:
    engine = sa.create_engine(url)
    queries = SQLITE if engine.dialect.name == "sqlite" else POSTGRESQL
    with engine.connect() as connection:
        found = {
            what: {
                tuple(" ".join(str(value).replace('"', "").split()) for value in row)
                for row in connection.execute(sa.text(query))
            }
            for what, query in queries.items()
        }
    engine.dispose()
    return {
        what: {row for row in rows if "alembic_version" not in " ".join(row)} for what, rows in found.items()
    }


def in_any_order(rows: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """A table's clauses may stand in another order; what each says may not differ."""
    return {tuple(" ".join(sorted(re.split(r"[\s,()]+", cell))) for cell in row) for row in rows}


@pytest.mark.parametrize("kind", DATABASES)
def test_migrations_build_what_the_models_build(kind: str, tmp_path: Path) -> None:
    urls = {}
    for way in ("models", "migrations"):
        name = f"drift_{way}_{tmp_path.name[-6:].replace('-', '_')}"
        urls[way] = f"sqlite:///{tmp_path / name}" if kind == "sqlite" else _create_database(name)
    try:
        for way, url in urls.items():
            app = create_app(settings_for(tmp_path / way, url))
            with app.app_context():
                if way == "models":
                    db.create_all()
                else:
                    migrations.upgrade(app)
                db.engine.dispose()

        built, migrated = catalogue(urls["models"]), catalogue(urls["migrations"])

        assert built.keys() == migrated.keys()
        for what in built:
            assert in_any_order(built[what]) == in_any_order(migrated[what]), what
    finally:
        if kind == "postgresql":
            for way in urls:
                _drop_database(f"drift_{way}_{tmp_path.name[-6:].replace('-', '_')}")


def test_an_upgrade_of_the_newest_changes_nothing(tmp_path: Path) -> None:
    app = create_app(settings_for(tmp_path, f"sqlite:///{tmp_path / 'a.sqlite'}"))
    with app.app_context():
        assert migrations.upgrade(app) == (None, migrations.head())
        assert migrations.upgrade(app) == (migrations.head(), migrations.head())
