"""The supervisor restarts what dies and leaves nothing running."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from app.supervisor import Supervisor

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('up', flush=True); time.sleep(600)",
]


def until(true: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_a_process_that_is_killed_is_started_again(tmp_path: Path) -> None:
    said: list[str] = []
    with Supervisor(tmp_path, say=said.append) as supervisor:
        child = supervisor.add("sleeper", SLEEP, os.environ)
        assert child.process is not None
        first = child.process.pid

        os.kill(first, signal.SIGKILL)

        assert until(lambda: child.restarts == 1 and child.running)
        assert child.process.pid != first
        assert any("ended with -9" in line for line in said)


def test_what_a_killed_process_had_started_ends_before_it_is_started_again(tmp_path: Path) -> None:
    code = (
        f"import subprocess, sys, time\nprint(subprocess.Popen({SLEEP!r}).pid, flush=True); time.sleep(600)"
    )
    with Supervisor(tmp_path, say=lambda _: None) as supervisor:
        child = supervisor.add("master", [sys.executable, "-c", code], os.environ)
        assert child.process is not None
        assert until(lambda: (tmp_path / "master.log").read_text().endswith("\n"))
        below = int((tmp_path / "master.log").read_text().split()[0])

        os.kill(child.process.pid, signal.SIGKILL)

        assert until(lambda: child.restarts == 1)
        assert until(lambda: not _alive(below))


def _alive(pid: int) -> bool:
    """Whether it runs: an orphan that nobody has fetched yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_stop_ends_everything_also_what_ignores_the_polite_signal(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, say=lambda _: None)
    polite = supervisor.add("polite", SLEEP, os.environ)
    stubborn = supervisor.add("stubborn", STUBBORN, os.environ)
    assert until(lambda: "up" in (tmp_path / "stubborn.log").read_text())

    supervisor.stop(grace_s=0.5)

    assert not polite.running
    assert not stubborn.running
    assert stubborn.process is not None
    assert stubborn.process.returncode == -signal.SIGKILL


def test_children_end_when_the_supervisor_itself_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, sys, time; from pathlib import Path; from app.supervisor import Supervisor\n"
        f"s = Supervisor(Path({str(tmp_path)!r}))\n"
        f"c = s.add('sleeper', {SLEEP!r}, os.environ)\n"
        "print(c.process.pid, flush=True); time.sleep(600)"
    )
    outer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert outer.stdout is not None
    inner = int(outer.stdout.readline())

    outer.kill()
    outer.wait()

    assert until(
        lambda: not Path(f"/proc/{inner}").exists() or "Z" in Path(f"/proc/{inner}/stat").read_text()
    )
