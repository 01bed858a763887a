"""Making a SoftHSM token without telling its PINs to anybody who lists processes, and keeping it alive.

`softhsm2-util` takes PINs as arguments, which every user of the machine can read, or asks for them at a
terminal. So it is given a terminal of its own.
"""

import contextlib
import fcntl
import os
import pty
import select
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

from app.crypto.key_backend import TokenSilent

PATIENCE_S = 30
TOKEN, KEPT = "token.object", "token.kept"
"""A token's own file, and our copy of it beside it; SoftHSM reads `*.object` only."""


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


@contextlib.contextmanager
def logging_in(conf: Path) -> Generator[None]:
    """One of our processes at a time: whoever looks for a token while another logs in to it may find it empty (of eight
    at once one in five found no token). `conf`: of the library; the lock lies beside it and ends with its process."""
    with (conf.parent / "login.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def keep_tokens(tokens: Path) -> list[str]:
    """Keep a copy of each token's own file, and put it back where SoftHSM left that file empty; the tokens mended.

    SoftHSM 2.6 empties the file at every login and writes it anew (the flag of a wrong PIN stands in it). Who is killed
    in between leaves a folder that is no token any more: all its keys are there, and nobody finds them. Nothing else
    in the file changes but by a new PIN, so the copy is made again whenever it differs.
    """
    return [path.parent.name for path in sorted(tokens.glob(f"*/{TOKEN}")) if _kept(path)]


def _kept(path: Path) -> bool:
    """Whether the file had to be put back. A card may be pulled (its folder renamed) while we look."""
    copy = path.with_name(KEPT)
    with contextlib.suppress(FileNotFoundError), path.open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)  # SoftHSM's own lock: nobody is in the middle of writing it
        found, known = file.read(), copy.read_bytes() if copy.exists() else b""
        if not found and known:
            file.write(known)
            file.flush()
            os.fsync(file.fileno())
            return True
        if found != known:
            fresh = path.with_name(f".{KEPT}.{os.getpid()}")
            fresh.touch(mode=0o600)
            fresh.write_bytes(found)
            fresh.replace(copy)
    return False
