"""One card station under a drill: a job is ordered, struck by a fault, brought to its end as a person would, and judged by
what another process reads on the card."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from app.cards import queries
from app.cards.rules import ENDED_STATES
from app.db import db
from app.drill.cards_station import Scene, Station, until
from app.drill.cards_table import fault_of
from app.seals import commands as seals
from app.seals.models import SealMaking

TRIES = 6
"""How often a person goes back to the button before the drill says that the job is stuck."""


@dataclass
class Outcome:
    """What came of a drill; `held` says whether it was as it must be."""

    jobs: int = 0
    done: int = 0
    refused: int = 0
    """Jobs that had to be refused, and were: nothing was written."""
    points: int = 0
    killed: int = 0
    struck: int = 0
    """Of those: kills that met a job which had not ended."""
    mended: int = 0
    """Cards that SoftHSM lost when its login was cut off, and that were put back as a real card does by itself."""
    pulled: int = 0
    cut: int = 0
    restarts: int = 0
    torn: int = 0
    """Objects on a card without a label, or a seal that does not verify."""
    doubled: int = 0
    """Jobs with more than one seal on the card, or with another seal than the one the server signed for."""
    unclear: int = 0
    """Jobs whose state is not what is on the card."""
    rows: dict[str, str] = field(default_factory=dict[str, str])
    """The rows of the failure table, and how each ended."""
    wrong: list[str] = field(default_factory=list[str])
    seconds: float = 0.0

    @property
    def held(self) -> bool:
        return not (self.torn or self.doubled or self.unclear or self.wrong)


class Drill:
    """One station, one job after the other."""

    def __init__(self, scene: Scene, station: Station, outcome: Outcome) -> None:
        self.scene, self.station, self.outcome = scene, station, outcome
        self.lasted: list[float] = []

    def order(self) -> int:
        self.outcome.jobs += 1
        job_id = seals.order_making(
            self.station.impression_id, self.station.card.serial, self.station.id, by=self.scene.operator
        ).job_id
        db.session.remove()
        return job_id

    def strike(
        self,
        at: str,
        act: str,
        token: str = "",
        *,
        then: Callable[[int], object] | None = None,
        judged: bool = True,
    ) -> int:
        """A job that meets the fault, and is then brought to its end as a person would; its number."""
        readers = self.station.readers
        fault = {"at": at, "act": act}
        if act == "pull":
            fault |= {"source": str(readers.tokens / token), "target": str(readers.drawer / token)}
        self.restart(fault)
        job_id = self.order()
        self._press(job_id)
        if act == "kill":
            until(f"the agent to die at {at}", lambda: not self.station.alive())
            self.outcome.killed += 1
            self.outcome.struck += not ended(job_id)
        elif act == "pull":
            until(f"the card to be pulled at {at}", lambda: token not in readers.inserted())
            self.outcome.pulled += 1
            readers.insert(token)
        else:
            self.outcome.cut += 1
        if then is not None:
            then(job_id)
        self.finish(job_id, judged=judged)
        return job_id

    def kill_after(self, seconds: float) -> int:
        """SIGKILL at a moment that nobody chose, while a job is done."""
        if not self.station.alive():
            self.restart()
        job_id = self.order()
        until("the job on the page", lambda: self.station.shows(job_id))
        killer = threading.Timer(seconds, self.station.kill)
        killer.start()
        self.station.press(job_id)
        killer.join()
        self.outcome.killed += 1
        self.outcome.struck += not ended(job_id)
        self.finish(job_id)
        return job_id

    def finish(self, job_id: int, *, judged: bool = True) -> None:
        """Go back to the button until the job has ended; then judge it."""
        faults: list[str] = []
        for _ in range(TRIES):
            if not self.station.alive():
                self.restart()
            # what was journalled is reported without anybody; else the job stands on the page and is begun again
            until("the job", lambda: ended(job_id) or self.station.shows(job_id))
            if ended(job_id):
                break
            faults.append(fault_of(self._press(job_id)))
        if not ended(job_id):
            self.outcome.wrong.append(f"job {job_id}: {faults} in {TRIES} tries; {self.station.last_words()}")
        if judged:
            self.judge(job_id)

    def give_back(self, job_id: int) -> None:
        self.station.give_back(job_id)
        until("the job to be given back", lambda: ended(job_id))

    def judge(self, job_id: int) -> None:
        """What is on the card against what the server says of the job."""
        state, making = told(job_id)
        card = self.station.look()
        good, labels = card.seal, card.labels
        where = f"job {job_id} ({state})"
        self.outcome.torn += sum(1 for label in labels if not label) + (labels != [] and good is None)
        if good is not None and sorted(labels) != sorted(good.labels):
            self.outcome.doubled += 1
            self.outcome.wrong.append(f"{where}: the card holds {labels}")
        if state == "done":
            self.outcome.done += 1
            same = good is not None and (good.es_id, good.envelope_sha256, good.seq) == making
            if good is None or good.job_id != job_id or not same:
                self.outcome.doubled += 1
                self.outcome.wrong.append(f"{where}: on the card is {good}, the server signed for {making}")
        elif state not in ENDED_STATES or (good is not None and good.job_id == job_id):
            self.outcome.unclear += 1
            self.outcome.wrong.append(f"{where}: on the card is {good}")

    def _press(self, job_id: int) -> dict[str, Any] | None:
        until(
            "the job on the page",
            lambda: not self.station.alive() or self.station.shows(job_id) or ended(job_id),
        )
        return self.station.press(job_id) if self.station.alive() and not ended(job_id) else None

    def restart(self, fault: dict[str, str] | None = None) -> None:
        self.station.kill()
        self.station.start(fault)
        self.outcome.restarts += 1
        self.outcome.mended = self.station.mended


def ended(job_id: int) -> bool:
    state, _ = told(job_id)
    return state in ENDED_STATES


def told(job_id: int) -> tuple[str, tuple[str, str | None, int] | None]:
    """The job's state by the server, and the id, envelope and number of its seal."""
    db.session.remove()
    state = queries.job(job_id).state
    making = db.session.execute(
        sa.select(SealMaking.es_id, SealMaking.envelope_sha256, SealMaking.seq).where(
            SealMaking.job_id == job_id
        )
    ).first()
    db.session.remove()
    return state, (making[0], making[1], making[2]) if making else None
