#!/usr/bin/env python3
"""Check that one entry stands in the log of Yinxu, with nothing of Yinxu: the standard library, and openssl for the signature.

    python3 check_proof.py entry-42.tlog-proof --checkpoint 000000048213.checkpoint --keys log.vkey

The proof is what `yinxu audit prove 42` or the log's page gives. Checkpoint and keys come from the witness folder, or from
whoever you trust to have kept them. Exit code 0: proven; 1: not, and why. The formats are told in docs/log-entry.md.
"""

import argparse
import base64
import hashlib
import struct
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path


class NotProven(Exception):
    """Why this proof proves nothing."""


def read_checkpoint(text: str) -> tuple[str, int, bytes, str, bytes, bytes]:
    """(origin, leaves, root, the text that is signed, key id, signature) of a C2SP checkpoint."""
    lines = text.split("\n")
    if len(lines) != 6 or lines[3] or lines[5] or not lines[4].startswith("— "):
        raise NotProven("this is no checkpoint of three lines and one signature")
    name, _, signed = lines[4][2:].rpartition(" ")
    if name != lines[0]:
        raise NotProven("the signature names another log")
    signature = base64.b64decode(signed, validate=True)
    body = "\n".join(lines[:3]) + "\n"
    return (
        lines[0],
        int(lines[1]),
        base64.b64decode(lines[2], validate=True),
        body,
        signature[:4],
        signature[4:],
    )


def check_signature(text: str, keys: str) -> tuple[int, bytes]:
    """(leaves, root) that the checkpoint states, once one of the log's keys has signed it."""
    origin, size, root, body, key_id, signature = read_checkpoint(text)
    for line in keys.split():
        name, hexed, encoded = line.split("+", 2)
        key = base64.b64decode(encoded, validate=True)[1:]  # the first byte is the type: 2, ECDSA
        if name == origin and bytes.fromhex(hexed) == key_id == hashlib.sha256(key).digest()[:4]:
            if not signed_by(key, signature, body.encode()):
                raise NotProven("the checkpoint's signature is wrong")
            return size, root
    raise NotProven("the checkpoint is signed by none of these keys")


def signed_by(key: bytes, signature: bytes, data: bytes) -> bool:
    """Ask openssl: ECDSA over SHA-256; the key as SubjectPublicKeyInfo, the signature as DER."""
    with tempfile.TemporaryDirectory() as folder:
        for file, content in (("key", key), ("signature", signature), ("data", data)):
            Path(folder, file).write_bytes(content)
        words = [
            "openssl",
            "dgst",
            "-sha256",
            "-keyform",
            "DER",
            "-verify",
            "key",
            "-signature",
            "signature",
            "data",
        ]
        return subprocess.run(words, cwd=folder, capture_output=True, check=False).returncode == 0  # noqa: S603


def root_from(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that the path leads to: RFC 9162, 2.1.3.2."""
    if not 0 <= index < size:
        raise NotProven(f"there is no entry {index} in a log of {size}")
    at, last, value = index, size - 1, hashlib.sha256(b"\0" + leaf).digest()
    for step in path:
        if last == 0:
            raise NotProven("the path is too long")
        if at & 1 or at == last:
            value = hashlib.sha256(b"\1" + step + value).digest()
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            value = hashlib.sha256(b"\1" + value + step).digest()
        at, last = at >> 1, last >> 1
    if last:
        raise NotProven("the path is too short")
    return value


def check(proof: str, checkpoint: str, keys: str) -> tuple[int, bytes]:
    """(number, leaf data) of the entry that stands under the checkpoint. What checkpoint the proof itself carries is
    not believed."""
    lines = proof.partition("\n\n")[0].split("\n")
    if (
        len(lines) < 3
        or lines[0] != "c2sp.org/tlog-proof@v1"
        or lines[1][:6] != "extra "
        or lines[2][:6] != "index "
    ):
        raise NotProven("this is no proof of one entry")
    size, root = check_signature(checkpoint, keys)
    leaf, index = base64.b64decode(lines[1][6:], validate=True), int(lines[2][6:])
    path = [base64.b64decode(line, validate=True) for line in lines[3:]]
    if root_from(leaf, index, size, path) != root:
        raise NotProven("the path does not lead to the checkpoint's root")
    return index, leaf


def told(leaf: bytes) -> str:
    """What an entry says in clear: when, of which class, what was done. (The rest is encrypted.)"""
    (length,) = struct.unpack_from(">I", leaf)
    header = leaf[4 : 4 + length]
    moment, unit, result = struct.unpack_from(">qQB", header, 24)
    at, texts = 65, []
    for _ in range(2):
        texts.append(header[at + 1 : at + 1 + header[at]].decode("ascii"))
        at += 1 + header[at]
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)
    return f"{when.isoformat()} {texts[0]} {texts[1]} unit {unit} {'fact' if result == 1 else 'refused'}"


def main() -> int:
    asked = argparse.ArgumentParser(description="Check that one entry stands in the log.")
    asked.add_argument("proof", type=Path)
    asked.add_argument("--checkpoint", type=Path, required=True)
    asked.add_argument("--keys", type=Path, required=True)
    given = asked.parse_args()
    try:
        files = [file.read_text(encoding="utf-8") for file in (given.proof, given.checkpoint, given.keys)]
        number, leaf = check(*files)
        print(f"proven: entry {number} stands under this checkpoint: {told(leaf)}")
    except (NotProven, ValueError, IndexError, struct.error, OSError) as fault:
        print(f"not proven: {fault}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
