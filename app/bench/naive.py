"""The pattern that an afternoon with SpiffWorkflow's own documents gives: the whole workflow as the library's JSON in
an ORM row, read and written at each completion. Only a baseline, in two measures:

- `run_in`: the row and nothing else. Nobody could find a task, and nothing would be known of who did what.
- `run_with_desk`: what an inbox and a history need besides, as ORM rows too: the done task is closed, the next one
  opened, and each is told in an event. Still no log, no candidates and no forms.
"""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from SpiffWorkflow.bpmn.serializer.workflow import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.spiff.parser.process import SpiffBpmnParser
from SpiffWorkflow.spiff.serializer.config import SPIFF_CONFIG
from SpiffWorkflow.util.task import TaskState
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from app.bench.chains import Chain

_serializer: Any = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(SPIFF_CONFIG))


class Base(DeclarativeBase):
    pass


class NaiveInstance(Base):
    __tablename__ = "naive_instance"

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(sa.Text)


class NaiveTask(Base):
    __tablename__ = "naive_task"

    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(sa.ForeignKey(NaiveInstance.id), index=True)
    node: Mapped[str] = mapped_column(sa.String(120))
    status: Mapped[str] = mapped_column(sa.String(20), index=True)
    opinion: Mapped[str | None] = mapped_column(sa.Text)


class NaiveEvent(Base):
    __tablename__ = "naive_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(sa.ForeignKey(NaiveInstance.id), index=True)
    at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    kind: Mapped[str] = mapped_column(sa.String(30))
    node: Mapped[str] = mapped_column(sa.String(120))


def parse(chain: Chain) -> tuple[Any, Any]:
    """The library's specification of a flow, and of those it calls (none)."""
    parser = SpiffBpmnParser()
    parser.add_bpmn_str(chain.theirs())
    return parser.get_spec(chain.key), parser.get_subprocess_specs(chain.key)


def begin(spec: Any, called: Any) -> str:
    workflow: Any = BpmnWorkflow(spec, called)
    workflow.do_engine_steps()
    return str(_serializer.serialize_json(workflow))


def complete(state: str, form: dict[str, Any]) -> tuple[str, str | None]:
    """One person's step: the new state, and at which task it waits; None when that was the last."""
    workflow: Any = _serializer.deserialize_json(state)
    task = workflow.get_next_task(state=TaskState.READY, manual=True)
    task.set_data(**form)
    task.run()
    workflow.do_engine_steps()
    waits = workflow.get_next_task(state=TaskState.READY, manual=True)
    return str(_serializer.serialize_json(workflow)), str(waits.task_spec.name) if waits else None


def run_in(session: Session, spec: Any, called: Any, form: dict[str, Any]) -> None:
    """A whole instance, a transaction a completion."""
    row = NaiveInstance(state=begin(spec, called))
    session.add(row)
    session.commit()
    ident, waits = row.id, ""
    while waits is not None:
        row = session.get_one(NaiveInstance, ident, with_for_update=True, populate_existing=True)
        row.state, waits = complete(row.state, form)
        session.commit()


def run_with_desk(session: Session, spec: Any, called: Any, form: dict[str, Any]) -> None:
    """The same, with the rows that an inbox and a history are made of."""
    row = NaiveInstance(state=begin(spec, called))
    session.add(row)
    session.flush()
    ident, waits = row.id, "a0"
    session.add(NaiveTask(instance_id=ident, node=waits, status="open"))
    session.add(NaiveEvent(instance_id=ident, at=datetime.now(UTC), kind="started", node=""))
    session.commit()
    while waits is not None:
        row = session.get_one(NaiveInstance, ident, with_for_update=True, populate_existing=True)
        of_this = sa.select(NaiveTask).where(NaiveTask.instance_id == ident, NaiveTask.status == "open")
        task = session.scalars(of_this).one()
        row.state, waits = complete(row.state, form)
        task.status, task.opinion = "done", form["opinion"]
        session.add(NaiveEvent(instance_id=ident, at=datetime.now(UTC), kind="done", node=task.node))
        if waits is not None:
            session.add(NaiveTask(instance_id=ident, node=waits, status="open"))
        session.commit()
