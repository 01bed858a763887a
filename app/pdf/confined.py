"""Run a press on an untrusted file in a process of its own, with bounds on time and memory. Pure otherwise.

A file made to hurt (a bomb, an endless circle, a crash inside PDFium) hurts that process alone. Processes are
forked from one that has everything imported already, so a call costs a few milliseconds.
"""

import contextlib
import multiprocessing
import resource
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkContext, ForkServerContext
from typing import Any, Literal, ParamSpec, TypeVar, cast

from app.pdf.faults import Unanswered
from app.refusal import Refusal

P = ParamSpec("P")
R = TypeVar("R")

SECONDS = 20
"""Of processor time."""
PATIENCE = 3
"""How many times as long it may take on a busy machine."""
MEMORY_BYTES = 1536 * 1024 * 1024
_method: Literal["fork", "forkserver"] = "forkserver"
_PRELOAD = ["app.pdf.examining", "app.pdf.inspecting", "app.pdf.rendering", "app.pdf.sealing"]


def confined(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """What `function` gives, or the refusal it raises. Refuses Unanswered when it takes more than SECONDS or
    MEMORY_BYTES, or dies. Arguments and result must be picklable; `function` a module's own."""
    context = _context()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, function, args, kwargs), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(SECONDS * PATIENCE):
            raise Unanswered
        kind, value = cast("tuple[str, Any]", ours.recv())
    except (EOFError, OSError) as error:
        raise Unanswered from error
    finally:
        ours.close()
        _end(process)
    if kind == "refusal":
        raise _rebuilt(*value)
    if kind == "spent":
        raise Unanswered
    if kind == "error":
        raise RuntimeError(f"{function.__name__}: {value}")
    return cast(R, value)


def warm_up() -> None:
    """Start the process that the others are forked from, and let it import everything: seconds, once, that no
    person should wait for."""
    confined(_nothing)


def _nothing() -> None:
    """What `warm_up` asks for."""


def fork_directly() -> None:
    """For programs of one thread, as the command line: no other process needs to import everything first."""
    global _method  # noqa: PLW0603 - how this process forks is a property of the process
    _method = "fork"


def _context() -> ForkServerContext | ForkContext:
    if _method == "fork":
        return multiprocessing.get_context("fork")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    return context


def _end(process: Any) -> None:
    process.join(0.2)
    if process.is_alive():
        process.kill()
        process.join()
    process.close()


def _work(answer: Connection, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
    """In the other process: bounds first, then the work; whatever happens is sent back."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        sent: tuple[str, Any] = ("value", function(*args, **kwargs))
    except Refusal as refusal:
        sent = ("refusal", (type(refusal), refusal.args, vars(refusal)))
    except MemoryError:
        sent = ("spent", None)
    except Exception as error:  # a fault of ours: it is raised again on the other side
        sent = ("error", f"{type(error).__name__}: {error}")
    with contextlib.suppress(BrokenPipeError):  # nobody waits any more
        answer.send(sent)


def _rebuilt(kind: type[Refusal], args: tuple[Any, ...], state: dict[str, Any]) -> Refusal:
    """A refusal as it was raised over there; its constructor wants words, so it is not called again."""
    refusal = kind.__new__(kind)
    refusal.args = args
    vars(refusal).update(state)
    return refusal
