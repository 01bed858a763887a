"""The witness folder: where checkpoints go, outside the database, so that a rewritten log is found out.

`<size, 12 digits>.checkpoint` for each one, `latest.checkpoint`, and `log.vkey` (the public key, for checking
offline). Put it on another machine or a write-once mount; whoever keeps it need not trust us.
"""

import contextlib
import fcntl
import os
from collections.abc import Generator
from pathlib import Path

from app.audit.checkpoint import NoteFault, parse

LATEST, KEYS = "latest.checkpoint", "log.vkey"


class Witness:
    """Reads and writes one folder. OSError is the caller's: a witness may be away for a while."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def latest(self) -> str | None:
        """The note of the largest tree that was ever pushed here."""
        path = self.folder / LATEST
        return path.read_text(encoding="utf-8") if path.exists() else None

    def latest_size(self) -> int:
        """Leaves under the latest checkpoint; 0 if there is none or it is unreadable."""
        note = self.latest()
        try:
            return parse(note).checkpoint.size if note else 0
        except NoteFault:
            return 0

    def push(self, notes: list[str], keys: list[str]) -> None:
        """Write each note, then let `latest` point at the largest. Doing it twice changes nothing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._locked():
            sized = sorted((parse(note).checkpoint.size, note) for note in notes)
            for size, note in sized:
                path = self.folder / f"{size:012d}.checkpoint"
                if not path.exists():
                    _write(path, note)
            if sized and sized[-1][0] > self.latest_size():
                _write(self.folder / LATEST, sized[-1][1])
            self._remember(keys)

    def keys(self) -> list[str]:
        path = self.folder / KEYS
        return path.read_text(encoding="utf-8").split() if path.exists() else []

    def _remember(self, keys: list[str]) -> None:
        known = self.keys()
        if fresh := [key for key in keys if key not in known]:
            _write(self.folder / KEYS, "\n".join([*known, *fresh]) + "\n")

    @contextlib.contextmanager
    def _locked(self) -> Generator[None]:
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _write(path: Path, text: str) -> None:
    """The whole file or none of it, also when the power goes."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
