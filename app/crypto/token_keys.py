"""Server keys in a PKCS#11 token: made inside or brought in at a ceremony, never extractable.

python-pkcs11 initialises modules without their own locks, and two threads then corrupt memory (measured);
so there is one session a process, and one lock around every use of it. A fork inherits nothing: the session
belongs to the process that opened it, and a child opens its own.
"""

import contextlib
import os
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pkcs11
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.mechanisms import GCMParams
from pkcs11.util.ec import (
    decode_ec_private_key,
    decode_ec_public_key,
    encode_ec_public_key,
    encode_named_curve_parameters,
)

from app.crypto import key_material
from app.crypto.key_backend import KEK_PREFIX, KeyFault, TokenSilent
from app.crypto.softhsm import create_token, keep_tokens, logging_in

TAG_BITS = 128
_UNREADABLE = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
_KEPT = {**_UNREADABLE, Attribute.TOKEN: True, Attribute.PRIVATE: True}
_WRAPPING = {Attribute.ENCRYPT: True, Attribute.DECRYPT: True}
_lock = threading.RLock()
_opened: dict[tuple[int, str, str], Any] = {}
_lost: list[Any] = []
"""Sessions of a parent process: kept, because closing them here would close what is not ours."""


class TokenKeys:
    """Keys of one token, found by its label. `conf`: SoftHSM's configuration file, or None for hardware."""

    name = "pkcs11"

    def __init__(self, module: Path, token_label: str, pin: str, conf: Path | None) -> None:
        self._module = str(module)
        self._label = token_label
        self.__pin = pin
        self._conf = conf

    def exists(self) -> bool:
        try:
            with self._session():
                return True
        except TokenSilent:
            return False

    def create_token(self, so_pin: str) -> None:
        """A new SoftHSM token in the folder beside its configuration."""
        if self._conf is None:
            raise TokenSilent("only a SoftHSM token can be created from here")
        tokens = self._conf.parent / "tokens"
        tokens.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._conf.parent.chmod(0o700)
        if not self._conf.exists():
            self._conf.write_text(
                f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
            )
        create_token(self._conf, self._label, pin=self.__pin, so_pin=so_pin)
        with _lock:
            _forget(self._key())

    def labels(self) -> list[str]:
        with self._session() as session:
            found = {
                str(thing[Attribute.LABEL])
                for kind in (ObjectClass.SECRET_KEY, ObjectClass.PRIVATE_KEY)
                for thing in session.get_objects({Attribute.CLASS: kind})
            }
        return sorted(found)

    def public_labels(self) -> list[str]:
        """Signing keys, also those of which only the public half is here."""
        with self._session() as session:
            found = session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY})
            return sorted({str(thing[Attribute.LABEL]) for thing in found})

    def bring_in(self, label: str, secret: bytes) -> None:
        """Import a key made elsewhere; from here on it cannot leave. Raises KeyFault when there is one of this label, or it
        is no key."""
        material = key_material.of(label, secret)
        if label in self.labels():
            raise KeyFault(f"{label} is there already")
        with self._session(writing=True) as session:
            if material.public is None:
                session.create_object({**_KEPT, **_WRAPPING, Attribute.CLASS: ObjectClass.SECRET_KEY,
                                       Attribute.KEY_TYPE: KeyType.AES, Attribute.VALUE: secret,
                                       Attribute.LABEL: label})  # fmt: skip
                return
            plain = key_material.private_key(label, secret).private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
            _import_public(session, label, material.public)
            session.create_object({**decode_ec_private_key(plain), **_KEPT,
                                   Attribute.SIGN: True, Attribute.LABEL: label})  # fmt: skip

    def bring_in_public(self, label: str, spki: bytes) -> None:
        """Keep the public half of a key that is no more. Raises KeyFault when there is one of this label."""
        if label in self.public_labels():
            raise KeyFault(f"{label} is there already")
        with self._session(writing=True) as session:
            _import_public(session, label, spki)

    def generate(self, label: str) -> None:
        """Make the key unless it is there; AES-256 for a `kek-…`, P-256 for all others."""
        if label in self.labels():
            return
        with self._session(writing=True) as session:
            if label.startswith(KEK_PREFIX):
                session.generate_key(
                    KeyType.AES, 256, label=label, store=True,
                    template={**_UNREADABLE, **_WRAPPING},
                )  # fmt: skip
                return
            curve = session.create_domain_parameters(
                KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}, local=True
            )
            curve.generate_keypair(
                label=label, store=True,
                private_template=_UNREADABLE,
            )  # fmt: skip

    def encrypt(self, label: str, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        with self._session() as session:
            return bytes(_kek(session, label).encrypt(plaintext, **_gcm(nonce, aad)))

    def decrypt(self, label: str, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes:
        with self._session() as session:
            try:
                return bytes(_kek(session, label).decrypt(ciphertext, **_gcm(nonce, aad)))
            except (pkcs11.GeneralError, pkcs11.EncryptedDataInvalid) as error:
                # SoftHSM 2.6 says GeneralError for a wrong tag; for a lost token too, so start anew
                _forget(self._key())
                raise KeyFault(f"{label} does not open this") from error

    def sign(self, label: str, data: bytes) -> bytes:
        """ECDSA over SHA-256, DER. The digest is made here: SoftHSM 2.6 offers raw ECDSA only."""
        digest = hashes.Hash(hashes.SHA256())
        digest.update(data)
        with self._session() as session:
            key = _find(session, ObjectClass.PRIVATE_KEY, label)
            raw = bytes(key.sign(digest.finalize(), mechanism=Mechanism.ECDSA))
        half = len(raw) // 2
        return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))

    def public_key(self, label: str) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        with self._session() as session:
            der = encode_ec_public_key(_find(session, ObjectClass.PUBLIC_KEY, label))
        key = serialization.load_der_public_key(der)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise KeyFault(f"{label} is no signing key")
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def _key(self) -> tuple[int, str, str]:
        return (os.getpid(), str(self._conf), self._label)

    @contextlib.contextmanager
    def _session(self, writing: bool = False) -> Generator[Any]:
        """The process's session under its lock. A dead one is let go; the next use opens anew."""
        with _lock:
            try:
                session = _opened.get(self._key())
                if session is None:
                    session = _opened[self._key()] = self._open()
                yield session
            except (KeyFault, TokenSilent):
                raise
            except pkcs11.PKCS11Error as error:
                _forget(self._key())
                raise TokenSilent(f"{type(error).__name__} {error}".strip()) from error

    def _open(self) -> Any:
        if self._conf is None:
            return self._log_in()
        if not self._conf.exists():
            raise TokenSilent(f"{self._conf} does not exist")
        os.environ["SOFTHSM2_CONF"] = str(self._conf)
        with logging_in(self._conf):
            keep_tokens(self._conf.parent / "tokens")
            return self._log_in()

    def _log_in(self) -> Any:
        for key in list(_opened):
            # another process's session, or another folder's in this process: the module knows only one
            _lost.append(_opened.pop(key))
        pkcs11.unload(self._module)
        library = pkcs11.lib(self._module)
        token = library.get_token(token_label=self._label)
        return token.open(user_pin=self.__pin, rw=True)


def _after_fork() -> None:
    """A thread of the parent may have held the lock; here it would never be let go."""
    global _lock  # noqa: PLW0603
    _lock = threading.RLock()


os.register_at_fork(after_in_child=_after_fork)


def _forget(key: tuple[int, str, str]) -> None:
    session = _opened.pop(key, None)
    if session is not None:
        with contextlib.suppress(pkcs11.PKCS11Error):
            session.close()


def _find(session: Any, kind: ObjectClass, label: str) -> Any:
    for found in session.get_objects({Attribute.CLASS: kind, Attribute.LABEL: label}):
        return found
    raise KeyFault(f"there is no key {label} in the token")


def _import_public(session: Any, label: str, spki: bytes) -> None:
    session.create_object({**decode_ec_public_key(spki), Attribute.TOKEN: True, Attribute.VERIFY: True,
                           Attribute.LABEL: label})  # fmt: skip


def _kek(session: Any, label: str) -> Any:
    return _find(session, ObjectClass.SECRET_KEY, label)


def _gcm(nonce: bytes, aad: bytes) -> dict[str, Any]:
    return {"mechanism": Mechanism.AES_GCM, "mechanism_param": GCMParams(nonce, aad, TAG_BITS)}
