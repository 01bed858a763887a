"""Cards in memory with software keys, for fast tests; the same interface, and the same bad habits as real
ones: a pulled card looks blank until its presence is asked.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from card_agent.card.interface import nothing
from card_agent.card.pin_counter import PinCounter, so_tries
from card_agent.fault import (
    CardAbsent,
    CardFull,
    CardRemoved,
    NoCertificate,
    PinSpent,
    PinUnfit,
    SoPinSpent,
    WrongPin,
    WrongSoPin,
)
from card_agent.pin import Pin
from card_agent.protocol.jobs import CardSeen
from card_agent.protocol.names import ECDSA_SHA256, RSA_SHA256
from card_agent.protocol.statements import CardSignature

T = TypeVar("T")
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass
class FakeCard:
    """What survives in a pocket: key, certificate, objects. `room`: bytes that fit."""

    serial: str
    label: str
    key: Key = field(repr=False)
    certificate: bytes | None = field(repr=False)
    pin: str = field(repr=False)
    so_pin: str = field(default="", repr=False)
    objects: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]], repr=False)
    room: int = 128 * 1024


class FakeReader:
    """`inserted`: the cards that are in. `on`: called before and after each operation of an open card with
    its name ("before write ESEAL.A"); it may pull a card, or raise to play a power cut."""

    def __init__(self, pins: PinCounter, on: Callable[[str], None] | None = None) -> None:
        self.inserted: dict[str, FakeCard] = {}
        self.on = on or nothing
        self._pins = pins

    def insert(self, card: FakeCard) -> None:
        self.inserted[card.serial] = card

    def pull(self, serial: str) -> None:
        self.inserted.pop(serial, None)

    @contextmanager
    def session(self) -> Generator[None]:
        yield

    def cards(self) -> list[CardSeen]:
        return [
            CardSeen(slot=str(i), serial=c.serial, label=c.label, certificate=c.certificate)
            for i, c in enumerate(self.inserted.values())
        ]

    def open(self, serial: str, pin: Pin) -> "FakeOpenCard":
        card = self.inserted.get(serial)
        if card is None:
            raise CardAbsent(serial)
        if self._pins.left(serial) == 0:
            raise PinSpent(serial)
        self._pins.count(serial)
        if pin.secret() != card.pin:
            raise WrongPin(serial, self._pins.left(serial))
        self._pins.clear(serial)
        if card.certificate is None:
            raise NoCertificate(serial)
        return FakeOpenCard(self, card, card.certificate)

    def renew_pin(self, serial: str, so_pin: Pin, new_pin: Pin) -> None:
        card = self.inserted.get(serial)
        if card is None:
            raise CardAbsent(serial)
        if self._pins.left(so_tries(serial)) == 0:
            raise SoPinSpent(serial)
        self._pins.count(so_tries(serial))
        if so_pin.secret() != card.so_pin:
            raise WrongSoPin(serial, self._pins.left(so_tries(serial)))
        self._pins.clear(so_tries(serial))
        if len(new_pin.secret()) < 4:
            raise PinUnfit(serial)
        card.pin = new_pin.secret()
        self._pins.clear(serial)


class FakeOpenCard:
    def __init__(self, reader: FakeReader, card: FakeCard, certificate: bytes) -> None:
        self._reader = reader
        self._card = card
        self._certificate = certificate

    @property
    def serial(self) -> str:
        return self._card.serial

    @property
    def certificate(self) -> bytes:
        return self._certificate

    @property
    def alg(self) -> str:
        return ECDSA_SHA256 if isinstance(self._card.key, ec.EllipticCurvePrivateKey) else RSA_SHA256

    def sign(self, data: bytes) -> CardSignature:
        return self._guarded("sign", lambda: _sign(self._card.key, data))

    def labels(self) -> list[str]:
        return self._guarded("labels", lambda: [label for label, _ in self._objects()])

    def read(self, label: str) -> bytes | None:
        found = self._guarded(f"read {label}", lambda: [v for n, v in self._objects() if n == label])
        return found[0] if len(found) == 1 else None

    def write(self, label: str, value: bytes) -> None:
        def append() -> None:
            if sum(len(v) for _, v in self._card.objects) + len(value) > self._card.room:
                raise CardFull(self.serial)
            self._card.objects.append((label, value))

        self._guarded(f"write {label}", append)

    def delete(self, label: str) -> None:
        def remove() -> None:
            self._card.objects[:] = [(n, v) for n, v in self._card.objects if n != label]

        self._guarded(f"delete {label}", remove)

    def _objects(self) -> list[tuple[str, bytes]]:
        return list(self._card.objects) if self.serial in self._reader.inserted else []

    def _guarded(self, name: str, operation: Callable[[], T]) -> T:
        self._reader.on(f"before {name}")
        reads = name.startswith(("read", "labels"))
        if not reads and self.serial not in self._reader.inserted:
            raise CardRemoved(self.serial)
        result = operation()
        self._reader.on(f"after {name}")
        if self.serial not in self._reader.inserted:
            raise CardRemoved(self.serial)
        return result


def _sign(key: Key, data: bytes) -> CardSignature:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return CardSignature(alg=ECDSA_SHA256, value=key.sign(data, ec.ECDSA(hashes.SHA256())))
    return CardSignature(alg=RSA_SHA256, value=key.sign(data, padding.PKCS1v15(), hashes.SHA256()))
