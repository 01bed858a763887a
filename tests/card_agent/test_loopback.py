"""The station's page under attack: only this computer, only our own page, only with the token."""

import http.client
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from card_agent.loopback import HEADER, TOKEN, Loopback
from card_agent.protocol.jobs import CardSeen
from tests.card_agent.makers import CARD_PIN, MAKER_PIN
from tests.card_agent.shown import Sees, Shown
from tests.card_agent.test_desk import DeskStory

SECRET = "the-token-of-this-process"


class Page:
    def __init__(self, folder: Path) -> None:
        self.story = DeskStory(folder)
        cards = tuple(self.story.reader.cards())
        self.loopback = Loopback(("127.0.0.1", 0), Shown(self.story.desk, Sees(cards)), SECRET)
        self.loopback.start()
        self.host = self.loopback.address.removeprefix("http://")

    def ask(self, method: str, path: str, body: Any = None, **headers: str | None) -> tuple[int, Any, Any]:
        """Status, headers, content. Headers are ours unless changed; None leaves one out."""
        sent: dict[str, str | None] = {"Host": self.host}
        if method == "POST":
            sent |= {"Content-Type": "application/json", HEADER: "1", TOKEN: SECRET}
        sent |= {k.replace("_", "-"): v for k, v in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", int(self.host.rsplit(":", 1)[1]), timeout=60)
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        connection.putrequest(method, path, skip_host=True)
        for name, value in sent.items():
            if value is not None:
                connection.putheader(name, value)
        if data is not None and "Content-Length" not in sent:
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), content


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    made = Page(tmp_path)
    yield made
    made.loopback.stop()


RUN = {"maker_pin": MAKER_PIN, "card_pin": CARD_PIN, "wait_s": 20}


def test_a_person_makes_a_seal_from_the_page(page: Page) -> None:
    status, headers, content = page.ask("GET", "/")
    assert status == 200
    token = re.search(r'name="agent-token" content="([^"]+)"', content.decode())
    assert token is not None

    status, _, content = page.ask(
        "POST", "/jobs/41/run", RUN, **{TOKEN: token[1], "Origin": f"http://{page.host}"}
    )

    state = json.loads(content)
    assert status == 202
    assert state["job"]["state"] == "done" and [s["state"] for s in state["steps"]] == ["done"] * 5
    assert page.ask("GET", "/jobs/41/picture")[2].startswith(b"\x89PNG")
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    page.story.check_one_seal()


def test_the_state_shows_slots_queue_and_expiry(page: Page) -> None:
    state = json.loads(page.ask("GET", "/state")[2])

    assert state["slots"]["maker"]["serial"] == page.story.world.maker.serial
    assert state["slots"]["seal"]["subject"] == "某局办公室"
    assert 360 < state["slots"]["seal"]["days_left"] <= 365
    assert state["jobs"][0]["needs"] == ["maker_pin", "card_pin"]
    assert state["heartbeat"]["ok"] is False


ATTACKS: dict[str, tuple[int, dict[str, Any]]] = {
    "rebinding": (421, {"Host": "seals.evil.example"}),
    "rebinding with our port": (421, {"Host": "evil.example:{port}"}),
    "another port": (421, {"Host": "127.0.0.1:1"}),
    "no host": (400, {"Host": None}),
    "a foreign origin": (403, {"Origin": "https://evil.example"}),
    "an opaque origin": (403, {"Origin": "null"}),
    "the server's own origin": (403, {"Origin": "https://seals.example.cn"}),
    "another loopback port's origin": (403, {"Origin": "http://127.0.0.1:1"}),
    "a cross-site fetch": (403, {"Sec-Fetch-Site": "cross-site"}),
    "a same-site fetch": (403, {"Sec-Fetch-Site": "same-site"}),
    "no token": (403, {TOKEN: None}),
    "a wrong token": (403, {TOKEN: "guess"}),
    "an empty token": (403, {TOKEN: ""}),
    "no header of ours": (403, {HEADER: None}),
    "a form": (415, {"Content-Type": "application/x-www-form-urlencoded"}),
    "plain text": (415, {"Content-Type": "text/plain"}),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_starts_nothing(page: Page, attack: str) -> None:
    expected, headers = ATTACKS[attack]
    headers = {k: v and v.replace("{port}", page.host.rsplit(":", 1)[1]) for k, v in headers.items()}

    status, answered, _ = page.ask("POST", "/jobs/41/run", RUN, **headers)

    assert status in (expected, 421)
    assert not any(name.lower().startswith("access-control") for name in answered)
    assert page.story.server.calls == [] and page.story.desk.progress is None


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "HEAD"])
def test_other_methods_are_refused_without_cors(page: Page, method: str) -> None:
    status, headers, _ = page.ask(method, "/jobs/41/run", Origin=f"http://{page.host}")

    assert status in (404, 405)
    assert not any(name.lower().startswith("access-control") for name in headers)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{" + b" " * 5000 + b"}", 413),
        (b"not json", 422),
        (b"[]", 422),
        (b'{"card_pin":1}', 422),
        (json.dumps({"card_pin": "9" * 65}).encode(), 422),
        (b'{"card_pin":"1","card_pin":"2"}', 422),
        (b'{"card_pin":"1","wait_s":9999}', 422),
        (b'{"card_pin":"1","also":"all"}', 422),
        (b'{"card_pin":"1","also":[true]}', 422),
        (json.dumps({"card_pin": "1", "also": list(range(201))}).encode(), 422),
    ],
)
def test_what_cannot_be_read_is_refused(page: Page, body: bytes, expected: int) -> None:
    assert page.ask("POST", "/jobs/41/run", body)[0] == expected
    assert page.story.desk.progress is None


def test_a_body_without_length_is_refused(page: Page) -> None:
    assert page.ask("POST", "/jobs/41/run", None)[0] == 413


@pytest.mark.parametrize("path", ["/../pin.py", "/page.html", "/station.key", "/jobs/41", "/jobs/x/picture"])
def test_nothing_else_is_served(page: Page, path: str) -> None:
    assert page.ask("GET", path)[0] == 404


@pytest.mark.parametrize("job", ["%C2%B2", "9" * 5000, "x", "%D9%A7", "-1", ""], ids=lambda job: job[:9])
@pytest.mark.parametrize("verb", ["run", "give-back"])
def test_no_job_has_such_a_number(page: Page, verb: str, job: str) -> None:
    status, headers, content = page.ask("POST", f"/jobs/{job}/{verb}", RUN)

    assert (status, headers["Content-Type"]) == (404, "application/json")
    assert json.loads(content)["error"].keys() >= {"code", "zh", "en"}


def test_a_slow_client_does_not_hold_up_others(page: Page) -> None:
    with socket.create_connection(("127.0.0.1", int(page.host.rsplit(":", 1)[1]))) as slow:
        slow.sendall(b"POST /jobs/41/run HTTP/1.1\r\nHost: ")

        assert page.ask("GET", "/state")[0] == 200


def test_a_job_that_is_gone_is_said_so(page: Page) -> None:
    status, _, content = page.ask("POST", "/jobs/40/run", RUN)

    assert status == 404
    assert json.loads(content)["error"]["zh"]


def test_a_person_gives_a_job_back(page: Page) -> None:
    assert page.ask("POST", "/jobs/41/give-back", {"reason": "印模不清"})[0] == 202

    assert page.story.server.given_back[41].zh.endswith("印模不清")


def test_a_failure_says_what_happened_and_whether_the_card_changed(page: Page) -> None:
    _, _, content = page.ask("POST", "/jobs/41/run", {**RUN, "card_pin": "1"})

    fault = json.loads(content)["job"]["fault"]
    assert fault["code"] == "card.wrong_pin"
    assert fault["card_changed"] is False
    assert "3" in fault["zh"] and "3" in fault["en"]


def test_a_card_without_certificate_is_shown(page: Page) -> None:
    page.loopback._agent.presence.cards = (CardSeen(slot="0", serial="s", label="l"),)  # type: ignore[misc]

    assert json.loads(page.ask("GET", "/state")[2])["slots"]["seal"]["certificate"] is False
