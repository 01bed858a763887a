"""Errors are sentences: in HTML, as a fragment, as JSON; never a stack trace."""

from pathlib import Path

import pytest
import sqlalchemy.exc
from flask import Flask

from app.refusal import Conflict, Invalid
from app.settings import Settings
from app.text import Text
from tests.conftest import settings_for
from tests.people.makers import Browser, town


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "var", database_url, login_rate="1000 per minute")


@pytest.fixture
def browser(app: Flask) -> Browser:
    """A browser whose server has three rooms more: one that refuses, one that breaks, one without database."""

    def refuse() -> str:
        raise Conflict(
            "test.suspended", zh="印模已停用，请先恢复", en="The impression is suspended; resume it first"
        )

    def fields() -> str:
        raise Invalid("test.bad", zh="请更正", en="Correct it", fields={"name": Text("请填写", "Fill it in")})

    def broken() -> str:
        raise ZeroDivisionError("secret detail")

    def silent() -> str:
        raise sqlalchemy.exc.OperationalError("SELECT secret", {}, Exception("gone"))

    for view in (refuse, fields, broken, silent):
        app.add_url_rule(f"/test/{view.__name__}", view_func=view)
    town()
    return Browser(app)


def test_a_refusal_is_a_page_with_the_sentence_and_a_way_back(browser: Browser) -> None:
    answer = browser.get("/test/refuse")
    assert answer.status_code == 409
    assert "印模已停用，请先恢复" in answer.text
    assert ">返回</a>" in answer.text


def test_a_refusal_speaks_the_readers_language(browser: Browser) -> None:
    answer = browser.get("/test/refuse", **{"Accept-Language": "en"})
    assert "The impression is suspended; resume it first" in answer.text


def test_a_refusal_is_json_for_machines(browser: Browser) -> None:
    answer = browser.get("/test/fields", Accept="application/json")
    assert answer.status_code == 422
    assert answer.json == {
        "error": {
            "code": "test.bad",
            "zh": "请更正",
            "en": "Correct it",
            "fields": {"name": {"zh": "请填写", "en": "Fill it in"}},
        }
    }


def test_a_refusal_is_a_fragment_inside_a_page(browser: Browser) -> None:
    answer = browser.get("/test/refuse", **{"HX-Request": "true"})
    assert answer.status_code == 409
    assert "<html" not in answer.text
    assert 'role="alert"' in answer.text


def test_a_fragment_without_login_leads_the_whole_page_there(browser: Browser) -> None:
    answer = browser.get("/inbox", **{"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/login")


def test_machines_without_login_are_told_so(browser: Browser) -> None:
    answer = browser.get("/inbox", Accept="application/json")
    assert answer.status_code == 401
    assert answer.json is not None and answer.json["error"]["code"] == "people.log_in_first"


@pytest.mark.parametrize(
    ("path", "status"), [("/test/broken", 500), ("/test/silent", 503), ("/nowhere", 404)]
)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_what_breaks_shows_a_sentence_and_no_detail(
    browser: Browser, path: str, status: int, accept: str
) -> None:
    browser.log_in("clerk")
    answer = browser.get(path, Accept=accept)
    assert answer.status_code == status
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert ("请" in answer.text) or accept == "application/json"


def test_the_wrong_verb_and_too_much_are_said_plainly(browser: Browser, app: Flask) -> None:
    answer = browser.send("DELETE", "/login")
    assert answer.status_code == 405
    assert "按钮" in answer.text
    app.config["MAX_CONTENT_LENGTH"] = 1000
    answer = browser.send("POST", "/login", data={"login": "x" * 2000})
    assert answer.status_code == 413
    assert "太大" in answer.text


def test_the_healthz_page_says_no_more_than_ok(browser: Browser) -> None:
    assert browser.get("/healthz").json == {"status": "ok"}
