"""A person at a browser who never gives up: what breaks is looked at again in the inbox, and tried again."""

import threading
from collections import Counter
from dataclasses import dataclass, field

import httpx

from app.demo.browser import Browser, PageRefused

BROKEN = (httpx.HTTPError, PageRefused)
JSON = {"Accept": "application/json"}


@dataclass
class Clerk:
    """`told`: what the server answered, how often; `shown`: errors that a person would not understand."""

    address: str
    login: str
    password: str = field(repr=False)
    told: Counter[str] = field(default_factory=Counter[str])
    shown: list[str] = field(default_factory=list[str])

    def work(self, over: threading.Event) -> None:
        """Do whatever the inbox holds until it is over."""
        browser = None
        while not over.is_set():
            try:
                browser = browser or self._logged_in()
                if not self._one_round(browser, over):
                    over.wait(0.2)
            except BROKEN as error:
                self._heard(error)
                over.wait(0.2)

    def _logged_in(self) -> tuple[Browser, str]:
        browser = Browser(self.address)
        page = browser.get("/login")
        browser.submit(page, "/login", {"login": self.login, "password": self.password})
        token = browser.get("/account").tree.xpath("string(//input[@name='csrf_token']/@value)")
        self.told["logged in"] += 1
        return browser, str(token)

    def _one_round(self, at: tuple[Browser, str], over: threading.Event) -> int:
        browser, token = at
        tasks = browser.json("/inbox")["tasks"]
        for task in tasks:
            if over.is_set():
                break
            form = {"decision": "approve", "csrf_token": token, "request_key": f"{self.login}-{task['id']}"}
            answer = browser.client.post(f"/inbox/{task['id']}/complete", data=form, headers=JSON)
            if answer.status_code == 200:
                self.told["done"] += 1
            else:
                self._refused(answer)
        return len(tasks)

    def _refused(self, answer: httpx.Response) -> None:
        """A colleague was quicker, or the answer to what was done got lost on its way: that a person understands."""
        try:
            code = str(answer.json()["error"]["code"])
        except (ValueError, KeyError):
            code = "no words"
        self.told[f"{answer.status_code} {code}"] += 1
        if answer.status_code >= 500 and answer.status_code not in (502, 503, 504):
            self.shown.append(f"{answer.status_code} {code}")

    def _heard(self, error: Exception) -> None:
        self.told[type(error).__name__] += 1
        if isinstance(error, PageRefused) and error.status == 500:
            self.shown.append(str(error))
