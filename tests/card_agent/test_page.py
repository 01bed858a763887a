"""The station's page as a person sees it, by keyboard alone, in Chromium."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.card_agent.makers import CARD_PIN, MAKER_PIN
from tests.card_agent.test_loopback import Page

pytestmark = pytest.mark.browser
CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Page]:
    made = Page(tmp_path)
    made.loopback._agent.contact.made()
    yield made
    made.loopback.stop()


def insert(station: Page, *cards: Any) -> None:
    found = {c.serial: c for c in station.story.reader.cards()}
    station.loopback._agent.presence.cards = tuple(found[c.serial] for c in cards)  # type: ignore[misc]


def test_a_seal_is_made_by_keyboard(chromium: Any, station: Page) -> None:
    """In English; in Chinese, with real tokens and all its states: `tests/journeys/test_station_screen.py`."""
    context = chromium.new_context(locale="en-GB", viewport={"width": 1280, "height": 860})
    page, troubles, world = context.new_page(), list[str](), station.story.world
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    insert(station)
    page.goto(station.loopback.address)
    page.wait_for_selector("#slot-maker.next")
    insert(station, world.maker)
    page.wait_for_selector("#slot-maker.in")
    page.wait_for_selector("#slot-seal.next")
    insert(station, world.maker, world.card)
    page.wait_for_selector("#start:not([disabled])")

    page.keyboard.type(MAKER_PIN)
    page.keyboard.press("Tab")
    page.keyboard.type("0000")
    page.keyboard.press("Enter")
    page.wait_for_selector("#result .bad")
    assert page.input_value("#card-pin") == ""
    page.focus("#maker-pin")
    page.keyboard.type(MAKER_PIN)
    page.keyboard.press("Tab")
    page.keyboard.type(CARD_PIN)
    page.keyboard.press("Enter")

    page.wait_for_selector("#result .good:has-text('Seal made')")
    assert page.locator("#steps li.done").count() == 5
    assert troubles == []
    station.story.check_one_seal()
    context.close()


def test_a_page_from_elsewhere_reads_and_starts_nothing(chromium: Any, station: Page) -> None:
    """From a page of another origin, with everything a browser lets it do."""
    context = chromium.new_context()
    page = context.new_page()
    page.route(
        "http://evil.test/", lambda route: route.fulfill(body="<h1>evil</h1>", content_type="text/html")
    )
    page.goto("http://evil.test/")

    seen = page.evaluate(
        """async (address) => {
            const read = await fetch(address + '/state').then((r) => r.text()).catch(() => 'blocked');
            const body = JSON.stringify({maker_pin: '1', card_pin: '1'});
            const sent = [];
            for (const type of ['application/json', 'text/plain'])
                sent.push(await fetch(address + '/jobs/41/run', {method: 'POST', body, headers: {'Content-Type': type}})
                    .then((r) => r.status).catch(() => 'blocked'));
            await fetch(address + '/jobs/41/run', {method: 'POST', mode: 'no-cors', body}).catch(() => null);
            return [read, ...sent];
        }""",
        station.loopback.address,
    )

    assert seen == ["blocked"] * 3
    assert station.story.desk.progress is None
    context.close()
