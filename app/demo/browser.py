"""A person's browser, as far as a server can tell: cookies, forms, redirects. The demo walks through it.

It fills in the forms that the pages really show, hidden fields and CSRF token included, so that what the demo
proves is what a person would meet.
"""

from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

import httpx
from lxml import html


class PageRefused(RuntimeError):
    """A page answered with an error; the message is the sentence that it shows to people."""

    def __init__(self, status: int, path: str, sentence: str) -> None:
        super().__init__(f"{path} answered {status}: {sentence}")
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True)
class Page:
    """An answer, parsed. `path` is where the redirects ended."""

    path: str
    status: int
    content: bytes
    content_type: str

    @property
    def tree(self) -> Any:
        return html.document_fromstring(self.content.decode())

    @property
    def text(self) -> str:
        return " ".join(cast(str, self.tree.text_content()).split())

    def links(self, containing: str) -> list[str]:
        """The addresses of all links whose address contains the given text, in order."""
        return [href for href in self.tree.xpath("//a/@href") if containing in href]

    def form(self, action: str) -> Any:
        """The form whose action ends so; the first such."""
        for form in self.tree.forms:
            if urlsplit(form.get("action") or self.path).path.endswith(action):
                return form
        raise LookupError(f"{self.path} has no form for {action}")


class Browser:
    """One person's browser. `base`: the server's address. Answers over 399 raise PageRefused."""

    def __init__(self, base: str, language: str = "zh") -> None:
        self.client = httpx.Client(
            base_url=base, follow_redirects=True, timeout=30, headers={"Accept-Language": language}
        )

    def get(self, path: str) -> Page:
        return self._page(self.client.get(path, headers={"Accept": "text/html"}))

    def json(self, path: str) -> Any:
        answer = self.client.get(path, headers={"Accept": "application/json"})
        if answer.status_code >= 400:
            raise PageRefused(answer.status_code, path, answer.text[:300])
        return answer.json()

    def submit(
        self,
        page: Page,
        action: str,
        values: dict[str, str],
        files: dict[str, tuple[str, bytes, str]] | None = None,
        button: tuple[str, str] | None = None,
        to: str | None = None,
    ) -> Page:
        """Fill in the form of `page` with that action and send it; fields must exist on the page. `to`: another
        address that a widget of the page sends the same form to."""
        form = page.form(action)
        known = set(form.fields)
        if unknown := set(values) - known:
            raise LookupError(
                f"{page.path}: the form for {action} has no {sorted(unknown)}, only {sorted(known)}"
            )
        sent = {name: value for name, value in form.fields.items() if value is not None and name}
        sent = {name: list(value) if not isinstance(value, str) else value for name, value in sent.items()}
        for name in files or {}:
            sent.pop(name, None)
        sent.update(values)
        if button:
            sent[button[0]] = button[1]
        target = to or urljoin(page.path, form.get("action") or page.path)
        return self._page(
            self.client.post(target, data=sent, files=files or None, headers={"Accept": "text/html"})
        )

    def _page(self, answer: httpx.Response) -> Page:
        page = Page(
            answer.url.raw_path.decode(),
            answer.status_code,
            answer.content,
            answer.headers.get("content-type", ""),
        )
        if answer.status_code >= 400:
            raise PageRefused(answer.status_code, page.path, _sentence(page))
        return page


def _sentence(page: Page) -> str:
    if "html" not in page.content_type:
        return page.content[:300].decode(errors="replace")
    found = page.tree.xpath("//*[@role='alert']") or page.tree.xpath("//main") or [page.tree]
    return " ".join(" ".join(found[0].text_content().split()).split())[:400]
