"""An organisation with one issued seal."""

import pytest
from flask import Flask

from tests.cards.makers import World
from tests.seals.makers import issued_seal


@pytest.fixture
def world(app: Flask) -> World:
    """The department's seal is in the ledger, handed out."""
    found = World(app)
    found.register_cards()
    issued_seal(found)
    return found
