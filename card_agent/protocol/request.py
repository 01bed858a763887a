"""How a station signs its requests. Pure.

Every request is a POST with a canonical JSON body and these headers. The signature (Ed25519, the station's
key) is over `signed_bytes`; the server refuses times more than 120 s off and nonces it has seen.
"""

from dataclasses import dataclass
from hashlib import sha256

STATION = "Yinxu-Station"
TIME = "Yinxu-Time"
NONCE = "Yinxu-Nonce"
SIGNATURE = "Yinxu-Signature"

DOMAIN = "YINXU-AGENT-REQUEST/1"
SIGNATURE_PREFIX = "ed25519:"

ENROLLING = "0"
"""The station's id while it has none."""


@dataclass(frozen=True, kw_only=True)
class RequestHead:
    """What is signed of a request. `path`: as in the request line, without host. `station`: the id in
    decimal. `time`: `2026-11-22T14:50:25Z`. `nonce`: 32 hex digits, random."""

    method: str
    path: str
    station: str
    time: str
    nonce: str

    def signed_bytes(self, body: bytes) -> bytes:
        lines = (
            DOMAIN,
            self.method,
            self.path,
            self.station,
            self.time,
            self.nonce,
            sha256(body).hexdigest(),
        )
        return "\n".join(lines).encode()
