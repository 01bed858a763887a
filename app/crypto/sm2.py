"""Is this SM2 signature good? Asked of the system's `openssl`: the cryptography package knows SM3, but no SM2.

Source: GM/T 0009-2012 (the signer's default identity and how it enters the digest), GM/T 0003.2-2012.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

DEFAULT_ID = "1234567812345678"
PATIENCE_S = 20


Verdict = Literal["good", "bad", "unknown"]

EXAMPLE_KEY = bytes.fromhex(
    "3059301306072a8648ce3d020106082a811ccf5501822d034200"
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
"""The public key of the examples in GM/T 0003.5-2012, as SubjectPublicKeyInfo: an `openssl` that reads it knows SM2."""


def verify(
    public_key: bytes, signature: bytes, data: bytes | memoryview, *, identity: str = DEFAULT_ID
) -> Verdict:
    """SM2 with SM3 over `data`. `public_key`: SubjectPublicKeyInfo, DER. `signature`: DER of r and s, or the bare 64
    bytes some makers write. `unknown`: there is no `openssl` here that knows SM2."""
    program = shutil.which("openssl")
    if program is None:
        return "unknown"
    if len(signature) == 64:
        signature = _both(signature)
    with tempfile.TemporaryDirectory(prefix="yinxu-sm2-") as folder:
        key, value, signed = (Path(folder, name) for name in ("key", "value", "signed"))
        key.write_bytes(public_key)
        value.write_bytes(signature)
        signed.write_bytes(data)
        said = _asked(
            program, "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", str(key), "-rawin",
            "-digest", "sm3", "-pkeyopt", f"distid:{identity}", "-sigfile", str(value), "-in", str(signed),
        )  # fmt: skip
        if said == 0:
            return "good"
        # refused: because it is wrong, or because this openssl was built without SM2?
        key.write_bytes(EXAMPLE_KEY)
        able = _asked(program, "pkey", "-pubin", "-inform", "DER", "-in", str(key), "-noout") == 0
    return "unknown" if said is None or not able else "bad"


def _both(signature: bytes) -> bytes:
    return encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))


def _asked(program: str, *arguments: str) -> int | None:
    """The exit code; None when it did not answer in time."""
    try:
        return subprocess.run(  # noqa: S603
            [program, *arguments],
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
            stdin=subprocess.DEVNULL,
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        return None
