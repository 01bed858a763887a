"""Run a press on an untrusted file in a process of its own, with bounds on time and memory.

A file made to hurt (a bomb, an endless circle, a crash inside PDFium) hurts that process alone. A helper that
has everything imported and a single thread forks one for each call, so a call costs a few milliseconds; it ends
with the process that started it. (`multiprocessing` would do, but it runs the caller's main program anew in
each child.)
"""

import contextlib
import importlib
import os
import pickle
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from app.pdf.faults import Unanswered
from app.refusal import Refusal

P = ParamSpec("P")
R = TypeVar("R")

SECONDS = 20
"""Of processor time."""
PATIENCE = 3
"""How many times as long it may take on a busy machine."""
MEMORY_BYTES = 1536 * 1024 * 1024
"""Beyond what the process is born with: one forked from a large program has all of that program's already."""
PRELOAD = ("app.pdf.examining", "app.pdf.inspecting", "app.pdf.rendering", "app.pdf.sealing")


def confined(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """What `function` gives, or the refusal it raises. Refuses Unanswered when it takes more than SECONDS or
    MEMORY_BYTES, or dies. Arguments and result must be picklable; `function` a module's own."""
    with _line() as line:
        line.settimeout(SECONDS * PATIENCE)
        try:
            line.sendall(pickle.dumps((function, args, kwargs)))
            line.shutdown(socket.SHUT_WR)
            kind, value = _received(line)
        except (OSError, EOFError) as error:
            raise Unanswered from error
    if kind == "refusal":
        raise _rebuilt(*value)
    if kind == "spent":
        raise Unanswered
    if kind == "error":
        raise RuntimeError(f"{function.__name__}: {value}")
    return cast(R, value)


def _received(line: socket.socket) -> tuple[str, Any]:
    with line.makefile("rb") as stream:
        return cast("tuple[str, Any]", pickle.load(stream))  # noqa: S301 - from our own child


def _rebuilt(kind: type[Refusal], args: tuple[Any, ...], state: dict[str, Any]) -> Refusal:
    """A refusal as it was raised over there; its constructor wants words, so it is not called again."""
    refusal = kind.__new__(kind)
    refusal.args = args
    vars(refusal).update(state)
    return refusal


def warm_up() -> None:
    """Start the helper before anybody waits for it: importing the press takes a second or two."""
    confined(os.getpid)


# --- the helper, seen from here ---


@dataclass
class _Here:
    """What this process knows of its helper. `direct`: it forks by itself, being a program of one thread."""

    direct: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    helper: "subprocess.Popen[bytes] | None" = None
    control: socket.socket | None = None


_here = _Here()


@contextlib.contextmanager
def forking_directly() -> Generator[None]:
    """For programs of one thread, as the command line: no helper needs to import everything first."""
    before, _here.direct = _here.direct, True
    try:
        yield
    finally:
        _here.direct = before


@contextlib.contextmanager
def _line() -> Generator[socket.socket]:
    """A line to a process of one's own."""
    ours, theirs = socket.socketpair()
    child = 0
    with ours:
        with theirs:
            if not _here.direct:
                _hand_over(theirs)
            else:
                child = os.fork()
                if child == 0:
                    ours.close()
                    _work(theirs)
        try:
            yield ours
        finally:
            if child:
                os.kill(child, signal.SIGKILL)  # it has answered, or it will not
                os.waitpid(child, 0)


def _hand_over(line: socket.socket) -> None:
    """Give the line to the helper. One that has just died is replaced, once."""
    with _here.lock:
        try:
            socket.send_fds(_control(), [b"\1"], [line.fileno()])
        except OSError:
            _here.control = None
            socket.send_fds(_control(), [b"\1"], [line.fileno()])


def _control() -> socket.socket:
    """The line to the helper, started when there is none or it has died."""
    if _here.control is not None and _here.helper is not None and _here.helper.poll() is None:
        return _here.control
    ours, theirs = socket.socketpair()
    with theirs:
        _here.helper = subprocess.Popen(  # noqa: S603 - ourselves, no shell
            [sys.executable, "-m", "app.pdf.confined", str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
    _here.control = ours
    return ours


def _forget() -> None:
    """In a forked process: the helper is the parent's."""
    if _here.control is not None:
        _here.control.close()
    _here.control, _here.helper, _here.lock = None, None, threading.Lock()


os.register_at_fork(after_in_child=_forget)


# --- the helper, and its children ---


def serve(control: socket.socket) -> None:
    """Fork a process for each line that is handed in, until the one who started us is gone."""
    for name in PRELOAD:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, descriptors, _flags, _address = socket.recv_fds(control, 1, 1)
        if not message:
            return
        if os.fork() == 0:
            control.close()
            _work(socket.socket(fileno=descriptors[0]))
        os.close(descriptors[0])


def _work(line: socket.socket) -> None:
    """Bounds first, then the work; whatever happens is sent back. Never returns."""
    try:
        signal.alarm(SECONDS * PATIENCE)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with line.makefile("rb") as stream:
            function, args, kwargs = pickle.load(stream)  # noqa: S301 - from the process that started us
        most = _size() + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        sent = _done(function, args, kwargs)
        with contextlib.suppress(BrokenPipeError):  # nobody waits any more
            line.sendall(pickle.dumps(sent))
    finally:
        os._exit(0)


def _size() -> int:
    """Bytes of address space taken already."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _done(function: Callable[..., Any], args: Any, kwargs: Any) -> tuple[str, Any]:
    try:
        return "value", function(*args, **kwargs)
    except Refusal as refusal:
        return "refusal", (type(refusal), refusal.args, vars(refusal))
    except MemoryError:
        return "spent", None
    except Exception as error:  # a fault of ours: it is raised again on the other side
        return "error", f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
