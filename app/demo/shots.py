"""A picture of every page of the demo, taken by a real browser, which also says what is wrong with the page."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from app.demo.run import Playing
from app.demo.story import Told

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
SIZES = {"desk": (1400, 900), "phone": (390, 844)}


@dataclass(frozen=True)
class Shot:
    """`login`: whose page it is, empty for a stranger. `status`: what it must answer. `dark`: also in the dark."""

    name: str
    path: str
    login: str = ""
    status: int = 200
    dark: bool = False


def pages(told: Told) -> list[Shot]:
    """Every page, with the ids that the story left behind."""
    p = told.paths
    return [
        Shot("login", "/login", dark=True),
        Shot("verify", "/verify"),
        Shot("no-such-page", "/nowhere", status=404),
        Shot("inbox-empty", "/inbox", "lihang"),
        Shot("inbox", "/inbox", "wangmin", dark=True),
        Shot("inbox-started", "/inbox/started", "lihang"),
        Shot("inbox-done", "/inbox/done", "wangmin"),
        Shot("task-decision", p["task"], "wangmin", dark=True),
        Shot("applications", "/applications", "lihang"),
        Shot("application-choose", "/applications/new", "lihang"),
        Shot("application-official", "/applications/new/official", "lihang", dark=True),
        Shot("application-name", "/applications/new/personal_name", "lihang"),
        Shot("application-signature", "/applications/new/personal_signature", "lihang"),
        Shot("application", p["application"], "lihang"),
        Shot("impressions", "/impressions", "wangmin"),
        Shot("impressions-none", "/impressions?q=none", "wangmin"),
        Shot("impression", p["impression"], "wangmin"),
        Shot("stations", "/stations", "liuke"),
        Shot("station", "/stations/1", "liuke", dark=True),
        Shot("cards", "/cards", "liuke"),
        Shot("card-new", "/cards/new", "liuke"),
        Shot("ledger", "/seals", "wangmin", dark=True),
        Shot("seal", p["seal"], "wangmin"),
        Shot("sealing", "/sealing", "zhouning"),
        Shot("sealing-new", "/sealing/new", "zhouning"),
        Shot("sealing-place", p["place"], "zhouning"),
        Shot("sealing-done", p["sealing"], "zhouning"),
        Shot("reports", "/reports", "wangmin"),
        Shot("log", "/log", "heqing", dark=True),
        Shot("log-entry", "/log/20", "heqing"),
        Shot("people", "/people", "secofficer"),
        Shot("account", "/account", "lihang"),
        Shot("refused", "/people", "lihang", status=403),
    ]


def take(playing: Playing, told: Told, out: Path, only: str, say: Callable[[str], None]) -> list[str]:
    """The pictures, one PNG each in `out`. Gives what is wrong with the pages, a sentence each."""
    out.mkdir(parents=True, exist_ok=True)
    wanted = [shot for shot in pages(told) if only in shot.name]
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for language in ("zh", "en"):
            for size in SIZES:
                faults += _round(browser, playing, wanted, language, size, "light", out, say)
        faults += _round(browser, playing, [s for s in wanted if s.dark], "zh", "desk", "dark", out, say)
        browser.close()
    return faults


def _round(
    browser: Browser,
    playing: Playing,
    wanted: list[Shot],
    language: str,
    size: str,
    scheme: str,
    out: Path,
    say: Callable[[str], None],
) -> Iterator[str]:
    """All pages in one language, size and scheme; one login for each person."""
    for login in dict.fromkeys(shot.login for shot in wanted):
        context = _context(browser, playing, language, size, scheme, login)
        for shot in wanted:
            if shot.login == login:
                name = f"{shot.name}-{language}-{size}{'-dark' if scheme == 'dark' else ''}"
                yield from (
                    f"{name}: {fault}" for fault in _picture(context, playing, shot, out / f"{name}.png")
                )
                say(str(out / f"{name}.png"))
        context.close()


def _context(
    browser: Browser, playing: Playing, language: str, size: str, scheme: str, login: str
) -> BrowserContext:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="en-GB" if language == "en" else "zh-CN",
        color_scheme="dark" if scheme == "dark" else "light",
        base_url=playing.stage.address,
    )
    context.add_cookies([{"name": "language", "value": language, "url": playing.stage.address}])
    if login:
        page = context.new_page()
        page.goto("/login")
        page.fill("[name=login]", login)
        page.fill("[name=password]", playing.stage.passwords[login])
        page.click("form[action='/login'] button")
        page.wait_for_load_state()
        page.close()
    return context


def _picture(context: BrowserContext, playing: Playing, shot: Shot, file: Path) -> list[str]:
    faults: list[str] = []
    page = context.new_page()

    def listen(message: ConsoleMessage) -> None:
        # the browser itself reports the status of a page that is refused as it should be
        if message.type == "error" and not (shot.status >= 400 and str(shot.status) in message.text):
            faults.append(f"the console says {message.text[:200]}")

    page.on("console", listen)
    answer = page.goto(shot.path)
    page.wait_for_load_state("load")
    if answer is None or answer.status != shot.status:
        faults.append(f"answered {answer.status if answer else 'nothing'} instead of {shot.status}")
    if _too_wide(page):
        faults.append("scrolls sideways")
    page.screenshot(path=str(file), full_page=True)
    page.close()
    return faults


def _too_wide(page: Page) -> bool:
    return bool(
        page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1")
    )
