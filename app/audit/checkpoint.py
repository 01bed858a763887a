"""Checkpoints: what the tree was at one moment, as a C2SP signed note (tlog-checkpoint). Pure.

    yinxu.log/3f0c…          the log's origin
    42                       leaves
    base64 of the root
    (empty line)
    — yinxu.log/3f0c… base64(key id ‖ signature)

Signature type 0x02: ECDSA P-256 over SHA-256 of the text, DER; key id = first 4 bytes of SHA-256 over the
public key (SubjectPublicKeyInfo, DER). One signature each, by the key in the server's token.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

TYPE_ECDSA = 0x02
KEY_ID_BYTES = 4
_DASH = "— "


class NoteFault(ValueError):
    """This text is no checkpoint, or its signature is not by a key we know."""


@dataclass(frozen=True)
class Checkpoint:
    """The statement itself, without signature."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{_b64(self.root)}\n"


@dataclass(frozen=True)
class Note:
    """A signed checkpoint as it was written down."""

    checkpoint: Checkpoint
    key_id: bytes
    signature: bytes

    def pack(self) -> str:
        line = f"{_DASH}{self.checkpoint.origin} {_b64(self.key_id + self.signature)}\n"
        return f"{self.checkpoint.text()}\n{line}"


def origin_of(public_key: bytes) -> str:
    """A log's name: made once, from its first signing key."""
    return f"yinxu.log/{hashlib.sha256(public_key).hexdigest()[:16]}"


def key_id(public_key: bytes) -> bytes:
    return hashlib.sha256(public_key).digest()[:KEY_ID_BYTES]


def verifier_key(origin: str, public_key: bytes) -> str:
    """The public key as C2SP tools take it: name+id+base64(type ‖ key)."""
    return f"{origin}+{key_id(public_key).hex()}+{_b64(bytes([TYPE_ECDSA]) + public_key)}"


def parse_verifier_key(line: str) -> tuple[str, bytes]:
    """(origin, public key). Raises NoteFault."""
    try:
        name, hexed, encoded = line.strip().split("+", 2)
        data = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise NoteFault("not a verifier key") from error
    if data[:1] != bytes([TYPE_ECDSA]) or key_id(data[1:]).hex() != hexed:
        raise NoteFault("not an ECDSA verifier key, or its id does not fit")
    return name, data[1:]


def parse(note: str) -> Note:
    """Read a checkpoint written by us. Raises NoteFault unless it is one, to the last byte."""
    lines = note.split("\n")
    if len(lines) != 6 or lines[3] or lines[5] or not lines[4].startswith(_DASH):
        raise NoteFault("not a checkpoint of three lines and one signature")
    origin, size, root = lines[:3]
    name, _, encoded = lines[4][len(_DASH) :].rpartition(" ")
    try:
        signed = base64.b64decode(encoded, validate=True)
        found = Note(
            Checkpoint(origin, int(size), base64.b64decode(root, validate=True)),
            signed[:KEY_ID_BYTES],
            signed[KEY_ID_BYTES:],
        )
    except ValueError as error:
        raise NoteFault(f"damaged checkpoint: {error}") from error
    if name != origin or len(found.checkpoint.root) != 32 or found.pack() != note:
        raise NoteFault("damaged checkpoint")
    return found


def check(
    note: str, public_keys: Iterable[bytes], verify: Callable[[bytes, bytes, bytes], bool]
) -> tuple[Checkpoint, bytes]:
    """(checkpoint, the key that signed it). `verify(key, signature, data)`. Raises NoteFault."""
    found = parse(note)
    for public_key in public_keys:
        if key_id(public_key) == found.key_id:
            if not verify(public_key, found.signature, found.checkpoint.text().encode()):
                raise NoteFault("the signature is wrong")
            return found.checkpoint, public_key
    raise NoteFault("signed by an unknown key")


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
