"""The station's own key (Ed25519), made at enrolment, in a file only this user can read; and its signed
requests."""

import os
import secrets
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from card_agent.protocol import request
from card_agent.protocol.codec import moment_text


class StationKey:
    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def load(cls, path: Path) -> "StationKey":
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError(f"{path} holds no Ed25519 key")
        return cls(key)

    @classmethod
    def create(cls, path: Path) -> "StationKey":
        """A fresh key in a file of mode 600, replacing one that a broken enrolment left."""
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_private(path, pem)
        return cls(key)

    @property
    def public_key(self) -> bytes:
        """32 bytes."""
        return self._key.public_key().public_bytes_raw()

    def headers(self, path: str, body: bytes, station: str) -> dict[str, str]:
        """What makes a POST of this body the station's own, once, now."""
        head = request.RequestHead(
            method="POST",
            path=path,
            station=station,
            time=moment_text(datetime.now(UTC)),
            nonce=secrets.token_hex(16),
        )
        signature = b64encode(self._key.sign(head.signed_bytes(body))).decode()
        return {
            request.STATION: head.station,
            request.TIME: head.time,
            request.NONCE: head.nonce,
            request.SIGNATURE: request.SIGNATURE_PREFIX + signature,
        }


def write_private(path: Path, data: bytes) -> None:
    """Mode 600 from its first moment, whole or not at all."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
