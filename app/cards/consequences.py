"""Where the floors above tell what the end of a card touches: the seals on it, and who uses them. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from app.text import Text


@dataclass(frozen=True)
class Touched:
    """One thing that is on the card. `href`: its page. `detail`: how it stands, who may use it."""

    name: str
    detail: Text
    href: str = ""


F = TypeVar("F", bound=Callable[[str], Iterable[Touched]])
_TELLERS: dict[str, Callable[[str], Iterable[Touched]]] = {}


def touched_by_cards(house: str) -> Callable[[F], F]:
    """Register `function(card_serial) -> Touched…`, one for each house."""

    def register(function: F) -> F:
        _TELLERS[house] = function
        return function

    return register


def touched(serial: str) -> list[Touched]:
    """Everything on this card that is in force, as the houses above know it."""
    return [one for teller in _TELLERS.values() for one in teller(serial)]
