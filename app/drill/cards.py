"""Kill the agent at the card station wherever it can die, pull its cards, cut its line: each job must end with exactly
one good seal on the card, or none, and say which.

The server is the product's own web, the agent a process of its own, the cards are SoftHSM tokens that are pulled by
renaming their folder. What is on the card is read by another process, after every job.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import click
import sqlalchemy as sa

from app.cards import queries
from app.cards.rules import ENDED_STATES
from app.db import db
from app.drill import cards_odd, cards_table
from app.drill.cards_station import Scene, StageStuck, Station, played, until
from app.drill.cards_table import fault_of
from app.refusal import Refusal
from app.seals import commands as seals
from app.seals.models import SealMaking

ROWS = {**cards_table.ROWS, **cards_odd.ROWS}
WARM = 2
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


def points(drill: Drill) -> list[str]:
    """All points that a production comes past on a card that carries an older seal, in their order."""
    for _ in range(
        2
    ):  # the second meets the first one's seal; each in a process that has counted nothing yet
        drill.station.trace.unlink(missing_ok=True)
        drill.finish(drill.order())
        drill.station.kill()
    found = drill.station.trace.read_text().splitlines()
    return [name for name in dict.fromkeys(found) if "incident" not in name]


def kill_at(drill: Drill, names: Sequence[str]) -> None:
    for name in names:
        drill.outcome.points += 1
        drill.strike(name, "kill")


def kill_at_random(drill: Drill, times: int, chance: random.Random) -> None:
    """`times` moments of a production, as long as one lasts undisturbed and a little longer."""
    for _ in range(times):
        try:
            drill.kill_after(chance.uniform(0, _lasts(drill) * 1.1))
        except (StageStuck, Refusal) as fault:
            drill.outcome.wrong.append(
                f"after {drill.outcome.killed} kills: {fault}; {drill.station.last_words()}"
            )
            break


def _lasts(drill: Drill) -> float:
    """Seconds from the button to the end; measured once, in a process that has done it before."""
    while len(drill.lasted) < WARM:
        if not drill.station.alive():
            drill.station.start()
        job_id = drill.order()
        until("the job on the page", lambda job_id=job_id: drill.station.shows(job_id))
        began = time.monotonic()
        drill.station.press(job_id)
        drill.lasted.append(time.monotonic() - began)
        drill.finish(job_id)
    return drill.lasted[-1]


def fail_by_the_table(drill: Drill, names: Sequence[str]) -> None:
    """Each row of the failure table (card.md §4): what must come of it, and what did."""
    for name in names:
        try:
            drill.outcome.rows[name] = ROWS[name](drill)
        except (AssertionError, StageStuck, Refusal) as fault:
            drill.outcome.rows[name] = f"WRONG: {fault}"
            drill.outcome.wrong.append(f"{name}: {fault}")
            _cleared(drill)


def _cleared(drill: Drill) -> None:
    """Both cards in, and the job that a row left behind ended, so that the next row is judged by itself."""
    station = drill.station
    for token in (station.maker.token, station.card.token):
        station.readers.insert(token)
    drill.restart()
    left = queries.open_job_of_card(station.card.serial)
    if left is not None:
        drill.finish(left.id, judged=False)


def play(
    *,
    at: Sequence[str] | None = None,
    at_random: int = 0,
    rows: Sequence[str] = (),
    seed: int = 1,
    url: str | None = None,
) -> Outcome:
    """One station through all of it. `at`: the points at which the agent is killed, None for all that there are;
    `rows`: names of the failure table's."""
    outcome, began = Outcome(), time.monotonic()
    with played(1, url) as scene:
        drill = Drill(scene, scene.stations[0], outcome)
        kill_at(drill, points(drill) if at is None else at)
        if at_random:
            kill_at_random(drill, at_random, random.Random(seed))  # noqa: S311
        fail_by_the_table(drill, rows)
    outcome.seconds = round(time.monotonic() - began, 1)
    return outcome


@click.command()
@click.option("--points", is_flag=True, help="Kill the agent at every named point.")
@click.option(
    "--random", "at_random", type=click.IntRange(0, 100_000), default=0, help="Kill it at so many moments."
)
@click.option("--table", is_flag=True, help="Every row of the failure table.")
@click.option(
    "--soak", type=click.IntRange(0, 1_000_000), default=0,
    help="So many productions over four agents at once, with cards pulled at random; no kills.",
)  # fmt: skip
@click.option("--seed", default=1, show_default=True)
@click.option("--db", metavar="URL", help="The database; SQLite when not given.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(
    points: bool, at_random: int, table: bool, soak: int, seed: int, db: str | None, as_json: bool
) -> None:
    """Kill the agent, pull its cards, cut its line: one good seal a job, or none.

    Without --points, --random, --table or --soak: the first three, with 200 random moments. Exit code 0: all of it held;
    1 otherwise.
    """
    if soak:
        from app.drill import cards_soak  # it stands on this module

        soaked = cards_soak.play(soak, seed=seed, url=db)
        _tell(
            {**vars(soaked), "agents": [{**vars(a), "held": a.held} for a in soaked.agents]},
            soaked.held,
            as_json,
        )
        return
    if not (points or at_random or table):
        points, at_random, table = True, 200, True
    outcome = play(
        at=None if points else (), at_random=at_random, rows=tuple(ROWS) if table else (), seed=seed, url=db
    )
    _tell(vars(outcome), outcome.held, as_json)


def _tell(said: dict[str, Any], held: bool, as_json: bool) -> None:
    said = {**said, "held": held}
    click.echo(
        json.dumps(said, ensure_ascii=False) if as_json else "\n".join(f"{k:11} {v}" for k, v in said.items())
    )
    if not held:
        raise SystemExit(1)
