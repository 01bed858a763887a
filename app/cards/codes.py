"""One-time enrolment codes. Pure but for the machine's randomness."""

import base64
import secrets
from hashlib import sha256


def new_code() -> str:
    """160 random bits in Base32, in groups of four that can be read out aloud."""
    letters = base64.b32encode(secrets.token_bytes(20)).decode()
    return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))


def hash_code(code: str) -> str:
    """What is kept of a code: SHA-256, hex; spaces, hyphens and case do not matter."""
    plain = code.replace("-", "").replace(" ", "").upper()
    return sha256(plain.encode()).hexdigest()
