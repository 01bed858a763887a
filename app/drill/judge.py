"""What the tables and the log must say of a drill's flows, and what they do say: each thing once, no more, no less."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.audit import queries as log
from app.audit.queries import Filter
from app.db import db
from app.drill import cast
from app.flows.models import FlowEvent, FlowTask

AT_ONCE = 500


@dataclass(frozen=True)
class Counted:
    """Things that stand there too often, and things that are not there."""

    twice: int
    missing: int


def history(instances: list[int]) -> Counted:
    """The history that people read, against what each instance must have gone through."""
    rows = db.session.execute(sa.select(FlowEvent.instance_id, FlowEvent.kind, FlowEvent.node))
    seen = Counter((instance, kind, node) for instance, kind, node in rows)
    due = Counter({(i, kind, node): n for i in instances for (kind, node), n in cast.EXPECTED.items()})
    return _against(seen, due)


def entries(instances: list[int]) -> Counted:
    """The log's own entries, opened: one for each start, each completed task and each effect. A timer may also be
    passed by a person's step, and a message be taken when its instance comes to wait for it: those have at most one."""
    tasks = db.session.scalars(sa.select(FlowTask.id).where(FlowTask.status == "done"))
    due = Counter({("flow.task_completed", str(task)): 1 for task in tasks})
    due += Counter({("flow.started", str(i)): 1 for i in instances})
    due += Counter({("flow.reminded", str(i)): cast.EFFECTS for i in instances})
    seen: Counter[tuple[str, str]] = Counter()
    may: Counter[tuple[str, str]] = Counter()
    for action, fact in _facts():
        if action in ("flow.task_completed", "flow.started", "flow.reminded"):
            seen[action, str(fact["task_id" if action == "flow.task_completed" else "instance_id"])] += 1
        elif action == "flow.timer_fired":
            may[action, str(fact["instance_id"])] += 1
        elif action == "flow.message_delivered" and not fact["early"] and not fact["repeated"]:
            may[action, fact["correlation"]] += 1
    found = _against(seen, due)
    return Counted(found.twice + sum(n - 1 for n in may.values()), found.missing)


def _against(seen: Counter[Any], due: Counter[Any]) -> Counted:
    return Counted((seen - due).total(), (due - seen).total())


def _facts() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every fact of the log with its name, newest first."""
    before: int | None = None
    while rows := log.search(Filter(result="fact", before=before), AT_ONCE):
        yield from ((row.action, row.fact) for row in rows)
        before = rows[-1].number
