"""Where the floors above tell what a change of an impression touches (D4): seals made from it, who uses them. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from app.text import Text


@dataclass(frozen=True)
class Touched:
    """One thing that was made from the impression. `href`: its page. `detail`: where it stands, who may use it."""

    name: str
    detail: Text
    href: str = ""


F = TypeVar("F", bound=Callable[[int], Iterable[Touched]])
_TELLERS: dict[str, Callable[[int], Iterable[Touched]]] = {}


def touched_by_impressions(house: str) -> Callable[[F], F]:
    """Register `function(impression_id) -> Touched…`, one for each house."""

    def register(function: F) -> F:
        _TELLERS[house] = function
        return function

    return register


def touched(impression_id: int) -> list[Touched]:
    """Everything that was made from this impression, as the houses above know it."""
    return [one for teller in _TELLERS.values() for one in teller(impression_id)]
