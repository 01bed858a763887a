"""What a diagram may say in words: FEEL, and nothing else. This stands where SpiffWorkflow expects a script engine.

Stock SpiffWorkflow hands conditions, timer texts and parameters to `eval`; here each is parsed once by our own
FEEL and run as a closure over the instance's data. No text from a diagram is ever executed.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol

from app.bpmn import feel, moments
from app.bpmn.fault import Fault
from app.bpmn.moments import Repetition


class Host(Protocol):
    """What the engine asks of the floors above it."""

    def act(self, operator: str, parameters: dict[str, Any]) -> Any:
        """Do what a service task asks for; a Refusal passes through the engine intact."""
        ...


@lru_cache(maxsize=8192)
def compiled(text: str) -> Callable[[Mapping[str, Any]], Any]:
    """The expression as a function of the data. Raises what `feel.expression` raises on a text it cannot read."""
    return feel.expression(text)


class Expressions:
    """SpiffWorkflow's script engine, without scripts. `now` is the moment of the step, with its zone."""

    def __init__(self, host: Host, now: datetime) -> None:
        self.host = host
        self.now = now
        self.environment = self  # SpiffWorkflow's correlation code asks the environment directly

    def validate(self, expression: str) -> None:
        compiled(expression)

    def evaluate(self, task: Any, expression: str, external_context: Mapping[str, Any] | None = None) -> Any:
        """SpiffWorkflow calls this for conditions only (with the data objects as `external_context`), and
        for loops' cardinality and conditions: parameters and timers of ours call `value` and `due`."""
        answer = self.value(task, expression, external_context)
        if external_context is not None and not isinstance(answer, bool):
            raise fault_at(
                task,
                "condition",
                zh=f"条件「{expression}」的结果不是“是/否”，而是 {answer!r}",
                en=f"the condition “{expression}” gave {answer!r} instead of true or false",
                expression=expression,
            )
        return answer

    def value(self, task: Any, expression: str, more: Mapping[str, Any] | None = None) -> Any:
        """What the expression says about the task's data. Raises Fault when it cannot be read or computed."""
        data: Mapping[str, Any] = {**more, **task.data} if more else task.data
        try:
            return compiled(expression)(data)
        except Exception as error:
            raise fault_at(
                task,
                "expression",
                zh=f"表达式「{expression}」无法计算（{error}）",
                en=f"the expression “{expression}” cannot be computed ({error})",
                expression=expression,
            ) from error

    def due(self, task: Any, text: str) -> datetime:
        """When the timer text falls due: ISO 8601 as it stands, or FEEL that yields such a text, a moment
        or a duration."""
        said = self._said(task, text)
        if isinstance(said, datetime):
            return said if said.tzinfo else said.replace(tzinfo=self.now.tzinfo)
        if isinstance(said, timedelta):
            return self.now + said
        try:
            return moments.due(str(said), self.now)
        except ValueError as error:
            raise self._bad_time(task, text) from error

    def repetition(self, task: Any, text: str) -> Repetition:
        try:
            return moments.repetition(str(self._said(task, text)), self.now)
        except ValueError as error:
            raise self._bad_time(task, text) from error

    def _said(self, task: Any, text: str) -> Any:
        return text if moments.LITERAL.match(text.strip()) else self.value(task, text)

    def _bad_time(self, task: Any, text: str) -> Fault:
        return fault_at(
            task,
            "timer",
            zh=f"定时「{text}」既不是 ISO 8601 时间，也不是能得出时间的表达式",
            en=f"the timer “{text}” is neither an ISO 8601 time nor an expression that gives one",
            expression=text,
        )

    def execute(self, task: Any, script: str, external_context: Any = None) -> None:
        raise fault_at(task, "script", zh="流程图中的脚本一律不执行", en="scripts in diagrams are never run")

    def call_service(self, task: Any, **_named: Any) -> None:
        raise fault_at(
            task, "service", zh="服务任务只能调用登记的操作", en="service tasks only call registered actions"
        )


def fault_at(task: Any, reason: str, *, zh: str, en: str, **details: Any) -> Fault:
    spec = task.task_spec
    return Fault(
        reason,
        process=str(task.workflow.spec.name),
        node=str(spec.bpmn_name or spec.bpmn_id or spec.name),
        node_id=str(spec.bpmn_id or spec.name),
        zh=zh,
        en=en,
        **details,
    )
