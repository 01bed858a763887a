"""A small organisation with one station, on either database."""

import pytest
from flask import Flask

from app.actor import Actor
from app.cards.kinds import KINDS, JobEnd
from app.cards.models import CardJob
from app.text import Text
from card_agent.protocol.jobs import Authorise, Authorised, Begin, SignBegun, Summary, Words
from card_agent.protocol.outcomes import Failed, Outcome
from card_agent.protocol.statements import Signed
from tests.cards.makers import World


@pytest.fixture
def world(app: Flask) -> World:
    return World(app)


class Echo:
    """A kind of job that asks for nothing."""

    def summary(self, job: CardJob) -> Summary:
        return Summary(title=Words(zh="试", en="Try"))

    def begin(self, job: CardJob, message: Begin, *, by: Actor) -> SignBegun:
        return SignBegun(order=Signed(statement={"job_id": job.id}, signature=b"", certificate=b""))

    def authorise(self, job: CardJob, message: Authorise, *, by: Actor) -> Authorised:
        return Authorised(token=Signed(statement={}, signature=b"", certificate=b""), envelope=b"")

    def outcome(self, job: CardJob, message: Outcome, *, by: Actor) -> JobEnd:
        if isinstance(message, Failed):
            return JobEnd(done=False, reason=Text(message.zh, message.en))
        return JobEnd(done=True)

    def ended(self, job: CardJob, end: JobEnd, *, by: Actor) -> None:
        pass


@pytest.fixture
def echo_kind(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(KINDS, "echo", Echo())
    return "echo"
