"""Every address of the product, asked by everybody: what is open to the world, what leads to the login."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.actor import SYSTEM
from app.audit.models import LogEntry
from app.db import db
from app.flows import commands as flows
from app.settings import Settings
from tests.conftest import ONE_DATABASE, settings_for
from tests.people.makers import CAST, Browser, Town, town

OPEN = {
    "verify_api.verify",
    "static", "healthz", "flows.home", "people.login", "people.log_in", "people.log_out", "people.code", "people.enter_code",
    "card_login.begin", "card_login.ask", "card_login.finish",
    "language.choose", "theme.choose", "signing.verify", "signing.verified", "signing.report.paper",
}  # fmt: skip
"""What anybody may ask. Adding a line here is a decision: everything else needs a login."""

SCRIPTS = ("agent_api.", "studio.api.")
"""What programs and the editor's script ask: they are answered in JSON, not led to a page."""

VALUES = {
    "kind": "official", "verb": "suspend", "change": "rename", "digest": "sha256:" + "0" * 64, "serial": "X1", "report": "ledger",
    "reference": "sha256:" + "0" * 64, "filename": "app.css", "chosen": "en",
}  # fmt: skip


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "var", database_url, login_rate="1000 per minute")


@pytest.fixture
def here(app: Flask) -> Town:
    flows.load_files(by=SYSTEM)
    return town()


def entries() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(LogEntry)) or 0


def addresses(app: Flask, method: str) -> list[tuple[str, str]]:
    """(endpoint, address) of every rule that takes the method, with made-up values."""
    found: list[tuple[str, str]] = []
    for rule in app.url_map.iter_rules():
        if method not in (rule.methods or ()):
            continue
        values = {name: VALUES.get(name, 1) for name in rule.arguments}
        with app.test_request_context():
            built = rule.build(values, append_unknown=False)
        assert built is not None, rule
        found.append((rule.endpoint, built[1]))
    return found


def test_strangers_are_led_to_the_login_everywhere_else(app: Flask, here: Town) -> None:
    for endpoint, path in addresses(app, "GET"):
        answer = Browser(app).get(path)
        if endpoint in OPEN:
            assert answer.status_code in (200, 302), path
            continue
        if endpoint.startswith("studio.api.") or path.startswith("/api/"):
            assert answer.status_code == 401 and answer.json is not None, path
            continue
        assert answer.status_code == 302, (path, answer.status_code)
        assert answer.location.startswith("/login?next=/"), (path, answer.location)


def test_strangers_change_nothing(app: Flask, here: Town) -> None:
    for endpoint, path in addresses(app, "POST"):
        if endpoint in OPEN:
            continue
        browser = Browser(app)
        browser.get("/login")
        answer = browser.post(path)
        if endpoint.startswith(SCRIPTS):
            assert answer.status_code in (401, 403, 404, 422), (path, answer.status_code)
            assert answer.json is not None and "error" in answer.json, path
            continue
        assert answer.status_code == 302, (path, answer.status_code)
        assert answer.location.startswith("/login"), path


def test_a_form_without_its_token_is_refused_and_logged(app: Flask, here: Town) -> None:
    browser = Browser(app)
    browser.log_in("office")
    before = entries()
    paths = [
        path
        for endpoint, path in addresses(app, "POST")
        if not endpoint.startswith(("agent_api.", "verify_api."))
    ]
    for path in paths:
        answer = browser.send("POST", path)
        assert answer.status_code == 403, path
        assert "表单已过期" in answer.text, path
    # one entry each, until a flood would bury the log
    assert entries() - before == min(len(paths), 30)


def test_a_token_of_another_session_is_no_token(app: Flask, here: Town) -> None:
    mine, theirs = Browser(app), Browser(app)
    mine.log_in("clerk")
    theirs.log_in("office")
    theirs.get("/account")
    mine.get("/account")
    mine.token = theirs.token
    assert mine.post("/logout").status_code == 403


@ONE_DATABASE
@pytest.mark.parametrize("login", list(CAST))
def test_no_role_meets_a_broken_page_in_either_language(app: Flask, here: Town, login: str) -> None:
    browser = Browser(app)
    browser.log_in(login)
    for language in ("zh-CN", "en"):
        for endpoint, path in addresses(app, "GET"):
            if endpoint in ("static", "language.choose", "theme.choose"):
                continue
            answer = browser.get(path, **{"Accept-Language": language})
            assert answer.status_code < 500, (login, path, answer.status_code)
            if answer.status_code in (403, 404) and answer.mimetype == "text/html":
                assert 'role="alert"' in answer.text, path


def test_english_pages_speak_english(app: Flask, here: Town) -> None:
    """What a reader of English sees of our own words holds no Chinese; names of people and units may."""
    data = {"示例公司", "供应链中心", "某", "中文", "印", "公", "部", "名", "签"}
    browser = Browser(app)
    browser.log_in("office")
    for endpoint, path in addresses(app, "GET"):
        if endpoint in ("static", "language.choose", "theme.choose", "healthz"):
            continue
        answer = browser.get(path, **{"Accept-Language": "en"})
        if answer.mimetype != "text/html" or answer.status_code in (301, 302):
            continue
        assert '<html lang="en"' in answer.text or "<html" not in answer.text, path
        left = answer.text
        for word in sorted(data, key=len, reverse=True):
            left = left.replace(word, "")
        found = re.search(r".{0,30}[\u3400-\u9fff]+.{0,30}", left)
        assert found is None, (path, found and found[0])


def test_officers_see_nothing_of_the_business(app: Flask, here: Town) -> None:
    """D6: none of the three touches seals, applications or documents."""
    for login in ("admin", "officer", "auditor"):
        browser = Browser(app)
        browser.log_in(login)
        for path in ("/applications/new", "/seals", "/impressions", "/sealing/new"):
            answer = browser.get(path)
            assert answer.status_code == 403 or 'class="empty"' in answer.text, (login, path)


def test_only_officers_see_people(app: Flask, here: Town) -> None:
    for login in CAST:
        browser = Browser(app)
        browser.log_in(login)
        expected = 200 if login in ("admin", "officer") else 403
        assert browser.get("/people").status_code == expected, login
