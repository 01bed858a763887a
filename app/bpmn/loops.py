"""Activities that are done several times: standard loops and multi-instance, parallel or one after another.

SpiffWorkflow shows a completion condition only the last child, gathers outputs in the order in which they come,
and never ends once a child was cancelled. Here all is read from the children themselves, so nothing has to be
remembered that a save and a restore could lose. Source: BPMN 2.0.2, clause 10.3.8 (tables 10.29 and 10.30).

    nrOfInstances, nrOfCompletedInstances, nrOfActiveInstances, nrOfTerminatedInstances, loopCounter (from 1)

are what a completion condition may ask for, beside the results so far, kept under the activity's id (or the
output collection): a list in the order of the inputs, null where nothing has come.
"""

# pyright: reportUntypedBaseClass=false, reportUnknownMemberType=false, reportMissingTypeStubs=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyright: reportPrivateUsage=false, reportIncompatibleMethodOverride=false

from typing import Any

from SpiffWorkflow.bpmn.specs.mixins import multiinstance_task as stock
from SpiffWorkflow.spiff.specs.spiff_task import SpiffBpmnTask
from SpiffWorkflow.util.task import TaskState

from app.bpmn.tidy import forget_orphans
from app.bpmn.values import plain

COUNTER = "loopCounter"


class Many(stock.MultiInstanceTask, SpiffBpmnTask):
    """A multi-instance activity. `sequential`: one after another."""

    sequential = False

    def _update_hook(self, my_task: Any) -> bool:
        if my_task.state == TaskState.STARTED:
            return False
        super()._update_hook(my_task)
        items = self._asked(my_task)
        my_task.internal_data["items"] = plain(items)
        if not items:
            my_task.data[self._kept_under()] = self._nobody(my_task)
            return True
        my_task._set_state(TaskState.STARTED)
        for index in range(1 if self.sequential else len(items)):
            self._begin(my_task, index)
        return False

    def _asked(self, my_task: Any) -> list[Any]:
        """What it is done for, one instance each."""
        collection = self.data_input.bpmn_id if self.data_input else None
        return my_task.workflow.script_engine.items(my_task, collection, self.cardinality)

    def _nobody(self, my_task: Any) -> Any:
        """What came of it where it was done for nothing."""
        return []

    def _begin(self, my_task: Any, index: int) -> None:
        child = my_task._add_child(my_task.workflow.spec.task_specs[self.task_spec], TaskState.WAITING)
        child.triggered = True
        child.internal_data["key_or_index"] = index
        self._prepare(my_task, child, index)
        child.task_spec._update(child)

    def _prepare(self, my_task: Any, child: Any, index: int) -> None:
        if self.input_item is not None:
            child.data[self.input_item.bpmn_name] = plain(my_task.internal_data["items"][index])
        child.data[COUNTER] = index + 1

    def merge_child(self, workflow: Any, child: Any) -> None:
        """A child is done (called by its completion)."""
        self.recount(child.parent, child)

    def recount(self, my_task: Any, last: Any) -> None:
        """What follows from how many are done, still wanted, or called off; `last` is the child it was about."""
        children = list(self._instances(my_task))
        states = [child.state for child in children]
        total = len(self._items(my_task))
        gone = states.count(TaskState.CANCELLED)
        done = states.count(TaskState.COMPLETED)
        active = [child for child in children if child.has_state(TaskState.NOT_FINISHED_MASK)]
        more = {
            "nrOfInstances": total - gone,
            "nrOfCompletedInstances": done,
            "nrOfActiveInstances": len(active),
            "nrOfTerminatedInstances": gone,
            COUNTER: last.internal_data.get("key_or_index", 0) + 1,
            self._kept_under(): self._results(my_task),
        }
        if done and self._enough(my_task, more):
            for child in active:
                child.cancel()
            self._over(my_task)
        elif len(children) < total:
            if not active:
                self._begin(my_task, len(children))
        elif not active:
            self._over(my_task)

    def _enough(self, my_task: Any, more: dict[str, Any]) -> bool:
        if not self.condition:
            return False
        return my_task.workflow.script_engine.truth(my_task, self.condition, {**my_task.data, **more})

    def _over(self, my_task: Any) -> None:
        my_task.data[self._kept_under()] = self._results(my_task)
        my_task._set_state(TaskState.READY)

    def _items(self, my_task: Any) -> list[Any]:
        """What there is an instance for. An instance of an earlier release kept no list, but all its children."""
        items = my_task.internal_data.get("items")
        return items if items is not None else list(self._instances(my_task))

    def _kept_under(self) -> str:
        return self.data_output.bpmn_id if self.data_output is not None else str(self.bpmn_id)

    def _results(self, my_task: Any) -> list[Any]:
        results: list[Any] = [None] * len(self._items(my_task))
        for number, child in enumerate(self._instances(my_task)):
            if child.state == TaskState.COMPLETED:
                index = child.internal_data.get("key_or_index", number)
                results[index if isinstance(index, int) else number] = self._result(my_task, child)
        return results

    def _result(self, my_task: Any, child: Any) -> Any:
        """What one instance brought: its output item; else its form; else whatever it changed."""
        if self.data_output is not None and self.output_item is not None:
            return child.data.get(self.output_item.bpmn_name)
        own = str(self.bpmn_id)
        if own in child.data and child.data[own] != my_task.data.get(own):
            return child.data[own]
        private = {COUNTER, self.input_item.bpmn_name if self.input_item is not None else COUNTER}
        before = my_task.data
        return {
            k: v for k, v in child.data.items() if k not in private and (k not in before or before[k] != v)
        }

    def _on_cancel(self, my_task: Any) -> None:
        forget_orphans(my_task.workflow.top_workflow)
        super()._on_cancel(my_task)


class OneByOne(Many):
    sequential = True


class Again(stock.StandardLoopTask, SpiffBpmnTask):
    """A standard loop: goes on while its condition holds, each round with what the one before left."""

    def create_child(self, my_task: Any) -> None:
        number = len(self._merged_children(my_task))
        my_task.workflow.script_engine.bounded(my_task, number)
        child = my_task._add_child(my_task.workflow.spec.task_specs[self.task_spec], TaskState.WAITING)
        child.triggered = True
        child.internal_data["iteration"] = number
        child.data[COUNTER] = number + 1
        child.task_spec._update(child)

    def merge_child(self, workflow: Any, child: Any) -> None:
        my_task = child.parent
        my_task.data = {k: v for k, v in child.data.items() if k != COUNTER}
        my_task.internal_data["merged"].append(str(child.id))
        if self.loop_complete(my_task):
            my_task._set_state(TaskState.READY)
        else:
            self.create_child(my_task)

    def loop_complete(self, my_task: Any) -> bool:
        rounds = len(self._merged_children(my_task))
        if self.maximum is not None and rounds >= self.maximum:
            return True
        if not self.condition:
            return False
        data = {**my_task.data, COUNTER: rounds}
        return not my_task.workflow.script_engine.truth(my_task, self.condition, data)

    def _on_cancel(self, my_task: Any) -> None:
        forget_orphans(my_task.workflow.top_workflow)
        super()._on_cancel(my_task)
