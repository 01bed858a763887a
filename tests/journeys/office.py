"""An office where people do what they must not: real pages with their CSRF tokens, a real station's desk and page,
cards in memory. Whoever is refused is told so, and the log knows it."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lxml.html
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask
from werkzeug.test import Client, TestResponse

from app.actor import SYSTEM, Actor
from app.audit.queries import Filter, Row, search
from app.audit.sequencer import sequence
from app.db import db
from app.flows import commands as flows
from app.flows import queries as flow_queries
from app.people import queries as people
from app.people.models import LoginSession
from app.seals import commands as seals
from card_agent.card.fake import FakeCard, FakeReader
from card_agent.card.pin_counter import PinCounter
from card_agent.desk import Desk
from card_agent.fault import ServerRefused
from card_agent.journal import Journal
from card_agent.loopback import HEADER, TOKEN, Loopback
from card_agent.outbox import Outbox
from card_agent.protocol.codec import from_json, parse
from card_agent.protocol.jobs import Jobs, Work
from card_agent.ritual import Bench
from card_agent.trust import Trust
from tests.applications.makers import scan
from tests.card_agent.shown import Shown
from tests.cards.makers import Station, World
from tests.crypto.pki import Holder
from tests.people.makers import Browser
from tests.seals.makers import impression_of

MAKER_PIN, CARD_PIN = "24681357", "13572468"


class Person(Browser):
    """Somebody's browser, logged in, in one language."""

    def __init__(self, app: Flask, token: str, language: str) -> None:
        super().__init__(app)
        self.language = language
        self.client.set_cookie("yinxu", token)

    def send(self, method: str, path: str, **more: Any) -> TestResponse:
        more["headers"] = {"Accept": "text/html", "Accept-Language": self.language, **more.get("headers", {})}
        return super().send(method, path, **more)


class Line:
    """The agent's link to the server's door; remembers how each request was answered."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.statuses: list[int] = []

    def post(self, path: str, message: object, answer: type[Any]) -> Any:
        response = self.station.send(path.removeprefix("/agent/v1/"), message)
        body = parse(response.data)
        self.statuses.append(response.status_code)
        if response.status_code != 200:
            said = body["error"]
            raise ServerRefused(response.status_code, said["code"], said["zh"], said["en"])
        return from_json(answer, body)


@dataclass
class Office:
    """`world`: the organisation. Its station's readers hold the maker card and the department's card."""

    world: World
    folder: Path

    def __post_init__(self) -> None:
        self.app = self.world.app
        self.world.register_cards()
        flows.load_files(by=SYSTEM)
        self.applicant = self.world.person(
            "lihang", "李航", self.world.finance, "applicant", unit=self.world.finance
        )
        self.colleague = self.world.person("wangmin", "王敏", self.world.bureau, "seal_office")
        self.reader = FakeReader(PinCounter(self.folder / "pins.json"))
        self.insert("MK1", self.world.maker, MAKER_PIN)
        self.insert("SC1", self.world.card, CARD_PIN)

    # --- people ---

    def browser(self, who: Actor | None, language: str = "zh", *, token: str = "") -> Person:
        """This person's browser; nobody's when None, with whatever token it shows."""
        if who is not None:
            token = f"token-{who.id}-{language}-0123456789abcdef0123456789abcdef"
            if db.session.query(LoginSession).filter_by(token_hash=people.token_hash(token)).first() is None:
                assert who.id is not None
                db.session.add(LoginSession(token_hash=people.token_hash(token), user_id=who.id))
                db.session.commit()
        return Person(self.app, token, language)

    def review_task(self) -> int:
        """The seal office's task about an application for the department's seal, made on its page."""
        form = {
            "owner_unit_id": str(self.world.finance),
            "seal_name": "预算处合同专用章",
            "seal_type": "contract",
            "credit_code": "",
            "keeping": "unit",
            "handler": "李航",
            "reason": "原章磨损，换刻",
            "size": "round-42",
            "scan": (io.BytesIO(scan()), "scan.jpg"),
        }
        applicant = self.browser(self.applicant)
        applicant.get("/applications/new/official")
        answer = applicant.post("/applications/new/official", form)
        assert answer.status_code == 302, sentences(answer)
        return flow_queries.inbox(self.world.office)[0].id

    # --- the station ---

    def insert(self, serial: str, holder: Holder, pin: str) -> None:
        card = FakeCard(serial=serial, label=serial, key=holder.key, certificate=holder.der, pin=pin)
        self.reader.insert(card)

    def order(self, card_serial: str = "SC1") -> int:
        """A seal to be made at the station; its impression's id."""
        impression_id = impression_of(self.world)
        seals.order_making(impression_id, card_serial, self.world.station.id, by=self.world.operator)
        return impression_id

    @contextmanager
    def station_page(self) -> Iterator["StationPage"]:
        page = StationPage(self)
        try:
            yield page
        finally:
            page.loopback.stop()

    # --- the log ---

    def refusals(self, code: str) -> list[Row]:
        """What the log of illegal operations (A26) holds under this code, oldest first."""
        db.session.rollback()
        sequence()
        rows = search(Filter(classes=frozenset({"illegal_operation"}), result="refused"))
        return [row for row in reversed(rows) if row.refusal["code"] == code]


class StationPage:
    """The page beside the reader: PINs are typed here, and it says what became of the job."""

    def __init__(self, office: Office) -> None:
        world = office.world
        self.line = Line(world.station)
        bench = Bench(
            reader=office.reader,
            server=self.line,
            journal=Journal(office.folder / "journal"),
            trust=Trust([world.ca.certificate.public_bytes(Encoding.DER)]),
            station_id=world.station.id,
            host="station-1",
            mac="02:00:00:00:00:01",
        )
        self.desk = Desk(bench, Outbox(office.folder / "incidents"))
        self.desk.jobs = self.line.post("/agent/v1/work", Work(wait_s=0), Jobs).jobs
        self.loopback = Loopback(("127.0.0.1", 0), Shown(self.desk), "token")
        self.loopback.start()
        self.client = Client(self.loopback)

    def run(self, *, maker_pin: str = MAKER_PIN, card_pin: str = CARD_PIN) -> dict[str, Any]:
        """Press the button; the state of the page when the job has ended."""
        answer = self.client.post(
            f"/jobs/{self.desk.jobs[0].job_id}/run",
            json={"maker_pin": maker_pin, "card_pin": card_pin, "wait_s": 30},
            headers={"Host": self.loopback.address.removeprefix("http://"), HEADER: "1", TOKEN: "token"},
        )
        assert answer.status_code == 202, answer.text
        state: dict[str, Any] = json.loads(answer.data)["job"]
        return state


def sentences(answer: TestResponse) -> str:
    """What the page says to people, as one line."""
    page = lxml.html.document_fromstring(answer.text)
    for hidden in page.xpath("//script | //style | //template"):
        hidden.getparent().remove(hidden)
    return re.sub(r"\s+", " ", page.text_content())
