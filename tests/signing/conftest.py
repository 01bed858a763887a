import pytest
from flask import Flask

from tests.cards.makers import World


@pytest.fixture
def world(app: Flask) -> World:
    """An organisation with its cards registered."""
    world = World(app)
    world.register_cards()
    return world
