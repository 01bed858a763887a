"""A picture of every page of the demo, taken by a real browser, which also says what is wrong with the page.

Each page is asked for once in each language; then the window is narrowed and the lights go out.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, sync_playwright
from playwright.sync_api import Error as BrowserError

from app.demo import axe
from app.demo.album import Shot, album
from app.demo.browser import Browser as Person
from app.demo.furnish import Site, furnish

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
]  # fmt: skip
SIZES = {"desk": (1400, 900), "phone": (390, 844)}
LANGUAGES = {"zh": "zh-CN", "en": "en-GB"}
PATIENCE_MS = 30_000

Say = Callable[[str], None]

_PICTURES_SHOWN = "Promise.all([...document.images].map(i => i.decode().catch(() => 0)))"
_EAGER = "document.querySelectorAll('img[loading=lazy]').forEach(i => { i.loading = 'eager' })"
_TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"


def take(site: Site, out: Path, only: str, say: Say) -> list[str]:
    """The pictures of pages whose name holds `only`, in `out`. Gives what is wrong with them, a sentence each."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as papers, Camera(site) as camera:
        found = furnish(site, Path(papers))
        for shot in album(found, site.agent_address):
            if only in shot.name:
                for language in LANGUAGES:
                    camera.photograph(shot, language, out, say)
        return camera.faults


@dataclass
class Camera:
    """A browser with one window for each person and language."""

    site: Site
    faults: list[str] = field(default_factory=list[str])
    _contexts: dict[tuple[str, str], BrowserContext] = field(
        default_factory=dict[tuple[str, str], BrowserContext]
    )

    def __enter__(self) -> "Camera":
        self._playwright = sync_playwright().start()
        self._browser: Browser = self._playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._browser.close()
        self._playwright.stop()

    def photograph(self, shot: Shot, language: str, out: Path, say: Say) -> None:
        """All pictures of one page in one language: a line for each, and its faults."""
        page = self._context(shot.login, language).new_page()
        sight = Sight(page, shot.status)
        try:
            page.goto(shot.path)
            for name in _views(page, shot, language, sight):
                page.screenshot(path=str(out / f"{name}.png"), animations="disabled")
                say(str(out / f"{name}.png"))
                if axe.there():
                    sight.faults += [f"{name}: {fault}" for fault in axe.found(page)]
        except BrowserError as error:
            sight.faults.append(error.message.splitlines()[0])
        finally:
            page.close()
        self.faults += [f"{shot.name} ({language}): {fault}" for fault in sight.all()]

    def examine(self, shot: Shot, language: str, size: str, dark: bool) -> list[str]:
        """What is wrong with a page in one language, size and light, axe's serious findings among it."""
        context = self._context(shot.login, "zh")  # one window a person: what was loaded once is there
        context.add_cookies([{"name": "language", "value": language, "url": self.site.address}])
        page = context.pages[0] if context.pages else context.new_page()
        sight = Sight(page, shot.status)
        try:
            page.emulate_media(color_scheme="dark" if dark else "light")
            _resize(page, size)
            page.goto(shot.path)
            if shot.act is not None:
                shot.act(page)
            page.wait_for_selector(".htmx-request", state="detached")
            sight.faults += axe.found(page)
            if size == "phone" and page.evaluate(_TOO_WIDE):
                sight.faults.append("scrolls sideways at 390 pixels")
        except BrowserError as error:
            sight.faults.append(error.message.splitlines()[0])
        finally:
            sight.close()
        return [f"{shot.name} ({language}, {size}): {fault}" for fault in sight.all()]

    def _context(self, login: str, language: str) -> BrowserContext:
        """The person's window in that language. One login serves both languages."""
        if (login, language) not in self._contexts:
            other = next((c for (who, _), c in self._contexts.items() if who == login), None)
            width, height = SIZES["desk"]
            context = self._browser.new_context(
                viewport={"width": width, "height": height},
                locale=LANGUAGES[language],
                color_scheme="light",
                base_url=self.site.address,
                storage_state=other.storage_state() if other else None,
            )
            context.set_default_timeout(PATIENCE_MS)
            context.add_cookies([{"name": "language", "value": language, "url": self.site.address}])
            if login and other is None:
                self._log_in(context, login)
            self._contexts[login, language] = context
        return self._contexts[login, language]

    def _log_in(self, context: BrowserContext, login: str) -> None:
        person = Person(self.site.address)
        form = {"login": login, "password": self.site.passwords[login]}
        person.submit(person.get("/login"), "/login", form)
        context.add_cookies(
            [
                {"name": cookie.name, "value": cookie.value or "", "url": self.site.address}
                for cookie in person.client.cookies.jar
                if cookie.name != "language"
            ]
        )


def _views(page: Page, shot: Shot, language: str, sight: "Sight") -> Iterator[str]:
    """Sets the page up for one picture after the other; gives the name of each."""
    sizes = [size for size in SIZES if not shot.sizes or size in shot.sizes]
    _resize(page, sizes[0])
    if shot.act is not None:
        shot.act(page)
    page.evaluate(_EAGER)
    for size in sizes:
        _resize(page, size)
        page.wait_for_selector(".htmx-request", state="detached")
        page.evaluate(_PICTURES_SHOWN)
        _resize(page, size, at_least=page.evaluate("document.documentElement.scrollHeight"))
        if size == "phone" and page.evaluate(_TOO_WIDE):
            sight.faults.append("scrolls sideways at 390 pixels")
        yield f"{shot.name}-{language}-{size}"
        if shot.dark and language == "zh":
            page.emulate_media(color_scheme="dark")
            yield f"{shot.name}-{language}-{size}-dark"
            page.emulate_media(color_scheme="light")


def _resize(page: Page, size: str, at_least: int = 0) -> None:
    """`at_least`: as high as the page, so that what sticks to the window's foot stands at the page's foot."""
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": max(height, at_least)})


class Sight:
    """What a page did that it must not: another status than expected, complaints in the console, faulty scripts.

    The browser reports a breach of the content policy in the console, and what a page asks for and does not get.
    """

    def __init__(self, page: Page, status: int) -> None:
        self.faults: list[str] = []
        self._status, self._page, self._answered = status, page, 0
        self._listeners: dict[str, Callable[[Any], None]] = {
            "console": self._console,
            "pageerror": lambda error: self.faults.append(f"a script failed: {error.message[:200]}"),
            "response": self._response,
        }
        for event, listener in self._listeners.items():
            cast("Any", page).on(event, listener)

    def _response(self, response: Response) -> None:
        if response.request.is_navigation_request() and response.frame == self._page.main_frame:
            self._answered = response.status
        elif response.status >= 400:
            self.faults.append(f"{response.url} answered {response.status}")

    def _console(self, message: ConsoleMessage) -> None:
        # a failed request is reported by its answer, and a page that is refused as it should be is no fault
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.faults.append(f"the console says {message.text[:200]}")

    def close(self) -> None:
        """The page goes on to another sight."""
        for event, listener in self._listeners.items():
            self._page.remove_listener(event, listener)

    def all(self) -> list[str]:
        wrong = self._answered != self._status
        return [*self.faults, *([f"answered {self._answered} instead of {self._status}"] if wrong else [])]
