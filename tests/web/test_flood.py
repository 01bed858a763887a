"""A flood of refusals neither buries the log nor hides in it; and whoever tries doors is heard of."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask

from app import jobs
from app.audit import queries as audit
from app.audit import sequencer
from app.audit.queries import Filter
from app.cards import commands as cards
from app.db import db
from app.seals import queries as seals
from app.settings import Settings
from app.signing.queries import sealing
from app.web import held_back, limits
from app.worker import SWEEPS
from tests.cards.makers import World, browser
from tests.cards.test_agent_api import HEART
from tests.conftest import settings_for
from tests.people.makers import Browser, forget_request, town
from tests.seals.makers import issued_seal
from tests.signing.makers import ordered, usable_seal

SHARE = limits.DOOR_REFUSALS.amount


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "var", database_url, login_rate="1000 per minute")


@pytest.fixture
def world(app: Flask) -> World:
    made = World(app)
    made.register_cards()
    return made


def refusals(code: str) -> list[dict[str, Any]]:
    """The log's refusals of this code, oldest first."""
    db.session.rollback()
    sequencer.sequence()
    found = [row.refusal for row in audit.search(Filter(result="refused"), limit=1000)]
    return [refusal for refusal in reversed(found) if refusal["code"] == code]


def later() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=2)


def test_what_a_flood_kept_out_is_told_in_one_entry(app: Flask) -> None:
    town()
    person = Browser(app)
    person.log_in("nobody")
    tries = SHARE + 7
    for _ in range(tries):
        assert person.get("/people").status_code == 403

    held_back.tell()  # the minute is not over
    assert refusals("web.held_back") == []
    held_back.tell(at=later())
    held_back.tell(at=later())

    own, told = refusals("people.role_missing"), refusals("web.held_back")
    assert len(own) < tries and len(told) < 3
    assert len(own) + sum(t["details"]["held_back"] for t in told) == tries
    assert {t["details"]["refused"] for t in told} == {"people.role_missing"}


def test_the_scheduler_sees_to_it() -> None:
    assert ("audit", f"{held_back.__name__}.tell") in SWEEPS


def test_while_redis_is_silent_nothing_is_held_back(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent() -> None:
        raise redis.ConnectionError

    town()
    person = Browser(app)
    person.log_in("nobody")
    monkeypatch.setattr(limits, "worth_recording", lambda code: False)
    monkeypatch.setattr(jobs, "connection", silent)

    for _ in range(3):
        person.get("/people")

    assert len(refusals("people.role_missing")) == 3


def test_strangers_at_the_agents_door_do_not_grow_the_log_and_stations_never_wait(world: World) -> None:
    client, tries = world.app.test_client(), limits.REFUSED_KNOCKS.amount * 2 + 10
    revoked = world.enrolled("旧工位")
    assert revoked.id is not None
    cards.revoke_station(revoked.id, "报废", by=world.administrator)

    statuses: list[int] = []
    for _ in range(tries):
        forget_request()
        statuses.append(client.post("/agent/v1/heartbeat", data=b"{}").status_code)
    forget_request()
    also = revoked.send("heartbeat", HEART)

    assert statuses[:SHARE] == [401] * SHARE
    assert set(statuses) == {401, 429}
    assert also.status_code in (401, 429)
    forget_request()
    assert world.station.send("heartbeat", HEART).status_code == 200
    held_back.tell(at=later())
    own, told = refusals("station.unknown"), refusals("web.held_back")
    assert len(own) < tries
    assert len(own) + sum(t["details"]["held_back"] for t in told) == tries
    assert refusals("web.too_often") == []


def test_asking_for_what_is_somebody_elses_is_heard_of(world: World) -> None:
    seal_id = issued_seal(world)
    outside = world._unit("审计处", world.bureau)
    stranger = world.person("chen", "陈某", outside, "applicant", unit=outside)
    client = browser(world, stranger)

    theirs = client.get(f"/seals/{seal_id}", headers={"Accept": "application/json"})
    nothing = client.get(f"/seals/{seal_id + 1}", headers={"Accept": "application/json"})

    assert (theirs.status_code, nothing.status_code) == (404, 404)
    assert theirs.json == nothing.json
    (probe,) = refusals("seal.unknown")
    assert probe["attempted"] == f"GET /seals/{seal_id}"
    assert probe["details"]["owner_unit_id"] == seals.seal(seal_id).owner_unit_id


def test_somebody_elses_document_and_sealing_are_heard_of_too(world: World) -> None:
    fact = ordered(world, usable_seal(world))
    document_id, digest = sealing(fact.sealing_id, world.user).document.id, fact.document_digest
    client = browser(world, world.person("chen", "陈某", world._unit("审计处", world.bureau), "seal_user"))

    for path in (f"/sealing/new/{document_id}", f"/sealing/{fact.sealing_id}", f"/documents/{digest}.pdf"):
        assert client.get(path).status_code == 404, path

    assert len(refusals("signing.no_document")) == 2
    assert len(refusals("signing.no_sealing")) == 1


def test_nobody_hides_a_probe_behind_a_flood_of_something_else(world: World) -> None:
    seal_id = issued_seal(world)
    outside = world._unit("审计处", world.bureau)
    client = browser(world, world.person("chen", "陈某", outside, "applicant", unit=outside))

    for _ in range(SHARE + 5):
        assert client.get("/people").status_code == 403
    assert client.get(f"/seals/{seal_id}").status_code == 404

    assert len(refusals("seal.unknown")) == 1
