"""The station's screen from its queue to 制作完成: a real server, agent and tokens, a real browser, the keyboard alone.

The maker card is inserted first, then the seal card. Pictures of each state go to the folder that YINXU_STATION_SCREEN
names (card_agent/README.md shows how), else to the test's own.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.drill.cards_station import PIN, Scene, played
from app.seals import commands as seals
from tests.web.test_browser import chromium

pytestmark = [pytest.mark.journey, pytest.mark.softhsm, pytest.mark.browser, pytest.mark.slow]
__all__ = ["chromium"]


@pytest.fixture
def scene() -> Iterator[Scene]:
    with played() as scene:
        yield scene


@dataclass
class Screen:
    page: Page
    pictures: Path
    taken: list[str] = field(default_factory=list[str])

    def picture(self, state: str) -> None:
        self.taken.append(state)
        self.page.screenshot(path=str(self.pictures / f"{len(self.taken):02}-{state}.png"))

    def type_pins(self, maker: str, seal: str) -> None:
        """Where the page puts the focus, or to there."""
        if self.page.evaluate("document.activeElement.id") != "maker-pin":
            self.page.locator("#maker-pin").focus()
        for pin, key in ((maker, "Tab"), (seal, "Enter")):
            self.page.keyboard.type(pin)
            self.page.keyboard.press(key)


def test_a_seal_is_made_from_the_queue_to_its_end(chromium: Browser, scene: Scene, tmp_path: Path) -> None:
    pictures = Path(os.environ.get("YINXU_STATION_SCREEN", tmp_path / "pictures"))
    pictures.mkdir(parents=True, exist_ok=True)
    [station] = scene.stations
    readers, maker, card = station.readers, station.maker, station.card
    for one in (maker, card):
        readers.pull(one.token)
    go_on = tmp_path / "go on"
    station.start({"at": "answered authorise", "act": "wait", "target": str(go_on)})
    context = chromium.new_context(locale="zh-CN", viewport={"width": 1280, "height": 860})
    screen, troubles = Screen(context.new_page(), pictures), list[str]()
    page = screen.page
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)

    page.goto(json.loads((station.state_dir / "loopback.json").read_text())["address"])
    expect(page.locator("#queue")).to_contain_text("没有待办任务")
    expect(page.locator("#link")).to_have_text("已连接服务器")
    screen.picture("nothing-to-do")

    job_id = seals.order_making(station.impression_id, card.serial, station.id, by=scene.operator).job_id
    expect(page.locator("#queue .job")).to_contain_text(f"#{job_id}")
    expect(page.locator("#about")).to_contain_text("演练章")
    expect(page.locator("#slot-maker")).to_have_class("slot   next")
    expect(page.locator("#start")).to_be_disabled()
    screen.picture("job-waits-for-the-maker-card")

    readers.insert(maker.token)
    expect(page.locator("#slot-maker .chip.good")).to_be_visible()
    expect(page.locator("#slot-maker")).to_contain_text(maker.serial)
    expect(page.locator("#slot-maker")).to_contain_text("证书剩余")
    expect(page.locator("#slot-seal.next")).to_contain_text(card.serial)  # it says which card it waits for
    screen.picture("maker-card-in-waits-for-the-seal-card")

    readers.insert(scene.spare.token)
    expect(page.locator("#slot-seal.wrong")).to_contain_text("不是任务指定的卡")
    expect(page.locator("#start")).to_be_disabled()
    screen.picture("another-card-instead")

    readers.pull(scene.spare.token)
    readers.insert(card.token)
    expect(page.locator("#start")).to_be_enabled()
    expect(page.locator("#maker-pin")).to_be_focused()
    screen.picture("both-cards-in")

    screen.type_pins(PIN, "000000")
    expect(page.locator("#result .bad")).to_contain_text("印章卡没有任何改动")
    expect(page.locator("#card-pin")).to_have_value("")
    screen.picture("wrong-pin")

    screen.type_pins(PIN, PIN)
    expect(page.locator("#steps li.running")).to_contain_text("授权")
    expect(page.locator("#result")).to_contain_text("请勿拔卡")
    screen.picture("working")

    readers.pull(card.token)
    go_on.touch()
    expect(page.locator("#result .bad")).to_be_visible()
    expect(page.locator("#start")).to_have_text("继续")
    screen.picture("card-pulled-while-working")

    readers.insert(card.token)
    expect(page.locator("#start")).to_be_enabled()
    screen.type_pins(PIN, PIN)
    expect(page.locator("#result .good")).to_contain_text("制作完成", timeout=30_000)
    steps = page.locator("#steps li.done")
    assert [s.split()[0] for s in steps.all_inner_texts()] == ["读卡", "验证书", "授权", "写入", "回读校验"]
    expect(page.locator("#history")).to_contain_text("已制作")
    screen.picture("made")

    page.locator("#language").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#result .good")).to_contain_text("Seal made")
    page.emulate_media(color_scheme="dark")
    screen.picture("made-in-english-and-dark")

    for one in (maker, card):
        readers.pull(one.token)
    expect(page.locator("#slot-seal .chip.good")).to_have_count(0)
    screen.picture("cards-taken-out")
    assert troubles == []
    readers.insert(card.token)
    seal = station.look().seal
    assert seal is not None and seal.job_id == job_id
    context.close()
