"""Diagrams and people for tests of going back: everybody of a small office, each with a role of the register."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from app.actor import SYSTEM, Actor
from app.bpmn.parse import parse
from app.clock import now
from app.db import db
from app.flows import commands, queries, returning, ways_back
from app.flows.models import (
    FlowDefinition,
    FlowInstance,
    FlowTask,
    FlowTaskCandidate,
    FlowTimer,
    MessageSubscription,
)
from app.people.models import RoleGrant
from app.people.queries import actor_of
from tests.bpmn.diagrams import extensions, properties, shape
from tests.flows.makers import person, unit

NOTE = {
    "title": {"zh": "意见", "en": "Opinion"},
    "fields": [{"name": "opinion", "type": "text", "label": {"zh": "意见", "en": "Opinion"}}],
}


def task(ident: str, inside: str = "", role: str = "seal_office", **said: str) -> str:
    """A task of the office (or of the applicant) with a line for an opinion."""
    return shape("userTask", ident, extensions(properties(form="note", role=role, **said)) + inside)


@dataclass
class Office:
    """Who acts: the applicant, and three of the office who may do each other's tasks."""

    applicant: Actor
    one: Actor
    two: Actor
    three: Actor
    instance_id: int = 0
    data: dict[str, Any] = field(default_factory=dict[str, Any])

    def begin(self, diagram: bytes, *called: bytes, **data: Any) -> "Office":
        calls: dict[str, Any] = {}
        for each in (*called, diagram):
            made = parse(each)
            row = FlowDefinition(
                key=made.key, version=1, sha256=made.sha256, label_zh=made.key, label_en=made.key,
                bpmn=each.decode(), tables={}, forms={"note": NOTE}, calls=dict(calls), origin="studio",
                published_at=now(),
            )  # fmt: skip
            db.session.add(row)
            db.session.commit()
            calls[made.key] = row.id
        key = parse(diagram).key
        self.instance_id = commands.start(key, data, business_key="matter/1", by=self.applicant).instance_id
        return self

    def _reload(self) -> None:
        """Nothing is remembered from one act to the next but what the tables hold."""
        db.session.expire_all()

    @property
    def open(self) -> list[str]:
        self._reload()
        return sorted(t.node for t in self.tasks())

    def tasks(self, status: str = "open", node: str = "") -> list[FlowTask]:
        where = [FlowTask.instance_id == self.instance_id, FlowTask.status == status]
        where += [FlowTask.node == node] if node else []
        return list(db.session.scalars(sa.select(FlowTask).where(*where).order_by(FlowTask.id)))

    def only(self, node: str, which: int = 0) -> FlowTask:
        self._reload()
        return self.tasks(node=node)[which]

    def do(self, node: str, by: Actor | None = None, which: int = 0, **form: Any) -> Any:
        return commands.complete(self.only(node, which).id, form, by=by or self.one)

    def back(self, node: str, to: str, by: Actor | None = None, which: int = 0, **how: Any) -> Any:
        said = {"reason": "金额不对", **how}
        return returning.send_back(self.only(node, which).id, to, by=by or self.one, **said)

    def offered(self, node: str, by: Actor | None = None, which: int = 0) -> list[str]:
        return [w.value for w in ways_back.ways_of_task(self.only(node, which).id, by or self.one)]

    def told(self) -> list[str]:
        return [row.node or row.kind for row in queries.history(self.instance_id) if row.kind != "passed"]

    def known(self, node: str) -> dict[str, Any]:
        return dict(self.only(node).data)

    @property
    def instance(self) -> FlowInstance:
        self._reload()
        return db.session.get_one(FlowInstance, self.instance_id)

    def nothing_is_left_over(self) -> None:
        """What the tables wait for is exactly what the state waits for."""
        run = ways_back.run_of(self.instance, SYSTEM)
        assert {t.token for t in self.tasks()} == {t.token for t in run.tasks()}
        for model, waits in ((FlowTimer, run.timers()), (MessageSubscription, run.messages())):
            kept = db.session.scalars(sa.select(model.token).where(model.instance_id == self.instance_id))
            assert sorted(kept) == sorted(w.token for w in waits)
        filed = set(db.session.scalars(sa.select(FlowTaskCandidate.task_id)))
        assert filed == {
            t.id for t in db.session.scalars(sa.select(FlowTask).where(FlowTask.status == "open"))
        }


def office() -> Office:
    where = unit("财务部")
    people = [person("李航", where, "applicant")]
    people += [person(name, where, "seal_office") for name in ("王敏", "周宁", "赵立")]
    for each in people[1:]:
        assert each.id is not None
        db.session.add(
            RoleGrant(user_id=each.id, role="seal_office", unit_id=None, valid_from=now() - timedelta(days=1))
        )
    db.session.commit()
    applicant, one, two, three = (actor_of(p.id) for p in people if p.id is not None)
    return Office(applicant, one, two, three)
