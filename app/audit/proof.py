"""Proof that one entry stands in the log, checkable offline: the C2SP `.tlog-proof` format. Pure.

`extra` carries the entry's leaf data (length ‖ header ‖ nonce ‖ ciphertext): the stored bytes, so that
whoever holds the proof also holds exactly what was logged, still encrypted.
"""

import base64
import binascii
from dataclasses import dataclass

from app.audit import checkpoint as notes
from app.audit import tree
from app.crypto.keys import verify

FIRST_LINE = "c2sp.org/tlog-proof@v1"


class ProofFault(ValueError):
    """The proof does not prove it, and why."""


@dataclass(frozen=True)
class Proof:
    """`leaf`: the entry's leaf data. `path`: from the leaf's sibling up. `note`: the signed checkpoint."""

    index: int
    leaf: bytes
    path: list[bytes]
    note: str

    def pack(self) -> str:
        lines = [FIRST_LINE, f"extra {_b64(self.leaf)}", f"index {self.index}", *map(_b64, self.path)]
        return "\n".join(lines) + "\n\n" + self.note


def parse(text: str) -> Proof:
    """Read a proof. Raises ProofFault."""
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or lines[0] != FIRST_LINE or len(lines) < 3:
        raise ProofFault("this is no tlog-proof with the entry in it")
    if not lines[1].startswith("extra ") or not lines[2].startswith("index "):
        raise ProofFault("the entry or its index is missing")
    try:
        leaf = base64.b64decode(lines[1][6:], validate=True)
        path = [base64.b64decode(line, validate=True) for line in lines[3:]]
        found = Proof(int(lines[2][6:]), leaf, path, note)
    except (binascii.Error, ValueError) as error:
        raise ProofFault(f"damaged: {error}") from error
    if any(len(step) != tree.HASH_BYTES for step in path) or found.pack() != text:
        raise ProofFault("damaged")
    return found


def check_proof(text: str, checkpoint: str, verifier_keys: list[str]) -> int:
    """The number of the entry that is proven under `checkpoint`. Raises ProofFault.

    The checkpoint is the reader's own: its signature must be by one of the keys, and the proof's path must
    lead to its root. What the proof itself carries as checkpoint is not believed.
    """
    proof = parse(text)
    try:
        keys = [notes.parse_verifier_key(line) for line in verifier_keys]
        stated, public_key = notes.check(checkpoint, [key for _, key in keys], verify)
        inner = notes.parse(proof.note).checkpoint
    except notes.NoteFault as error:
        raise ProofFault(str(error)) from error
    if (stated.origin, public_key) not in keys:
        raise ProofFault("the checkpoint is another log's")
    if inner != stated:
        raise ProofFault(
            f"the proof is for the tree of {inner.size} entries, the checkpoint for {stated.size}; "
            "give the checkpoint of the same size"
        )
    root = tree.inclusion_root(tree.leaf_hash(proof.leaf), proof.index, stated.size, proof.path)
    if root != stated.root:
        raise ProofFault("the path does not lead to the checkpoint's root")
    return proof.index


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
