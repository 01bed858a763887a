"""Everybody votes at once: a small drill on each database, and what the gate does when somebody is in the way."""

import secrets
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from app.actor import SYSTEM, Actor
from app.audit.models import LogEntry
from app.command import command
from app.db import db
from app.drill import votes
from app.fact import Fact, LogClass
from app.refusal import Conflict
from tests.conftest import DATABASES, _create_database, _drop_database


@pytest.fixture(params=DATABASES)
def place(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """A database of the drill's own; None for a file of SQLite."""
    if request.param == "sqlite":
        yield None
        return
    name = f"drill_{secrets.token_hex(6)}"
    yield _create_database(name)
    _drop_database(name)


@pytest.mark.softhsm
def test_everybody_votes_at_once_and_every_vote_counts_once(place: str | None) -> None:
    outcome = votes.play(40, 3, place)

    assert (outcome.counted, outcome.counted_once, outcome.finished, outcome.errors) == (40, True, True, [])
    assert outcome.held


class Played(Fact, name="test.played", zh="演练", en="Played", log_class=LogClass.APPROVAL):
    times: int


def test_a_command_in_whose_way_others_were_is_played_again_whole_and_only_so_often(app: Flask) -> None:
    tries: list[int] = []

    @command(replays=3)
    def act(fails: int, code: str, *, by: Actor) -> Played:
        tries.append(fails)
        if len(tries) <= fails:
            raise Conflict(code, zh="慢了一步", en="somebody was quicker")
        return Played(times=len(tries))

    def entries() -> int:
        db.session.rollback()
        return db.session.scalar(sa.select(sa.func.count()).select_from(LogEntry)) or 0

    assert act(3, "flow.moved_on", by=SYSTEM).times == 4
    said = entries()
    tries.clear()
    with pytest.raises(Conflict):
        act(9, "flow.moved_on", by=SYSTEM)
    assert len(tries) == 4
    assert entries() == said + 1  # the refusal is told once
    tries.clear()
    with pytest.raises(Conflict):
        act(9, "flow.task_done", by=SYSTEM)
    assert len(tries) == 1  # what is really refused is refused at once
