"""The pattern that an afternoon with SpiffWorkflow's own documents gives: the whole workflow as the library's JSON in
one ORM row, read and written at each completion. It writes no log, no task and no history. Only a baseline.
"""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

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


def parse(chain: Chain) -> tuple[Any, Any]:
    """The library's specification of a flow, and of those it calls (none)."""
    parser = SpiffBpmnParser()
    parser.add_bpmn_str(chain.theirs())
    return parser.get_spec(chain.key), parser.get_subprocess_specs(chain.key)


def begin(spec: Any, called: Any) -> str:
    workflow: Any = BpmnWorkflow(spec, called)
    workflow.do_engine_steps()
    return str(_serializer.serialize_json(workflow))


def complete(state: str, form: dict[str, Any]) -> tuple[str, bool]:
    """One person's step: the new state, and whether it was the last."""
    workflow: Any = _serializer.deserialize_json(state)
    task = workflow.get_next_task(state=TaskState.READY, manual=True)
    task.set_data(**form)
    task.run()
    workflow.do_engine_steps()
    return str(_serializer.serialize_json(workflow)), bool(workflow.completed)


def run_in(session: Session, spec: Any, called: Any, form: dict[str, Any]) -> None:
    """A whole instance, a transaction a completion."""
    row = NaiveInstance(state=begin(spec, called))
    session.add(row)
    session.commit()
    ident, done = row.id, False
    while not done:
        row = session.get_one(NaiveInstance, ident, with_for_update=True, populate_existing=True)
        row.state, done = complete(row.state, form)
        session.commit()
