"""Waiting for work without holding a database session, and never in more threads than the pages can spare."""

import threading
import time
from collections.abc import Callable

_LOOK_EVERY_S = 0.25
_lock = threading.Lock()
_waiting = 0


def wait_until(ready: Callable[[], bool], *, at_most_s: float, places: int) -> bool:
    """Ask `ready` now and then until it says yes or the time is over; its last answer. `places`: how many may
    wait in this process at once; who finds none is answered at once. `ready` lets its session go itself."""
    global _waiting  # noqa: PLW0603
    if ready() or at_most_s <= 0:
        return True
    with _lock:
        if _waiting >= places:
            return False
        _waiting += 1
    try:
        end = time.monotonic() + at_most_s
        while time.monotonic() < end:
            time.sleep(_LOOK_EVERY_S)
            if ready():
                return True
        return False
    finally:
        with _lock:
            _waiting -= 1
