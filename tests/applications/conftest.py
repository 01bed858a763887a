"""The bureau with its flows loaded, and scans of seals that are drawn once."""

import pytest
from flask import Flask

from app.actor import SYSTEM
from app.flows import commands as flows
from tests.applications.makers import Desk


@pytest.fixture
def desk(app: Flask) -> Desk:
    flows.load_files(by=SYSTEM)
    return Desk(app)
