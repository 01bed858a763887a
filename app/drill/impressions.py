"""Everybody registers and resumes impressions of one owner, kind and name at the same moment (A9): never two effective, none lost.

Each process has an app of its own and several threads, which call the commands that the pages call; meanwhile somebody looks
into the table without a pause.
"""

import json
import multiprocessing
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any

import click
import sqlalchemy as sa
from PIL import Image, ImageDraw

from app.actor import SYSTEM, Actor
from app.bench import stage
from app.db import db
from app.drill.votes import database
from app.impressions import commands
from app.impressions.models import Impression
from app.people import commands as people
from app.people import queries
from app.refusal import Refusal

KIND, NAME = "official", "演练章"
PATIENCE_S = 900
LAWFUL = frozenset({"impression.cannot_resume"})
"""What somebody is told who resumes what a colleague has just resumed: a sentence, no error."""


@dataclass(frozen=True)
class Outcome:
    """`most_effective`: at any moment that was looked at; `errors`: what a person would have seen as one."""

    acts: int
    registered: int
    resumed: int
    told: dict[str, int]
    kept: int
    effective: int
    most_effective: int
    looks: int
    errors: list[str]
    seconds: float

    @property
    def held(self) -> bool:
        return (
            self.kept == self.registered
            and self.effective == 1
            and self.most_effective <= 1
            and self.looks > 0
            and not self.errors
        )


def play(url: str | None, acts: int, processes: int, threads: int) -> Outcome:
    with stage.staged(url):
        context = multiprocessing.get_context("spawn")
        with stage.server().app_context():
            unit = people.register_unit("演练单位", by=SYSTEM).unit_id
            office, manager = (
                people.register_user(login, name, unit, "nobody ever types this", by=SYSTEM).user_id
                for login, name in (("office", "李主任"), ("manager", "赵管"))
            )
            people.appoint(office, "seal_office", unit_id=None, by=SYSTEM)
            people.appoint(manager, "seal_manager", unit_id=unit, by=SYSTEM)
            db.session.remove()
            db.engine.dispose()
        ready, answers, over = context.Barrier(processes + 1), context.Queue(), context.Event()
        seen: Any = context.Queue()
        watcher = context.Process(target=_watch, args=(over, seen))
        watcher.start()
        shares = [acts // processes + (n < acts % processes) for n in range(processes)]
        workers = [
            context.Process(target=_act, args=(n, share, threads, unit, (office, manager), ready, answers))
            for n, share in enumerate(shares)
        ]
        for worker in workers:
            worker.start()
        ready.wait(PATIENCE_S)
        began = time.perf_counter()
        told = [one for _ in workers for one in answers.get(timeout=PATIENCE_S)]
        seconds = time.perf_counter() - began
        over.set()
        looks, most = seen.get(timeout=60)
        for process in (*workers, watcher):
            process.join(timeout=60)
        with stage.server().app_context():
            return _judge(told, looks, most, seconds)


def _act(
    number: int, share: int, threads: int, unit: int, users: tuple[int, int], ready: Any, answers: Any
) -> None:
    """One process: each thread registers twice, resumes the first of the two, and so on."""
    app = stage.server()
    told: list[str] = []

    def work(thread: int) -> None:
        with app.app_context():
            office, manager = (queries.actor_of(user) for user in users)
            mine: list[int] = []
            for turn in range(thread, share, threads):
                told.append(_once(f"{number}.{turn}", unit, mine, turn // threads, office, manager))
                db.session.remove()

    ready.wait(PATIENCE_S)
    running = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    answers.put(told)


def _once(mark: str, unit: int, mine: list[int], turn: int, office: Actor, manager: Actor) -> str:
    """What was done, or what the person was told."""
    try:
        if turn % 3 != 2:
            fact = commands.register(
                owner_unit_id=unit,
                kind=KIND,
                name=NAME,
                png=_picture(mark),
                width_mm=42,
                height_mm=42,
                by=office,
            )
            mine.append(fact.impression_id)
            return "registered"
        commands.resume(mine[-2], "演练", by=manager)
        return "resumed"
    except Refusal as refusal:
        return refusal.code if refusal.code in LAWFUL else f"! {refusal.code}"
    except Exception as defect:  # what a page would show as an error of ours
        return f"! {type(defect).__name__}"


def _watch(over: Any, seen: Any) -> None:
    """How often it looked, and how many it ever saw effective."""
    looks = most = 0
    with stage.server().app_context():
        counted = sa.select(sa.func.count()).select_from(Impression).where(Impression.effective)
        while not over.is_set():
            most = max(most, db.session.scalar(counted) or 0)
            db.session.rollback()
            looks += 1
    seen.put((looks, most))


def _judge(told: list[str], looks: int, most: int, seconds: float) -> Outcome:
    counts = Counter(told)
    kept = db.session.scalar(sa.select(sa.func.count(Impression.id))) or 0
    effective = db.session.scalar(sa.select(sa.func.count()).where(Impression.effective)) or 0
    return Outcome(
        acts=len(told),
        registered=counts.pop("registered", 0),
        resumed=counts.pop("resumed", 0),
        told={code: n for code, n in counts.items() if not code.startswith("!")},
        kept=kept,
        effective=effective,
        most_effective=most,
        looks=looks,
        errors=sorted(code for code in told if code.startswith("!")),
        seconds=round(seconds, 2),
    )


def _picture(mark: str) -> bytes:
    image = Image.new("RGBA", (120, 120), (196, 22, 28, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((2, 2, 117, 117), outline=(196, 22, 28, 255), width=6)
    draw.text((30, 50), mark, fill=(196, 22, 28, 255))
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@click.command()
@click.option("--db", metavar="URL", help="The database to play on; a throw-away PostgreSQL when not given.")
@click.option("--acts", type=click.IntRange(8, 100_000), default=1000, show_default=True)
@click.option("--processes", type=click.IntRange(1, 64), default=8, show_default=True)
@click.option("--threads", type=click.IntRange(1, 32), default=4, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(db: str | None, acts: int, processes: int, threads: int, as_json: bool) -> None:
    """So many registrations and resumptions of one owner, kind and name at once: never two effective, none lost."""
    with database(db) as url:
        outcome = play(url, acts, processes, threads)
    if as_json:
        click.echo(json.dumps({**asdict(outcome), "held": outcome.held}))
    else:
        click.echo(
            f"{outcome.acts} acts in {outcome.seconds} s: {outcome.registered} registered, {outcome.resumed} resumed, "
            f"told {outcome.told or 'nobody'}"
        )
        click.echo(
            f"{outcome.kept} kept; effective now {outcome.effective}, at most {outcome.most_effective} in {outcome.looks} looks"
        )
        click.echo(f"errors: {', '.join(outcome.errors) or 'none'}")
        click.echo("held" if outcome.held else "NOT HELD")
    if not outcome.held:
        raise SystemExit(1)
