"""Twenty-odd attacks on the two doors of a card station: the server's agent API and the page beside the reader. Each is
refused, starts nothing, and stands in a log: the server's own of illegal operations (A26), the agent's in its own."""

import json
import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from app import clock
from app.audit.models import LogEntry
from app.cards import commands, queries
from app.db import db
from card_agent.loopback import HEADER, TOKEN, _Handler  # pyright: ignore[reportPrivateUsage]
from card_agent.protocol.codec import BODY_LIMIT_BYTES, encode, moment_text
from card_agent.protocol.jobs import Begin, Enrol, Heartbeat
from card_agent.protocol.outcomes import Failed
from tests.card_agent.test_loopback import RUN, Page
from tests.cards.makers import Station, World

HEART = Heartbeat(cards=(), host="station-1", mac="02:00:00:00:00:01", agent_version="0.1")
BEGIN = Begin(card_serial="SC1", card_certificate=b"c")
FAILED = Failed(code="given_back", zh="退回", en="given back", card_changed=False, host="h", mac="m")
NONCE = "ab" * 16


class Door:
    """What an attacker at the server's door has: a station of his own, another's job, and what he overheard."""

    def __init__(self, world: World, kind: str) -> None:
        self.world, self.mine = world, world.enrolled("攻击者的工位")
        world.register_cards()
        self.job = commands.open_job(kind, world.station.id, "SC1", {}, by=world.operator).job_id
        world.station.send("heartbeat", HEART, nonce=NONCE)
        self.stolen = world.enrolled("已停用的工位")
        commands.revoke_station(self.stolen.id, "私钥被盗", by=world.administrator)
        self.spent = commands.enrol_station("新工位", world.bureau, by=world.administrator).code
        newcomer = Station(world.app)
        newcomer.send("enrol", self.enrolment(newcomer, self.spent))

    def enrolment(self, station: Station, code: str, **changes: object) -> Enrol:
        made = Enrol(
            code=code, public_key=station.public_key, host="h", mac="02:00:00:00:00:02", agent_version="0.1"
        )
        return replace(made, **changes)  # type: ignore[arg-type]

    def as_station(
        self, key: Station, number: int, message: object = HEART, path: str = "heartbeat"
    ) -> TestResponse:
        return Station(self.world.app, id=number, key=key.key).send(path, message)

    def raw(self, body: bytes, signed: bytes | None = None, **headers: str) -> TestResponse:
        path = "/agent/v1/heartbeat"
        sent = {**self.world.station.headers(path, body if signed is None else signed), **headers}
        return self.world.app.test_client().post(path, data=body, headers=sent)

    def unsigned(self, how: str) -> TestResponse:
        good = self.world.station.headers("/agent/v1/heartbeat", encode(HEART))
        name = next(n for n, v in good.items() if v.startswith("ed25519"))
        return self.raw(encode(HEART), **{name: how + good[name].partition(":")[2]})


def hours_ago(hours: int) -> str:
    return moment_text((clock.now() - timedelta(hours=hours)).replace(microsecond=0))


AT_THE_SERVER: dict[str, tuple[int, str, Callable[[Door], TestResponse]]] = {
    "a key of one's own under another's number": (
        401, "station.bad_signature", lambda d: d.as_station(d.mine, d.world.station.id)),
    "a station that was never enrolled": (401, "station.unknown", lambda d: d.as_station(d.mine, 999)),
    "a stolen key after revocation": (401, "station.revoked", lambda d: d.stolen.send("heartbeat", HEART)),
    "a replay": (401, "station.replayed", lambda d: d.world.station.send("heartbeat", HEART, nonce=NONCE)),
    "a request kept for an hour": (
        401, "station.stale_request", lambda d: d.world.station.send("heartbeat", HEART, time=hours_ago(1))),
    "a request dated ahead": (
        401, "station.stale_request", lambda d: d.world.station.send("heartbeat", HEART, time=hours_ago(-1))),
    "a signature for another path": (
        401, "station.bad_signature",
        lambda d: d.world.station.send(f"jobs/{d.job}/outcome", FAILED, signed_path="/agent/v1/heartbeat")),
    "a changed body": (401, "station.bad_signature", lambda d: d.raw(encode(HEART), signed=b"{}")),
    "a downgrade of the signature": (401, "station.bad_signature", lambda d: d.unsigned("none:")),
    "a downgrade of the protocol": (
        409, "station.other_protocol", lambda d: d.mine.send("enrol", d.enrolment(d.mine, "x", protocol=0))),
    "a spent enrolment code": (403, "station.code_spent", lambda d: d.mine.send("enrol", d.enrolment(d.mine, d.spent))),
    "another's job, begun": (403, "card_job.other_station", lambda d: d.mine.send(f"jobs/{d.job}/begin", BEGIN)),
    "another's job, ended": (403, "card_job.other_station", lambda d: d.mine.send(f"jobs/{d.job}/outcome", FAILED)),
    "a body too large": (413, "web.too_large", lambda d: d.raw(b" " * (BODY_LIMIT_BYTES + 1))),
    "a body too deep": (422, "station.malformed", lambda d: d.raw(b"[" * 900 + b"]" * 900)),
    "a field twice": (422, "station.malformed", lambda d: d.raw(b'{"host":"a","host":"b"}')),
}  # fmt: skip


def test_each_attack_on_the_agents_door_is_refused_and_logged(world: World, echo_kind: str) -> None:
    door = Door(world, echo_kind)
    before = logged()

    for name, (status, code, attack) in AT_THE_SERVER.items():
        answer = attack(door)

        assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, code), name
        assert logged() == before + 1, f"{name}: not in the log"
        before += 1
    assert queries.job(door.job).state == "ordered"
    assert world.station.send("heartbeat", HEART).status_code == 200, "the honest station is heard still"


def logged() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(LogEntry)) or 0


AT_THE_PAGE: dict[str, tuple[int, dict[str, str | None], bytes]] = {
    "rebinding": (421, {"Host": "seals.evil.example"}, b""),
    "another port's name": (421, {"Host": "127.0.0.1:1"}, b""),
    "a foreign origin": (403, {"Origin": "https://evil.example"}, b""),
    "an opaque origin": (403, {"Origin": "null"}, b""),
    "a cross-site fetch": (403, {"Sec-Fetch-Site": "cross-site"}, b""),
    "the token of a former process": (403, {TOKEN: "token-of-yesterday"}, b""),
    "no header of ours": (403, {HEADER: None}, b""),
    "a form": (415, {"Content-Type": "application/x-www-form-urlencoded"}, b""),
    "a body too large": (413, {}, b"{" + b" " * 5000 + b"}"),
    "a PIN twice": (422, {}, b'{"card_pin":"1","card_pin":"2"}'),
}


def test_each_attack_on_the_stations_page_is_refused_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    page = Page(tmp_path)
    try:
        for name, (status, headers, body) in AT_THE_PAGE.items():
            caplog.clear()
            with caplog.at_level(logging.WARNING, "card_agent"):
                answer = page.ask("POST", "/jobs/41/run", body or RUN, **headers)

            assert answer[0] == status, name
            assert [r.message.split()[0] for r in caplog.records] == ["denied"], name
            told = caplog.text + json.dumps(answer[1]) + answer[2].decode()
            assert not any(pin in told for pin in RUN.values() if isinstance(pin, str)), name
        assert page.story.server.calls == [] and page.story.desk.progress is None
    finally:
        page.loopback.stop()


@pytest.mark.parametrize(
    "sent", [b"POST /jobs/41/run HTTP/1.1\r\nHost: ", b"POST /jobs/41/run HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{header}: 1\r\n{token}: the-token-of-this-process\r\nContent-Length: 20\r\n\r\n{"],
    ids=["headers that never end", "a body that never ends"],
)  # fmt: skip
def test_whoever_is_slow_is_hung_up_on_and_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    monkeypatch.setattr(_Handler, "timeout", 0.05)
    page = Page(tmp_path)
    for name, value in (("{host}", page.host), ("{header}", HEADER), ("{token}", TOKEN)):
        sent = sent.replace(name.encode(), value.encode())
    try:
        with socket.create_connection(("127.0.0.1", int(page.host.rsplit(":", 1)[1])), timeout=10) as slow:
            slow.sendall(sent)
            while slow.recv(4096):
                continue  # an answer may come; then the line is closed

        assert "denied" in caplog.text and "slow" in caplog.text
        assert "Traceback" not in caplog.text
        assert page.story.desk.progress is None
        assert page.ask("GET", "/state")[0] == 200
    finally:
        page.loopback.stop()
