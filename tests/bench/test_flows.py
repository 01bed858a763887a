"""What the bench of flows compares does the same work on both sides, through the pages' commands on ours."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from app.bench import flows, naive, stage
from app.bench.chains import ANSWER, SENT_BACK, Chain
from app.bpmn.parse import parse, program
from app.bpmn.step import begin
from app.db import db
from app.flows.models import FlowInstance, FlowTask
from tests.conftest import DATABASES, _create_database, _drop_database

NOW = datetime(2026, 1, 5, 1, tzinfo=UTC)


class Hands:
    def act(self, operator: str, parameters: dict[str, Any]) -> None:
        """A chain's automatic step does nothing."""


@pytest.mark.parametrize("activities", [4, 10, 30, 100])
def test_both_drawings_ask_people_equally_often(activities: int) -> None:
    chain = Chain(activities)
    run = begin(program(parse(chain.ours()), {}), {}, host=Hands(), now=NOW)
    ours = 0
    while not run.finished:
        run.complete(run.tasks()[0].token, ANSWER)
        run.settle()
        ours += 1

    state, waits = naive.begin(*naive.parse(chain)), ""
    theirs = 0
    while waits is not None:
        state, waits = naive.complete(state, ANSWER)
        theirs += 1

    assert ours == theirs == chain.people


def test_a_step_sent_back_begins_anew() -> None:
    run = begin(program(parse(Chain(10).ours()), {}), {}, host=Hands(), now=NOW)

    run.complete(run.tasks()[0].token, ANSWER)
    run.settle()
    run.complete(run.tasks()[0].token, SENT_BACK)
    run.settle()

    assert [task.node.id for task in run.tasks()] == ["a0"]


@pytest.fixture(params=DATABASES)
def place(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Where a stage may make a schema; None for SQLite, where it makes a file."""
    if request.param == "sqlite":
        yield None
        return
    name = f"bench_{secrets.token_hex(6)}"
    yield _create_database(name)
    _drop_database(name)


@pytest.mark.softhsm
def test_an_instance_is_finished_on_a_stage_that_leaves_nothing_behind(place: str | None) -> None:
    with stage.staged(place) as settings:
        flows.load()
        with stage.server().app_context():
            flows.finish(flows.CHAINS[0])

            assert [i.status for i in db.session.query(FlowInstance)] == ["finished"]
            assert [t.status for t in db.session.query(FlowTask)] == ["done"] * 4
            db.session.remove()
            db.engine.dispose()

    assert not settings.var_dir.exists()
