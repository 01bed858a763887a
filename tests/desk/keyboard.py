"""A person without a mouse."""

from playwright.sync_api import Page

_HERE = """() => { const it = document.activeElement; if (!it || it === document.body) return ['', true];
  const style = getComputedStyle(it);
  const label = it.labels && it.labels[0] ? it.labels[0].textContent : '';
  const name = [it.getAttribute('aria-label'), label, it.matches('a, button, summary') ? it.textContent.slice(0, 200) : '', it.value, it.placeholder].filter(Boolean).join(' ');
  const seen = style.outlineStyle !== 'none' || style.boxShadow !== 'none' || it.id === 'main' || it.tabIndex < 0;
  return [it.tagName.toLowerCase() + ' ' + name.replace(/\\s+/g, ' ').trim(), seen && it.checkVisibility()]; }"""


class Keyboard:
    """Goes from stop to stop with Tab; each stop can be seen."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, said: str, *, most: int = 120, back: bool = False) -> "Keyboard":
        """The next stop whose name or content holds these words."""
        passed: list[str] = []
        for _ in range(most):
            self.page.keyboard.press("Shift+Tab" if back else "Tab")
            name, seen = self.page.evaluate(_HERE)
            assert seen, f"the focus cannot be seen on {name!r}"
            if said in name:
                return self
            passed.append(name[:40])
        raise AssertionError(f"{said!r} was not reached; passed {passed[-20:]}")

    def press(self, key: str = "Enter") -> "Keyboard":
        self.page.keyboard.press(key)
        return self

    def follow(self) -> "Keyboard":
        """Enter, on what leads to another page."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        return self

    def type(self, words: str) -> "Keyboard":
        self.page.keyboard.type(words)
        return self

    def choose(self, words: str) -> "Keyboard":
        """An option of the select that has the focus, with the arrows."""
        for _ in range(60):
            now = self.page.evaluate("document.activeElement.selectedOptions[0]?.textContent ?? ''")
            if words in now:
                return self
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{words!r} is not offered")
