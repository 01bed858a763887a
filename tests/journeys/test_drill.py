"""The drill that kills, in small: `yinxu drill flows` plays it with 500 instances."""

import pytest

from app.drill import flows
from tests.conftest import DATABASES, _create_database, _drop_database

pytestmark = [
    pytest.mark.journey,
    pytest.mark.softhsm,
    pytest.mark.slow,
    pytest.mark.skipif("postgresql" not in DATABASES, reason="needs PostgreSQL"),
]


def test_whatever_is_killed_no_flow_is_lost_and_no_step_done_twice() -> None:
    url = _create_database("drill")
    try:
        outcome = flows.play(8, 5, url)
    finally:
        _drop_database("drill")

    assert outcome.held, outcome
    assert outcome.finished == 8
    assert outcome.kills == dict.fromkeys(flows.VICTIMS, 1)
    assert outcome.flushes == 1
