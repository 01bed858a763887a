"""Server keys in a file: for fast tests only; the settings refuse it in production.

The file is JSON, mode 600, `label -> base64`; written once for each key, under a lock, so that web and
worker of one test share it. It makes its keys by itself the first time it is asked.
"""

import base64
import contextlib
import fcntl
import json
from collections.abc import Generator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.crypto import key_material
from app.crypto.key_backend import KEK_PREFIX, KeyFault

PUBLIC_ONLY = "public:"


class SoftwareKeys:
    """AES-256 and P-256 keys by label (`kek-v1`, `order-v1`, …)."""

    name = "software"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._secrets: dict[str, bytes] = {}

    def exists(self) -> bool:
        return True

    def labels(self) -> list[str]:
        self._read()
        return sorted(label for label in self._secrets if not label.startswith(PUBLIC_ONLY))

    def public_labels(self) -> list[str]:
        """Signing keys, also those of which only the public half is here."""
        self._read()
        known = {label.removeprefix(PUBLIC_ONLY) for label in self._secrets}
        return sorted(label for label in known if not label.startswith(KEK_PREFIX))

    def generate(self, label: str) -> None:
        """Make the key unless it is there; AES-256 for a `kek-…`, P-256 for all others."""
        with self._locked():
            self._read()
            if label in self._secrets:
                return
            self._secrets[label] = key_material.new(label).secret
            self._write()

    def bring_in(self, label: str, secret: bytes) -> None:
        """Keep a key made elsewhere. Raises KeyFault when there is one of this label, or it is no key."""
        self._keep(label, key_material.of(label, secret).secret)

    def bring_in_public(self, label: str, spki: bytes) -> None:
        self._keep(PUBLIC_ONLY + label, spki)

    def _keep(self, label: str, secret: bytes) -> None:
        with self._locked():
            self._read()
            if label in self._secrets:
                raise KeyFault(f"{label} is there already")
            self._secrets[label] = secret
            self._write()

    def encrypt(self, label: str, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        return AESGCM(self._secret(label)).encrypt(nonce, plaintext, aad)

    def decrypt(self, label: str, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes:
        try:
            return AESGCM(self._secret(label)).decrypt(nonce, ciphertext, aad)
        except InvalidTag as error:
            raise KeyFault(f"{label} does not open this") from error

    def sign(self, label: str, data: bytes) -> bytes:
        """ECDSA over SHA-256, DER."""
        return self._private(label).sign(data, ec.ECDSA(hashes.SHA256()))

    def public_key(self, label: str) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        self._read()
        if PUBLIC_ONLY + label in self._secrets:
            return self._secrets[PUBLIC_ONLY + label]
        found = key_material.of(label, self._secret(label)).public
        if found is None:
            raise KeyFault(f"{label} is no signing key")
        return found

    def _private(self, label: str) -> ec.EllipticCurvePrivateKey:
        return key_material.private_key(label, self._secret(label))

    def _secret(self, label: str) -> bytes:
        if label not in self._secrets:
            self._read()
        if label not in self._secrets:
            raise KeyFault(f"there is no key {label}")
        return self._secrets[label]

    def _read(self) -> None:
        if self._path.exists():
            stored = json.loads(self._path.read_text())
            self._secrets = {label: base64.b64decode(value) for label, value in stored.items()}

    def _write(self) -> None:
        stored = {label: base64.b64encode(value).decode() for label, value in self._secrets.items()}
        fresh = self._path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(stored))
        fresh.replace(self._path)

    @contextlib.contextmanager
    def _locked(self) -> Generator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
