"""What was begun, surviving a power cut: one file a job, one JSON line a step, each on disk before the next
step.

A line that was torn by a power cut is the last one and is passed over: its step had not been taken yet, or is
repeated without harm.
"""

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from card_agent.protocol.codec import canonical, moment_text

KEPT = 50
"""So many jobs that were reported stay in the folder, for whoever looks into it."""


@dataclass
class JobRecord:
    """What the journal says of one job: the last word on each step, and the title it was shown under."""

    job_id: int
    steps: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    at: str = ""

    @property
    def unreported(self) -> dict[str, Any] | None:
        """The outcome that the server has not answered yet."""
        outcome = self.steps.get("outcome")
        return outcome["body"] if outcome is not None and "reported" not in self.steps else None

    def order_id(self, step: str) -> str | None:
        """The order under which that step was last taken."""
        return self.steps[step]["order_id"] if step in self.steps else None

    @property
    def interrupted(self) -> bool:
        return bool(self.steps) and "outcome" not in self.steps


class Journal:
    """`folder`: mode 700, one `<job_id>.jsonl` a job; done ones stay until `prune`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[int, tuple[tuple[int, int], JobRecord]] = {}
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def note(self, job_id: int, step: str, **values: Any) -> None:
        """Durable when it returns. No PIN ever comes here; `values` hold JSON."""
        path = self._path(job_id)
        fresh = not path.exists()
        line = canonical({"step": step, "at": moment_text(datetime.now(UTC)), **values}) + b"\n"
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # a torn last line must not swallow this one
            if not fresh and not _ends_with_newline(path):
                os.write(descriptor, b"\n")
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if fresh:
            _sync_folder(self._folder)

    def read(self, job_id: int) -> JobRecord:
        record = JobRecord(job_id)
        path = self._path(job_id)
        for line in path.read_bytes().splitlines() if path.exists() else ():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # torn
            if entry["step"] == "outcome":
                record.steps.pop("reported", None)  # a new outcome is to be reported again
            record.steps[entry["step"]] = entry
            record.at = entry["at"]
        return record

    def all(self) -> list[JobRecord]:
        """Oldest first; to be looked at, not changed. A file is read again only when it has grown: the loop that asks
        for work comes by here each time, and an agent runs for months."""
        ids = sorted(int(p.stem) for p in self._folder.glob("*.jsonl") if p.stem.isdigit())
        return [record for job_id in ids if (record := self._known(job_id))]

    def prune(self, keep: int = KEPT) -> None:
        """Forget the oldest jobs that were reported; the server has the record."""
        reported = [r.job_id for r in self.all() if "reported" in r.steps]
        for job_id in reported[:-keep]:
            self._path(job_id).unlink(missing_ok=True)
            self._read.pop(job_id, None)

    def _known(self, job_id: int) -> JobRecord | None:
        try:
            stat = self._path(job_id).stat()
        except FileNotFoundError:
            return None  # another thread has just pruned it
        stamp, known = (stat.st_size, stat.st_mtime_ns), self._read.get(job_id)
        if known is None or known[0] != stamp:
            known = self._read[job_id] = (stamp, self.read(job_id))
        return known[1]

    def _path(self, job_id: int) -> Path:
        return self._folder / f"{job_id}.jsonl"


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
