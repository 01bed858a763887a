"""The stage of the drill at the card station: the product's web, a PKI, agents as processes, cards in SoftHSM."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import httpx

from app import servers
from app.actor import SYSTEM, Actor
from app.bench import stage
from app.cards import commands as cards
from app.crypto.keys import ring_of
from app.db import db
from app.demo.cards import SimulatedStation
from app.demo.pki import CardWish, MadeCard, Pki, Role
from app.demo.scan import clean_seal
from app.demo.stage import Stage, wait_for
from app.factory import create_app
from app.flows import commands as flows
from app.impressions import commands as impressions
from app.people import queries as people
from app.people.models import RoleGrant, Unit, User
from app.settings import Settings
from app.supervisor import Supervisor

PIN = "13572468"
"""Of every card on this stage, maker's and seal's."""
PATIENCE_S = 60.0


class StageStuck(RuntimeError):
    """Something that must come did not; the message says what."""


def until(what: str, find: Callable[[], Any], seconds: float = PATIENCE_S) -> Any:
    end = time.monotonic() + seconds
    while not (found := find()):
        if time.monotonic() > end:
            raise StageStuck(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.02)
    return found


@dataclass(frozen=True, kw_only=True)
class SealSeen:
    """The seal that counts on a card; `labels`: its envelope's and its manifest's."""

    seq: int
    es_id: str
    job_id: int
    envelope_sha256: str
    labels: list[str]


@dataclass(frozen=True, kw_only=True)
class CardSeen:
    """What another process read on a card: `labels` of all data objects, sorted; torn ones have no name."""

    labels: list[str]
    seal: SealSeen | None


def _object(text: str | bytes) -> dict[str, Any]:
    found: Any = json.loads(text)
    if not isinstance(found, dict):
        raise StageStuck(f"expected a JSON object, not {text!r}")
    return cast("dict[str, Any]", found)


def _page() -> httpx.Client:
    """One for a station's life; the agent behind it dies and comes back, so no connection is kept."""
    return httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


@dataclass
class Station:
    """One reader with its agent. `maker`, `card`: what belongs into its two slots."""

    id: int
    code: str = field(repr=False)
    folder: Path
    server: str
    maker: MadeCard
    card: MadeCard
    impression_id: int
    process: "subprocess.Popen[str] | None" = None
    starts: int = 0
    mended: int = 0
    """Cards that SoftHSM had lost in a login that was cut off, and that were put back (`crypto/softhsm.py`)."""
    page: httpx.Client = field(default_factory=_page, repr=False)
    looker: "subprocess.Popen[str] | None" = field(default=None, repr=False)

    @property
    def readers(self) -> SimulatedStation:
        return SimulatedStation(self.folder.parent / "drawer", self.folder / "tokens")

    @property
    def state_dir(self) -> Path:
        return self.folder / "agent"

    @property
    def trace(self) -> Path:
        return self.folder / "points"

    @property
    def sessions(self) -> Path:
        """Where the agent notes, after each ritual, how many PKCS#11 sessions its library says are open."""
        return self.folder / "sessions"

    def environment(self, **more: str) -> dict[str, str]:
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith("YINXU_")},
            "SOFTHSM2_CONF": str(self.readers.conf),
            "YINXU_AGENT_STATE_DIR": str(self.state_dir),
            "YINXU_AGENT_LISTEN": "127.0.0.1:0",
            "YINXU_AGENT_WAIT_S": "2",
            "YINXU_AGENT_HEARTBEAT_S": "5",
            **more,
        }

    def enrol(self) -> None:
        self._say("card_agent", "enrol", "--server", self.server, "--code", "-", said=self.code)

    def start(self, fault: dict[str, str] | None = None) -> None:
        """The agent, as a process of its own; it has said where its page is when this returns."""
        self.mended += len(self.readers.mend())
        more = {
            "YINXU_DRILL_TRACE": str(self.trace),
            "YINXU_DRILL_FAULT": json.dumps(fault or {}),
            "YINXU_DRILL_SESSIONS": str(self.sessions),
        }
        with (self.folder / "agent.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "card_agent.drilled", "run"],
                env=self.environment(**more), stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if "http://127.0.0.1:" not in line:
            raise StageStuck(f"the agent of station {self.id} did not start; see {self.folder / 'agent.log'}")
        self.starts += 1
        until("the agent's page", lambda: self._told().get("pid") == self._pid())

    def _pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=PATIENCE_S)

    def stop(self) -> None:
        if self.alive():
            assert self.process is not None
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def end(self) -> None:
        """The agent, and what looks at the cards."""
        self.stop()
        self.page.close()
        if self.looker is not None:
            self.looker.communicate(timeout=PATIENCE_S)

    def state(self) -> dict[str, Any]:
        return _object(self.page.get(f"{self._told()['address']}/state", timeout=10).content)

    def press(self, job_id: int, *, card_pin: str = PIN, wait_s: int = 30) -> dict[str, Any] | None:
        """The button of the page, once the job stands there; the state when the ritual has ended, None when the agent
        died of it or the job is over already."""
        told = self._told()
        try:
            answer = self.page.post(
                f"{told['address']}/jobs/{job_id}/run", timeout=PATIENCE_S + wait_s,
                headers={"X-Yinxu-Agent": "1", "X-Yinxu-Agent-Token": told["token"]},
                json={"maker_pin": PIN, "card_pin": card_pin, "wait_s": wait_s},
            )  # fmt: skip
        except httpx.HTTPError:
            return None
        return _object(answer.content) if answer.status_code == 202 else None

    def give_back(self, job_id: int) -> None:
        """The page's other button."""
        told = self._told()
        self.page.post(
            f"{told['address']}/jobs/{job_id}/give-back", timeout=PATIENCE_S, json={"reason": "演练"},
            headers={"X-Yinxu-Agent": "1", "X-Yinxu-Agent-Token": told["token"]},
        ).raise_for_status()  # fmt: skip

    def shows(self, job_id: int) -> bool:
        try:
            return any(j["job_id"] == job_id for j in self.state()["jobs"])
        except (httpx.HTTPError, KeyError):
            return False

    def look(self) -> CardSeen:
        """What is on the seal card: labels, and the seal that counts. Read by a process that does nothing else."""
        if self.looker is None or self.looker.poll() is not None:
            self.looker = subprocess.Popen(
                [sys.executable, "-m", "card_agent.drilled", "look"], env=self.environment(), text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
        assert self.looker.stdin is not None and self.looker.stdout is not None
        self.looker.stdin.write(f"{self.card.serial} {PIN}\n")
        self.looker.stdin.flush()
        line = self.looker.stdout.readline()
        if not line:
            raise StageStuck(f"the card cannot be read: {self.looker.communicate()[1].strip()[-300:]}")
        said = _object(line)
        seal: dict[str, Any] | None = said["seal"]
        return CardSeen(labels=sorted(said["labels"]), seal=None if seal is None else SealSeen(**seal))

    def copy(self, source: MadeCard, target: MadeCard) -> None:
        """All of ours on one card in this reader onto another."""
        self._say("card_agent.drilled", "copy", source.serial, target.serial, said=PIN)

    def forget_pins(self) -> None:
        """As the administrator does who has unlocked the seal card."""
        self._say("card_agent", "forget-pins", self.card.serial, said="")

    def last_words(self) -> str:
        """The end of the agent's log."""
        return " / ".join((self.folder / "agent.log").read_text().splitlines()[-6:])

    def memory_kb(self) -> int:
        """Resident memory of the agent's process."""
        status = Path(f"/proc/{self._pid()}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

    def open_files(self) -> int:
        """File descriptors of the agent's process."""
        return len(list(Path(f"/proc/{self._pid()}/fd").iterdir()))

    def _told(self) -> dict[str, Any]:
        try:
            return _object((self.state_dir / "loopback.json").read_text())
        except (OSError, ValueError):
            return {}

    def _say(self, module: str, *words: str, said: str) -> str:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", module, *words], env=self.environment(), input=f"{said}\n",
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise StageStuck(f"{module} {words[0]}: {done.stderr.strip()[-300:]}")
        return done.stdout


@dataclass
class Scene:
    """All of it. Inside the app's context of the server."""

    folder: Path
    pki: Pki
    operator: Actor
    manager: Actor
    stations: list[Station]
    spare: MadeCard
    """A seal card that nobody registered."""
    unit_id: int

    def new_card(self, label: str, *, not_after: datetime | None = None) -> MadeCard:
        """A seal card, registered, in the drawer."""
        wish = CardWish(
            label=label, role="seal", common_name=label, organisation="演练单位", pin=PIN, not_after=not_after
        )
        (made,) = self.pki.make_cards([wish])
        cards.register_card(made.serial, "seal", made.certificate, owner_unit_id=self.unit_id, by=SYSTEM)
        return made


@contextlib.contextmanager
def played(stations: int = 1, url: str | None = None) -> Generator[Scene]:
    """A server that runs and so many enrolled stations with their cards; their agents are not started yet."""
    with stage.staged(url) as settings:
        folder = settings.var_dir / "drill"
        pki = Pki(folder / "ca", settings.var_dir / "trust", folder / "drawer")
        labels: list[tuple[Role, int]] = [(role, n) for n in range(stations) for role in ("maker", "seal")]
        ring = ring_of(settings)
        made = pki.create(
            [
                CardWish(label=f"{role}-{n}", role=role, common_name=f"演练 {n}", organisation="演练单位", pin=PIN)
                for role, n in labels
            ]
            + [CardWish(label="spare", role="seal", common_name="备用", organisation="演练单位", pin=PIN)],
            ring.public_key("order"),
        )  # fmt: skip
        assert made.order_certificate is not None
        ring.install_certificate("order", made.order_certificate)
        app = create_app(settings, pages=False)
        with _web(settings) as address, app.app_context():
            *pairs, spare = made.cards
            scene = _enter(folder, pki, address, pairs, spare)
            try:
                yield scene
            finally:
                for station in scene.stations:
                    station.end()
                db.session.remove()
                db.engine.dispose()


@contextlib.contextmanager
def _web(settings: Settings) -> Generator[str]:
    """The product's own web, as `yinxu serve` starts it."""
    port = servers.free_port()
    environment = {
        **os.environ, "YINXU_LISTEN": f"127.0.0.1:{port}", "YINXU_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "YINXU_AGENT_POLL_S": "2",
    }  # fmt: skip
    with Supervisor(settings.var_dir / "logs", say=lambda _line: None) as supervisor:
        served = Stage(settings.var_dir, port, 0, environment, supervisor)
        supervisor.add("web", [str(Path(sys.executable).with_name("yinxu")), "serve"], environment)
        wait_for(f"{served.address}/healthz", served, "web")
        yield served.address


def _enter(folder: Path, pki: Pki, address: str, pairs: list[MadeCard], spare: MadeCard) -> Scene:
    flows.load_files(by=SYSTEM)
    unit = Unit(name="演练单位")
    db.session.add(unit)
    db.session.flush()
    person = User(login="drill", name="演练员", unit_id=unit.id, password_hash="-")  # noqa: S106
    db.session.add(person)
    db.session.flush()
    manager = User(login="drill-manager", name="演练管理员", unit_id=unit.id, password_hash="-")  # noqa: S106
    db.session.add(manager)
    db.session.flush()
    db.session.add(RoleGrant(user_id=person.id, role="station_operator"))
    db.session.add(RoleGrant(user_id=manager.id, role="seal_manager", unit_id=unit.id))
    db.session.commit()
    out = io.BytesIO()
    clean_seal("演练专用章", side_px=200).save(out, "PNG")
    picture = out.getvalue()
    stations: list[Station] = []
    for number, (maker, card) in enumerate(zip(pairs[0::2], pairs[1::2], strict=True)):
        cards.register_card(maker.serial, "maker", maker.certificate, owner_unit_id=unit.id, by=SYSTEM)
        cards.register_card(card.serial, "seal", card.certificate, owner_unit_id=unit.id, by=SYSTEM)
        impression = impressions.register(
            owner_unit_id=unit.id, kind="official", name=f"演练章 {number}", png=picture, width_mm=42.0,
            height_mm=42.0, by=SYSTEM,
        )  # fmt: skip
        fact = cards.enrol_station(f"演练工位 {number}", unit.id, by=SYSTEM)
        place = folder / f"station-{number}"
        place.mkdir(parents=True)
        one = Station(fact.station_id, fact.code, place, address, maker, card, impression.impression_id)
        one.enrol()
        for token in (maker.token, card.token):
            one.readers.insert(token)
        stations.append(one)
    return Scene(
        folder, pki, people.actor_of(person.id), people.actor_of(manager.id), stations, spare, unit.id
    )
