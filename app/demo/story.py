"""The main job, once: from an application to a document that anyone can verify.

Every act goes through the pages that people use and the station's own page; nothing is called directly. Each
step proves what it claims before the next begins.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from app.demo import pdf
from app.demo.browser import Browser, Page, PageRefused
from app.demo.cards import InDrawer, SimulatedStation
from app.demo.cast import DEPARTMENT, SEAL_NAME
from app.demo.scan import scan
from app.demo.waiting import until

T = TypeVar("T")
PATIENCE_S = 40
PLACE = {"page": "1", "x_pt": "380", "y_pt": "110"}
"""Where the seal goes: on the party's name at the foot of the contract, in points from the lower left."""


class StoryBroken(AssertionError):
    """A step did not hold; the message says which and what was there instead."""


@dataclass(frozen=True)
class Step:
    name: str
    actor: str
    ms: int
    told: str = ""


@dataclass
class Told:
    """What the story left behind. Paths and ids for the verifiers, for screenshots, for the end of the demo."""

    steps: list[Step] = field(default_factory=list[Step])
    contract: bytes = field(default=b"", repr=False)
    sealed_pdf: Path = Path()
    paths: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class Story:
    """`say` is told of each step as it ends. `pins`: of the maker card and the seal card."""

    address: str
    agent_address: str
    agent_token: Callable[[], str]
    station: SimulatedStation
    maker: InDrawer
    seal_card: InDrawer
    pins: tuple[str, str] = field(repr=False)
    passwords: dict[str, str] = field(repr=False)
    out: Path
    say: Callable[[Step], None]
    told: Told = field(default_factory=Told)
    browsers: dict[str, Browser] = field(default_factory=dict[str, Browser])
    station_id: str = ""

    def run(self) -> Told:
        self.apply()
        self.send_back_and_correct()
        self.approve()
        self.impression_is_effective()
        self.register_cards()
        self.produce()
        self.issue()
        self.seal_a_document()
        self.verify_in_the_browser()
        return self.told

    # --- the steps ---

    def apply(self) -> None:
        """1. Li Hang logs in and applies with a skewed, noisy scan; the pages show before and after."""
        lihang = self._log_in("lihang", "李航")
        page = lihang.get("/applications/new/official")
        picture = scan(SEAL_NAME, "合同专用章", angle_deg=6.5, seed=11)
        units = page.form("/applications/new/official").inputs["owner_unit_id"].value_options
        preview = self._step(
            "extract the impression from the scan",
            "李航",
            lambda: lihang.submit(
                page,
                "/applications/new/official",
                {"size": "round-42"},
                files={"scan": ("scan.jpg", picture, "image/jpeg")},
                to="/applications/preview",
            ),
            lambda p: " ".join(p.tree.xpath("//figcaption/text()")),
        )
        _expect("data:image/png" in preview.content.decode(), "the preview shows no impression")
        values = {
            "owner_unit_id": next(u for u in units if u),
            "seal_name": "供应链中心合同章",
            "seal_type": "contract",
            "keeping": "unit",
            "handler": "李航",
            "reason": "原合同章磨损，换刻后与实物章保持一致。",
            "size": "round-42",
        }
        done = self._step(
            "apply for the seal",
            "李航",
            lambda: lihang.submit(
                page,
                "/applications/new/official",
                values,
                files={"scan": ("scan.jpg", picture, "image/jpeg")},
            ),
            lambda p: p.path,
        )
        self.told.paths["application"] = done.path

    def send_back_and_correct(self) -> None:
        """2. The seal office sends it back with a reason; Li Hang corrects it and submits again."""
        wangmin = self._log_in("wangmin", "王敏")
        task = self._task(wangmin, "review")
        self._step(
            "send it back with a reason",
            "王敏",
            lambda: wangmin.submit(
                task,
                "/complete",
                {"opinion": "印章名称须与印文一致，请补正。"},
                button=("decision", "send_back"),
            ),
        )
        lihang = self.browsers["lihang"]
        application = lihang.get(self.told.paths["application"])
        _expect("印章名称须与印文一致" in application.text, "the applicant does not see the reason")
        address = application.path + "/correct"
        correction = lihang.get(address)
        self._step(
            "correct it and submit again",
            "李航",
            lambda: lihang.submit(correction, address, {"seal_name": SEAL_NAME}),
        )

    def approve(self) -> None:
        """2b. The rule table sends a department's seal to the office alone; Wang Min approves."""
        wangmin = self.browsers["wangmin"]
        task = self._task(wangmin, "review")
        _expect(SEAL_NAME in task.text, "the task does not show the corrected name")
        self.told.paths["task"] = task.path
        self._step(
            "approve it",
            "王敏",
            lambda: wangmin.submit(task, "/complete", {}, button=("decision", "approve")),
        )

    def impression_is_effective(self) -> None:
        """3. The impression has entered the library by itself, effective now, without end."""
        wangmin = self.browsers["wangmin"]
        found = self._step(
            "the impression entered the library by itself",
            "system",
            lambda: wangmin.get("/impressions?status=effective"),
            lambda p: SEAL_NAME,
        )
        _expect(SEAL_NAME in found.text, "the library does not hold the impression")
        link = found.links("/impressions/")[-1]
        _expect("无限期" in wangmin.get(link).text, "the impression has an end")
        self.told.paths["impression"] = link

    def register_cards(self) -> None:
        """4a. Cards in the reader are entered: the institution's maker card, the department's seal card."""
        liuke = self._log_in("liuke", "刘可")
        self.station.insert(self.maker.token)
        self._agent_sees(self.maker)
        self.station.insert(self.seal_card.token)
        self._agent_sees(self.seal_card)
        for card, role in ((self.maker, "maker"), (self.seal_card, "seal")):
            page = self._until(
                f"the server hears of card {card.serial}",
                lambda card=card: _holds(liuke.get(f"/cards/new?serial={card.serial}"), card.serial),
            )
            units = page.form("/cards").inputs["owner_unit_id"]
            wanted = DEPARTMENT if role == "seal" else "印章管理办公室"
            unit = next(o.get("value") for o in units.iter("option") if (o.text or "") == wanted)
            self._step(
                f"register the {role} card",
                "刘可",
                lambda page=page, role=role, unit=unit, card=card: liuke.submit(
                    page,
                    "/cards",
                    {"role": role, "keeping": "unit", "owner_unit_id": unit, "serial": card.serial},
                ),
                lambda _p, card=card: card.serial,
            )

    def produce(self) -> None:
        """4b. Liu Ke orders the making, enters both PINs at the station, and the cards do the rest."""
        liuke = self.browsers["liuke"]
        task = self._task(liuke, "assign_card")
        self._step(
            "order the making at the station",
            "刘可",
            lambda: liuke.submit(
                task, "/complete", {"card_serial": self.seal_card.serial, "station_id": self.station_id}
            ),
        )
        self._step(
            "make the seal with both cards", "刘可", lambda: self._at_the_station("make_seal"), _done_steps
        )

    def issue(self) -> None:
        """5. Chen Jing, who is not the user, collects it; the seal is authorised to the role of its users."""
        wangmin = self.browsers["wangmin"]
        task = self._task(wangmin, "hand_over")
        self._step(
            "record who collected it",
            "王敏",
            lambda: wangmin.submit(
                task,
                "/complete",
                {"collector_name": "陈静", "collector_document": "工作证 0482", "on_behalf_of": DEPARTMENT},
            ),
            lambda _p: "陈静",
        )
        ledger = self._until(
            "the seal stands in the ledger", lambda: _holds(wangmin.get("/seals"), SEAL_NAME)
        )
        self.told.paths["seal"] = ledger.links("/seals/")[-1]
        seal = self._step(
            "the seal is authorised to the department's seal users",
            "system",
            lambda: wangmin.get(self.told.paths["seal"]),
            lambda _p: "印章使用者",
        )
        _expect("陈静" in seal.text, "the ledger does not name the collector")
        _expect("印章使用者" in seal.text, "the ledger does not name the role")

    def seal_a_document(self) -> None:
        """6. Zhou Ning, a seal user, seals a contract with the unit's card."""
        zhouning = self._log_in("zhouning", "周宁")
        page = zhouning.get("/sealing/new")
        self.told.contract = pdf.contract()
        placed = self._step(
            "upload the contract",
            "周宁",
            lambda: zhouning.submit(
                page,
                "/sealing/new",
                {},
                files={"document": ("供应商框架合同.pdf", self.told.contract, "application/pdf")},
            ),
            lambda p: p.path,
        )
        self.told.paths["place"] = placed.path
        self.station.pull(self.maker.token)  # for sealing, the unit's own card is enough
        sealing = self._step(
            "place the seal and ask the card",
            "周宁",
            lambda: zhouning.submit(placed, placed.path, {**PLACE, "station_id": self.station_id}),
            lambda p: p.path,
        )
        self.told.paths["sealing"] = sealing.path
        self._step(
            "sign with the card's key", "周宁", lambda: self._at_the_station("sign_document"), _done_steps
        )
        done = self._until("the sealed document", lambda: _with(zhouning.json(sealing.path), "sealed_pdf"))
        answer = zhouning.client.get(done["sealed_pdf"])
        _expect(answer.status_code == 200, f"the sealed document: {answer.status_code} {answer.text[:300]}")
        self.out.mkdir(parents=True, exist_ok=True)
        self.told.sealed_pdf = self.out / "sealed.pdf"
        self.told.sealed_pdf.write_bytes(answer.content)

    def verify_in_the_browser(self) -> None:
        """7a. A stranger uploads the document on the public page, without a login."""
        stranger = Browser(self.address)
        page = stranger.get("/verify")
        result = self._step(
            "verify it on the public page",
            "anyone",
            lambda: stranger.submit(
                page,
                "/verify",
                {},
                files={"document": ("sealed.pdf", self.told.sealed_pdf.read_bytes(), "application/pdf")},
            ),
        )
        _expect(
            bool(result.tree.xpath("//*[contains(@class, 'verdict') and contains(@class, 'good')]")),
            f"the page does not say genuine: {result.text[:300]}",
        )

    # --- how people do things ---

    def _log_in(self, login: str, name: str) -> Browser:
        browser = Browser(self.address)
        page = browser.get("/login")
        self._step(
            "log in",
            name,
            lambda: browser.submit(page, "/login", {"login": login, "password": self.passwords[login]}),
        )
        self.browsers[login] = browser
        return browser

    def _task(self, browser: Browser, node: str) -> Page:
        """The page of the first task at that step of a diagram in this person's inbox."""

        def find() -> Page | None:
            rows = browser.json("/inbox")["tasks"]
            found = [r["id"] for r in rows if r["node"] == node]
            return browser.get(f"/inbox/{found[0]}") if found else None

        return self._until(f"a task {node}", find)

    def _at_the_station(self, kind: str) -> dict[str, Any]:
        """At the station's own page: wait for the job, enter the PINs, watch it end."""
        job = self._until(
            f"the station to hear of the job {kind}",
            lambda: next((j for j in self._agent()["jobs"] if j["kind"] == kind), None),
        )
        body = {"card_pin": self.pins[1], "wait_s": 30}
        if kind == "make_seal":
            body["maker_pin"] = self.pins[0]
        answer = httpx.post(
            f"{self.agent_address}/jobs/{job['job_id']}/run",
            json=body,
            headers={"X-Yinxu-Agent": "1", "X-Yinxu-Agent-Token": self.agent_token()},
            timeout=60,
        )
        _expect(answer.status_code == 202, f"the station refused: {answer.text}")
        state = answer.json()
        outcome: dict[str, Any] = state["job"] or {}
        _expect(outcome.get("state") == "done", f"the station did not finish: {outcome}")
        return state

    def _agent(self) -> dict[str, Any]:
        return httpx.get(f"{self.agent_address}/state", timeout=10).json()

    def _agent_sees(self, card: InDrawer) -> None:
        def seen() -> bool:
            return card.serial in _cards_seen(self._agent())

        self._step(
            f"insert the {card.role} card",
            "刘可",
            lambda: self._until(f"the reader to see {card.serial}", seen),
        )

    def _step(
        self, name: str, actor: str, act: Callable[[], T], tell: Callable[[T], str] = lambda _: ""
    ) -> T:
        started = time.monotonic()
        try:
            result = act()
        except (PageRefused, LookupError, httpx.HTTPError) as error:
            raise StoryBroken(f"{name}: {error}") from error
        step = Step(name, actor, round((time.monotonic() - started) * 1000), tell(result))
        self.told.steps.append(step)
        self.say(step)
        return result

    def _until(self, what: str, find: Callable[[], T | None]) -> T:
        return until(what, find, seconds=PATIENCE_S, broken=StoryBroken)


def _cards_seen(state: dict[str, Any]) -> list[str]:
    """The serials of all cards that the station's page shows."""
    slots = state["slots"]
    return [card["serial"] for card in (slots["maker"], *slots["seals"]) if card]


def _holds(page: Page, text: str) -> Page | None:
    return page if re.search(re.escape(text), page.content.decode()) else None


def _with(answer: dict[str, Any], key: str) -> dict[str, Any] | None:
    return answer if answer.get(key) else None


def _done_steps(state: dict[str, Any]) -> str:
    return " → ".join(step["zh"] for step in state["steps"])


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise StoryBroken(otherwise)
