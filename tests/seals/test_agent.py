"""The agent's own ritual against the server's own door: two programs, one protocol, cards in memory."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import clock
from app.cards import queries as cards
from app.crypto.seal_verdict import verify_seal
from app.seals import commands, queries
from card_agent.card.fake import FakeCard, FakeReader
from card_agent.card.pin_counter import PinCounter
from card_agent.fault import CardRemoved, Fault, ServerRefused
from card_agent.journal import Journal
from card_agent.making import make_seal, making_steps
from card_agent.pin import Pin
from card_agent.protocol.codec import from_json, parse
from card_agent.protocol.jobs import Enrol, Enrolled, Job, Jobs, Work
from card_agent.protocol.on_card import read_manifest
from card_agent.protocol.outcomes import Accepted, Made
from card_agent.ritual import Bench, Progress
from card_agent.trust import Trust
from tests.cards.makers import SYSTEM, Station, World
from tests.seals.makers import impression_of

MAKER_PIN, CARD_PIN = "24681357", "13572468"


class Line:
    """The agent's link, over the server's test client instead of a socket."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.before: Any = lambda path: None

    def post(self, path: str, message: object, answer: type[Any]) -> Any:
        self.before(path)
        response = self.station.send(path.removeprefix("/agent/v1/"), message)
        body = parse(response.data)
        if response.status_code != 200:
            said = body["error"]
            raise ServerRefused(response.status_code, said["code"], said["zh"], said["en"])
        return from_json(answer, body)


class Office:
    """A station with both cards in its readers, enrolled by the real one-time code."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        code = commands_enrol(world)
        self.station = Station(world.app)
        self.line = Line(self.station)
        told = self.line.post(
            "/agent/v1/enrol",
            Enrol(code=code, public_key=self.station.public_key, host="h", mac="unknown", agent_version="1"),
            Enrolled,
        )
        self.station.id = told.station_id
        self.trust = Trust(told.roots)
        self.reader = FakeReader(PinCounter(folder / "pins.json"))
        self.cards = {
            serial: FakeCard(serial=serial, label=serial, key=holder.key, certificate=holder.der, pin=pin)
            for serial, holder, pin in (("MK1", world.maker, MAKER_PIN), ("SC1", world.card, CARD_PIN))
        }
        for card in self.cards.values():
            self.reader.insert(card)

    def job(self) -> Job:
        return self.line.post("/agent/v1/work", Work(wait_s=0), Jobs).jobs[0]

    def make(self, job: Job, press: Any = lambda point: None) -> Made:
        """One start of the agent's program."""
        bench = Bench(
            reader=self.reader,
            server=self.line,
            journal=Journal(self.folder / "journal"),
            trust=self.trust,
            station_id=self.station.id,
            host="h",
            mac="unknown",
            press=press,
        )
        progress = Progress(job=job, steps=making_steps())
        return make_seal(job, bench, progress, maker_pin=Pin(MAKER_PIN), card_pin=Pin(CARD_PIN))

    def report(self, job: Job, made: Made) -> str:
        return str(self.line.post(f"/agent/v1/jobs/{job.job_id}/outcome", made, Accepted).state)


def commands_enrol(world: World) -> str:
    from app.cards import commands as card_commands

    return card_commands.enrol_station("真工位", world.bureau, by=SYSTEM).code


@pytest.fixture
def office(world: World, tmp_path: Path) -> Office:
    return Office(world, tmp_path)


def order(office: Office) -> Job:
    commands.order_making(impression_of(office.world), "SC1", office.station.id, by=office.world.operator)
    return office.job()


def test_agent_and_server_make_one_good_seal(office: Office) -> None:
    job = order(office)
    assert job.summary.title.zh == "制章：预算处"

    made = office.make(job)

    assert office.report(job, made) == office.report(job, made) == "done"
    seal_id = commands.record_made(job.job_id, by=SYSTEM).seal_id
    verdict = verify_seal(queries.seal_der(seal_id), cards.trust(), at=clock.now())
    assert verdict.acceptable
    manifest = read_manifest(dict(office.cards["SC1"].objects)["ESEAL.M1"])
    assert manifest.token.statement["seal_sha256"] == queries.seal(seal_id).seal_sha256
    assert office.line.post("/agent/v1/work", Work(wait_s=0), Jobs).jobs == ()


class PowerCut(BaseException):
    """The agent's program is gone."""


def test_interrupted_anywhere_and_begun_again_one_job_makes_one_seal(office: Office) -> None:
    """Cards pulled, power cut: the job is taken up again and ends with exactly one seal."""

    @settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.tuples(st.integers(0, 25), st.booleans()), max_size=3))
    def interrupted(interruptions: list[tuple[int, bool]]) -> None:
        job = order(office)
        for after, pulled in interruptions:
            left = [after]

            def press(point: str, left: list[int] = left, pulled: bool = pulled) -> None:
                left[0] -= 1
                if left[0] >= 0:
                    return
                if pulled:
                    raise CardRemoved("SC1")
                raise PowerCut

            office.reader.on = press
            try:
                office.make(job, press)
            except (Fault, PowerCut):
                pass
            finally:
                office.reader.on = lambda point: None
        made = office.make(job)

        assert office.report(job, made) == "done"
        seal = queries.seal(commands.record_made(job.job_id, by=SYSTEM).seal_id)
        on_card = dict(office.cards["SC1"].objects)
        assert sum(label.startswith("ESEAL.M") for label in on_card) == 1
        assert made.envelope_sha256 == queries.envelope_sha256(seal.id)
        commands.cancel(seal.id, "下一例", by=office.world.person_with_all())

    interrupted()


def test_a_refusal_of_the_server_reaches_the_station_in_both_languages(office: Office) -> None:
    job = order(office)
    office.world.publish(office.world.card)

    with pytest.raises(ServerRefused) as refused:
        office.make(job)

    assert "吊销" in str(refused.value.zh) and "revoked" in str(refused.value.en)
