"""Our shapes in SpiffWorkflow's terms: actions, rule tables and timers that obey our clock. Its only subclasses."""

# pyright: reportUntypedBaseClass=false, reportUnknownMemberType=false, reportMissingTypeStubs=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyright: reportPrivateUsage=false

from datetime import datetime
from typing import Any

from SpiffWorkflow.bpmn.specs.event_definitions.timer import CycleTimerEventDefinition, TimerEventDefinition
from SpiffWorkflow.spiff.specs.spiff_task import SpiffBpmnTask
from SpiffWorkflow.util.task import TaskState

from app.bpmn.decision import Decisions, MatchedRule
from app.bpmn.values import plain


class ActionTask(SpiffBpmnTask):
    """A service task: one registered action, its parameters FEEL, its result kept under a name of the data."""

    def __init__(
        self, wf_spec: Any, bpmn_id: str, operator: str, parameters: dict[str, str], result: str, **named: Any
    ) -> None:
        super().__init__(wf_spec, bpmn_id, **named)
        self.operator = operator
        self.parameters = parameters
        self.result = result

    def _run_hook(self, my_task: Any) -> Any:
        answer = my_task.workflow.script_engine.act(my_task, self.operator, self.parameters)
        my_task.internal_data["did"] = {"operator": self.operator}
        if self.result and answer is not None:
            my_task.data[self.result] = answer
        return super()._run_hook(my_task)


class RuleTask(SpiffBpmnTask):
    """A business rule task: asks a decision table; the answer is kept under `result`, the fired rules for history."""

    def __init__(
        self, wf_spec: Any, bpmn_id: str, tables: Decisions | None, decision: str, result: str, **named: Any
    ) -> None:
        super().__init__(wf_spec, bpmn_id, **named)
        self.tables = tables
        self.decision = decision
        self.result = result

    def _run_hook(self, my_task: Any) -> Any:
        decided = my_task.workflow.script_engine.decide(my_task, self.tables, self.decision)
        my_task.data[self.result] = plain(decided.outputs)
        my_task.internal_data["did"] = {
            "decision": self.decision,
            "rules": [_in_words(rule) for rule in decided.matched],
            "outputs": plain(decided.outputs),
        }
        return super()._run_hook(my_task)


def _in_words(rule: MatchedRule) -> dict[str, Any]:
    """What history keeps of a rule that fired: its row, and what its author wrote beside it."""
    return {
        "index": rule.index,
        "id": rule.id,
        "description": rule.description,
        "annotations": list(rule.annotations),
        "outputs": plain(rule.outputs),
    }


class DueTimer(TimerEventDefinition):
    """A timer with one due moment, reckoned once when it is reached and kept as ISO text."""

    def has_fired(self, my_task: Any) -> bool:
        engine = my_task.workflow.script_engine
        due = my_task.internal_data.get("due")
        if due is None:
            due = engine.due(my_task, self.expression).isoformat()
            my_task.internal_data["due"] = due
        if datetime.fromisoformat(due) <= engine.now:
            my_task.internal_data["event_fired"] = True
        return bool(my_task.internal_data.get("event_fired", False))


class FirstRound(DueTimer):
    """A repetition where only one thing can come of it: its first round is all that is waited for."""

    def has_fired(self, my_task: Any) -> bool:
        if my_task.internal_data.get("due") is None:
            first = my_task.workflow.script_engine.repetition(my_task, self.expression).first
            my_task.internal_data["due"] = first.isoformat()
        return super().has_fired(my_task)


class RepeatingTimer(CycleTimerEventDefinition):
    """A timer that comes again. Rounds missed while nobody looked are made up for by one, not by all."""

    def cycle_complete(self, my_task: Any) -> bool:
        engine, kept = my_task.workflow.script_engine, my_task.internal_data
        if "due" not in kept:
            plan = engine.repetition(my_task, self.expression)
            kept["due"], kept["left"] = plan.first.isoformat(), plan.times
        due = datetime.fromisoformat(kept["due"])
        if due > engine.now or kept["left"] == 0:
            return False
        every = engine.repetition(my_task, self.expression).every
        following = every.after(due)
        kept["due"] = (following if following > engine.now else every.after(engine.now)).isoformat()
        if kept["left"] is not None:
            kept["left"] -= 1
        engine.fired.append(my_task)
        return True

    def update_task(self, my_task: Any) -> None:
        """What a round sets off hangs on that round, not on the timer: SpiffWorkflow drops all that hangs on a timer
        which is called off, and with it the task that somebody was given to remind."""
        if not self.cycle_complete(my_task):
            return
        came = my_task.parent._add_child(my_task.task_spec, TaskState.FUTURE)
        came._inherit_data()
        came._set_state(TaskState.COMPLETED)
        for output in my_task.task_spec.outputs:
            child = came._add_child(output, TaskState.FUTURE)
            child.task_spec._predict(child, mask=TaskState.NOT_FINISHED_MASK)
            child.task_spec._update(child)
