"""Cards over PKCS#11. The traps it steps around are measured in docs/card-layer.md.

- One thread uses the library (C_Initialize without locks: two threads corrupt memory).
- Before each ritual the library is initialised anew: SoftHSM reads its tokens then only, and a session that a
wrong PIN leaked, or a pulled card left behind, is gone. - After a pull a search finds nothing *without an
error*, so presence is asked after every operation. - `wait_for_slot_event` is never used (it raises TypeError
when an event comes); see `watcher.py`.
"""

import contextlib
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, TokenFlag

from card_agent.card.pin_counter import PinCounter, so_tries
from card_agent.fault import (
    CardAbsent,
    CardFull,
    CardRemoved,
    CardUnusable,
    Fault,
    NoCertificate,
    PinLocked,
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

APPLICATION = "yinxu"
_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""DigestInfo of SHA-256, for cards that offer raw RSA only."""


class Pkcs11Reader:
    """`module`: the library of the cards. Implements `interface.Reader`."""

    def __init__(self, module: Path, pins: PinCounter) -> None:
        self._module = str(module)
        self._pins = pins
        self._library: Any = None
        self._thread: int | None = None
        self._opened: list[Any] = []

    @contextmanager
    def session(self) -> Generator[None]:
        if self._thread is not None:
            raise RuntimeError("the card library belongs to one thread, one ritual at a time")
        self._thread = threading.get_ident()
        try:
            self._fresh()
            yield
        except BaseException:
            # a card pulled while it was opened has left a session that nobody holds
            with contextlib.suppress(pkcs11.PKCS11Error):
                self._fresh()
            raise
        finally:
            self._close_all()
            self._thread = None

    def cards(self) -> list[CardSeen]:
        return list_cards(self._lib())

    def open(self, serial: str, pin: Pin) -> "Pkcs11Card":
        slot, token = self._find(serial)
        self._check_tries(serial, token)
        self._pins.count(serial)
        try:
            session = token.open(rw=True, user_pin=pin.secret())
        except (pkcs11.PinIncorrect, pkcs11.PinLenRange, pkcs11.PinInvalid) as error:
            # the failed login has leaked its session; only a fresh library is rid of it
            self._fresh()
            raise WrongPin(serial, self._pins.left(serial)) from error
        except pkcs11.PinLocked as error:
            self._fresh()
            raise PinLocked(serial) from error
        except pkcs11.PKCS11Error as error:
            self._pins.uncount(serial)
            raise fault_of(error, serial, slot) from error
        self._pins.clear(serial)
        self._opened.append(session)
        return Pkcs11Card(session, slot, serial)

    def renew_pin(self, serial: str, so_pin: Pin, new_pin: Pin) -> None:
        slot, token = self._find(serial)
        tries = so_tries(serial)
        flags = TokenFlag(token.flags)
        if (
            self._pins.left(tries) == 0
            or TokenFlag.SO_PIN_FINAL_TRY in flags
            or TokenFlag.SO_PIN_LOCKED in flags
        ):
            raise SoPinSpent(serial)
        self._pins.count(tries)
        try:
            session = token.open(rw=True, so_pin=so_pin.secret())
        except (pkcs11.PinIncorrect, pkcs11.PinLenRange, pkcs11.PinInvalid) as error:
            self._fresh()  # as in `open`: the failed login has leaked its session
            raise WrongSoPin(serial, self._pins.left(tries)) from error
        except pkcs11.PKCS11Error as error:
            self._pins.uncount(tries)
            raise fault_of(error, serial, slot) from error
        self._pins.clear(tries)
        try:
            session.init_pin(new_pin.secret())
        except (pkcs11.PinLenRange, pkcs11.PinInvalid, pkcs11.ArgumentsBad) as error:
            raise PinUnfit(serial) from error
        except pkcs11.PKCS11Error as error:
            raise fault_of(error, serial, slot) from error
        finally:
            self._fresh()  # out of the SO's login, which stands in the way of the user's
        self._pins.clear(serial)

    def _find(self, serial: str) -> tuple[Any, Any]:
        for slot in self._lib().get_slots(token_present=True):
            try:
                token = slot.get_token()
            except pkcs11.PKCS11Error:
                continue  # pulled between the two questions
            if serial_of(token) == serial:
                return slot, token
        raise CardAbsent(serial)

    def _check_tries(self, serial: str, token: Any) -> None:
        flags = TokenFlag(token.flags)
        if TokenFlag.USER_PIN_LOCKED in flags:
            raise PinLocked(serial)
        if self._pins.left(serial) == 0 or TokenFlag.USER_PIN_FINAL_TRY in flags:
            raise PinSpent(serial)

    def _lib(self) -> Any:
        if self._thread != threading.get_ident():
            raise RuntimeError("the card library is used outside its ritual's thread")
        return self._library

    def _fresh(self) -> None:
        self._opened.clear()
        if self._library is None:
            self._library = pkcs11.lib(self._module)
        self._library.reinitialize()

    def _close_all(self) -> None:
        for session in self._opened:
            try:
                session.close()
            except pkcs11.PKCS11Error:
                continue  # its card is gone, and so is the session
        self._opened.clear()


class Pkcs11Card:
    """Implements `interface.OpenCard`."""

    def __init__(self, session: Any, slot: Any, serial: str) -> None:
        self._session = session
        self._slot = slot
        self._serial = serial
        self._key, self._certificate = self._guarded(self._key_and_certificate)
        self._alg = self._guarded(lambda: _algorithm(self._key))

    @property
    def serial(self) -> str:
        return self._serial

    @property
    def certificate(self) -> bytes:
        return self._certificate

    @property
    def alg(self) -> str:
        return self._alg

    def sign(self, data: bytes) -> CardSignature:
        return self._guarded(lambda: _sign(self._key, self._slot, data))

    def labels(self) -> list[str]:
        return self._guarded(lambda: [str(o[Attribute.LABEL]) for o in self._data()])

    def read(self, label: str) -> bytes | None:
        found = self._guarded(lambda: [bytes(o[Attribute.VALUE]) for o in self._data() if _is(o, label)])
        return found[0] if len(found) == 1 else None

    def write(self, label: str, value: bytes) -> None:
        template = {
            Attribute.CLASS: ObjectClass.DATA,
            Attribute.TOKEN: True,
            Attribute.PRIVATE: True,
            Attribute.LABEL: label,
            Attribute.APPLICATION: APPLICATION,
            Attribute.VALUE: value,
        }
        self._guarded(lambda: self._session.create_object(template))

    def delete(self, label: str) -> None:
        def delete_all() -> None:
            for thing in self._data():
                if _is(thing, label):
                    thing.destroy()

        self._guarded(delete_all)

    def _data(self) -> list[Any]:
        # the search is read to its end: an open one blocks the next
        return list(self._session.get_objects({Attribute.CLASS: ObjectClass.DATA}))

    def _key_and_certificate(self) -> tuple[Any, bytes]:
        """The private key that has a certificate of its own id; the first, by label."""
        certificates = {
            bytes(c[Attribute.ID]): bytes(c[Attribute.VALUE])
            for c in list(self._session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE}))
        }
        keys = list(
            self._session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.SIGN: True})
        )
        for key in sorted(keys, key=lambda k: str(k[Attribute.LABEL])):
            certificate = certificates.get(bytes(key[Attribute.ID]))
            if certificate is not None and _readable(certificate):
                return key, certificate
        raise NoCertificate(self._serial)

    def _guarded(self, operation: Callable[[], T]) -> T:
        """The operation's result, once the card has proved to be in its reader still."""
        try:
            result = operation()
        except pkcs11.PKCS11Error as error:
            raise fault_of(error, self._serial, self._slot) from error
        except NoCertificate:
            self._check_present()  # a pulled card looks blank
            raise
        self._check_present()
        return result

    def _check_present(self) -> None:
        if not is_present(self._slot, self._serial):
            raise CardRemoved(self._serial)


def fault_of(error: pkcs11.PKCS11Error, serial: str, slot: Any) -> Fault:
    if not is_present(slot, serial):
        return CardRemoved(serial)
    if isinstance(error, pkcs11.DeviceMemory):
        return CardFull(serial)
    return CardUnusable(serial, type(error).__name__)


def is_present(slot: Any, serial: str) -> bool:
    try:
        return serial_of(slot.get_token()) == serial
    except pkcs11.PKCS11Error:
        return False


def serial_of(token: Any) -> str:
    return bytes(token.serial).decode("ascii", "replace").strip()


def list_cards(library: Any) -> list[CardSeen]:
    """Every card in a reader, with the certificate that can be read without a PIN."""
    found: list[CardSeen] = []
    for slot in library.get_slots(token_present=True):
        try:
            token = slot.get_token()
            if TokenFlag.TOKEN_INITIALIZED not in TokenFlag(token.flags):
                continue
            found.append(
                CardSeen(
                    slot=str(slot.slot_id),
                    serial=serial_of(token),
                    label=str(token.label).strip(),
                    certificate=_public_certificate(token),
                )
            )
        except pkcs11.PKCS11Error:
            continue  # pulled while we looked
    return found


def _public_certificate(token: Any) -> bytes | None:
    with token.open() as session:
        certificates = [
            bytes(c[Attribute.VALUE])
            for c in list(session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE}))
        ]
    leaves = [c for c in certificates if _readable(c)]
    return leaves[0] if leaves else None


def _readable(certificate: bytes) -> bool:
    """A certificate of an end entity, as far as we can read it."""
    try:
        extensions = x509.load_der_x509_certificate(certificate).extensions
        return not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return True
    except ValueError:
        return False


def _is(thing: Any, label: str) -> bool:
    return str(thing[Attribute.LABEL]) == label


def _algorithm(key: Any) -> str:
    return ECDSA_SHA256 if key.key_type == KeyType.EC else RSA_SHA256


def _sign(key: Any, slot: Any, data: bytes) -> CardSignature:
    if key.key_type == KeyType.EC:
        raw = bytes(key.sign(sha256(data).digest(), mechanism=Mechanism.ECDSA))
        half = len(raw) // 2
        r, s = int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
        return CardSignature(alg=ECDSA_SHA256, value=encode_dss_signature(r, s))
    if Mechanism.SHA256_RSA_PKCS in slot.get_mechanisms():
        return CardSignature(alg=RSA_SHA256, value=bytes(key.sign(data, mechanism=Mechanism.SHA256_RSA_PKCS)))
    info = _SHA256_INFO + sha256(data).digest()
    return CardSignature(alg=RSA_SHA256, value=bytes(key.sign(info, mechanism=Mechanism.RSA_PKCS)))
