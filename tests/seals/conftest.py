"""A small organisation whose maker card and seal card are registered."""

import pytest
from flask import Flask

from tests.cards.makers import World


@pytest.fixture
def world(app: Flask) -> World:
    found = World(app)
    found.register_cards()
    return found


def refused(code: str):
    """A refusal with this code, in both languages."""
    from app.refusal import Refusal

    return pytest.raises(Refusal, match=f"^{code}:")
