"""Gateways whose choices our own expressions make: exclusive, inclusive, parallel, event-based.

SpiffWorkflow's event-based gateway keeps events in a form that cannot be stored: it is replaced by a plain
fork whose events call each other off. Source: BPMN 2.0.2, clauses 13.4.1 to 13.4.4.
"""

# pyright: reportUntypedBaseClass=false, reportUnknownMemberType=false, reportMissingTypeStubs=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyright: reportPrivateUsage=false, reportIncompatibleMethodOverride=false

from dataclasses import dataclass
from typing import Any

from SpiffWorkflow.bpmn.specs import defaults
from SpiffWorkflow.util.task import TaskState

from app.bpmn.joins import InclusiveJoin, Join


@dataclass(frozen=True)
class Way:
    """One flow out of a gateway: where it leads, and on which condition; the default has none."""

    target: str
    condition: str | None


def _ways(spec: Any) -> list[Way]:
    return [Way(name, None if said is None else str(said.args[0])) for said, name in spec.cond_task_specs]


def _go(task: Any, ways: list[Way]) -> bool:
    task._sync_children([task.workflow.spec.task_specs[way.target] for way in ways], TaskState.FUTURE)
    for child in task.children:
        child.task_spec._predict(child, mask=TaskState.FUTURE | TaskState.PREDICTED_MASK)
    return True


class Exclusive(defaults.ExclusiveGateway):
    """The first flow, as the file has them, whose condition holds; else the default."""

    def _run_hook(self, my_task: Any) -> bool:
        return _go(my_task, [my_task.workflow.script_engine.one_way(my_task, _ways(self))])


class Inclusive(InclusiveJoin, defaults.InclusiveGateway):
    """Every flow whose condition holds; else the default. Joins what can still come, and nothing else."""

    def _run_hook(self, my_task: Any) -> bool:
        return _go(my_task, my_task.workflow.script_engine.all_ways(my_task, _ways(self)))


class Parallel(Join, defaults.ParallelGateway):
    """Every flow; joins one token of each."""

    def _run_hook(self, my_task: Any) -> bool:
        return True


class FirstEvent(Join, defaults.ParallelGateway):
    """An event-based gateway: all its events are waited for, and the first that comes calls off the others."""

    def _update_hook(self, my_task: Any) -> bool:
        my_task._inherit_data()
        return True

    def _run_hook(self, my_task: Any) -> bool:
        return True

    def race(self) -> None:
        """Let the first event after this gateway call off its rivals. Called once, when the spec is whole."""
        for output in self.outputs:
            output.completed_event.connect(self._call_off)

    def _call_off(self, _workflow: Any, winner: Any) -> None:
        if winner.parent is None or winner.parent.task_spec is not self:
            return
        for rival in winner.parent.children:
            if rival is not winner and rival.has_state(TaskState.NOT_FINISHED_MASK):
                rival.cancel()
