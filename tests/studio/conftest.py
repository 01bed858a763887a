"""Two process owners, and the shipped flows with stand-ins for what the houses above do."""

from pathlib import Path

import pytest
from flask import Flask

from app.actor import SYSTEM
from app.flows import commands as flows
from app.people import commands as people
from app.settings import Settings
from tests.conftest import settings_for
from tests.flows.conftest import hands  # noqa: F401 a fixture, found by its name
from tests.flows.makers import Hands
from tests.people.makers import PASSWORD, Town, town


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "var", database_url, login_rate="1000 per minute")


@pytest.fixture
def people_here(app: Flask, hands: Hands) -> Town:  # noqa: F811
    flows.load_files(by=SYSTEM)
    here = town()
    for login in ("owner", "other"):
        here.people[login] = people.register_user(
            login, f"流程{login}", here.department, PASSWORD, by=SYSTEM
        ).user_id
        people.appoint(here.people[login], "process_owner", by=SYSTEM)
    return here
