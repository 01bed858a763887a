"""The bureau, on either database."""

import pytest
from flask import Flask

from tests.impressions.makers import Bureau


@pytest.fixture
def bureau(app: Flask) -> Bureau:
    return Bureau(app)
