"""A run in which one automatic step is not done, but taken to have brought what an operator says it did."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.bpmn.decision import DecisionResult, Decisions
from app.bpmn.expressions import Expressions, Host


class SteppingOver(Expressions):
    """`node`: the shape's id; `visit`: which time within the step it is come to that is stepped over. The same state
    and the same act come to it in the same order, so this is the one that failed."""

    def __init__(
        self, host: Host, now: datetime, *, node: str, visit: int, outputs: Mapping[str, Any] | None
    ) -> None:
        super().__init__(host, now)
        self._node, self._left, self._outputs = node, visit, outputs

    def act(self, task: Any, operator: str, parameters: Mapping[str, str]) -> Any:
        if self._is_it(task):
            return None if self._outputs is None else dict(self._outputs)
        return super().act(task, operator, parameters)

    def decide(self, task: Any, tables: Decisions | None, decision: str) -> DecisionResult:
        if self._is_it(task):
            outputs = dict(self._outputs or {})
            return DecisionResult(decision=decision, value=outputs, outputs=outputs, matched=())
        return super().decide(task, tables, decision)

    def _is_it(self, task: Any) -> bool:
        if str(task.task_spec.bpmn_id) != self._node:
            return False
        self._left -= 1
        return self._left == 0
