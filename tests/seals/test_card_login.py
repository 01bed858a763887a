"""Login with one's own card (A21, A23): the code is compared, the card signs, one browser goes on."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from app import clock
from app.audit.models import LogEntry
from app.cards import commands as cards
from app.cards import queries as card_queries
from app.cards.models import Card, StationPresence
from app.db import db
from app.people.models import LoginSession, User
from app.people.queries import session_of, token_hash
from app.refusal import Refusal
from app.seals import card_login, commands, queries
from app.seals.models import CardLogin
from app.settings import current_settings
from card_agent.card.fake import FakeCard, FakeReader
from card_agent.card.pin_counter import PinCounter
from card_agent.fault import CardAbsent, Untrusted, WrongPin
from card_agent.journal import Journal
from card_agent.logging_in import log_in, login_steps
from card_agent.pin import Pin
from card_agent.protocol.jobs import Begin
from card_agent.protocol.outcomes import Accepted, Proved
from card_agent.ritual import Bench, Progress
from card_agent.trust import Trust
from tests.cards.makers import Browser, World
from tests.seals.conftest import refused
from tests.seals.makers import issued_seal

PIN, TOKEN = "314159", "what this browser alone holds"


class Station:
    """The agent at the world's station, with the person's card in its reader; messages go to the server's own commands."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.reader = FakeReader(PinCounter(folder / "pins.json"))
        self.card = FakeCard(
            serial="SC1", label="SC1", key=world.card.key, certificate=world.card.der, pin=PIN
        )
        self.reader.insert(self.card)
        self.bench = Bench(
            reader=self.reader, server=self, journal=Journal(folder / "journal"),
            trust=Trust([world.ca.certificate.public_bytes(Encoding.DER)]),
            station_id=world.station.id, host="station-1", mac="02:00:00:00:00:01",
        )  # fmt: skip

    def post(self, path: str, message: Any, answer: type[Any]) -> Any:
        job_id, act = int(path.split("/")[-2]), path.rsplit("/", maxsplit=1)[-1]
        if act == "begin":
            return cards.begin(job_id, message, by=self.world.station_actor()).reply
        return Accepted(state=cards.accept_outcome(job_id, message, by=self.world.station_actor()).state)

    def job(self) -> Any:
        [found] = card_queries.open_jobs(self.world.station.id)
        return card_queries.as_job(found)

    def prove(self, pin: str = PIN) -> Proved:
        job = self.job()
        return log_in(job, self.bench, Progress(job=job, steps=login_steps()), card_pin=Pin(pin))

    def report(self, proved: Proved) -> str:
        return self.post(f"/agent/v1/jobs/{self.job().job_id}/outcome", proved, Accepted).state


@pytest.fixture
def world(world: World) -> World:
    """The card with the department's seal is its user's own, and lies in the station's reader (A19)."""
    issued_seal(world)
    db.session.execute(
        sa.update(Card).where(Card.serial == "SC1").values(keeping="personal", owner_user_id=world.user.id)
    )
    db.session.merge(
        StationPresence(station_id=world.station.id, seen_at=clock.now(), cards=[{"serial": "SC1"}])
    )
    db.session.commit()
    commands.authorize(1, user_id=world.user.id, by=world.manager)
    return world


@pytest.fixture
def station(world: World, tmp_path: Path) -> Station:
    return Station(world, tmp_path)


def ask(world: World, login: str = "sun", token: str = TOKEN) -> int:
    return card_login.ask(login, token=token, by=card_login.Actor(kind="person")).login_id


def finish(login_id: int, token: str = TOKEN, session_token: str = "s") -> Any:
    return card_login.finish(
        login_id, token=token, session_token=session_token, by=card_login.Actor(kind="person")
    )


def test_the_card_logs_its_person_in_once(world: World, station: Station) -> None:
    login_id = ask(world)
    assert card_login.state_of(login_id, TOKEN)[0] == "open"
    lines = [line.value for line in station.job().summary.lines]
    assert card_login.state_of(login_id, TOKEN)[1] in lines and current_settings().public_url in lines
    with refused("people.card_not_proved"):
        finish(login_id)

    assert station.report(station.prove()) == "done"
    fact = finish(login_id, session_token="the cookie")

    assert (fact.user_id, fact.card_serial) == (world.user.id, "SC1")
    session = session_of("the cookie")
    assert session is not None and session.user_id == world.user.id
    with refused("people.card_not_proved"):
        finish(login_id)


def test_only_the_browser_that_asked_goes_on(world: World, station: Station) -> None:
    """Whoever sees the number of a login, or asked for another of their own, gets nothing by it."""
    login_id = ask(world)
    station.report(station.prove())
    assert card_login.state_of(login_id, "another browser") == ("ended", "")
    with refused("people.not_your_login"):
        finish(login_id, token="another browser")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LoginSession)) == 0


def test_its_time_is_short(world: World, station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    login_id = ask(world)
    proved = station.prove()
    later = clock.now() + timedelta(seconds=current_settings().order_life_s + 1)
    monkeypatch.setattr(clock, "now", lambda: later)

    with refused("people.card_login_over"):
        station.report(proved)
    assert card_login.state_of(login_id, TOKEN) == ("ended", "")
    assert (card_login.end_expired(), card_login.end_expired()) == (1, 0)
    assert not card_queries.open_jobs(world.station.id)


def test_what_was_proved_in_time_is_not_kept_for_later(
    world: World, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    login_id = ask(world)
    station.report(station.prove())
    later = clock.now() + timedelta(seconds=current_settings().order_life_s + 1)
    monkeypatch.setattr(clock, "now", lambda: later)
    with refused("people.card_not_proved"):
        finish(login_id)


def test_nobody_learns_who_has_which_card(world: World) -> None:
    """An unknown name, a person without a card, one whose card is elsewhere: the same words."""
    told: set[str] = set()
    db.session.execute(sa.update(StationPresence).values(cards=[]))
    db.session.commit()
    for login in ("nobody", "qian", "sun", ""):
        with pytest.raises(Refusal) as no:
            ask(world, login)
        told.add(f"{no.value.code} {no.value.text.zh} {no.value.details}")
    assert len(told) == 1


def test_a_card_without_the_function_logs_nobody_in(world: World) -> None:
    """A21: which functions a card has is decided by whoever manages its seal."""
    for row in queries.grants(1):
        if row.withdrawn is None:
            commands.withdraw_grant(row.grant.id, "调整", by=world.manager)
    commands.authorize(1, user_id=world.user.id, functions=["pdf"], by=world.manager)
    with refused("people.no_card_here"):
        ask(world)
    commands.authorize(1, user_id=world.user.id, functions=["login"], by=world.manager)
    ask(world)


def test_a_seal_that_is_asked_for_each_time_still_logs_its_person_in(world: World) -> None:
    commands.require_requests(1, True, by=world.manager)
    ask(world)


@pytest.mark.parametrize("since", ["grant", "lost", "suspended", "revoked", "inactive"])
def test_what_was_taken_away_since_counts(world: World, station: Station, since: str) -> None:
    login_id = ask(world)
    proved = station.prove()
    if since == "grant":
        for row in queries.grants(1):
            if row.withdrawn is None:
                commands.withdraw_grant(row.grant.id, "调整", by=world.manager)
    elif since == "lost":
        cards.report_lost("SC1", "遗失", by=world.office)
    elif since == "suspended":
        commands.suspend(1, "核查", by=world.manager)
    elif since == "revoked":
        world.publish(world.card)
    else:
        db.session.execute(sa.update(User).where(User.id == world.user.id).values(active=False))
        db.session.commit()
    with pytest.raises(Refusal):
        station.report(proved)
        finish(login_id)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LoginSession)) == 0


def test_another_asking_ends_the_one_before(world: World, station: Station) -> None:
    first = ask(world, token="first")
    second = ask(world, token="second")
    assert station.job().job_id == db.session.get_one(CardLogin, second).job_id
    assert card_login.state_of(first, "first")[0] == "ended"


def test_a_forged_proof_is_refused_and_logged(world: World, station: Station) -> None:
    ask(world)
    proved = station.prove()
    stranger = ec.generate_private_key(ec.SECP256R1())
    from cryptography.hazmat.primitives import hashes

    object.__setattr__(proved.proof, "value", stranger.sign(b"x", ec.ECDSA(hashes.SHA256())))
    with refused("people.card_proof_bad"):
        station.report(proved)
    assert db.session.scalar(sa.select(LogEntry.id).order_by(LogEntry.id.desc()).limit(1)) is not None


def test_the_agent_signs_nothing_but_what_it_showed(world: World, station: Station) -> None:
    ask(world)
    job = station.job()
    other = type(job)(**{**vars(job), "summary": type(job.summary)(title=job.summary.title, lines=())})
    with pytest.raises(Untrusted, match="shown"):
        log_in(other, station.bench, Progress(job=other, steps=login_steps()), card_pin=Pin(PIN))
    with pytest.raises(WrongPin):
        station.prove("000000")
    station.reader.pull("SC1")
    with pytest.raises(CardAbsent):
        station.prove()


def test_a_station_elsewhere_cannot_begin_it(world: World) -> None:
    ask(world)
    [job] = card_queries.open_jobs(world.station.id)
    begin = Begin(card_serial="SC1", card_certificate=world.card.der)
    elsewhere = world.station_actor().__class__(kind="station", station_id=999, name="x")
    with refused("card_job.other_station"):
        cards.begin(job.id, begin, by=elsewhere)


def test_the_page_goes_on_by_itself(world: World, station: Station) -> None:
    world.app.config["WTF_CSRF_ENABLED"] = False
    client = Browser(world.app, world.app.response_class)
    assert "/login/card" in client.get("/login?next=/seals").text
    assert client.post("/login/card", data={"login": "nobody"}).status_code == 409
    page = client.post("/login/card", data={"login": " Sun ", "next": "/seals"}).text
    code = db.session.scalars(sa.select(CardLogin.code)).one()
    assert f">{code}<" in page and 'hx-trigger="every 1s"' in page

    asked = {"next": "/seals"}
    assert client.post("/login/card/finish", data=asked, headers={"HX-Request": "true"}).status_code == 204
    assert world.app.test_client().post("/login/card/finish").headers["Location"].startswith("/login")
    station.report(station.prove())
    answer = client.post("/login/card/finish", data=asked, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == "/seals"
    cookie = client.get_cookie("yinxu")
    assert cookie is not None
    assert (
        db.session.scalar(
            sa.select(LoginSession.user_id).where(LoginSession.token_hash == token_hash(cookie.value))
        )
        == world.user.id
    )
    assert client.get("/account").status_code == 200


def test_it_leads_nowhere_else(world: World, station: Station) -> None:
    world.app.config["WTF_CSRF_ENABLED"] = False
    client = Browser(world.app, world.app.response_class)
    client.post("/login/card", data={"login": "sun", "next": "https://evil.example/"})
    station.report(station.prove())
    answer = client.post("/login/card/finish", data={"next": "https://evil.example/"})
    assert answer.headers["Location"] == "/"
