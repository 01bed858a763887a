"""The second factor (TOTP): set up, asked for at each login by password, no code twice, reset by the security officer."""

import base64
import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from flask import Flask

from app.clock import now
from app.db import db
from app.people import commands, queries, second_factor
from app.people.facts import LoggedIn, LoginFailed, LoginHalf
from app.people.models import LoginSession, SecondFactor
from app.refusal import Conflict, Forbidden, Invalid
from app.settings import Settings
from tests.conftest import settings_for
from tests.people.makers import PASSWORD, Browser, Town, town


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "var", database_url, login_rate="1000 per minute")


@pytest.fixture
def here(app: Flask) -> Town:
    return town()


def code_of(here: Town, login: str, *, steps: int = 0) -> str:
    """What the person's authenticator shows, so many steps from now."""
    row = db.session.get_one(SecondFactor, here.people[login])
    key = second_factor.vault.open(row.sealed, context={"kind": "second_factor", "user_id": row.user_id})
    return TOTP(key, 6, SHA1(), 30).generate(int(now().timestamp()) + 30 * steps).decode()


def switched_on(here: Town, login: str = "clerk") -> None:
    second_factor.begin(by=here.actor(login))
    second_factor.confirm(code_of(here, login, steps=-1), by=here.actor(login))


def half(login: str = "clerk", password: str = PASSWORD) -> object:
    return commands.log_in(login, password, token="t", by=queries.Actor(kind="person"))


def other_half(here: Town, code: str, token: str = "t") -> object:
    return commands.log_in_with_code(here.people["clerk"], code, token=token, by=queries.Actor(kind="person"))


def test_a_right_password_alone_opens_nothing(here: Town) -> None:
    assert isinstance(half(), LoggedIn)
    switched_on(here)
    before = db.session.scalar(sa.select(sa.func.count()).select_from(LoginSession))
    assert isinstance(half(), LoginHalf)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LoginSession)) == before

    assert isinstance(other_half(here, code_of(here, "clerk"), "t2"), LoggedIn)
    assert isinstance(half(password="not this one"), LoginFailed)


def test_no_code_is_taken_twice_and_none_of_another_time(here: Town) -> None:
    switched_on(here)
    code = code_of(here, "clerk")
    assert isinstance(other_half(here, code, "a"), LoggedIn)
    assert isinstance(other_half(here, code, "b"), LoginFailed)
    for far in (-3, 3):
        assert isinstance(other_half(here, code_of(here, "clerk", steps=far)), LoginFailed)
    assert isinstance(other_half(here, code_of(here, "clerk", steps=1), "c"), LoggedIn)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "000 000 0"])
def test_what_is_no_code_fails(here: Town, code: str) -> None:
    switched_on(here)
    assert isinstance(other_half(here, code), LoginFailed)


def test_wrong_codes_hold_the_login_off_as_wrong_passwords_do(here: Town) -> None:
    switched_on(here)
    told = [other_half(here, "000000") for _ in range(6)]
    assert isinstance(told[-1], LoginFailed) and told[-1].reason == "locked"
    right = other_half(here, code_of(here, "clerk"))
    assert isinstance(right, LoginFailed) and right.reason == "locked"


def test_a_half_login_does_not_forget_failures(here: Town) -> None:
    """Or whoever has the password would try codes for ever."""
    switched_on(here)
    for _ in range(4):
        other_half(here, "000000")
        half()
    last = [other_half(here, "000000"), other_half(here, "000000")][-1]
    assert isinstance(last, LoginFailed) and last.reason == "locked"


def test_it_counts_only_once_the_first_code_has_come(here: Town) -> None:
    second_factor.begin(by=here.actor("clerk"))
    assert isinstance(half(), LoggedIn) and second_factor.key_to_show(here.people["clerk"]) is not None
    with pytest.raises(Invalid, match=r"people\.wrong_code"):
        second_factor.confirm("000000", by=here.actor("clerk"))
    second_factor.begin(by=here.actor("clerk"))  # begun anew: another key
    second_factor.confirm(code_of(here, "clerk"), by=here.actor("clerk"))
    assert second_factor.key_to_show(here.people["clerk"]) is None
    with pytest.raises(Conflict):
        second_factor.begin(by=here.actor("clerk"))


def test_the_person_puts_it_off_with_the_password_and_the_officer_resets_anothers(here: Town) -> None:
    switched_on(here)
    with pytest.raises(Forbidden):
        second_factor.remove("not the password", by=here.actor("clerk"))
    second_factor.remove(PASSWORD, by=here.actor("clerk"))
    assert isinstance(half(), LoggedIn)

    switched_on(here)
    for who in ("office", "admin", "auditor", "clerk"):
        with pytest.raises(Forbidden):
            second_factor.reset(here.people["clerk"], "手机遗失", by=here.actor(who))
    with pytest.raises(Invalid):
        second_factor.reset(here.people["clerk"], " ", by=here.actor("officer"))
    second_factor.reset(here.people["clerk"], "手机遗失", by=here.actor("officer"))
    assert not second_factor.is_on(here.people["clerk"])
    switched_on(here, "officer")
    with pytest.raises(Forbidden):
        second_factor.reset(here.people["officer"], "手机遗失", by=here.actor("officer"))


def test_the_key_lies_in_an_envelope_and_in_no_log(here: Town) -> None:
    second_factor.begin(by=here.actor("clerk"))
    shown = second_factor.key_to_show(here.people["clerk"])
    assert shown is not None and shown[1].startswith("otpauth://totp/")
    key = base64.b32decode(shown[0] + "=" * (-len(shown[0]) % 8))
    row = db.session.get_one(SecondFactor, here.people["clerk"])
    assert key not in row.sealed and shown[0] not in repr(row)


def test_the_pages_lead_through_it(app: Flask, here: Town) -> None:
    browser = Browser(app)
    browser.log_in("clerk")
    browser.get("/account")
    assert browser.post("/account/second-factor").status_code == 302
    page = browser.get("/account").text
    assert "otpauth://totp/" in page and re.search(r'<code class="key">', page)
    assert browser.post("/account/second-factor/confirm", {"code": "000000"}).status_code == 422
    done = browser.post("/account/second-factor/confirm", {"code": code_of(here, "clerk", steps=-1)})
    assert done.status_code == 302

    another = Browser(app, "127.0.0.2")
    answer = another.log_in("clerk", next="/applications")
    assert answer.headers["Location"] == "/login/code"
    assert another.get("/applications").status_code == 302  # nobody is logged in yet
    another.get("/login/code")
    assert another.post("/login/code", {"code": "000000"}).status_code == 401
    into = another.post("/login/code", {"code": code_of(here, "clerk")})
    assert into.headers["Location"] == "/applications"
    assert another.get("/applications").status_code == 200


def test_the_half_of_a_login_is_over_after_five_minutes(
    app: Flask, here: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    switched_on(here)
    browser = Browser(app)
    browser.log_in("clerk")
    later = now() + timedelta(seconds=301)
    monkeypatch.setattr("app.people.views.now", lambda: later)
    assert browser.get("/login/code").headers["Location"] == "/login"
    assert Browser(app).get("/login/code").status_code == 302
