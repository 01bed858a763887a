"""A measure, and how a rate is taken. Pure."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Measure:
    """`ours`, `baseline`: in `unit`. `ratio`: how many times better we are. `goal`: the least ratio that is good,
    or None where the figure is only told."""

    name: str
    ours: float
    unit: str
    baseline: float
    ratio: float
    goal: float | None

    def line(self) -> dict[str, Any]:
        """What `yinxu bench --json` prints."""
        return {
            "name": self.name,
            "ours": round(self.ours, 3),
            "unit": self.unit,
            "baseline": round(self.baseline, 3),
            "ratio": round(self.ratio, 2),
            "goal": self.goal,
        }


def rate(act: Callable[[], object], *, seconds: float = 0.3, rounds: int = 5) -> float:
    """How often a second `act` runs: the median of several rounds, after a first one that only warms up."""
    act()
    began = time.perf_counter()
    act()
    once = max(time.perf_counter() - began, 1e-7)
    times = max(1, int(seconds / rounds / once))
    return statistics.median(_round(act, times) for _ in range(rounds))


def _round(act: Callable[[], object], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        act()
    return times / (time.perf_counter() - began)


def compared(
    name: str, ours: Callable[[], object], baseline: Callable[[], object], *, unit: str, goal: float | None
) -> Measure:
    """Both rates, a second; the ratio is ours over the baseline's."""
    mine, theirs = rate(ours), rate(baseline)
    return Measure(name=name, ours=mine, unit=unit, baseline=theirs, ratio=mine / theirs, goal=goal)
