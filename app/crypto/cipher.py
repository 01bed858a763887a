"""AES-256-GCM with a data key: the one cipher for what the server stores."""

from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES, TAG_BYTES = 12, 16


class DoesNotOpen(Exception):
    """Key, nonce, ciphertext and associated data do not belong together."""


@lru_cache(maxsize=64)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def encrypt(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """Ciphertext and tag. A nonce (12 bytes) is used once under a key."""
    return _cipher(key).encrypt(nonce, plaintext, aad)


def decrypt(key: bytes, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes:
    """The plaintext. Raises DoesNotOpen."""
    try:
        return _cipher(key).decrypt(nonce, ciphertext, aad)
    except (InvalidTag, ValueError) as error:
        raise DoesNotOpen("authentication failed") from error
