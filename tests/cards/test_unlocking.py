"""A locked card's PIN is given anew by two people, at a station, and no PIN leaves it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.audit.models import LogEntry
from app.cards import commands, queries, unlocking
from app.cards.models import CardUnlock
from app.db import db
from card_agent.card.fake import FakeCard, FakeReader
from card_agent.card.pin_counter import PinCounter
from card_agent.fault import PinSpent, PinUnfit, SoPinSpent, Untrusted, WrongPin, WrongSoPin
from card_agent.journal import Journal
from card_agent.pin import Pin
from card_agent.protocol.codec import encode
from card_agent.protocol.jobs import Begin
from card_agent.protocol.outcomes import Accepted, Unlocked
from card_agent.ritual import Bench, Progress
from card_agent.trust import Trust
from card_agent.unlocking import unlock_pin, unlocking_steps
from tests.cards.makers import World, browser
from tests.seals.conftest import refused, world

__all__ = ["world"]

SO_PIN, OLD, NEW = "16180339", "314159", "271-828"


class ToTheServer:
    """The agent's link, without the wire: messages go to the server's own commands. `said`: what went through."""

    def __init__(self, world: World) -> None:
        self.world, self.said = world, b""

    def post(self, path: str, message: Any, answer: type[Any]) -> Any:
        self.said += encode(message)
        job_id, act = int(path.split("/")[-2]), path.rsplit("/", maxsplit=1)[-1]
        if act == "begin":
            reply = commands.begin(job_id, message, by=self.world.station_actor()).reply
            self.said += encode(reply)
            return reply
        return Accepted(state=commands.accept_outcome(job_id, message, by=self.world.station_actor()).state)


class Station:
    """An agent with the locked card SC1 in its reader."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.server = world, ToTheServer(world)
        self.pins = PinCounter(folder / "pins.json")
        self.reader = FakeReader(self.pins)
        self.card = FakeCard(
            serial="SC1", label="SC1", key=world.card.key, certificate=world.card.der, pin=OLD, so_pin=SO_PIN
        )
        self.reader.insert(self.card)
        root = world.ca.certificate.public_bytes(_der())
        self.bench = Bench(
            reader=self.reader, server=self.server, journal=Journal(folder / "journal"), trust=Trust([root]),
            station_id=world.station.id, host="station-1", mac="02:00:00:00:00:01",
        )  # fmt: skip

    def lock(self) -> None:
        while self.pins.left("SC1"):
            with pytest.raises(WrongPin):
                self.reader.open("SC1", Pin("000000"))

    def job(self) -> Any:
        [found] = queries.open_jobs(self.world.station.id)
        return queries.as_job(found)

    def unlock(self, so_pin: str = SO_PIN, new_pin: str = NEW) -> Unlocked:
        job = self.job()
        progress = Progress(job=job, steps=unlocking_steps())
        return unlock_pin(job, self.bench, progress, so_pin=Pin(so_pin), new_pin=Pin(new_pin))

    def report(self, outcome: Unlocked) -> str:
        return self.server.post(f"/agent/v1/jobs/{self.job().job_id}/outcome", outcome, Accepted).state


def _der() -> Any:
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.DER


def ordered(world: World) -> int:
    unlock_id = unlocking.ask_unlock("SC1", "忘记 PIN", by=world.manager).unlock_id
    unlocking.agree_unlock(unlock_id, by=world.office)
    unlocking.start_unlock(unlock_id, world.station.id, by=world.operator)
    return unlock_id


def test_two_people_and_a_station_give_it_a_new_pin(world: World, tmp_path: Path) -> None:
    station = Station(world, tmp_path)
    station.lock()
    with pytest.raises(PinSpent):
        station.reader.open("SC1", Pin(OLD))
    unlock_id = ordered(world)

    unlocked = station.unlock()
    assert station.report(unlocked) == "done"

    assert db.session.get_one(CardUnlock, unlock_id).state == "done" and queries.open_unlock(1) is None
    assert station.reader.open("SC1", Pin(NEW)).serial == "SC1"
    with pytest.raises(WrongPin):
        station.reader.open("SC1", Pin(OLD))
    for secret in (SO_PIN, NEW, OLD):
        assert secret.encode() not in station.server.said
        assert secret not in repr(unlocked)


def test_nobody_does_it_alone(world: World) -> None:
    both = world.person("both", "兼任", world.bureau, "seal_office", "station_operator")
    unlock_id = unlocking.ask_unlock("SC1", "忘记 PIN", by=both).unlock_id
    with refused("card.own_unlock"):
        unlocking.agree_unlock(unlock_id, by=both)
    with refused("card.unlock_not_agreed"):
        unlocking.start_unlock(unlock_id, world.station.id, by=world.operator)
    with refused("card.may_not_agree_unlock"):
        unlocking.agree_unlock(unlock_id, by=world.manager)
    with refused("card.unlock_waits"):
        unlocking.ask_unlock("SC1", "再来", by=world.manager)
    unlocking.refuse_unlock(unlock_id, "本人已想起", by=both)
    with refused("card.unlock_over"):
        unlocking.agree_unlock(unlock_id, by=world.office)

    again = unlocking.ask_unlock("SC1", "忘记 PIN", by=world.manager).unlock_id
    unlocking.agree_unlock(again, by=both)
    with refused("card.agreer_may_not_operate"):
        unlocking.start_unlock(again, world.station.id, by=both)
    for stranger in (world.stranger, world.user, world.administrator):
        with refused("card.may_not_ask_unlock"):
            unlocking.ask_unlock("SC1", "试", by=stranger)
    entries = db.session.scalar(sa.select(sa.func.count()).select_from(LogEntry)) or 0
    assert entries > 10  # each refusal stands in the log as well


def test_a_wrong_so_pin_is_counted_and_never_tried_to_the_end(world: World, tmp_path: Path) -> None:
    station = Station(world, tmp_path)
    ordered(world)
    with pytest.raises(PinUnfit):
        station.unlock(new_pin="12345")
    left = station.pins.left("SC1/so")
    for still in reversed(range(left)):
        with pytest.raises(WrongSoPin) as fault:
            station.unlock(so_pin="wrong-one")
        assert fault.value.left == still
    with pytest.raises(SoPinSpent):
        station.unlock()
    assert station.card.pin == OLD


def test_the_station_believes_no_order_but_the_servers_own(world: World, tmp_path: Path) -> None:
    station = Station(world, tmp_path)
    ordered(world)
    job = station.job()
    reply = commands.begin(
        job.job_id, Begin(card_serial="SC1", card_certificate=world.card.der), by=world.station_actor()
    ).reply
    statement = dict(reply.order.statement)
    statement["agreed_by"] = {"id": statement["operator"]["id"], "name": "自己"}
    forged = type(reply)(order=type(reply.order)(
        statement=statement, signature=reply.order.signature, certificate=reply.order.certificate
    ))  # fmt: skip
    station.server.post = lambda *_: forged  # type: ignore[method-assign]
    with pytest.raises(Untrusted):
        station.unlock()
    assert station.card.pin == OLD


def test_a_proof_by_another_key_or_of_another_order_unlocks_nothing(world: World, tmp_path: Path) -> None:
    station = Station(world, tmp_path)
    unlock_id = ordered(world)
    good = station.unlock()
    other = world.ca.issue("预算处", role="seal")
    for bad, code in (
        (replace(good, proof=replace(good.proof, value=other.sign(b"x"))), "card.unlock_proof_bad"),
        (replace(good, order_id="00" * 16), "card_job.replayed"),
        (replace(good, certificate=other.der), "card.other_certificate"),
    ):
        with refused(code):
            station.report(bad)
    assert db.session.get_one(CardUnlock, unlock_id).state == "open"
    assert station.report(good) == "done"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_cards_page_leads_through_it(world: World, language: str) -> None:
    pages = {name: browser(world, getattr(world, name)) for name in ("manager", "office", "operator")}
    for client in pages.values():
        client.set_cookie("language", language)
    where = "/cards/SC1"

    assert pages["manager"].post(f"{where}/unlock", data={"reason": ""}).status_code == 422
    assert pages["manager"].post(f"{where}/unlock", data={"reason": "忘记 PIN"}).status_code == 302
    row = queries.open_unlock(queries.card_row("SC1").card.id)
    assert row is not None
    agree = f"{where}/unlock/{row.id}/agree"
    assert agree in pages["office"].get(where).text and agree not in pages["manager"].get(where).text
    assert pages["office"].post(agree).status_code == 302
    start = f"{where}/unlock/{row.id}/start"
    assert start in pages["operator"].get(where).text
    assert pages["operator"].post(start, data={"station_id": world.station.id}).status_code == 302
    assert len(queries.open_jobs(world.station.id)) == 1
