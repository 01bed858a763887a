"""Asking again until it is there: pages, jobs and cards take the time they take."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(what: str, find: Callable[[], T | None], *, seconds: float, broken: type[Exception]) -> T:
    """What `find` finds, asked ten times a second; raises `broken`, which names `what`, when the time is over."""
    end = time.monotonic() + seconds
    while True:
        found = find()
        if found:
            return found
        if time.monotonic() > end:
            raise broken(f"waited {seconds:g} s for {what}")
        time.sleep(0.1)
