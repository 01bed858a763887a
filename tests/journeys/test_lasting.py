"""A demo on PostgreSQL and a Redis of somebody's own that keeps serving: what dies comes back, and nothing is lost."""

import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx
import psycopg
import pytest
import redis
from playwright.sync_api import sync_playwright

from app.demo.album import Shot, album
from app.demo.browser import Browser, Page, PageRefused
from app.demo.cast import SEAL_NAME
from app.demo.furnish import Site, furnish
from app.demo.shots import Camera
from app.factory import create_app
from app.glossary import ROLES
from tests.conftest import DATABASES, _create_database, _drop_database, settings_for
from tests.journeys.played import DEMO_LIMIT_S, YINXU, Demo, bare_environment, processes, told
from tests.journeys.sealing_story import Story

pytestmark = [
    pytest.mark.journey,
    pytest.mark.softhsm,
    pytest.mark.slow,
    pytest.mark.skipif("postgresql" not in DATABASES, reason="needs PostgreSQL"),
]
REDIS_NUMBER = 9
"""A number of the tests' Redis that nobody else uses."""


@dataclass
class Lasting:
    """A demo that serves. `logins`: passwords by login, as it printed them."""

    demo: Demo
    process: "subprocess.Popen[str]"
    told: dict[str, Any]
    said: Path
    logins: dict[str, str] = field(default_factory=dict[str, str])

    def pids(self, *words: str) -> list[int]:
        """Processes of this demo whose command line holds all the words, oldest first."""
        mark = str(self.demo.folder).encode()
        found = [
            int(p.name)
            for p in processes()
            if mark in told(p / "environ") and all(w.encode() in told(p / "cmdline") for w in words)
        ]
        return sorted(found)

    def kill(self, *words: str) -> int:
        """As the kernel does when memory runs out: no warning, no farewell."""
        pid = self.pids(*words)[0]
        os.kill(pid, signal.SIGKILL)
        return pid

    def browser(self, login: str) -> Browser:
        """Logged in; the web may have been killed a moment ago and its last connections be reset."""
        browser = Browser(self.demo.address)
        page = self.until("the login page", lambda: _answered(browser, "/login"))
        browser.submit(page, "/login", {"login": login, "password": self.logins[login]})
        return browser

    def count(self, table: str) -> int:
        with psycopg.connect(self.demo.environment["DATABASE_URL"]) as connection:
            (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)  # type: ignore[arg-type]
            return rows

    def until(self, what: str, find: Callable[[], Any], seconds: float = 60) -> Any:
        end = time.monotonic() + seconds
        while not (found := find()):
            assert time.monotonic() < end, f"waited {seconds} s for {what}"
            assert self.process.poll() is None, self.said.read_text()[-2000:]
            time.sleep(0.1)
        return found


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    url = f"{os.environ['YINXU_TEST_REDIS_URL'].rsplit('/', 1)[0]}/{REDIS_NUMBER}"
    yield url
    redis.Redis.from_url(url).flushdb()


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Lasting]:
    """Once for all tests of this module, without --once: the story, then it serves."""
    database = f"demo_{secrets.token_hex(6)}"
    environment = {"DATABASE_URL": _create_database(database), "REDIS_URL": redis_url}
    demo = Demo(tmp_path_factory.mktemp("lasting"), environment)
    said = demo.cwd / "said.txt"
    with said.open("w") as err:
        process = subprocess.Popen(
            [YINXU, *demo.words],
            cwd=demo.cwd, env=bare_environment(**environment), stdout=subprocess.PIPE, stderr=err, text=True,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        found = Lasting(demo, process, _object(process.stdout, said), said)
        found.until("the logins", lambda: "Ctrl-C stops" in said.read_text(), DEMO_LIMIT_S)
        found.logins = _logins(said.read_text())
        yield found
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=120)
        _drop_database(database)


def _object(stdout: IO[str], said: Path) -> dict[str, Any]:
    line = stdout.readline()
    assert line, said.read_text()[-3000:]
    return json.loads(line)


def _logins(said: str) -> dict[str, str]:
    rows = [
        line.split() for line in said[said.index("station's page") :].splitlines() if line.startswith("  ")
    ]
    return {row[0]: row[1] for row in rows}


def _answered(browser: Browser, path: str) -> Page | None:
    """The page, unless nobody is there yet to answer."""
    try:
        return browser.get(path)
    except (httpx.HTTPError, PageRefused):
        return None


def test_the_story_holds_on_postgresql_and_redis(lasting: Lasting) -> None:
    assert lasting.told["verdicts"] == {"own": "genuine", "pdfsig": "genuine"}
    assert lasting.told["audit"]["intact"]
    assert not (lasting.demo.folder / "yinxu.sqlite").exists()
    assert lasting.count("log_leaf") >= lasting.told["audit"]["entries"]


def test_it_then_serves_and_a_login_for_each_role_works(lasting: Lasting) -> None:
    said = lasting.said.read_text()

    assert lasting.demo.address in said
    assert all(role.en in said for role in ROLES.values())
    for login in lasting.logins:
        assert lasting.browser(login).get("/inbox").status == 200


def test_every_page_is_open_to_everybody(lasting: Lasting, tmp_path: Path) -> None:
    """axe-core finds nothing serious on any page, and nothing is wider than a phone. Each page is seen once, by turns
    in Chinese, light, on a desk, and in English, dark, on a phone; `yinxu shots` looks at all of them in all of it."""
    site = Site(lasting.demo.address, f"http://127.0.0.1:{lasting.demo.agent_port}", lasting.logins)
    with Camera(site) as camera:
        shots = album(furnish(site, tmp_path), site.agent_address)
        found = [
            fault
            for turn, shot in enumerate(shots)
            for fault in camera.examine(
                shot, *(("zh", "desk", False) if turn % 2 and not shot.sizes else ("en", "phone", True))
            )
        ]

    assert found == []
    assert _pages_never_seen(shots, tmp_path) == set()


def test_a_seal_is_dragged_into_place_anybody_verifies_and_fifty_follow(
    lasting: Lasting, tmp_path: Path
) -> None:
    """Pictures of each state go to the folder that YINXU_SEALING_SCREEN names, else to the test's own."""
    pictures = Path(os.environ.get("YINXU_SEALING_SCREEN", tmp_path / "pictures"))
    pictures.mkdir(parents=True, exist_ok=True)
    station = f"http://127.0.0.1:{lasting.demo.agent_port}"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        story = Story(chromium, lasting.demo.address, station, lasting.logins["zhouning"], pictures)
        page = story.logged_in("zhouning")
        sealed = story.drag_and_seal(page, tmp_path)
        story.verify(sealed, "真实有效", "genuine")
        altered = tmp_path / "altered.pdf"
        altered.write_bytes(sealed.read_bytes().replace(b"endstream", b"endstreaM", 1))
        story.verify(altered, "被改动", "altered")
        story.batch(page, tmp_path, 50)
        chromium.close()


NO_PAGES = {
    "static", "healthz", "flows.home", "language.choose", "theme.choose", "notices.follow",  # lead elsewhere
    "applications.impression", "applications.scan", "applications.uploaded", "impressions.image", "impressions.small",
    "impressions.sample",
    "signing.uses.may_use", "signing.batch.progress", "signing.batch.archive", "seals.receipt",  # for programs, parts, files
    "people.code",  # only between a right password and its code
    "signing.page_picture", "signing.seal_picture",  # pictures
    "flows.forms.file", "oversight.checkpoint", "oversight.proof", "reports.download", "signing.document",
    "studio.papers.export",  # files
    "flows.desk.badge", "flows.desk.live", "flows.desk.rows",  # parts of the inbox
    "cards.station_live", "cards.stations_live", "reports.export_live", "signing.progress",  # parts of a page
    "studio.api.model", "studio.api.offered", "studio.api.told",  # for the editor's script
}  # fmt: skip


def _pages_never_seen(shots: list[Shot], folder: Path) -> set[str]:
    """Addresses that the album forgot: a new page belongs into it, or into NO_PAGES with its reason."""
    app = create_app(settings_for(folder, f"sqlite:///{folder}/none.sqlite"))
    asked = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    matcher = app.url_map.bind("localhost")
    inside = [
        shot.path.partition("?")[0] for shot in shots if shot.status != 404 and shot.path.startswith("/")
    ]
    return asked - NO_PAGES - {matcher.match(path)[0] for path in inside}


def test_a_killed_web_is_started_again_and_nobody_is_logged_out(lasting: Lasting) -> None:
    wangmin = lasting.browser("wangmin")

    killed = lasting.kill("yinxu", "serve")

    lasting.until("the supervisor", lambda: "web was started again" in lasting.said.read_text())
    page = lasting.until("the pages", lambda: _answered(wangmin, "/seals"))
    assert page.path == "/seals" and SEAL_NAME in page.text
    assert killed not in lasting.pids("yinxu", "serve")


def test_killed_workers_and_an_emptied_redis_lose_nothing(lasting: Lasting, redis_url: str) -> None:
    before = lasting.count("log_entry")
    killed = [lasting.kill("yinxu", "worker", queue) for queue in ("audit", "flows")]
    redis.Redis.from_url(redis_url).flushdb()
    browser = lasting.browser("wangmin")  # a fact, written while nobody gives it its place

    lasting.until("every entry to have its place", lambda: lasting.count("log_pending") == 0)
    code, report = lasting.demo.audit()
    assert (code, report["intact"], report["breaks"]) == (0, True, [])
    assert report["tree_size"] == report["entries"] > before
    assert SEAL_NAME in browser.get("/seals").text
    lasting.until("both workers", lambda: all(lasting.pids("yinxu", "worker", q) for q in ("audit", "flows")))
    assert not set(killed) & set(lasting.pids("yinxu", "worker"))


def test_an_entry_edited_in_postgresql_is_found(lasting: Lasting) -> None:
    with psycopg.connect(lasting.demo.environment["DATABASE_URL"]) as connection:
        connection.execute("ALTER TABLE log_entry DISABLE TRIGGER ALL")
        where = "id = (SELECT entry_id FROM log_leaf WHERE seq = 7)"
        connection.execute(
            f"UPDATE log_entry SET ciphertext = set_byte(ciphertext, 0, 255 - get_byte(ciphertext, 0)) WHERE {where}"
        )

    code, report = lasting.demo.audit()

    assert code == 1
    assert (7, "edited") in [(b["at"], b["kind"]) for b in report["breaks"]]


def test_ctrl_c_stops_everything_that_was_started(lasting: Lasting) -> None:
    lasting.process.send_signal(signal.SIGINT)

    assert lasting.process.wait(timeout=120) == 0
    assert "nothing is left running" in lasting.said.read_text()
    assert lasting.demo.own_processes() == []
    assert lasting.demo.open_ports() == []
