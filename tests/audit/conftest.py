"""The log by itself, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app.settings import Settings
from tests.audit.makers import log_alone
from tests.conftest import settings_for


@pytest.fixture
def log_settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "var", database_url)


@pytest.fixture
def log(log_settings: Settings) -> Iterator[Flask]:
    with log_alone(log_settings) as app:
        yield app
