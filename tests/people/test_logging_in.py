"""Logging in: what a stranger may try, learn and forge; what a person's browser keeps."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app import clock
from app.actor import SYSTEM, Origin
from app.audit.models import LogEntry
from app.db import db
from app.people import commands, queries, rules
from app.people.models import LoginFailure, LoginSession, User
from app.settings import Settings
from tests.conftest import settings_for
from tests.people.makers import PASSWORD, Browser, Town, town

LOCK = 15 * 60


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "var", database_url, login_rate="1000 per minute")


@pytest.fixture
def here(app: Flask) -> Town:
    return town()


@pytest.fixture
def browser(app: Flask, here: Town) -> Browser:
    return Browser(app)


def entries() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(LogEntry)) or 0


def test_a_login_leads_back_to_the_page_that_was_asked_for(browser: Browser) -> None:
    asked = browser.get("/account")
    assert asked.status_code == 302
    assert asked.location == "/login?next=/account"

    answer = browser.log_in("clerk", next="/account")

    assert answer.location == "/account"
    assert browser.get("/account").status_code == 200


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1", ""]
)
def test_a_login_leads_to_no_other_site(browser: Browser, target: str) -> None:
    assert browser.log_in("clerk", next=target).location == "/"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: Browser) -> None:
    answer = browser.log_in("clerk")
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("yinxu="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_over_https_the_cookies_are_bound_to_the_host(database_url: str, tmp_path: Path) -> None:
    from app.factory import create_app

    app = create_app(settings_for(tmp_path / "s", database_url, public_url="https://seals.example"))
    with app.app_context():
        town()
        browser = Browser(app)
        browser.client.get("/login", base_url="https://localhost")
        page = browser.send("GET", "/login", base_url="https://localhost")
        browser.token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
        answer = browser.send(
            "POST",
            "/login",
            base_url="https://localhost",
            headers={"Referer": "https://localhost/login"},
            data={"csrf_token": browser.token, "login": "clerk", "password": PASSWORD},
        )
        names = {c.split("=")[0] for c in answer.headers.getlist("Set-Cookie") if "Secure" in c}
        assert "__Host-yinxu" in names
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
        db.session.remove()
        db.engine.dispose()


def test_only_the_hash_of_the_token_is_stored(browser: Browser) -> None:
    browser.log_in("clerk")
    token = browser.client.get_cookie("yinxu")
    assert token is not None
    stored = db.session.scalars(sa.select(LoginSession.token_hash)).one()
    assert stored != token.value
    assert queries.token_hash(token.value) == stored


def test_a_new_login_is_a_new_session_and_ends_the_one_before(browser: Browser) -> None:
    browser.log_in("clerk")
    first = browser.client.get_cookie("yinxu").value  # type: ignore[union-attr]
    browser.get("/account")
    form = browser.token

    browser.post("/login", {"login": "clerk", "password": PASSWORD})

    assert browser.client.get_cookie("yinxu").value != first  # type: ignore[union-attr]
    assert queries.session_of(first) is None
    browser.get("/account")
    assert browser.token != form


def test_logging_out_ends_the_session_on_the_server(browser: Browser) -> None:
    browser.log_in("clerk")
    token = browser.client.get_cookie("yinxu").value  # type: ignore[union-attr]
    browser.get("/account")

    browser.post("/logout")

    assert queries.session_of(token) is None
    browser.client.set_cookie("yinxu", token)
    assert browser.get("/account").status_code == 302


@pytest.mark.parametrize("what", ["idle", "old"])
def test_a_session_ends_when_idle_and_when_old(browser: Browser, what: str) -> None:
    browser.log_in("clerk")
    row = db.session.scalars(sa.select(LoginSession)).one()
    if what == "idle":
        row.seen_at = clock.now() - timedelta(minutes=31)
    else:
        row.created_at = clock.now() - timedelta(hours=13)
    db.session.commit()
    assert browser.get("/account").status_code == 302


def test_a_page_that_polls_does_not_keep_a_login_alive(browser: Browser) -> None:
    browser.log_in("clerk")
    row = db.session.scalars(sa.select(LoginSession)).one()
    before = row.seen_at = clock.now() - timedelta(minutes=20)
    db.session.commit()

    browser.get("/account", **{"HX-Request": "true"})
    assert db.session.scalars(sa.select(LoginSession.seen_at)).one() == before

    browser.get("/account")
    db.session.rollback()
    assert db.session.scalars(sa.select(LoginSession.seen_at)).one() > before


def test_a_forged_session_is_refused_logged_and_thrown_away(browser: Browser) -> None:
    before = entries()
    browser.client.set_cookie("yinxu", "A" * 43)

    answer = browser.get("/account")

    assert answer.status_code == 302
    assert entries() == before + 1
    assert browser.client.get_cookie("yinxu") is None


def test_a_flood_of_forged_sessions_does_not_flood_the_log(browser: Browser) -> None:
    before = entries()
    for n in range(40):
        browser.client.set_cookie("yinxu", f"forged-{n}")
        browser.get("/account")
    assert entries() == before + 30


def test_the_session_of_a_person_who_left_is_no_session(browser: Browser, here: Town) -> None:
    browser.log_in("clerk")
    db.session.execute(sa.update(User).where(User.id == here.people["clerk"]).values(active=False))
    db.session.commit()
    assert browser.get("/account").status_code == 302
    assert browser.log_in("clerk").status_code == 401


# --- guessing ---


def failures(browser: Browser, login: str, times: int) -> list[str]:
    return [browser.log_in(login, f"wrong {n}").text for n in range(times)]


def test_failures_hold_a_login_off_at_that_address_only(app: Flask, browser: Browser, here: Town) -> None:
    failures(browser, "clerk", 5)

    assert "15 分钟" in browser.log_in("clerk").text
    assert Browser(app, "192.0.2.7").log_in("clerk").status_code == 302


def test_nobody_can_lock_a_person_out_of_their_own_desk(app: Flask, here: Town) -> None:
    desk = Browser(app, "192.0.2.50")
    desk.log_in("clerk")
    for n in range(4):
        failures(Browser(app, f"198.51.100.{n}"), "clerk", 5)

    assert Browser(app, "203.0.113.9").log_in("clerk").status_code == 401  # a stranger's address is held off
    assert Browser(app, "192.0.2.50").log_in("clerk").status_code == 302  # the own desk is not


def test_a_login_that_does_not_exist_answers_like_one_that_does(app: Flask, here: Town) -> None:
    known, unknown = Browser(app, "192.0.2.1"), Browser(app, "192.0.2.2")
    for attempt in range(7):
        a, b = (
            page.log_in(login, "wrong password") for page, login in ((known, "clerk"), (unknown, "nosuch"))
        )
        assert a.status_code == b.status_code == 401, attempt
        strip = lambda page: page.text.split("<main")[1].replace("clerk", "X").replace("nosuch", "X")  # noqa: E731
        assert strip(a).split('role="alert"')[1][:200] == strip(b).split('role="alert"')[1][:200]


def test_the_hold_ends_by_itself_and_success_forgets(app: Flask, browser: Browser) -> None:
    failures(browser, "clerk", 5)
    db.session.execute(sa.update(LoginFailure).values(at=clock.now() - timedelta(seconds=LOCK + 1)))
    db.session.commit()

    assert browser.log_in("clerk").status_code == 302

    again = Browser(app)
    failures(again, "clerk", 4)
    assert again.log_in("clerk").status_code == 302
    assert db.session.scalars(sa.select(LoginFailure).where(LoginFailure.ip == "127.0.0.1")).all() == []


def test_failed_and_good_logins_stand_in_the_log(browser: Browser) -> None:
    before = entries()
    failures(browser, "clerk", 1)
    browser.log_in("clerk")
    assert entries() == before + 2


def test_passwords_are_kept_as_argon2id(here: Town) -> None:
    stored = queries.user(here.people["clerk"]).password_hash
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in repr(queries.user(here.people["clerk"]))


@pytest.mark.parametrize(
    ("here_", "everywhere", "familiar", "held"),
    [
        (4, 4, False, False),
        (5, 5, False, True),
        (5, 5, True, True),
        (0, 20, False, True),
        (0, 20, True, False),
    ],
)
def test_the_rule_of_holding_off(here_: int, everywhere: int, familiar: bool, held: bool) -> None:
    assert rules.login_held_off(here_, everywhere, 5, familiar=familiar) is held


# --- a password that somebody else chose ---


def test_a_first_password_opens_only_the_page_that_changes_it(app: Flask, here: Town) -> None:
    by = replace(here.actor("admin"), origin=Origin(ip="192.0.2.1"))
    commands.register_user("fresh", "新人", here.department, PASSWORD, by=by)
    browser = Browser(app)

    assert browser.log_in("fresh").location == "/account"
    assert browser.get("/inbox").status_code == 403
    assert "初始密码" in browser.get("/inbox").text

    browser.get("/account")
    changed = browser.post("/account/password", {"old": PASSWORD, "new": "one that is my own"})
    assert changed.location == "/login"
    browser.log_in("fresh", "one that is my own")
    assert browser.get("/inbox").status_code == 200


def test_a_changed_password_ends_every_login(app: Flask, here: Town) -> None:
    one, other = Browser(app), Browser(app)
    one.log_in("clerk")
    other.log_in("clerk")
    one.get("/account")

    one.post("/account/password", {"old": PASSWORD, "new": "one that is my own"})

    assert other.get("/account").status_code == 302
    assert other.log_in("clerk").status_code == 401


def test_a_wrong_old_password_is_said_on_the_page(browser: Browser) -> None:
    browser.log_in("clerk")
    browser.get("/account")
    answer = browser.post("/account/password", {"old": "wrong", "new": "one that is my own"})
    assert answer.status_code == 403
    assert "原密码不正确" in answer.text


def test_somebody_elses_login_cannot_be_ended(app: Flask, browser: Browser, here: Town) -> None:
    Browser(app).log_in("office")
    theirs = queries.sessions_of(here.people["office"])[0].id
    browser.log_in("clerk")
    browser.get("/account")
    assert browser.post(f"/account/sessions/{theirs}/end").status_code == 403
    assert queries.sessions_of(here.people["office"])


def test_the_rate_of_logins_from_one_address_is_limited(database_url: str, tmp_path: Path) -> None:
    from app.factory import create_app

    app = create_app(settings_for(tmp_path / "rate", database_url, login_rate="3 per minute"))
    with app.app_context():
        town()
        browser = Browser(app, "192.0.2.77")
        answers = [browser.log_in("nosuch").status_code for _ in range(4)]
        assert answers == [401, 401, 401, 429]
        assert browser.get("/verify").status_code == 200
        db.session.remove()
        db.engine.dispose()


def test_a_silent_redis_limits_logins_and_nothing_else(database_url: str, tmp_path: Path) -> None:
    from app.factory import create_app

    dead = "redis://127.0.0.1:1/0"
    app = create_app(settings_for(tmp_path / "dead", database_url, login_rate="3 per minute", REDIS_URL=dead))
    with app.app_context():
        town()
        browser = Browser(app, "192.0.2.78")
        assert [browser.get("/login").status_code for _ in range(6)] == [200] * 6
        assert [browser.log_in("nosuch").status_code for _ in range(4)] == [401, 401, 401, 429]
        db.session.remove()
        db.engine.dispose()


def test_the_system_registers_without_a_first_password(here: Town) -> None:
    assert SYSTEM.kind == "system"
    assert not queries.user(here.people["clerk"]).password_is_first
