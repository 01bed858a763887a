"""Kill the agent at the card station wherever it can die, pull its cards, cut its line: each job must end with exactly
one good seal on the card, or none, and say which.

The server is the product's own web, the agent a process of its own, the cards are SoftHSM tokens that are pulled by
renaming their folder. What is on the card is read by another process, after every job.
"""

import json
import random
import time
from collections.abc import Sequence
from typing import Any

import click

from app.cards import queries
from app.drill import cards_odd, cards_soak, cards_table
from app.drill.cards_drill import Drill, Outcome
from app.drill.cards_station import StageStuck, played, until
from app.refusal import Refusal

ROWS = {**cards_table.ROWS, **cards_odd.ROWS}
WARM = 2


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
