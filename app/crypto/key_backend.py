"""What a place that keeps the server's master keys can do. Pure.

Keys are known by label: purpose and version, `kek-v1`, `order-v1`, `checkpoint-v2`. A key never leaves. One may be brought
in from outside (a ceremony, a restored backup); of one that is lost the public half can stay, for what it once signed.
"""

from typing import Protocol

KEK_PREFIX = "kek-"


class KeyFault(Exception):
    """The key is missing, or what it was given does not fit it."""


class TokenSilent(Exception):
    """The token does not answer, or is not there."""


class KeyBackend(Protocol):
    """SoftHSM or hardware behind PKCS#11; a file in tests."""

    name: str

    def exists(self) -> bool: ...

    def labels(self) -> list[str]: ...

    def public_labels(self) -> list[str]: ...

    def generate(self, label: str) -> None: ...

    def bring_in(self, label: str, secret: bytes) -> None: ...

    def bring_in_public(self, label: str, spki: bytes) -> None: ...

    def encrypt(self, label: str, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes: ...

    def decrypt(self, label: str, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes: ...

    def sign(self, label: str, data: bytes) -> bytes: ...

    def public_key(self, label: str) -> bytes: ...
