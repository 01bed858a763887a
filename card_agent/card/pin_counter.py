"""Our own count of wrong PINs for each card, on disk, so that no station ever locks one (card.md §1).

SoftHSM never locks, real cards do, and not all of them say how close it is. A try is counted before the card
is asked: a power cut between question and answer errs on the safe side.
"""

import json
import os
import threading
from pathlib import Path

DEFAULT_LIMIT = 5


class PinCounter:
    """`limit`: wrong tries that lock a card; the last of them is never made."""

    def __init__(self, path: Path, limit: int = DEFAULT_LIMIT) -> None:
        self._path = path
        self._limit = limit
        self._lock = threading.Lock()

    def left(self, serial: str) -> int:
        """How often one may still try."""
        return max(0, self._limit - 1 - self._read().get(serial, 0))

    def count(self, serial: str) -> None:
        """Before each try."""
        self._change(serial, self._read().get(serial, 0) + 1)

    def uncount(self, serial: str) -> None:
        """The card failed before it looked at the PIN."""
        self._change(serial, max(0, self._read().get(serial, 0) - 1))

    def clear(self, serial: str) -> None:
        """After a right PIN, or when an administrator has unlocked the card."""
        self._change(serial, 0)

    def _read(self) -> dict[str, int]:
        return json.loads(self._path.read_text()) if self._path.exists() else {}

    def _change(self, serial: str, value: int) -> None:
        with self._lock:
            counts = self._read()
            if counts.get(serial, 0) == value:
                return
            counts[serial] = value
            fresh = self._path.with_suffix(".new")
            with fresh.open("w") as file:
                json.dump({k: v for k, v in counts.items() if v}, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)


def so_tries(serial: str) -> str:
    """Under which name the wrong SO PINs of a card are counted."""
    return f"{serial}/so"
