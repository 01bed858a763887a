"""Where the floors above tell what the renaming, merging or closing of a unit touches, and do what follows from it (D1)."""

from collections.abc import Callable
from typing import TypeVar

from app.actor import Actor
from app.touched import Tellers

touched_by_units = Tellers[int]()
touched = touched_by_units.all

Follow = Callable[[int, str, Actor], object]
F = TypeVar("F", bound=Follow)
_FOLLOWERS: dict[str, Follow] = {}


def follows_unit(house: str) -> Callable[[F], F]:
    """Register `function(unit_id, reason, by)`: what a house does in the same transaction. The name, or the unit itself, is
    no more what stood in its seals."""

    def register(function: F) -> F:
        _FOLLOWERS[house] = function
        return function

    return register


def follow(unit_id: int, reason: str, by: Actor) -> None:
    """Have every house do what follows."""
    for one in _FOLLOWERS.values():
        one(unit_id, reason, by)
