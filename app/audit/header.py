"""The header of a log entry: its bytes are fixed for good (docs/log-entry.md). Pure.

Big-endian throughout:

    magic          3  "YXL"
    version        1  0x01
    algorithm      1  0x01 = payload AES-256-GCM, tree SHA-256
    index alg      1  0x01 = HMAC-SHA-256, first 16 bytes
    data key id   16  a row of `data_key`
    index key      2  version of the key behind the tokens
    time           8  microseconds since 1970-01-01T00:00:00Z
    unit           8  id of the unit concerned, 0 for none
    result         1  1 = a fact, 2 = a refusal
    writer        16  random id of the writer
    counter        8  1, 2, 3, … for each writer
    class        1+n  length, ASCII
    action       1+n  length, ASCII
    tokens      2+17k count, then each: field code 1, token 16; ascending, no two equal
"""

import hashlib
import struct
from dataclasses import dataclass
from typing import Literal

Result = Literal["fact", "refused"]
MAGIC, VERSION = b"YXL", 1
AES_256_GCM_SHA_256 = 1
HMAC_SHA_256_128 = 1
NONCE_BYTES = 12
RESULTS: dict[Result, int] = {"fact": 1, "refused": 2}
_RESULT_OF: dict[int, Result] = {1: "fact", 2: "refused"}
_FIXED = struct.Struct(">3sBBB16sHqQB16sQ")
_TOKEN_BYTES = 17


class HeaderFault(ValueError):
    """These bytes are no header of a version we know."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """One entry's header. `tokens`: (field code, 16 bytes), ascending."""

    ts_us: int
    log_class: str
    action: str
    unit_id: int
    result: Result
    writer_id: bytes
    writer_counter: int
    tokens: tuple[tuple[int, bytes], ...]
    key_id: bytes
    index_key_version: int
    alg: int = AES_256_GCM_SHA_256
    index_alg: int = HMAC_SHA_256_128

    def pack(self) -> bytes:
        fixed = _FIXED.pack(
            MAGIC,
            VERSION,
            self.alg,
            self.index_alg,
            self.key_id,
            self.index_key_version,
            self.ts_us,
            self.unit_id,
            RESULTS[self.result],
            self.writer_id,
            self.writer_counter,
        )
        texts = b"".join(bytes([len(t)]) + t.encode("ascii") for t in (self.log_class, self.action))
        tokens = b"".join(bytes([code]) + token for code, token in self.tokens)
        return fixed + texts + struct.pack(">H", len(self.tokens)) + tokens


def unpack(data: bytes) -> Header:
    """Read a header. Raises HeaderFault unless every byte has its meaning and packing gives them back."""
    try:
        return _unpack(data)
    except (struct.error, IndexError, UnicodeDecodeError, KeyError) as error:
        raise HeaderFault(f"damaged header: {error}") from error


def _unpack(data: bytes) -> Header:
    magic, version, alg, index_alg, key_id, index_key, ts_us, unit_id, result, writer, counter = (
        _FIXED.unpack_from(data)
    )
    if magic != MAGIC or version != VERSION:
        raise HeaderFault(f"unknown header {magic!r} version {version}")
    if alg != AES_256_GCM_SHA_256 or index_alg != HMAC_SHA_256_128:
        raise HeaderFault(f"unknown algorithm {alg}, {index_alg}")
    log_class, at = _text(data, _FIXED.size)
    action, at = _text(data, at)
    (count,) = struct.unpack_from(">H", data, at)
    at += 2
    if len(data) != at + count * _TOKEN_BYTES:
        raise HeaderFault("wrong length")
    tokens = tuple((data[i], data[i + 1 : i + _TOKEN_BYTES]) for i in range(at, len(data), _TOKEN_BYTES))
    if list(tokens) != sorted(set(tokens)):
        raise HeaderFault("tokens out of order")
    return Header(
        ts_us=ts_us,
        log_class=log_class,
        action=action,
        unit_id=unit_id,
        result=_RESULT_OF[result],
        writer_id=writer,
        writer_counter=counter,
        tokens=tokens,
        key_id=key_id,
        index_key_version=index_key,
        alg=alg,
        index_alg=index_alg,
    )


def _text(data: bytes, at: int) -> tuple[str, int]:
    end = at + 1 + data[at]
    if end > len(data):
        raise HeaderFault("wrong length")
    return data[at + 1 : end].decode("ascii"), end


def leaf_data(header: bytes, nonce: bytes, ciphertext: bytes) -> bytes:
    """What the tree is made of: the stored bytes as they are, never encoded anew."""
    return struct.pack(">I", len(header)) + header + nonce + ciphertext


def leaf_hash(header: bytes, nonce: bytes, ciphertext: bytes) -> bytes:
    """SHA-256(0x00 ‖ leaf data), RFC 6962 §2.1."""
    return hashlib.sha256(b"\x00" + leaf_data(header, nonce, ciphertext)).digest()
