"""The log by itself, on both databases."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app.settings import Settings
from tests.audit.makers import log_alone
from tests.conftest import DATABASES, _create_database, _drop_database, settings_for


@pytest.fixture(params=DATABASES)
def log_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings for an empty database of each kind."""
    if request.param == "sqlite":
        yield settings_for(tmp_path / "var", f"sqlite:///{tmp_path / 'log.sqlite'}")
        return
    name = f"log_{secrets.token_hex(6)}"
    yield settings_for(tmp_path / "var", _create_database(name))
    _drop_database(name)


@pytest.fixture
def log(log_settings: Settings) -> Iterator[Flask]:
    with log_alone(log_settings) as app:
        yield app
