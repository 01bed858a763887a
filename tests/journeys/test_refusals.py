"""What must not be done is refused: with the right status, in words that name the remedy, and for the log to keep."""

import io
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from struct import pack

import pytest
from flask import Flask

from app import clock
from app.audit.queries import Row
from app.settings import Settings
from tests.cards.makers import DAY, World
from tests.conftest import ONE_DATABASE, settings_for
from tests.journeys.office import Office, StationPage, sentences

pytestmark = pytest.mark.journey

LANGUAGES = ("zh", "en")


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "var", database_url, upload_limit_bytes=1024 * 1024)


@pytest.fixture
def office(app: Flask, tmp_path: Path) -> Office:
    return Office(World(app), tmp_path)


# --- at the station ---


def wrong_pin(office: Office, page: StationPage) -> dict[str, str]:
    return {"card_pin": "00000000"}


def no_maker_card(office: Office, page: StationPage) -> dict[str, str]:
    office.reader.pull("MK1")
    return {}


def wrong_card(office: Office, page: StationPage) -> dict[str, str]:
    office.reader.pull("SC1")
    office.insert("SC9", office.world.ca.issue("税政处"), "1")
    return {}


def suspended_impression(office: Office, page: StationPage) -> dict[str, str]:
    manager = office.browser(office.world.manager)
    manager.get("/impressions/1")
    assert (
        manager.post(
            "/impressions/1/suspend", {"suspend_reason": "盘点", "suspend_seals": "keep"}
        ).status_code
        == 302
    )
    return {}


AT_THE_STATION: dict[str, tuple[Callable[[Office, StationPage], dict[str, str]], str, str, str, int]] = {
    "a wrong PIN": (wrong_pin, "card.wrong_pin", "请核对后重新输入", "enter it again", 200),
    "no maker card": (no_maker_card, "card.no_maker_card", "请先插入制章授权卡", "Insert the maker card first", 200),
    "the wrong card": (wrong_card, "card.wrong_card", "请更换为指定的卡", "change cards", 200),
    "a suspended impression": (
        suspended_impression, "impression.suspended", "请选用有效印模", "Choose an effective one", 409,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", AT_THE_STATION)
def test_refused_at_the_station(office: Office, what: str) -> None:
    spoil, code, zh, en, status = AT_THE_STATION[what]
    office.order()

    with office.station_page() as page:
        pins = spoil(office, page)
        job = page.run(**pins)

    assert (job["state"], job["fault"]["code"]) == ("failed", code)
    assert zh in job["fault"]["zh"] and en in job["fault"]["en"]
    assert page.line.statuses[-1] == status
    # the server says a refusal of its own; what the station refused, it reports
    (entry,) = office.refusals(code if status != 200 else f"agent.{code}")
    in_the_log(entry, zh, en)
    assert entry.payload is not None and entry.payload["actor"]["station_id"] == office.world.station.id
    assert not any(card.objects for card in office.reader.inserted.values())


def test_a_card_whose_certificate_has_expired_makes_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, now = office.world, clock.now()
    ending = world.ca.issue("预算处", end=now + DAY / 24)
    world.register("SC2", ending, owner_unit_id=world.finance)
    office.order("SC2")
    office.insert("SC2", ending, "13572468")
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=2))

    with office.station_page() as page:
        job = page.run()

    assert (job["state"], job["fault"]["code"]) == ("failed", "certificate.expired")
    assert page.line.statuses[-1] == 409
    (entry,) = office.refusals("certificate.expired")
    in_the_log(entry, "请向 CA 更新证书", "have the CA renew it")
    assert office.reader.inserted["SC2"].objects == []


# --- on the pages ---


def bomb() -> bytes:
    """A PNG of a few hundred bytes that claims 400 million pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + name + data + pack(">I", zlib.crc32(name + data))

    header = pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 9))
        + chunk(b"IEND", b"")
    )


IMAGES: dict[str, tuple[bytes, int, str, str, str]] = {
    "fake": (
        b"%PDF-1.7 this is no picture",
        422, "image.not_a_picture", "请用扫描仪或手机重新生成图片后上传", "Scan or photograph it again",
    ),
    "too many pixels": (
        bomb(), 422, "image.too_large", "请以 300–600 dpi 只扫描印章部分", "Scan the seal's part only",
    ),
    "too many bytes": (
        b"\x89PNG" + b"\0" * 2_000_000, 413, "web.too_large", "请压缩或拆分后再上传", "Make it smaller",
    ),
}  # fmt: skip


@ONE_DATABASE
@pytest.mark.parametrize("path", ["/applications/new/official", "/applications/preview"])
@pytest.mark.parametrize("what", IMAGES)
def test_an_image_that_is_none_or_too_large_is_refused(office: Office, what: str, path: str) -> None:
    data, status, code, zh, en = IMAGES[what]

    for language in LANGUAGES:
        browser = office.browser(office.applicant, language)
        browser.get("/applications/new/official")
        answer = browser.post(path, {"scan": (io.BytesIO(data), "scan.png"), "size": "round-42"})
        assert answer.status_code == status
        assert (zh if language == "zh" else en) in sentences(answer)

    entries = office.refusals(code)
    assert len(entries) == 2
    in_the_log(entries[0], zh, en)
    assert {e.actor["name"] for e in entries} == {"李航"}


def test_a_task_is_approved_once(office: Office) -> None:
    task = office.review_task()
    first = office.browser(office.world.office)
    later = {language: office.browser(office.colleague, language) for language in LANGUAGES}
    for browser in (first, *later.values()):
        assert browser.get(f"/inbox/{task}").status_code == 200

    assert (
        first.post(f"/inbox/{task}/complete", {"decision": "send_back", "opinion": "名称不符"}).status_code
        == 302
    )
    answers = {k: b.post(f"/inbox/{task}/complete", {"decision": "approve"}) for k, b in later.items()}

    assert {a.status_code for a in answers.values()} == {409}
    assert "已由李主任办理完毕" in sentences(answers["zh"]) and "请回到待办" in sentences(answers["zh"])
    assert "already completed" in sentences(answers["en"]) and "Go back to the inbox" in sentences(
        answers["en"]
    )
    entries = office.refusals("flow.task_done")
    assert [e.actor["name"] for e in entries] == ["王敏", "王敏"]
    in_the_log(entries[0], "请回到待办", "Go back to the inbox")


@pytest.mark.parametrize("act", ["", "/claim", "/complete"])
def test_a_task_of_someone_elses_is_left_alone(office: Office, act: str) -> None:
    task = office.review_task()

    for language, words in (("zh", "请联系有权办理的同事"), ("en", "Ask a colleague who holds the role")):
        browser = office.browser(office.world.stranger, language)
        browser.get("/account")
        path = f"/inbox/{task}{act}"
        answer = browser.post(path, {"decision": "approve"}) if act else browser.get(path)
        assert answer.status_code == 403
        assert words in sentences(answer)

    entries = office.refusals("flow.not_yours")
    assert [e.actor["name"] for e in entries] == ["钱某", "钱某"]
    in_the_log(entries[0], "请联系有权办理的同事", "Ask a colleague")


def test_a_forged_session_is_nobodys(office: Office) -> None:
    for language, words in (
        ("zh", "您的登录已失效，请重新登录"),
        ("en", "You are no longer logged in. Log in again"),
    ):
        forged = office.browser(None, language, token="forged-by-somebody-0123456789abcdef")
        answer = forged.get("/seals")
        assert answer.status_code == 302 and answer.location.startswith("/login?")
        page = forged.get(answer.location)
        assert page.status_code == 200 and words in sentences(page)

        forged = office.browser(None, language, token="forged-by-somebody-0123456789abcdef")
        told = forged.get("/seals", Accept="application/json")
        assert told.status_code == 401
        assert "请先登录" in told.json["error"]["zh"] and "Log in first" in told.json["error"]["en"]

    entries = office.refusals("people.forged_session")
    assert len(entries) >= 4
    in_the_log(entries[0], "请重新登录", "log in again")
    assert entries[0].origin["ip"] == "127.0.0.1" and entries[0].actor["id"] is None


def test_a_form_that_no_page_of_ours_sent_is_refused(office: Office) -> None:
    for language, words in (("zh", "请刷新页面后重新提交"), ("en", "Reload the page and send it again")):
        browser = office.browser(office.world.office, language)
        answer = browser.post("/inbox/1/claim", {"csrf_token": "made up"})
        assert answer.status_code == 403
        assert words in sentences(answer)

    in_the_log(office.refusals("web.csrf")[0], "请刷新页面", "Reload the page")


def in_the_log(entry: Row, zh: str, en: str) -> None:
    """In both languages, whatever the language of the person."""
    assert (entry.log_class, entry.result) == ("illegal_operation", "refused")
    assert zh in entry.refusal["zh"] and en in entry.refusal["en"]
