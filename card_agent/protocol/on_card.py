"""What lies on a seal card: one envelope, and the manifest that makes it count. Pure. Fixed for good.

Two private data objects: the envelope under `ESEAL.A` or `ESEAL.B`, the manifest under `ESEAL.M<seq>`. The
manifest is the commit record, written last. A reader takes the manifest with the highest `seq` whose token
verifies and whose envelope has the hash the token names; all else is left over from an interruption.
"""

from dataclasses import dataclass

from card_agent.protocol.codec import Malformed, encode, from_json, parse_canonical
from card_agent.protocol.statements import Signed

PREFIX = "ESEAL."
SLOTS = ("ESEAL.A", "ESEAL.B")
ENVELOPE_LIMIT_BYTES = 40 * 1024
"""What cards in the field have room for."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """`slot`: the label of the envelope it speaks of. `token`: the server's signed WriteToken."""

    v: int = 1
    slot: str
    token: Signed


def manifest_label(seq: int) -> str:
    return f"{PREFIX}M{seq}"


def encode_manifest(manifest: Manifest) -> bytes:
    return encode(manifest)


def read_manifest(data: bytes) -> Manifest:
    """Refuses with Malformed; whether the token is good is still to be seen."""
    manifest = from_json(Manifest, parse_canonical(data), exact=True)
    if manifest.v != 1 or manifest.slot not in SLOTS:
        raise Malformed("manifest")
    return manifest
