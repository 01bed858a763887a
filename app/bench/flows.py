"""Whole flows through the commands that the pages call, against SpiffWorkflow's own JSON in an ORM row.

Ours writes tasks, history and the log's entries with each step; the baselines (`naive.py`) write a row, or what a
desk needs besides, and never a log.
Rounds of the two are taken in turn, so that what else the machine does meets both.
"""

import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.actor import Actor, Grant
from app.bench import naive, stage
from app.bench.chains import ANSWER, AUTOMATIC, FORM, SENT_BACK, Chain
from app.bench.measure import Measure
from app.bpmn.parse import Program, parse, program
from app.bpmn.step import begin, resume
from app.db import db, writing_engine
from app.flows import commands
from app.flows.action import action

CHAINS = tuple(Chain(n) for n in (4, 10, 30, 100))
GOALS = {4: 3.0, 30: 4.0}
"""How many times the naive pattern's instances a second we must finish, by activities; others are only told."""
ENGINE_GOALS = {4: 4.0, 30: 10.0}
SECONDS = 4.0
ROUNDS = 5
NOW = datetime(2026, 1, 5, 1, tzinfo=UTC)
WHO = Actor(id=1, name="Bench", grants=frozenset({Grant(role="seal_office")}))


@action(AUTOMATIC)
def nothing(*, by: Actor) -> None:
    """什么也不做 | Do nothing"""


def measures(db: str | None = None) -> Iterator[Measure]:
    """`db`: a database whose owner may make a schema in it; SQLite in a temporary folder when None."""
    for chain in CHAINS:
        yield _engine(chain)
    yield _returned()
    with stage.staged(db):
        load()
        for chain in CHAINS:
            yield from _instances(chain)
        yield from _rate_and_p95(CHAINS[0])
        yield _two_workers(CHAINS[0])


# --- the engine alone ---


class _Host:
    def act(self, operator: str, parameters: dict[str, Any]) -> None:
        """Every automatic step of a chain does nothing."""


def _engine(chain: Chain) -> Measure:
    joined, (spec, called) = program(parse(chain.ours()), {}), naive.parse(chain)

    def theirs() -> None:
        state, waits = naive.begin(spec, called), ""
        while waits is not None:
            state, waits = naive.complete(state, ANSWER)

    ours, base = _in_turn(lambda: _through(joined), theirs)
    return Measure(
        name=f"flows.engine_{chain.activities}", ours=ours, unit="instances/s", baseline=base,
        ratio=ours / base, goal=ENGINE_GOALS.get(chain.activities),
    )  # fmt: skip


def _through(joined: Program) -> None:
    """An instance to its end, its state stored and read again at each person's step."""
    run = begin(joined, {}, host=_Host(), now=NOW)
    while not run.finished:
        run = resume(joined, run.state(), host=_Host(), now=NOW)
        run.complete(run.tasks()[0].token, ANSWER)
        run.settle()
    run.state()


def _returned() -> Measure:
    """The state after 100 returns against the state after 10: long-lived instances must not grow."""
    joined = program(parse(CHAINS[1].ours()), {})
    sizes: dict[int, int] = {}
    run = begin(joined, {}, host=_Host(), now=NOW)
    for times in range(1, 101):
        for form in (ANSWER, SENT_BACK):
            run = resume(joined, run.state(), host=_Host(), now=NOW)
            run.complete(run.tasks()[0].token, form)
            run.settle()
        sizes[times] = len(run.state())
    return Measure(
        name="flows.state_after_100_returns", ours=sizes[100], unit="bytes", baseline=sizes[10],
        ratio=sizes[10] / sizes[100], goal=1.0,
    )  # fmt: skip


# --- with a database ---


def load() -> None:
    """Publish the chains, and make the table of the naive pattern."""
    with tempfile.TemporaryDirectory() as folder, stage.server().app_context():
        for chain in CHAINS:
            place = Path(folder) / chain.key
            (place / "forms").mkdir(parents=True)
            (place / f"{chain.key}.bpmn").write_bytes(chain.ours())
            (place / "forms" / "review.json").write_text(json.dumps(FORM))
        commands.load_files(folder=Path(folder), by=WHO)
        naive.Base.metadata.create_all(db.engine)


def finish(chain: Chain, waits: list[float] | None = None) -> float:
    """An instance from its start to its end by the pages' commands; the seconds spent in them. Finding the next task
    is the inbox's work, and is not counted. `waits`: gets the seconds of each completion."""
    began = time.perf_counter()
    started = commands.start(chain.key, {}, business_key="bench/1", by=WHO)
    db.session.remove()  # a request ends here, and another begins
    spent, done = time.perf_counter() - began, False
    with db.engine.connect() as look:
        while not done:
            task_id = look.execute(_OPEN, {"instance_id": started.instance_id}).scalar_one()
            look.rollback()
            began = time.perf_counter()
            done = commands.complete(task_id, ANSWER, by=WHO).finished
            db.session.remove()
            passed = time.perf_counter() - began
            spent += passed
            if waits is not None:
                waits.append(passed)
    return spent


_OPEN = sa.text("SELECT id FROM flow_task WHERE instance_id = :instance_id AND status = 'open'")


def _instances(chain: Chain) -> Iterator[Measure]:
    """Ours against the naive row alone, and against the naive row with what an inbox and a history need."""
    with stage.server().app_context():
        spec, called = naive.parse(chain)
        engine = writing_engine()
        for name, run in (("instances", naive.run_in), ("with_desk", naive.run_with_desk)):

            def theirs(run: Callable[..., None] = run) -> None:
                with Session(engine) as session:
                    run(session, spec, called, ANSWER)

            ours, base = _in_turn(lambda: finish(chain), theirs)
            yield Measure(
                name=f"flows.{name}_{chain.activities}", ours=ours, unit="instances/s", baseline=base,
                ratio=ours / base, goal=GOALS.get(chain.activities),
            )  # fmt: skip
        db.engine.dispose()


def _rate_and_p95(chain: Chain) -> Iterator[Measure]:
    """What one worker finishes a second against the 60 it must, and how long a completion takes against 8 ms."""
    waits: list[float] = []
    with stage.server().app_context():
        finish(chain)
        rate = _rate(lambda: finish(chain, waits), SECONDS)
        db.engine.dispose()
    yield Measure(
        name="flows.one_worker", ours=rate, unit="instances/s", baseline=60, ratio=rate / 60, goal=1.0
    )
    p95 = statistics.quantiles(waits, n=20)[-1] * 1000
    yield Measure(name="flows.completion_p95", ours=p95, unit="ms", baseline=8, ratio=8 / p95, goal=1.0)


def _two_workers(chain: Chain) -> Measure:
    one, two = _workers(chain, 1), _workers(chain, 2)
    return Measure(
        name="flows.two_workers", ours=two, unit="instances/s", baseline=one, ratio=two / one, goal=1.3
    )


def _workers(chain: Chain, count: int) -> float:
    """Instances a second that so many processes finish together, measured from when all are ready."""
    context = multiprocessing.get_context("spawn")
    ready, answers = context.Barrier(count), context.Queue()
    processes = [context.Process(target=_work, args=(chain.activities, ready, answers)) for _ in range(count)]
    for process in processes:
        process.start()
    rates = [answers.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    return sum(rates)


def _work(activities: int, ready: Any, answers: Any) -> None:
    chain = Chain(activities)
    with stage.server().app_context():
        finish(chain)
        ready.wait(60)
        answers.put(_rate(lambda: finish(chain), SECONDS))


# --- taking a rate ---


def _in_turn(ours: Callable[[], float | None], theirs: Callable[[], float | None]) -> tuple[float, float]:
    """Both rates a second: medians of rounds taken one after the other."""
    ours()
    theirs()
    pairs = [(_rate(ours, SECONDS / ROUNDS), _rate(theirs, SECONDS / ROUNDS)) for _ in range(ROUNDS)]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


def _rate(act: Callable[[], float | None], seconds: float) -> float:
    """How often a second. `act` may say how long of its time counts."""
    began, counted, times = time.perf_counter(), 0.0, 0
    while time.perf_counter() - began < seconds:
        before = time.perf_counter()
        said = act()
        counted += time.perf_counter() - before if said is None else said
        times += 1
    return times / counted
