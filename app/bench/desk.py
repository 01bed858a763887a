"""The inbox of a person with 40 tasks: alone, and in a system of 100,000 open tasks and 5,000 people.

The page is asked for through Flask, as a browser does, so the figure holds the session, the list, the task beside it and
the template. The tasks of the crowd lie as an engine files them: a candidate at each unit above, half of them taken.
Both states lie in one database of one run; the crowd comes second.
"""

import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from app.actor import SYSTEM
from app.bench import flows, stage
from app.bench.chains import FORM, Chain
from app.bench.measure import Measure
from app.clock import now
from app.db import db
from app.factory import create_app
from app.flows import commands
from app.flows.models import (
    FlowDefinition,
    FlowEvent,
    FlowInstance,
    FlowTask,
    FlowTaskCandidate,
    MessageSubscription,
)
from app.flows.rules import EVERYWHERE
from app.people import commands as people
from app.people.models import LoginSession, RoleGrant, Unit, User
from app.settings import Settings

MINE, TASKS, PEOPLE, UNITS = 40, 100_000, 5_000, 200
WITHIN = 2.0
"""How many times as long the page may take among the others. Source: the desk's brief, shows 3."""
ROUNDS = 41
CHUNK = 5_000
TOKEN = "bench"  # noqa: S105 a cookie of a database that is thrown away
ROLE = "seal_office"


def measures(db: str | None = None) -> Iterator[Measure]:
    """`db`: a database whose owner may make a schema in it; SQLite in a temporary folder when None."""
    with stage.staged(db):
        yield from compare(create_app(Settings(), diagrams=False), tasks=TASKS, people_count=PEOPLE)


def compare(app: Flask, *, tasks: int, people_count: int, rounds: int = ROUNDS) -> Iterator[Measure]:
    """Both states on the empty tables of `app`: how long the page takes, and how many statements it sends."""
    with app.app_context():
        _publish()
        me, unit = _me()
        _tasks(MINE, lambda i: (me if i % 2 else None, unit))
        _settle()
    client = app.test_client()
    client.set_cookie("yinxu", TOKEN)
    alone, few = _seconds(app, client, rounds)
    with app.app_context():
        _crowd(unit, tasks, people_count)
        _settle()
    crowded, many = _seconds(app, client, rounds)
    yield Measure(
        name="desk.inbox", ours=crowded * 1000, unit="ms", baseline=alone * 1000,
        ratio=alone / crowded, goal=1 / WITHIN,
    )  # fmt: skip
    yield Measure(
        name="desk.statements", ours=many, unit="statements", baseline=few, ratio=few / many, goal=1.0
    )


def _seconds(app: Flask, client: FlaskClient, rounds: int) -> tuple[float, int]:
    """The page's median seconds, and its statements; the first three rounds only warm up."""
    waits: list[float] = []
    statements = 0
    for _ in range(rounds + 3):
        with _counted(app) as sent:
            began = time.perf_counter()
            answer = client.get("/inbox")
            waits.append(time.perf_counter() - began)
        statements = len(sent)
        if answer.status_code != 200 or answer.text.count('class="list-item"') != MINE:
            shown = answer.text.partition("<main")[2][:900]
            raise RuntimeError(f"the inbox answered {answer.status_code} and not with {MINE} tasks: {shown}")
    return statistics.median(waits[3:]), statements


@contextmanager
def _counted(app: Flask) -> Generator[list[str]]:
    with app.app_context():
        engine = db.engine
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


# --- the states ---


def _publish() -> None:
    """A chain of four steps, as `flows` draws it."""
    chain = Chain(4)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / chain.key
        (place / "forms").mkdir(parents=True)
        (place / f"{chain.key}.bpmn").write_bytes(chain.ours())
        (place / "forms" / "review.json").write_text(json.dumps(FORM))
        commands.load_files(folder=Path(folder), by=flows.WHO)


def _me() -> tuple[int, int]:
    """Somebody of one department who holds its role there, logged in."""
    top = people.register_unit("示例公司", by=SYSTEM).unit_id
    unit = people.register_unit("本部门", parent_id=top, by=SYSTEM).unit_id
    ident = people.register_user("bench", "某人", unit, "nobody ever types this", by=SYSTEM).user_id
    people.appoint(ident, ROLE, unit_id=unit, by=SYSTEM)
    db.session.add(LoginSession(token_hash=hashlib.sha256(TOKEN.encode()).hexdigest(), user_id=ident))
    db.session.execute(sa.update(User).where(User.id == ident).values(password_is_first=False))
    db.session.commit()
    return ident, unit


def _crowd(unit: int, tasks: int, people_count: int) -> None:
    """Everybody else: their units, roles and tasks, and flows that wait for the world and were reminded of."""
    top = db.session.scalar(sa.select(Unit.parent_id).where(Unit.id == unit))
    units = _insert(
        Unit, [dict(name=f"部门{n}", parent_id=top, level=2, created_at=now()) for n in range(UNITS)]
    )
    users = _insert(
        User,
        [
            dict(login=f"p{n}", name=f"同事{n}", unit_id=units[n % UNITS], password_hash="", active=True,
                 password_is_first=False, created_at=now())
            for n in range(people_count)
        ],
    )  # fmt: skip
    grants = [
        dict(user_id=u, role=ROLE, unit_id=units[n % UNITS], valid_from=now()) for n, u in enumerate(users)
    ]
    _insert(RoleGrant, grants)
    for begun in range(0, tasks - MINE, CHUNK):
        count = min(CHUNK, tasks - MINE - begun)
        made = _tasks(
            count,
            lambda i: (users[i % people_count] if i % 2 else None, units[i % UNITS]),
        )
        _waiting(made[::10])


def _tasks(count: int, whose: Callable[[int], tuple[int | None, int]]) -> list[int]:
    """So many flows that stand at a person's step. `whose`: who has it, or None, and the unit it belongs to."""
    definition = db.session.scalar(sa.select(FlowDefinition.id).where(FlowDefinition.key == Chain(4).key))
    example, token = _example()
    kept = {c.name: getattr(example, c.name) for c in FlowInstance.__table__.c if c.name != "id"}
    at = now()
    instances = _insert(
        FlowInstance, [{**kept, "title": f"财务专用章 {i}", "unit_id": whose(i)[1]} for i in range(count)]
    )
    rows: list[dict[str, Any]] = []
    for i, instance in enumerate(instances):
        has, _ = whose(i)
        rows.append(
            dict(instance_id=instance, definition_id=definition, token=token, node="a0", label_zh="审核",
                 label_en="Review", form="review", role=ROLE, data={}, status="open", assignee_id=has,
                 assignee_name="某人" if has else None, created_at=at, due_at=at + timedelta(hours=i % 200 - 40),
                 own_hand=False, timeouts=0)
        )  # fmt: skip
    made = _insert(FlowTask, rows)
    filed = [
        dict(task_id=task, role=ROLE, unit_id=unit)
        for i, task in enumerate(made)
        for unit in (whose(i)[1], EVERYWHERE)
    ]
    _insert(FlowTaskCandidate, filed)
    _events(instances, "started")
    return instances


def _example() -> tuple[FlowInstance, str]:
    """One flow of the bench, started as the pages do; its state is what the others' bytes are copied from."""
    key = Chain(4).key
    found = db.session.scalar(
        sa.select(FlowInstance).where(FlowInstance.key == key).order_by(FlowInstance.id).limit(1)
    )
    if found is None:
        commands.start(key, {}, business_key="bench/1", by=flows.WHO)
        found = db.session.scalars(sa.select(FlowInstance)).one()
        # it is nobody's: only its state is wanted
        db.session.execute(sa.delete(FlowTaskCandidate))
        db.session.commit()
    token = db.session.scalars(
        sa.select(FlowTask.token).where(FlowTask.instance_id == found.id).limit(1)
    ).one()
    return found, token


def _events(instances: list[int], kind: str, **detail: Any) -> None:
    same = dict(at=now(), kind=kind, process=Chain(4).key, node="", shape="", label_zh="", label_en="",
                actor_id=None, actor_name="某人", detail=detail)  # fmt: skip
    _insert(FlowEvent, [{**same, "instance_id": i} for i in instances for _ in range(3)])


def _waiting(instances: list[int]) -> None:
    same = dict(process=Chain(4).key, node="a0", name="bench", since=now())
    _insert(
        MessageSubscription,
        [{**same, "instance_id": i, "token": str(uuid4()), "correlation": str(i)} for i in instances],
    )
    _events(instances, "reminded", role="seal_manager", zh="已等待两天", en="Waiting for two days")


def _insert(table: type[Any], rows: list[dict[str, Any]]) -> list[int]:
    """Rows with numbers of our own choosing, which is much faster than asking the database for them."""
    last = db.session.scalar(sa.select(sa.func.max(table.id))) or 0
    numbered = [{"id": last + n, **row} for n, row in enumerate(rows, 1)]
    if numbered:
        db.session.execute(sa.insert(table.__table__), numbered)
    db.session.commit()
    return [row["id"] for row in numbered]


def _settle() -> None:
    """What a database that has stood for a day knows of its tables."""
    db.session.execute(sa.text("ANALYZE"))
    db.session.commit()
