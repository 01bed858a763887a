"""What a card and its reader can do, whatever the library: PKCS#11 now, SKF (GM/T 0016) later, memory for
tests.

Every method of an open card raises a `Fault`; after any fault nothing the card said is believed, and the card
is opened anew for the next try.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from card_agent.pin import Pin
from card_agent.protocol.jobs import CardSeen
from card_agent.protocol.statements import CardSignature


class OpenCard(Protocol):
    """A card with its PIN given. Presence is checked after each operation: a pulled card looks blank."""

    @property
    def serial(self) -> str: ...

    @property
    def certificate(self) -> bytes:
        """DER, of the key that `sign` uses."""
        ...

    @property
    def alg(self) -> str:
        """The algorithm of `sign`, as in `protocol/names.py`."""
        ...

    def sign(self, data: bytes) -> CardSignature:
        """Over SHA-256 of `data`."""
        ...

    def labels(self) -> list[str]:
        """Labels of the data objects, one for each object; torn ones have an empty label."""
        ...

    def read(self, label: str) -> bytes | None:
        """The value; None when there is no such object (or several, which are nobody's)."""
        ...

    def write(self, label: str, value: bytes) -> None:
        """A new private object; there must be none of that label."""
        ...

    def delete(self, label: str) -> None:
        """All data objects of that label; none is fine."""
        ...


class Reader(Protocol):
    """All readers of this computer. Used by one thread only, one ritual at a time."""

    def session(self) -> AbstractContextManager[None]:
        """Surrounds one ritual: a fresh look at the readers before, all cards closed after."""
        ...

    def cards(self) -> list[CardSeen]:
        """The cards in the readers. Inside `session` only."""
        ...

    def open(self, serial: str, pin: Pin) -> OpenCard:
        """Refuses CardAbsent, NoCertificate, WrongPin, PinSpent, PinLocked. Inside `session` only."""
        ...

    def renew_pin(self, serial: str, so_pin: Pin, new_pin: Pin) -> None:
        """Give the card's user a new PIN, by the SO PIN; its count of wrong ones begins anew. Refuses CardAbsent,
        WrongSoPin, SoPinSpent, PinUnfit. Inside `session` only."""
        ...


PressPoint = Callable[[str], None]
"""Called by rituals at each named point; tests pull cards and kill processes there."""


def nothing(_point: str) -> None:
    """The press point of real life."""
