"""Four agents at once, one production after the other, and hands that pull cards whenever they like: no crash, no session
left open, no growth.

Each agent is a process with a reader, tokens and a key of its own; each production is ordered, made and judged as in the
drill of kills. A card that is pulled comes back a moment later, and the person presses again.
"""

import random
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from flask import current_app

from app.cards import queries
from app.db import db
from app.drill import cards_drill
from app.drill.cards_station import Scene, StageStuck, Station, played, until
from app.refusal import Refusal

STATIONS = 4
WARM_UP = 60
"""Productions of each agent that are not measured: what is loaded once is loaded then, and the journal holds as many jobs
as it ever keeps. At most half of them all."""
GROWTH = 0.10
"""How much more memory an agent may hold at the end than at the beginning, as a part of it."""
FILES = 8
"""How many more files an agent may hold open: its lines to the server come and go."""
PULLED = 0.3
"""In so many of all productions somebody pulls a card."""


@dataclass
class Agent:
    """What one agent came to. `memory_kb`: median of the first tenth after the warm-up, and of the last tenth."""

    made: int = 0
    pulled: int = 0
    met: int = 0
    """Pulls that stopped a ritual on its way."""
    crashes: int = 0
    """Times that the agent was gone without anybody having asked for it."""
    sessions_left: int = 0
    """The most PKCS#11 sessions that the library counted after a ritual had ended."""
    memory_kb: tuple[int, int] = (0, 0)
    files: tuple[int, int] = (0, 0)

    @property
    def held(self) -> bool:
        first, last = self.memory_kb
        grown = last > first * (1 + GROWTH) or self.files[1] > self.files[0] + FILES
        return not (self.crashes or self.sessions_left or grown)


@dataclass
class Soak:
    """All of them; `held` says whether it was as it must be."""

    productions: int = 0
    done: int = 0
    torn: int = 0
    doubled: int = 0
    unclear: int = 0
    wrong: list[str] = field(default_factory=list[str])
    agents: list[Agent] = field(default_factory=list[Agent])
    a_second: float = 0.0
    """Productions, ordering, looking at the card and waiting for pulled ones included."""
    seconds: float = 0.0

    @property
    def held(self) -> bool:
        bad = self.torn or self.doubled or self.unclear or self.wrong or self.done != self.productions
        return not bad and all(agent.held for agent in self.agents)


class Shift:
    """One station's share, in a thread of its own."""

    def __init__(self, scene: Scene, station: Station, chance: random.Random) -> None:
        self.station, self.chance, self.agent = station, chance, Agent()
        self.outcome = cards_drill.Outcome()
        self.drill = cards_drill.Drill(scene, station, self.outcome)
        self._memory: list[int] = []
        self._files: list[int] = []

    def work(self, productions: int) -> None:
        station = self.station
        station.start()
        for _ in range(productions):
            try:
                self._one()
            except (StageStuck, Refusal) as fault:
                self.outcome.wrong.append(f"station {station.id}: {fault}; {station.last_words()}")
                self._clear()
            self._measure()
        self._close(productions)

    def _one(self) -> None:
        job_id = self.drill.order()
        until("the job on the page", lambda: self.station.shows(job_id))
        hand = self._hand() if self.chance.random() < PULLED else None
        if hand is not None:
            hand.start()
        self.station.press(job_id)
        if hand is not None:
            hand.join()
            self.agent.pulled += 1
            self.agent.met += not cards_drill.ended(job_id)
        self.drill.finish(job_id)
        self.agent.made += 1

    def _hand(self) -> threading.Thread:
        """Somebody who pulls one of the two cards, and puts it back."""
        token = self.chance.choice((self.station.maker.token, self.station.card.token))
        after, away = self.chance.uniform(0, 0.3), self.chance.uniform(0, 0.4)

        def pull() -> None:
            time.sleep(after)
            self.station.readers.pull(token)
            time.sleep(away)
            self.station.readers.insert(token)

        return threading.Thread(target=pull)

    def _measure(self) -> None:
        if not self.station.alive():
            self.drill.restart()
        with suppress(OSError):  # it dies while we look: the next production finds that
            self._memory.append(self.station.memory_kb())
            self._files.append(self.station.open_files())

    def _clear(self) -> None:
        """The job that got stuck is brought to an end, so that the next one is judged by itself."""
        for token in (self.station.maker.token, self.station.card.token):
            self.station.readers.insert(token)
        left = queries.open_job_of_card(self.station.card.serial)
        if left is not None:
            with suppress(StageStuck, Refusal):
                self.drill.finish(left.id, judged=False)

    def _close(self, productions: int) -> None:
        agent = self.agent
        agent.crashes = self.outcome.restarts
        agent.sessions_left = max((int(n) for n in self.station.sessions.read_text().split()), default=0)
        warm = min(WARM_UP, productions // 2)
        agent.memory_kb = _ends(self._memory[warm:])
        agent.files = _ends(self._files[warm:])


def _ends(measured: list[int]) -> tuple[int, int]:
    """Medians of the first and of the last tenth."""
    tenth = max(1, len(measured) // 10)
    return int(statistics.median(measured[:tenth])), int(statistics.median(measured[-tenth:]))


def play(productions: int, *, stations: int = STATIONS, seed: int = 1, url: str | None = None) -> Soak:
    """So many productions, shared out over that many agents."""
    soak, began = Soak(), time.monotonic()
    with played(stations, url) as scene:
        app = current_app._get_current_object()  # type: ignore[attr-defined]  # threads need the app itself
        shifts = [
            Shift(scene, station, random.Random(seed * 1000 + n))  # noqa: S311
            for n, station in enumerate(scene.stations)
        ]
        shares = [productions // stations + (n < productions % stations) for n in range(stations)]

        def work(shift: Shift, share: int) -> None:
            with app.app_context():
                try:
                    shift.work(share)
                finally:
                    db.session.remove()

        started = time.monotonic()
        with ThreadPoolExecutor(stations) as pool:
            for done in [pool.submit(work, *pair) for pair in zip(shifts, shares, strict=True)]:
                done.result()
        soak.a_second = round(productions / (time.monotonic() - started), 2)
    for shift in shifts:
        outcome = shift.outcome
        soak.productions += outcome.jobs
        soak.done += outcome.done
        soak.torn += outcome.torn
        soak.doubled += outcome.doubled
        soak.unclear += outcome.unclear
        soak.wrong += outcome.wrong
        soak.agents.append(shift.agent)
    soak.seconds = round(time.monotonic() - began, 1)
    return soak
