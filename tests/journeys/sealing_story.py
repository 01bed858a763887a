"""What a person does in a browser to have documents sealed: drags the seal, gives the PIN at the station, verifies; then fifty at once."""

import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from app.demo import pdf

CARD_PIN = "314159"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1400, "height": 900}


@dataclass
class Story:
    """`address`: the server's; `station`: the agent's page. Pictures of each state go to `pictures`."""

    chromium: Browser
    address: str
    station: str
    password: str
    pictures: Path

    def _picture(self, page: Page, name: str) -> None:
        page.screenshot(path=str(self.pictures / f"{name}.png"))

    def logged_in(self, login: str) -> Page:
        page = self.chromium.new_context(locale="zh-CN", viewport=DESK, accept_downloads=True).new_page()  # type: ignore[arg-type]
        page.goto(f"{self.address}/login")
        page.fill("[name=login]", login)
        page.fill("[name=password]", self.password)
        page.click("form[action='/login'] button")
        page.wait_for_url(re.compile("inbox|/$"))
        return page

    def at_the_station(self) -> Page:
        page = self.chromium.new_context(locale="zh-CN", viewport={"width": 1280, "height": 860}).new_page()
        page.goto(self.station)
        return page

    def drag_and_seal(self, page: Page, folder: Path) -> Path:
        """One document: uploaded, the seal dragged to its place, signed by the card, downloaded."""
        (folder / "contract.pdf").write_bytes(pdf.contract())
        page.goto(f"{self.address}/sealing/new")
        page.set_input_files("input[name=document]", folder / "contract.pdf")
        page.click("text=下一步")
        stamp = page.locator(".stamp")
        expect(stamp).to_be_visible()
        before = float(page.input_value("[name=x_pt]"))
        box = stamp.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2 - 120, box["y"] + box["height"] / 2 - 60, steps=6)
        page.mouse.up()
        assert float(page.input_value("[name=x_pt]")) < before - 20
        expect(page.locator(".place-said")).to_contain_text("毫米")
        self._picture(page, "dragged")
        page.click("button[form=place]")
        expect(page.locator("#progress")).to_contain_text("插入印章卡")
        station = self.at_the_station()
        station.click("#queue .job >> text=contract.pdf")
        expect(station.locator("#about")).to_contain_text("contract.pdf")
        self._picture(station, "station-before")
        station.fill("#card-pin", CARD_PIN)
        station.press("#card-pin", "Enter")
        expect(station.locator("#result .good")).to_contain_text("签章完成", timeout=30_000)
        self._picture(station, "station-signed")
        station.context.close()
        expect(page.locator(".page-tools")).to_contain_text("已盖章", timeout=30_000)
        self._picture(page, "sealed")
        with page.expect_download() as download:
            page.click("text=下载盖章文件")
        sealed = folder / "sealed.pdf"
        download.value.save_as(sealed)
        return sealed

    def verify(self, file: Path, expected: str, name: str) -> None:
        """By a stranger, at a desk and on a phone."""
        for where, size in (("desk", DESK), ("phone", PHONE)):
            page = self.chromium.new_context(locale="zh-CN", viewport=size).new_page()  # type: ignore[arg-type]
            page.goto(f"{self.address}/verify")
            page.set_input_files("input[name=document]", file)
            page.click("form[action='/verify'] button")
            expect(page.locator(".verdict")).to_contain_text(expected)
            page.wait_for_load_state("networkidle")
            wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, f"{name} on a {where} scrolls sideways"
            self._picture(page, f"verify-{name}-{where}")
            page.context.close()

    def batch(self, page: Page, folder: Path, number: int) -> None:
        """So many documents with one PIN, their progress in both pages."""
        files = [folder / f"合同-{n:02}.pdf" for n in range(number)]
        for n, file in enumerate(files):
            file.write_bytes(pdf.contract() + b"%% %d\n" % n)
        page.goto(f"{self.address}/sealing/batch")
        page.set_input_files("input[name=documents]", files)
        page.click("button[form=batch]")
        expect(page.locator("#progress")).to_contain_text(f"0 / {number} 份已盖章")
        self._picture(page, "batch-waits")
        station = self.at_the_station()
        station.click("#queue .job >> text=合同-00.pdf")
        everything = station.locator("#start-all")
        expect(station.locator(".documents")).to_contain_text(f"合同-{number - 1:02}.pdf", timeout=20_000)
        together = station.locator(".documents li").count()  # what else waits for this card comes along
        assert together >= number
        expect(everything).to_have_text(f"全部签章（{together} 份）")
        self._picture(station, "station-batch")
        station.fill("#card-pin", CARD_PIN)
        everything.click()
        running = re.compile(rf"已完成 [1-9]\d* / {together}")
        expect(station.locator(".batch")).to_contain_text(running, timeout=30_000)
        self._picture(station, "station-batch-runs")
        expect(page.locator("#progress")).to_contain_text(
            re.compile(rf"[1-9]\d* / {number} 份已盖章"), timeout=30_000
        )
        self._picture(page, "batch-runs")
        expect(station.locator(".batch")).to_contain_text(f"已完成 {together} / {together}", timeout=120_000)
        station.context.close()
        expect(page.locator("#progress")).to_contain_text(f"{number} / {number} 份已盖章", timeout=30_000)
        expect(page.locator("footer.actions")).to_contain_text(f"下载已盖章文件（{number} 份）")
        self._picture(page, "batch-done")
