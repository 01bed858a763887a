"""What axe-core finds on a page as it stands in the browser: barriers for people who see, hear or move otherwise."""

from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from playwright.sync_api import Page

SCRIPT = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
"""A tool of the tests alone: no page ships it."""
GRAVE = ("serious", "critical")
_RUN = """() => axe.run(document, {resultTypes: ['violations'], preload: false}).then(found => found.violations.map(v => ({
  id: v.id, impact: v.impact, help: v.help,
  where: v.nodes.slice(0, 3).map(n => n.target.join(' ') + ': ' + n.html.slice(0, 120)), count: v.nodes.length,
})))"""


@lru_cache(maxsize=1)
def _source() -> str:
    return SCRIPT.read_text(encoding="utf-8")


def there() -> bool:
    """Whether axe-core is installed here, as it is where the pages' script is built."""
    return SCRIPT.exists()


def found(page: Page) -> list[str]:
    """A sentence for each serious or critical finding; lesser ones are a reader's advice and are left out."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(_source())
    findings = cast("list[dict[str, Any]]", page.evaluate(_RUN))
    return [
        f"axe: {one['id']} ({one['impact']}, {one['count']}): {one['help']}: {' | '.join(one['where'])}"
        for one in findings
        if one["impact"] in GRAVE
    ]
