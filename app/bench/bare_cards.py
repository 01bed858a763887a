"""The bare PKCS#11 and crypto operations that one production at a station contains, and nothing around them.

What `card_agent.making` cannot do without, with the same cards, keys and sizes: log in to both cards, five signatures, an
envelope and its manifest written and read back, the pair before them deleted, and the server's two statements verified.
Looking for cards and keys, presence after every step, canonical JSON, the journal and the server are no part of it.
"""

import os
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pkcs11
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from pkcs11 import Attribute, Mechanism, ObjectClass

LABELS = ("BENCH.A", "BENCH.M")


class BareCards:
    """Both cards of one station. `module`: the library; `cards`: (serial, PIN) of the maker and of the seal card."""

    def __init__(self, module: Path, cards: tuple[tuple[str, str], tuple[str, str]]) -> None:
        self._cards = cards
        self._library: Any = pkcs11.lib(str(module))
        self._server = ec.generate_private_key(ec.SECP256R1())
        self._statement = os.urandom(900)
        self._signature = self._server.sign(self._statement, ec.ECDSA(hashes.SHA256()))

    def once(self, *, envelope: bytes, manifest: bytes, seal_info: bytes) -> float:
        """Seconds for one production's worth of operations."""
        began = time.perf_counter()
        self._library.reinitialize()
        slots = {_serial(s.get_token()): s.get_token() for s in self._library.get_slots(token_present=True)}
        maker, card = (slots[serial].open(rw=True, user_pin=pin) for serial, pin in self._cards)
        keys = [
            next(iter(list(s.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})))) for s in (maker, card)
        ]
        self._verify()  # the order
        _sign(keys[0], seal_info)
        for key in keys:  # both possess their keys
            _sign(key, self._statement)
        self._verify()  # the leave to write
        for label, value in zip(LABELS, (envelope, manifest), strict=True):
            card.create_object(
                {
                    Attribute.CLASS: ObjectClass.DATA, Attribute.TOKEN: True, Attribute.PRIVATE: True,
                    Attribute.LABEL: label, Attribute.VALUE: value,
                }
            )  # fmt: skip
        for label, value in zip(LABELS, (envelope, manifest), strict=True):
            (found,) = list(card.get_objects({Attribute.CLASS: ObjectClass.DATA, Attribute.LABEL: label}))
            if sha256(bytes(found[Attribute.VALUE])).digest() != sha256(value).digest():
                raise RuntimeError("the card gives back something else")
            found.destroy()
        for key in keys:  # both receipts
            _sign(key, self._statement)
        maker.close()
        card.close()
        return time.perf_counter() - began

    def _verify(self) -> None:
        self._server.public_key().verify(self._signature, self._statement, ec.ECDSA(hashes.SHA256()))


def _serial(token: Any) -> str:
    return bytes(token.serial).decode("ascii").strip()


def _sign(key: Any, data: bytes) -> None:
    key.sign(sha256(data).digest(), mechanism=Mechanism.ECDSA)
