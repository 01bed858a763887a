"""Kill what serves, at random moments, while flows run: none may be lost, and no step be done twice.

Web, workers and scheduler are the product's own commands under the product's own supervisor, which alone brings
back what dies. People work through the pages; the world answers with messages, each sent twice; Redis is emptied.
"""

import contextlib
import json
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import redis
import sqlalchemy as sa

from app.actor import SYSTEM, Actor
from app.audit.verify import walk
from app.bench import stage
from app.db import db
from app.demo.stage import Stage, start_server
from app.drill import cast, judge
from app.drill.clerk import Clerk
from app.drill.votes import database
from app.factory import create_app
from app.flows import commands
from app.flows.models import FlowInstance, MessageSubscription
from app.refusal import Conflict
from app.servers import free_port
from app.supervisor import Supervisor

VICTIMS = ("web", "web's worker", "worker-flows", "worker-audit", "scheduler")
FLUSH_EVERY = 5
"""Redis is emptied after so many kills."""


@dataclass
class Outcome:
    """What came of a drill; `held` says whether it was as it must be."""

    started: int = 0
    finished: int = 0
    lost: int = 0
    steps_twice: int = 0
    """Events of the history that stand there more than once, and tasks done by two."""
    steps_missing: int = 0
    entries_twice: int = 0
    """Facts that the log tells more than once: tasks completed, timers fired, messages delivered, effects."""
    entries_missing: int = 0
    log_intact: bool = False
    errors_shown: list[str] = field(default_factory=list[str])
    kills: dict[str, int] = field(default_factory=dict[str, int])
    flushes: int = 0
    restarts: dict[str, int] = field(default_factory=dict[str, int])
    told: dict[str, int] = field(default_factory=dict[str, int])
    seconds: float = 0.0

    @property
    def held(self) -> bool:
        wrong = self.lost + self.steps_twice + self.steps_missing + self.entries_twice + self.entries_missing
        return self.started == self.finished and not wrong and self.log_intact and not self.errors_shown


def play(instances: int, kills: int, url: str | None, *, seed: int = 1, patience_s: float = 1200) -> Outcome:
    """Run so many flows through so many kills on tables of its own in the database `url`."""
    outcome = Outcome()
    with stage.staged(url) as settings, tempfile.TemporaryDirectory() as folder:
        with create_app(settings, pages=False).app_context():  # with the actions that the diagram asks for
            people = cast.enter(Path(folder))
            db.engine.dispose()
        with _served(settings.var_dir) as served:
            _run(served, people, instances, kills, random.Random(seed), outcome, patience_s)  # noqa: S311
            outcome.restarts = {c.name: c.restarts for c in served.supervisor.children.values() if c.restarts}
        with stage.server().app_context():
            _judge(outcome)
            db.session.remove()
            db.engine.dispose()
    return outcome


@contextlib.contextmanager
def _served(folder: Path) -> Generator[Stage]:
    """Web, workers and scheduler as the demo starts them, in the environment that the stage has set."""
    port = free_port()
    environment = {
        **os.environ,
        "YINXU_LISTEN": f"127.0.0.1:{port}",
        "YINXU_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "YINXU_LOGIN_RATE": "1000 per minute",
    }
    with Supervisor(folder / "logs", say=lambda _line: None) as supervisor:
        served = Stage(folder, port, free_port(), environment, supervisor)
        start_server(served)
        yield served


def _run(
    served: Stage, people: cast.Cast, instances: int, kills: int, chance: random.Random, outcome: Outcome,
    patience_s: float,
) -> None:  # fmt: skip
    began, over = time.monotonic(), threading.Event()
    clerks = [Clerk(served.address, login, people.password) for login in people.people]
    doing: list[threading.Thread] = [
        threading.Thread(target=c.work, args=(over,), daemon=True) for c in clerks
    ]
    doing.append(threading.Thread(target=_answer, args=(over,), daemon=True))
    killer = threading.Thread(
        target=_kill, args=(served, kills, chance, instances, over, outcome), daemon=True
    )
    try:
        for thread in (*doing, killer):
            thread.start()
        with stage.server().app_context():
            _start(people, instances, outcome)
            while time.monotonic() - began < patience_s and (_unfinished() or killer.is_alive()):
                time.sleep(0.5)
            _until_placed(patience_s / 10)
            db.session.remove()
            db.engine.dispose()
    finally:
        over.set()
        for thread in (*doing, killer):
            thread.join(timeout=60)
    outcome.seconds = round(time.monotonic() - began, 1)
    outcome.told = dict(sum((c.told for c in clerks), Counter[str]()).most_common())
    outcome.errors_shown = [line for c in clerks for line in c.shown]


def _start(people: cast.Cast, instances: int, outcome: Outcome) -> None:
    by = Actor(id=people.people["ann"], name="Ann")
    voters = [people.people["dou"], people.people["eve"]]
    for number in range(instances):
        data = {"number": number, "voters": voters}
        key = f"drill/{number}"
        _insisting(lambda data=data, key=key: commands.start(cast.KEY, data, business_key=key, by=by))
        outcome.started += 1


def _insisting(act: Callable[[], object]) -> None:
    """Until it is done: on SQLite, and beside a killed process' lock, somebody else may be busy with it."""
    while True:
        try:
            act()
            return
        except Conflict:
            time.sleep(0.1)
        finally:
            db.session.remove()


def _unfinished() -> int:
    count = db.session.scalar(sa.select(sa.func.count()).where(FlowInstance.status != "finished"))
    db.session.rollback()
    return int(count or 0)


def _until_placed(seconds: float) -> None:
    """Until each entry of the log has its place: the audit worker may have been killed a moment ago."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and db.session.scalar(sa.text("SELECT count(*) FROM log_pending")):
        db.session.rollback()
        time.sleep(0.2)


def _answer(over: threading.Event) -> None:
    """The world: whoever waits is answered, and told the same again; every seventh before it waits."""
    with stage.server().app_context():
        answered: set[str] = set()
        while not over.wait(0.2):
            waiting = list(db.session.scalars(sa.select(MessageSubscription.correlation)))
            early = list(db.session.scalars(sa.select(FlowInstance.business_key).order_by(FlowInstance.id)))[
                ::7
            ]
            db.session.rollback()
            for number in [*(key.removeprefix("drill/") for key in early), *waiting]:
                if number not in answered:
                    for _ in range(2):
                        _insisting(
                            lambda of=number: commands.deliver(
                                cast.MESSAGE, of, {"ok": True}, message_id=f"m{of}", by=SYSTEM
                            )
                        )
                    answered.add(number)
        db.engine.dispose()


def _kill(
    served: Stage, kills: int, chance: random.Random, instances: int, over: threading.Event, outcome: Outcome
) -> None:
    """One victim after the other, each in turn first, then as chance has it; each gets back on its feet between."""
    done: Counter[str] = Counter()
    nudges = redis.Redis.from_url(served.environment["REDIS_URL"])
    while done.total() < kills and not over.wait(chance.uniform(0.3, 2.0 + instances / 100)):
        name = next((v for v in VICTIMS if not done[v]), None) or chance.choice(VICTIMS)
        if _strike(served, name, chance):
            done[name] += 1
            outcome.kills = dict(done)
            if done.total() % FLUSH_EVERY == 0:
                nudges.flushall()
                outcome.flushes += 1


def _strike(served: Stage, name: str, chance: random.Random) -> bool:
    child = served.supervisor.children["web" if name.startswith("web") else name]
    if child.process is None or not child.running:
        return False
    pid = child.process.pid
    if name == "web's worker":
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if not below:
            return False
        pid = int(chance.choice(below))
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _judge(outcome: Outcome) -> None:
    rows = db.session.execute(sa.select(FlowInstance.id, FlowInstance.status))
    states = {ident: status for ident, status in rows}
    outcome.finished = sum(status == "finished" for status in states.values())
    outcome.lost = outcome.started - len(states)
    steps, told = judge.history(list(states)), judge.entries(list(states))
    outcome.steps_twice, outcome.steps_missing = steps.twice, steps.missing
    outcome.entries_twice, outcome.entries_missing = told.twice, told.missing
    report = walk()
    outcome.log_intact = report.intact and report.pending == 0


@click.command()
@click.option("--db", metavar="URL", help="The database; a throw-away PostgreSQL when not given.")
@click.option("--instances", type=click.IntRange(1, 5000), default=500, show_default=True)
@click.option("--kills", type=click.IntRange(0, 500), default=25, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Of when and whom.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(db: str | None, instances: int, kills: int, seed: int, as_json: bool) -> None:
    """Kill web, workers and scheduler at random moments, and empty Redis, while flows run through the pages.

    Exit code 0: every instance finished, none was lost, and no step was done twice; 1 otherwise.
    """
    with database(db) as url:
        outcome = play(instances, kills, url, seed=seed)
    told: dict[str, Any] = {**vars(outcome), "held": outcome.held}
    if as_json:
        click.echo(json.dumps(told))
    else:
        click.echo("\n".join(f"{name:16} {value}" for name, value in told.items()))
    if not outcome.held:
        raise SystemExit(1)
