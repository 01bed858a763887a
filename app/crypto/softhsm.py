"""Making a SoftHSM token without telling its PINs to anybody who lists processes.

`softhsm2-util` takes PINs as arguments, which every user of the machine can read, or asks for them at a
terminal. So it is given a terminal of its own.
"""

import os
import pty
import select
import subprocess
import time
from pathlib import Path

from app.crypto.key_backend import TokenSilent

PATIENCE_S = 30


def create_token(conf: Path, label: str, *, pin: str, so_pin: str) -> None:
    """A new token in the folder that `conf` names. TokenSilent with the tool's own words if it cannot be made."""
    ours, its = pty.openpty()
    try:
        with subprocess.Popen(  # noqa: S603
            ["softhsm2-util", "--init-token", "--free", "--label", label],  # noqa: S607
            env={**os.environ, "SOFTHSM2_CONF": str(conf)},
            stdin=its, stdout=its, stderr=its, start_new_session=True,
        ) as tool:  # fmt: skip
            os.close(its)
            said = _answer(ours, [so_pin, so_pin, pin, pin])
            if said is None or said.rstrip(" ").endswith(":"):
                tool.kill()
        if said is None or tool.returncode != 0:
            raise TokenSilent(f"softhsm2-util: {(said or 'it does not answer').strip()[-200:]}")
    finally:
        os.close(ours)


def _answer(terminal: int, pins: list[str]) -> str | None:
    """Enter a PIN at each question; gives what the tool said after the last, None if it fell silent. If it asks for
    more than it should, what it said ends with that question."""
    said, left, end = "", list(pins), time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            heard = os.read(terminal, 4096)
        except OSError:  # Linux says EIO when the other side has closed
            return said
        if not heard:
            return said
        said += heard.decode(errors="replace")
        if said.rstrip(" ").endswith(":"):
            if not left:
                return said  # it asks again: one of the PINs does not please it
            os.write(terminal, left.pop(0).encode() + b"\n")
            said = ""
    return None
