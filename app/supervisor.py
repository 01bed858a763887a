"""A small supervisor: starts processes, restarts what dies, and leaves nothing running.

Each process leads a group of its own and is told by the kernel to end when the supervisor ends, however it
ends. A process that keeps dying is started again more and more slowly, up to once in 10 s.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_SLOWEST_RESTART_S = 10.0


def _end_with_parent() -> None:
    """Runs in the child, before the program: SIGTERM when the supervisor's thread ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Child:
    """One supervised process: its name, its command line, and what became of it."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log_path: Path
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    restarts: int = 0
    not_before: float = 0.0
    recent_deaths: int = 0

    def start(self) -> None:
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603
                list(self.command),
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509
            )
        self.started_at = time.monotonic()

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal_group(self, number: signal.Signals) -> None:
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                return


@dataclass
class Supervisor:
    """`add` processes, `start` them, `stop` them all. `say` is told of each death and restart."""

    log_dir: Path
    say: Callable[[str], None] = print
    children: dict[str, Child] = field(default_factory=dict[str, Child])
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def add(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Child:
        """Start a process now and keep it running. Its output goes to `log_dir`/NAME.log."""
        self.log_dir.mkdir(parents=True, exist_ok=True)
        child = Child(name, command, environment, self.log_dir / f"{name}.log")
        child.start()
        with self._lock:
            self.children[name] = child
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
            self._thread.start()
        return child

    def stop(self, grace_s: float = 10.0) -> None:
        """SIGTERM to all, SIGKILL to what is left after the grace; returns when nothing runs any more."""
        self._stopping.set()
        if self._thread is not None:
            # what this thread restarted is told to end with it: PR_SET_PDEATHSIG follows the thread
            self._thread.join()
            self._thread = None
        # newest first: agents and workers before the web, the web before Redis
        children = list(reversed(self.children.values()))
        for child in children:
            child.signal_group(signal.SIGTERM)
        end = time.monotonic() + grace_s
        for child in children:
            if child.process is not None:
                try:
                    child.process.wait(timeout=max(0.05, end - time.monotonic()))
                except subprocess.TimeoutExpired:
                    self.say(f"{child.name} did not end in time and is killed")
            child.signal_group(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _watch(self) -> None:
        while not self._stopping.wait(0.05):
            with self._lock:
                children = list(self.children.values())
            for child in children:
                self._look_after(child)

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.not_before:
            if now >= child.not_before:
                child.not_before = 0.0
                child.restarts += 1
                child.start()
                self.say(f"{child.name} was started again")
        elif child.process is not None and child.process.poll() is not None:
            # what it had started may live on: a web process whose master was killed holds the port and its old code
            child.signal_group(signal.SIGKILL)
            lived = now - child.started_at
            child.recent_deaths = 1 if lived > 30 else child.recent_deaths + 1
            pause = min(_SLOWEST_RESTART_S, 0.2 * 2 ** (child.recent_deaths - 1))
            child.not_before = now + pause
            self.say(f"{child.name} ended with {child.process.returncode}; see {child.log_path}")
