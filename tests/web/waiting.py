"""Waiting for something to become true of a page."""

import time

from playwright.sync_api import Page


def wait_until(page: Page, expression: str, seconds: float = 15) -> None:
    """Asked anew from outside: Playwright's own `wait_for_function` asks again from inside the page, by `eval`,
    which our content policy forbids, so it fails whenever the first answer is no."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(50)
