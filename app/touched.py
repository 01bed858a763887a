"""What an act would touch in the houses above, told before it is confirmed (D4). Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.text import Text

K = TypeVar("K", int, str)


@dataclass(frozen=True)
class Touched:
    """One thing that is touched. `href`: its page. `detail`: where it stands, who may use it."""

    name: str
    detail: Text
    href: str = ""


class Tellers(Generic[K]):
    """One teller a house: `function(key) -> Touched…`."""

    def __init__(self) -> None:
        self._of: dict[str, Callable[[K], Iterable[Touched]]] = {}

    def __call__(
        self, house: str
    ) -> Callable[[Callable[[K], Iterable[Touched]]], Callable[[K], Iterable[Touched]]]:
        def register(function: Callable[[K], Iterable[Touched]]) -> Callable[[K], Iterable[Touched]]:
            self._of[house] = function
            return function

        return register

    def all(self, key: K) -> list[Touched]:
        return [one for teller in self._of.values() for one in teller(key)]
