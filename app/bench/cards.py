"""Making seals at real stations on real tokens: one alone beside its bare card operations, then four at once.

The server is the product's own (`yinxu serve`, SoftHSM keys), jobs are ordered by the command that the pages call, and each
station is a process with tokens, configuration and key of its own that does the card agent's ritual (`one_station.py`).
What a station waits for the server is told apart: the bare operations have no server. What a production costs in CPU time
is told too, the server's and the station's, and how many a second this machine's cores can do of that.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageDraw

from app import servers
from app.actor import SYSTEM, Actor
from app.bench import stage
from app.bench.measure import Measure
from app.cards import commands as cards
from app.crypto.keys import ring_of
from app.demo.cards import SimulatedStation
from app.demo.pki import CardWish, MadeCard, Pki
from app.impressions import commands as impressions
from app.people import commands as people
from app.people import queries
from app.seals import commands as seals
from app.settings import Settings

STATIONS, EACH, ALONE = 4, 30, 12
"""Four stations at once, with so many seals each (the first of each wake the web's workers); and one alone."""
AT_MOST = 4.0
"""How many times as long as its bare operations a production may take, the server's share left out; 2 is aimed at."""
A_SECOND = 10.0
"""Productions a second that four stations reach together."""
WARM_UP = 2
MAKER_PIN, CARD_PIN = "271828", "314159"


@dataclass(frozen=True)
class Place:
    """One station: its folder, the number the server gave it, its maker card and the seal cards in its drawer."""

    folder: Path
    station_id: int
    maker: MadeCard
    cards: list[MadeCard]


def measures(db: str | None = None) -> Iterator[Measure]:
    """`db`: a database whose owner may make a schema in it; SQLite in a temporary folder when None."""
    with stage.staged(db) as settings, _served(settings) as served:
        alone, *four = _places(settings, served.address, [ALONE, *[EACH] * STATIONS])
        one = _run([alone], bare=True)[0]
        yield from _alone(one)
        busy = served.cpu_s()
        told = _run(four, bare=False)
        yield _together(told)
        yield from _cost(told, (served.cpu_s() - busy) / (STATIONS * EACH), _cpu(one["bare"]))


def _alone(told: dict[str, Any]) -> Iterator[Measure]:
    made, bare = told["made"][WARM_UP:], told["bare"][WARM_UP:]
    ours = statistics.median(m["took_s"] - m["server_s"] for m in made) * 1000
    whole = statistics.median(m["took_s"] for m in made) * 1000
    server = statistics.median(m["server_s"] for m in made) * 1000
    least = statistics.median(b["took_s"] for b in bare) * 1000
    yield Measure(
        name="cards.production", ours=ours, unit="ms", baseline=least, ratio=least / ours, goal=1 / AT_MOST
    )
    yield Measure(
        name="cards.server_waits", ours=server, unit="ms", baseline=whole, ratio=whole / server, goal=None
    )


def _together(told: list[dict[str, Any]]) -> Measure:
    began, ended = min(t["began"] for t in told), max(t["ended"] for t in told)
    rate = sum(len(t["made"]) for t in told) / (ended - began)
    return Measure(
        name="cards.four_stations",
        ours=rate,
        unit="seals/s",
        baseline=A_SECOND,
        ratio=rate / A_SECOND,
        goal=1.0,
    )


def _cost(told: list[dict[str, Any]], server_s: float, bare_s: float) -> Iterator[Measure]:
    """CPU time of one production of the four at once, beside that of its bare operations; and what all cores together
    could do a second, were they all ours."""
    station_s = statistics.mean(_cpu(t["made"]) for t in told)
    for name, cpu_s in (("cards.cpu_station", station_s), ("cards.cpu_server", server_s)):
        ours, least = cpu_s * 1000, bare_s * 1000
        yield Measure(name=name, ours=ours, unit="ms CPU", baseline=least, ratio=least / ours, goal=None)
    ceiling = (os.cpu_count() or 1) / (station_s + server_s)
    yield Measure(
        name="cards.ceiling",
        ours=ceiling,
        unit="seals/s",
        baseline=A_SECOND,
        ratio=ceiling / A_SECOND,
        goal=None,
    )


def _cpu(done: list[dict[str, float]]) -> float:
    """Seconds of CPU time of one, in the middle."""
    return statistics.median(d["cpu_s"] for d in done[WARM_UP:])


# --- the stations' processes ---


def _run(places: list[Place], *, bare: bool) -> list[dict[str, Any]]:
    """All of them at once; what each told."""
    running = [_started(place, bare) for place in places]
    for process in running:
        assert process.stdout and process.stdin
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"a station does not start: {process.communicate()[1][-800:]}")
    for process in running:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    told: list[dict[str, Any]] = []
    for process in running:
        out, err = process.communicate(timeout=300)
        if process.returncode != 0:
            raise RuntimeError(f"a station failed: {err[-800:]}")
        told.append(json.loads(out))
    return told


def _started(place: Place, bare: bool) -> "subprocess.Popen[str]":
    readers = SimulatedStation(place.folder / "drawer", place.folder / "tokens")
    asked = {
        "state": str(place.folder / "state"), "module": str(Settings().pkcs11_module), "bare": bare,
        "drawer": str(readers.drawer), "tokens": str(readers.tokens),
        "maker": _card(place.maker, MAKER_PIN), "cards": [_card(c, CARD_PIN) for c in place.cards],
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "app.bench.one_station"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env={**os.environ, "SOFTHSM2_CONF": str(readers.conf)},
    )  # fmt: skip
    assert process.stdin
    process.stdin.write(json.dumps(asked) + "\n")
    process.stdin.flush()
    return process


def _card(card: MadeCard, pin: str) -> dict[str, str]:
    return {"token": card.token, "serial": card.serial, "pin": pin}


# --- the server ---


@dataclass(frozen=True)
class Served:
    """The server: where it listens, and its first process."""

    address: str
    pid: int

    def cpu_s(self) -> float:
        """CPU time of it and of its children, so far (proc(5): utime and stime, in ticks)."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        stats = [Path(f"/proc/{pid}/stat").read_text() for pid in (self.pid, *children)]
        ticks = [stat.rpartition(")")[2].split()[11:13] for stat in stats]
        return sum(int(user) + int(system) for user, system in ticks) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def _served(settings: Settings) -> Generator[Served]:
    """The order key certified, and `yinxu serve` on a free port."""
    pki = _pki(settings)
    ring = ring_of(settings)
    made = pki.create([], ring.public_key("order"))
    assert made.order_certificate is not None
    ring.install_certificate("order", made.order_certificate)
    address = f"127.0.0.1:{servers.free_port()}"
    command = [str(Path(sys.executable).with_name("yinxu")), "serve", "--listen", address]
    environment = {**os.environ, "YINXU_PUBLIC_URL": f"http://{address}"}
    with (settings.var_dir / "web.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603
        try:
            _wait_for(f"http://{address}/healthz", settings.var_dir / "web.log")
            yield Served(f"http://{address}", process.pid)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_for(address: str, log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(address, timeout=2).status_code == 200:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server does not answer: {log.read_text()[-800:]}")


def _pki(settings: Settings) -> Pki:
    assert settings.trust_dir is not None
    return Pki(settings.var_dir / "ca", settings.trust_dir, settings.var_dir / "drawer")


# --- what stands before the first job ---


def _places(settings: Settings, address: str, counts: list[int]) -> list[Place]:
    """Stations enrolled, cards made and registered, one impression, and a job ordered for each seal card."""
    pki = _pki(settings)
    places: list[Place] = []
    with stage.server().app_context():
        unit = people.register_unit("示例公司", by=SYSTEM).unit_id
        user = people.register_user("bench", "某人", unit, "nobody ever types this", by=SYSTEM).user_id
        people.appoint(user, "station_operator", unit_id=unit, by=SYSTEM)
        operator = queries.actor_of(user)
        impression = impressions.register(
            owner_unit_id=unit, kind="official", name="示例公司", png=_picture(), width_mm=42, height_mm=42,
            by=SYSTEM,
        ).impression_id  # fmt: skip
        for number, count in enumerate(counts):
            folder = settings.var_dir / f"station-{number}"
            drawer = Pki(pki.folder, pki.trust_dir, folder / "drawer")
            maker, *blank = drawer.make_cards(_wishes(number, count))
            cards.register_card(maker.serial, "maker", maker.certificate, owner_unit_id=unit, by=SYSTEM)
            station = _enrolled(f"工位{number}", unit, folder, address)
            for card in blank:
                cards.register_card(card.serial, "seal", card.certificate, owner_unit_id=unit, by=SYSTEM)
                _order(impression, card, station, by=operator)
            places.append(Place(folder, station, maker, blank))
    return places


def _order(impression: int, card: MadeCard, station: int, *, by: Actor) -> None:
    seals.order_making(impression, card.serial, station, by=by)


def _wishes(number: int, count: int) -> list[CardWish]:
    same = {"organisation": "示例公司", "common_name": "示例公司"}
    maker = CardWish(label=f"maker-{number}", role="maker", pin=MAKER_PIN, **same)  # type: ignore[arg-type]
    return [
        maker,
        *(CardWish(label=f"seal-{number}-{n}", role="seal", pin=CARD_PIN, **same) for n in range(count)),  # type: ignore[arg-type]
    ]


def _enrolled(name: str, unit: int, folder: Path, address: str) -> int:
    """The agent's own `enrol`, with the code from the server."""
    fact = cards.enrol_station(name, unit, by=SYSTEM)
    environment = {
        **os.environ, "YINXU_AGENT_SERVER": address, "YINXU_AGENT_STATE_DIR": str(folder / "state"),
    }  # fmt: skip
    subprocess.run(
        [sys.executable, "-m", "card_agent", "enrol", "--code", "-"],
        input=fact.code + "\n", env=environment, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return fact.station_id


def _picture() -> bytes:
    """A round seal of 42 mm at 300 dpi: ring, star and some strokes, red on nothing."""
    size = 496
    image = Image.new("RGBA", (size * 2, size * 2))
    draw = ImageDraw.Draw(image)
    red = (200, 20, 30, 255)
    draw.ellipse((10, 10, size * 2 - 10, size * 2 - 10), outline=red, width=28)
    draw.regular_polygon((size, size, 180), 5, fill=red, rotation=0)
    for n in range(24):
        draw.arc(
            (90 + n * 3, 90, size * 2 - 90, size * 2 - 90 - n * 5), n * 15, n * 15 + 9, fill=red, width=60
        )
    file = BytesIO()
    image.resize((size, size), Image.Resampling.LANCZOS).save(file, "PNG")
    return file.getvalue()
