"""Odd input gets a sentence in both languages and never a broken page, on either database."""

import json
import re
from collections import deque
from itertools import cycle
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.actor import SYSTEM
from app.applications import rules as applications
from app.audit import sequencer
from app.audit.models import LogEntry, LogLeaf
from app.db import db
from app.flows import commands as flows
from app.people import queries as people
from app.refusal import Invalid
from app.settings import Settings
from app.web.incoming import LARGEST_ROW, inside, row_number
from tests.conftest import ONE_DATABASE, STRICT_DATABASE, settings_for
from tests.people.makers import PASSWORD, Browser, Town, town
from tests.web.test_doors import VALUES, addresses

NUL = "\x00"
BEYOND = (str(LARGEST_ROW + 1), str(2**63), "9" * 20, "9" * 5000, "²")


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "var", database_url, login_rate="1000 per minute")


@pytest.fixture
def here(app: Flask) -> Town:
    flows.load_files(by=SYSTEM)
    return town()


def logged_in(app: Flask, login: str, page: str = "/account") -> Browser:
    browser = Browser(app)
    browser.log_in(login)
    browser.get(page)
    return browser


def entries() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(LogEntry)) or 0


def numbered(app: Flask, method: str, number: str) -> list[str]:
    """Every address that holds a row's number, with this one."""
    found: list[str] = []
    for rule in app.url_map.iter_rules():
        if method in (rule.methods or ()) and "<int:" in rule.rule:
            built = rule.rule
            for name in rule.arguments:
                built = built.replace(f"<int:{name}>", number).replace(f"<{name}>", VALUES.get(name, "1"))
            found.append(re.sub(r"<any\((\w+)[^>]*>", r"\1", built))
    return found


@STRICT_DATABASE
def test_no_row_has_a_number_that_large(app: Flask, here: Town) -> None:
    browser = logged_in(app, "office")

    for number in BEYOND:
        for path in numbered(app, "GET", number):
            assert browser.get(path).status_code == 404, path
        for path in numbered(app, "POST", number):
            assert browser.post(path).status_code in (404, 405), path


def test_the_largest_number_is_asked_for_like_any_other(app: Flask, here: Town) -> None:
    browser = logged_in(app, "office")

    for path in numbered(app, "GET", str(LARGEST_ROW)):
        assert browser.get(path).status_code in (200, 302, 403, 404), path


@STRICT_DATABASE
@pytest.mark.parametrize("path", ["/impressions?before={}", "/log?before={}"])
@pytest.mark.parametrize(
    "number", ["99999999999999", "9" * 20, "9" * 5000, "²", "x", "-1"], ids=lambda n: n[:15]
)
def test_a_page_before_nothing_is_the_first(app: Flask, here: Town, path: str, number: str) -> None:
    assert logged_in(app, "office").get(path.format(number)).status_code == 200


def test_a_misspelt_unit_grants_no_role_everywhere(app: Flask, here: Town) -> None:
    browser = logged_in(app, "officer", "/people")
    before = people.grants_of(here.people["nobody"])

    for said in ("²", "x", "9" * 5000, str(2**31), str(2**63)):
        form = {"role": "overseer", "unit_id": said, "valid_until": ""}
        assert browser.post(f"/people/{here.people['nobody']}/roles", dict(form)).status_code == 404, said

    assert people.grants_of(here.people["nobody"]) == before


def test_the_last_day_of_all_is_no_date(app: Flask, here: Town) -> None:
    browser = logged_in(app, "officer", "/people")

    form = {"role": "overseer", "unit_id": "", "valid_until": "9999-12-31"}
    answer = browser.post(f"/people/{here.people['nobody']}/roles", dict(form))

    assert answer.status_code == 422
    assert "日期不正确" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/seals?q=%00",
        "/inbox?q=%00",
        "/cards?q=%00",
        "/impressions?q=%00",
        "/cards/%00",
        "/log?%00=1",
        "/x/%00",
    ],
)
def test_no_address_holds_a_nul(app: Flask, here: Town, path: str) -> None:
    browser = logged_in(app, "office")
    before = entries()

    zh, en = browser.get(path), browser.get(path, **{"Accept-Language": "en"})

    assert (zh.status_code, en.status_code) == (400, 400)
    assert "无法保存的字符" in zh.text and "cannot be stored" in en.text
    assert entries() - before == 2


def test_no_form_holds_a_nul(app: Flask, here: Town) -> None:
    browser = Browser(app)
    browser.get("/login")

    assert browser.post("/login", {"login": f"office{NUL}", "password": "x"}).status_code == 400
    assert browser.post("/login", {f"lo{NUL}gin": "office", "password": "x"}).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        '{"opinion": "\\u0000"}',
        '{"\\ud800": 1}',
        '{"a": [{"b": "\\udfff"}]}',
        "[" * 100_000,
        "[" * 30 + "]" * 30,
    ],
    ids=["nul", "half a key", "half within", "100,000 deep", "30 deep"],
)
def test_no_json_holds_what_cannot_be_stored(app: Flask, here: Town, body: str) -> None:
    browser = logged_in(app, "office")

    answer = browser.send(
        "POST",
        "/inbox/1/complete",
        data=body,
        content_type="application/json",
        headers={"X-CSRFToken": browser.token, "Accept": "application/json"},
    )

    assert answer.status_code == 400
    assert answer.json is not None and answer.json["error"]["code"] in ("web.unreadable", "web.too_deep")


def test_a_number_too_large_for_any_reader_is_no_number(app: Flask, here: Town) -> None:
    browser = logged_in(app, "office")

    answer = browser.send(
        "POST",
        "/inbox/1/complete",
        data=json.dumps({"n": 1})[:-2] + "9" * 5000 + "}",
        content_type="application/json",
        headers={"X-CSRFToken": browser.token},
    )

    assert answer.status_code == 404


NUMBERS = ("unit_id", "owner_unit_id", "owner_user_id", "user_id", "keeper_id", "seal_id", "station_id", "page", "x_pt",
           "y_pt", "sensitivity", "before")  # fmt: skip
WORDS = ("name", "reason", "because", "login", "role", "opinion", "serial", "kind", "keeping", "seal_name", "handler",
         "size", "scan_reference", "scan_name", "next", "old", "new", "verb", "functions", "q", "status")  # fmt: skip


@STRICT_DATABASE
@pytest.mark.parametrize(("turn", "login"), [*enumerate(["clerk", "office", "admin", "officer"])])
def test_no_form_breaks_a_page(app: Flask, here: Town, turn: int, login: str) -> None:
    """Each field of a number has another odd one with each person."""
    odd = deque(["9" * 5000, str(2**63), "nan"])
    odd.rotate(turn)
    form = {
        **dict(zip(NUMBERS, cycle(odd), strict=False)),
        **dict.fromkeys(WORDS, "长" * 3000),
        "valid_until": "9999-12-31",
    }
    browser = logged_in(app, login)

    for endpoint, path in addresses(app, "POST"):
        if endpoint in ("people.log_out", "people.log_in", "people.end_session"):
            continue
        said = {"csrf_token": browser.token, **form}
        # in parts: to spell 63,000 characters as %E9%95%BF takes longer than all else
        answer = browser.send("POST", path, data=said, content_type="multipart/form-data")
        assert answer.status_code < 500, (path, answer.status_code)


def test_a_name_has_an_end(app: Flask, here: Town) -> None:
    browser = logged_in(app, "admin", "/people")
    form = {"login": "newcomer", "unit_id": str(here.department), "password": PASSWORD}

    for name in ("长" * 101, "张\u202e三", "张\x07三"):
        answer = browser.post("/people", {**form, "name": name})
        assert answer.status_code == 422
        assert "不超过 100 个字符" in answer.text


def test_what_the_database_cannot_hold_is_a_refusal(app: Flask, here: Town) -> None:
    """A door that forgets to look still answers in sentences."""

    def full() -> str:
        raise sa.exc.DataError("INSERT secret", {}, Exception("value too long"))

    app.add_url_rule("/test/full", view_func=full)

    answer = Browser(app).get("/test/full", **{"Accept-Language": "en"})

    assert answer.status_code == 422
    assert "too long or cannot be stored" in answer.text and "secret" not in answer.text


def test_an_address_of_any_length_and_script_is_logged_and_finds_its_place(app: Flask, here: Town) -> None:
    browser = logged_in(app, "clerk")

    for serial in ("印章" * 200, "A" * 300):
        assert browser.get(f"/cards/{serial}").status_code == 403
    sequencer.sequence()

    assert db.session.scalar(sa.select(sa.func.count()).select_from(LogLeaf)) == entries()


@ONE_DATABASE
@pytest.mark.parametrize(
    "target",
    ["//evil.com", "/\\evil.com", "/\t/evil.com", "/\n/evil.com", "/\r/evil.com", "https://evil.com", "evil", "",
     "\t//evil.com", "/x\\..\\\\evil.com", "/\x00"],
)  # fmt: skip
def test_nobody_is_led_outside(app: Flask, here: Town, target: str) -> None:
    assert inside(target) == "/"
    if NUL in target:
        return
    for path in ("/language/en", "/theme/dark"):
        assert Browser(app).send("GET", path, query_string={"next": target}).location == "/"
    browser = Browser(app)
    assert browser.log_in("office", next=target).location == "/"
    assert browser.send("GET", "/login", query_string={"next": target}).location == "/"


@pytest.mark.parametrize("target", ["/", "/seals?q=公章", "/inbox/7?show=done&q=a%2Fb"])
def test_one_of_our_own_addresses_is_gone_back_to(target: str) -> None:
    assert inside(target) == target


@pytest.mark.parametrize(
    ("said", "number"),
    [("7", 7), (" 7 ", 7), (str(LARGEST_ROW), LARGEST_ROW), (str(LARGEST_ROW + 1), None), ("²", None), ("٧", None),
     ("-1", None), ("", None), (None, None), ("9" * 5000, None)],
)  # fmt: skip
def test_a_rows_number_is_digits_and_not_too_many(said: str | None, number: int | None) -> None:
    assert row_number(said) == number


@pytest.mark.parametrize("hidden", ["\x00", "\x1b", "\x7f", "\x9b", "\u202e", "\u2067"])
@pytest.mark.parametrize("field", ["reason", "handler", "seal_name"])
def test_an_application_hides_nothing(field: str, hidden: str) -> None:
    form = {
        "size": "round-42", "seal_name": "合同章", "handler": "张三", "reason": "开户\n用途\t一", "seal_type": "contract",
        "keeping": "unit", "owner_unit_id": "1",
    }  # fmt: skip
    applications.check_form("official", form, check_credit_code=lambda code: None)

    with pytest.raises(Invalid) as refused:
        applications.check_form(
            "official", {**form, field: f"a{hidden}b"}, check_credit_code=lambda code: None
        )

    assert set(refused.value.fields) == {field}
