"""Errors and escalations: who hears them.

SpiffWorkflow lets everybody hear who listens for such an error, wherever in the instance they stand. Here one is
thrown out of the process or sub-process it happened in, and the first activity around it that has an event for it
on its border takes it; one that names the error comes before one that takes any. What nobody takes is over.
Source: BPMN 2.0.2, clauses 10.5.6 (error, escalation) and 13.5.
"""

# pyright: reportUntypedBaseClass=false, reportUnknownMemberType=false, reportMissingTypeStubs=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyright: reportPrivateUsage=false, reportIncompatibleMethodOverride=false

from collections.abc import Iterator
from typing import Any

from SpiffWorkflow.bpmn.specs.control import BoundaryEventSplit
from SpiffWorkflow.bpmn.specs.mixins.events.intermediate_event import BoundaryEvent
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.bpmn.util import BpmnEvent
from SpiffWorkflow.spiff.specs.event_definitions import ErrorEventDefinition, EscalationEventDefinition
from SpiffWorkflow.util.task import TaskState


class _Thrown:
    """Mixed into an event definition: goes up from activity to activity until one takes it."""

    def throw(self, my_task: Any) -> None:
        for activity in _around(my_task):
            taken = [event for event in _on_border(activity) if event.task_spec.event_definition == self]
            taken.sort(key=lambda event: event.task_spec.event_definition.code is None)
            if taken:
                taken[0].task_spec.catch(taken[0], BpmnEvent(self))
                taken[0].task_spec._update(taken[0])
                return


class Error(_Thrown, ErrorEventDefinition):
    """An error of a name and a code; one without a code takes any."""


class Escalation(_Thrown, EscalationEventDefinition):
    """The same for what only wants to be known."""


def _around(task: Any) -> Iterator[Any]:
    """The activities that hold the process a task stands in, from the inside out; of one that is done several times
    all of it."""
    tree = task.workflow
    while tree.parent_workflow is not None:
        host = tree.top_workflow.get_task_from_id(tree.parent_task_id)
        tree = host.workflow
        yield host.parent if isinstance(host.parent.task_spec, LoopTask) else host


def _on_border(activity: Any) -> list[Any]:
    """The events that wait on its border."""
    if not isinstance(activity.parent.task_spec, BoundaryEventSplit):
        return []
    beside = activity.parent.children
    return [t for t in beside if isinstance(t.task_spec, BoundaryEvent) and t.state == TaskState.WAITING]
