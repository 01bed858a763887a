"""Where the floors above tell what a card was used for (D14): a lost card's page lists what may be another's doing. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from app.text import Text


@dataclass(frozen=True)
class CardUse:
    """One use. `what`: the document; `who`: the person; `where`: the computer, as it was reported; `href`: its page."""

    at: datetime
    what: str
    who: str
    where: str
    href: str = ""
    note: Text | None = None


Teller = Callable[[str, datetime | None, datetime], Iterable[CardUse]]
F = TypeVar("F", bound=Teller)
_TELLERS: dict[str, Teller] = {}


def uses_of_cards(house: str) -> Callable[[F], F]:
    """Register `function(card_serial, since, until) -> CardUse…`, one for each house. `since` None: from the beginning."""

    def register(function: F) -> F:
        _TELLERS[house] = function
        return function

    return register


def uses(card_serial: str, since: datetime | None, until: datetime) -> list[CardUse]:
    """Everything the card was used for in that time, oldest first."""
    found = [use for teller in _TELLERS.values() for use in teller(card_serial, since, until)]
    return sorted(found, key=lambda use: use.at)
