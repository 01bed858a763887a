"""Everybody of one 会签 votes at the same moment, from several processes: every vote counts once, nobody sees an error.

Each process has an app of its own and calls the command that the page calls. All wait for each other before the
first vote; a vote's wait is what its voter would have waited.
"""

import contextlib
import json
import multiprocessing
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import click
import sqlalchemy as sa

from app import servers
from app.actor import Actor
from app.bench import stage
from app.bench.chains import EXTENSION, MODEL
from app.bpmn.votes import YES
from app.db import db
from app.flows import commands
from app.flows.models import FlowDefinition, FlowEvent, FlowInstance, FlowTask
from app.people.models import Unit, User
from app.refusal import Refusal

KEY = "drill_votes"
FORM = {
    "title": {"zh": "会签", "en": "Vote"},
    "fields": [
        {
            "name": "decision", "type": "choice", "widget": "buttons", "required": True,
            "label": {"zh": "结论", "en": "Decision"},
            "choices": [
                {"value": YES, "label": {"zh": "同意", "en": "Approve"}, "tone": "primary"},
                {"value": "refuse", "label": {"zh": "不同意", "en": "Refuse"}},
            ],
        },
        {"name": "opinion", "type": "textarea", "label": {"zh": "意见", "en": "Opinion"}},
    ],
}  # fmt: skip
PATIENCE_S = 300


@dataclass(frozen=True)
class Outcome:
    """What came of a drill. `counted`: votes in the result; `errors`: what voters were shown instead of thanks."""

    voters: int
    processes: int
    counted: int
    counted_once: bool
    finished: bool
    errors: list[str]
    seconds: float
    max_wait_ms: float

    @property
    def held(self) -> bool:
        """Every vote counted once, by its own voter, and nobody saw an error."""
        return self.counted_once and self.finished and not self.errors


def drawing() -> bytes:
    """Start, one vote of all, end."""
    properties = "".join(
        f'<s:property name="{n}" value="{v}"/>'
        for n, v in (("vote", "all"), ("voters", "voters"), ("form", "vote"))
    )
    return (
        f'<definitions xmlns="{MODEL}" xmlns:s="{EXTENSION}" id="d" targetNamespace="urn:drill">'
        f'<process id="{KEY}" name="会签演练" isExecutable="true"><startEvent id="begin"/>'
        f'<userTask id="sign" name="会签"><extensionElements><s:properties>{properties}</s:properties>'
        "</extensionElements><multiInstanceLoopCharacteristics/></userTask>"
        '<endEvent id="finish"/><sequenceFlow id="a" sourceRef="begin" targetRef="sign"/>'
        '<sequenceFlow id="b" sourceRef="sign" targetRef="finish"/></process></definitions>'
    ).encode()


def play(voters: int, processes: int, url: str | None) -> Outcome:
    """Vote so on a schema of its own in the database `url` (a file of SQLite where None or so named)."""
    with stage.staged(url):
        instance_id, tasks = _call_to_vote(voters)
        seconds, told = _vote(tasks, processes)
        with stage.server().app_context():
            outcome = _judge(instance_id, voters, processes, seconds, told)
            db.session.remove()
            db.engine.dispose()
    return outcome


def _call_to_vote(voters: int) -> tuple[int, list[tuple[int, int, str]]]:
    """The people, the diagram, and the flow that asks them: its id, and each task with its voter."""
    with tempfile.TemporaryDirectory() as folder, stage.server().app_context():
        place = Path(folder) / KEY
        (place / "forms").mkdir(parents=True)
        (place / f"{KEY}.bpmn").write_bytes(drawing())
        (place / "forms" / "vote.json").write_text(json.dumps(FORM))
        unit = Unit(name="演练单位")
        db.session.add(unit)
        db.session.flush()
        people = [
            User(login=f"voter{n}", name=f"会签人{n}", unit_id=unit.id, password_hash="-")  # noqa: S106
            for n in range(voters)
        ]
        db.session.add_all(people)
        db.session.commit()
        chair = Actor(id=people[0].id, name=people[0].name, unit_id=unit.id)
        commands.load_files(folder=Path(folder), by=chair)
        asked = [person.id for person in people]
        started = commands.start(KEY, {"voters": asked}, business_key="drill/1", by=chair)
        rows = db.session.execute(
            sa.select(FlowTask.id, FlowTask.voter_id, FlowTask.assignee_name)
            .where(FlowTask.instance_id == started.instance_id, FlowTask.status == "open")
            .order_by(FlowTask.id)
        )
        tasks = [(task_id, cast("int", voter), name or "") for task_id, voter, name in rows]
        db.session.remove()
        db.engine.dispose()
    return started.instance_id, tasks


def _vote(tasks: list[tuple[int, int, str]], processes: int) -> tuple[float, list[tuple[float, str | None]]]:
    """Seconds from the first vote to the last, and for each its wait and what its voter was shown, if an error."""
    context = multiprocessing.get_context("spawn")
    ready, answers = context.Barrier(processes + 1), context.Queue()
    workers = [
        context.Process(target=_voting, args=(tasks[n::processes], ready, answers)) for n in range(processes)
    ]
    for worker in workers:
        worker.start()
    try:
        ready.wait(PATIENCE_S)
        began = time.perf_counter()
        told = [one for _ in workers for one in answers.get(timeout=PATIENCE_S)]
        seconds = time.perf_counter() - began
    finally:
        for worker in workers:
            worker.join(timeout=PATIENCE_S)
    return seconds, told


def _voting(tasks: list[tuple[int, int, str]], ready: Any, answers: Any) -> None:
    """One process: its voters, one after the other, as its page would let them."""
    with stage.server().app_context():
        db.session.get(FlowDefinition, 1)
        db.session.remove()
        ready.wait(PATIENCE_S)
        told: list[tuple[float, str | None]] = []
        for task_id, voter, name in tasks:
            began = time.perf_counter()
            error: str | None = None
            try:
                commands.complete(
                    task_id, {"decision": YES, "opinion": f"{voter}"}, by=Actor(id=voter, name=name)
                )
            except Refusal as refusal:
                error = refusal.code
            except Exception as defect:  # what a page would show as an error of ours
                error = type(defect).__name__
            told.append((time.perf_counter() - began, error))
            db.session.remove()
        answers.put(told)
        db.engine.dispose()


def _judge(
    instance_id: int, voters: int, processes: int, seconds: float, told: list[tuple[float, str | None]]
) -> Outcome:
    instance = db.session.get_one(FlowInstance, instance_id)
    done = db.session.execute(
        sa.select(FlowTask.voter_id, FlowTask.done_by_id, FlowTask.opinion).where(
            FlowTask.instance_id == instance_id, FlowTask.status == "done"
        )
    ).all()
    events = db.session.scalars(
        sa.select(FlowEvent).where(FlowEvent.instance_id == instance_id).order_by(FlowEvent.id)
    ).all()
    counted: dict[str, Any] = next((e.detail for e in events if e.kind == "counted"), dict[str, Any]())
    acts = [e.actor_id for e in events if e.kind == "done"]
    own = all(voter == by and opinion == str(voter) for voter, by, opinion in done)
    once = len(done) == len(set(acts)) == len(acts) == voters and own and counted.get("yes") == voters
    return Outcome(
        voters=voters,
        processes=processes,
        counted=int(counted.get("yes", 0)),
        counted_once=once,
        finished=instance.status == "finished",
        errors=sorted(error for _, error in told if error is not None),
        seconds=round(seconds, 2),
        max_wait_ms=round(max((wait for wait, _ in told), default=0.0) * 1000, 1),
    )


@contextlib.contextmanager
def database(url: str | None) -> Generator[str]:
    """The database that was named, or a throw-away PostgreSQL."""
    if url is not None:
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="yinxu-drill-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user when we are root
        with servers.postgresql_server(Path(folder) / "postgresql") as started:
            yield started


@click.command()
@click.option("--db", metavar="URL", help="The database to vote on; a throw-away PostgreSQL when not given.")
@click.option("--voters", type=click.IntRange(1, 1000), default=200, show_default=True)
@click.option("--processes", type=click.IntRange(1, 64), default=8, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(db: str | None, voters: int, processes: int, as_json: bool) -> None:
    """All approvers of one vote press at once, from several processes.

    Exit code 0: every vote was counted once and nobody saw an error; 1 otherwise.
    """
    with database(db) as url:
        outcome = play(voters, min(processes, voters), url)
    told = {**vars(outcome), "errors": len(outcome.errors), "error_codes": sorted(set(outcome.errors)),
            "held": outcome.held}  # fmt: skip
    if as_json:
        click.echo(json.dumps(told))
    else:
        click.echo("\n".join(f"{name:14} {value}" for name, value in told.items()))
    if not outcome.held:
        raise SystemExit(1)
