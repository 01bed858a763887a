"""Sealed envelopes: what the server encrypts at rest, and only it can open (A10).

An envelope, version 1 (fixed for good; golden example in tests/crypto/test_vault.py):

    magic      3  "YXV"
    version    1  0x01
    algorithm  1  0x01 = AES-256-GCM
    key id    16  a row of `data_key`, which names the KEK's version and algorithm that wrap it
    nonce     12
    ciphertext and tag

Header (all before the ciphertext) and context are authenticated: `header ‖ canonical JSON of context`. The
context says what the envelope is for, e.g. {"kind": "impression", "id": 7}; an envelope put in another's
place does not open.
"""

import json
import os
from dataclasses import dataclass
from typing import Any

from app.crypto import cipher
from app.crypto.keys import KeyFault, keyring
from app.refusal import Refusal

MAGIC, VERSION, AES_256_GCM = b"YXV", 1, 1
HEADER_BYTES, NONCE_BYTES, TAG_BYTES = 33, 12, 16


class VaultError(Refusal):
    """The envelope does not open: damaged, not ours, or meant for another place."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            "vault.unreadable",
            zh="密文无法解开：已损坏、不属于本系统，或被放错位置；请联系系统管理员从备份恢复",
            en="The ciphertext does not open: damaged, not this system's, or in the wrong place; "
            "ask the system administrator to restore it from a backup",
            reason=reason,
        )


@dataclass(frozen=True)
class Header:
    """What an envelope says of itself without any key."""

    alg: int
    key_id: bytes
    nonce: bytes

    def pack(self) -> bytes:
        return MAGIC + bytes([VERSION, self.alg]) + self.key_id + self.nonce


def header_of(envelope: bytes) -> Header:
    """Read the header. Raises VaultError if this is no envelope of a version we know."""
    if len(envelope) < HEADER_BYTES + TAG_BYTES or envelope[:3] != MAGIC:
        raise VaultError("not an envelope")
    if envelope[3] != VERSION or envelope[4] != AES_256_GCM:
        raise VaultError(f"version {envelope[3]}, algorithm {envelope[4]} unknown")
    return Header(envelope[4], envelope[5:21], envelope[21:33])


def seal(plaintext: bytes, *, context: dict[str, Any]) -> bytes:
    """Encrypt under this month's data key, for the place that `context` describes (JSON values)."""
    key_id, key = keyring().data_key("vault")
    return seal_with(key, Header(AES_256_GCM, key_id, os.urandom(NONCE_BYTES)), plaintext, context)


def open(envelope: bytes, *, context: dict[str, Any]) -> bytes:
    """Decrypt. Raises VaultError when a byte or the context differs from what was sealed."""
    header = header_of(envelope)
    try:
        key = keyring().data_key_by_id(header.key_id)
    except KeyFault as error:
        raise VaultError(str(error)) from error
    return open_with(key, envelope, context)


def seal_with(key: bytes, header: Header, plaintext: bytes, context: dict[str, Any]) -> bytes:
    """The format itself, without the key store."""
    packed = header.pack()
    return packed + cipher.encrypt(key, header.nonce, plaintext, packed + _canonical(context))


def open_with(key: bytes, envelope: bytes, context: dict[str, Any]) -> bytes:
    header = header_of(envelope)
    packed, ciphertext = envelope[:HEADER_BYTES], envelope[HEADER_BYTES:]
    try:
        return cipher.decrypt(key, header.nonce, ciphertext, packed + _canonical(context))
    except cipher.DoesNotOpen as error:
        raise VaultError(str(error)) from error


def _canonical(context: dict[str, Any]) -> bytes:
    return json.dumps(context, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
