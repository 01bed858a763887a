"""What a diagram may say in words: FEEL, and nothing else. This stands where SpiffWorkflow expects a script engine.

Stock SpiffWorkflow hands conditions, timer texts and parameters to `eval`; here each is parsed once by our own
FEEL and run as a closure over the instance's data. No text from a diagram is ever executed.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol, cast

from app.bpmn import feel, moments, voters
from app.bpmn.decision import DecisionError, DecisionResult, Decisions
from app.bpmn.fault import Fault
from app.bpmn.moments import Repetition
from app.bpmn.shapes import UNSAID
from app.bpmn.values import plain

MAX_INSTANCES = 1_000
"""An activity that is done more often than this, in one loop or for one list, is a mistake."""


class Way(Protocol):
    """One flow out of a gateway: where it leads, and on which condition; the default has none."""

    @property
    def target(self) -> str: ...

    @property
    def condition(self) -> str | None: ...


class Host(Protocol):
    """What the engine asks of the floors above it."""

    def act(self, operator: str, parameters: dict[str, Any]) -> Any:
        """Do what a service task asks for; a Refusal passes through the engine intact."""
        ...


@lru_cache(maxsize=8192)
def compiled(text: str, names: frozenset[str] = frozenset()) -> Callable[[Mapping[str, Any]], Any]:
    """The expression as a function of the data. `names`: those with blanks or signs in them, which must be known
    before it is read. Raises what `feel.expression` raises on a text it cannot read."""
    return feel.expression(text, names)


def computed(text: str, data: Mapping[str, Any]) -> Any:
    """The value of the expression over this data. What it calls by a name with blanks in it, the data tell."""
    try:
        read = compiled(text)
    except feel.FeelError:
        odd = frozenset(name for name in data if not name.isidentifier())
        if not odd:
            raise
        read = compiled(text, odd)
    return read(data)


class Expressions:
    """SpiffWorkflow's script engine, without scripts. `now` is the moment of the step, with its zone."""

    def __init__(self, host: Host, now: datetime) -> None:
        self.host = host
        self.now = now
        self.environment = self  # SpiffWorkflow's correlation code asks the environment directly
        self.fired: list[Any] = []
        """Repeating timers that came round: they go on waiting, so nobody else would tell of it."""

    def validate(self, expression: str) -> None:
        compiled(expression)

    def evaluate(self, task: Any, expression: str, external_context: Mapping[str, Any] | None = None) -> Any:
        """What SpiffWorkflow itself would ask for. Nothing of ours comes this way."""
        return self.value(task, expression, external_context)

    # what the shapes ask; a rehearsal answers some of it by itself

    def one_way(self, task: Any, ways: Sequence[Way]) -> Way:
        """The first way out of an exclusive gateway whose condition holds, else the default. Raises Fault."""
        for way in ways:
            if way.condition is not None and self.truth(task, way.condition, task.data):
                return way
        return self._default(task, ways)

    def all_ways(self, task: Any, ways: Sequence[Way]) -> list[Way]:
        """Every way out of an inclusive gateway whose condition holds, else the default. Raises Fault."""
        held = [w for w in ways if w.condition is not None and self.truth(task, w.condition, task.data)]
        return held or [self._default(task, ways)]

    def _default(self, task: Any, ways: Sequence[Way]) -> Way:
        default = next((way for way in ways if way.condition is None), None)
        if default is None:
            raise fault_at(
                task,
                "condition",
                zh="没有一个条件成立，也没有默认出线",
                en="no condition holds, and there is no default flow",
            )
        return default

    def truth(self, task: Any, expression: str, data: Mapping[str, Any]) -> bool:
        """A condition over this data. Raises Fault when it is neither true nor false."""
        answer = self.value(task, expression, data)
        if not isinstance(answer, bool):
            raise fault_at(
                task,
                "condition",
                zh=f"条件「{expression}」的结果不是“是/否”，而是 {answer!r}",
                en=f"the condition “{expression}” gave {answer!r} instead of true or false",
                expression=expression,
            )
        return answer

    def items(self, task: Any, collection: str | None, cardinality: str | None) -> list[Any]:
        """What a multi-instance activity is done for: the items of a list, or 1, 2, 3, … Raises Fault."""
        said = task.data.get(collection) if collection else self.value(task, cardinality or UNSAID)
        if isinstance(said, Mapping):
            said = list(cast("Mapping[str, Any]", said).values())
        if isinstance(said, list):
            items = cast("list[Any]", said)
        elif (
            isinstance(said, (int, Decimal))
            and not isinstance(said, bool)
            and said >= 0
            and said == int(said)
        ):
            self.bounded(task, int(said))
            items = list(range(1, int(said) + 1))
        else:
            raise fault_at(
                task,
                "instances",
                zh=f"「{collection or cardinality}」既不是列表也不是个数，不知道要办理几次",
                en=f"“{collection or cardinality}” is neither a list nor a number: how often is not known",
            )
        self.bounded(task, len(items))
        return items

    def voters(self, task: Any, said: Mapping[str, str]) -> list[dict[str, Any]]:
        """Who votes at a shape that says so in its properties, each with a weight. Raises Fault; empty only where
        the shape lets it pass when nobody is found."""
        knows = self.host if isinstance(self.host, voters.Directory) else None
        try:
            if said.get("voters"):
                listed = voters.ids_of(plain(self.value(task, said["voters"])))
            else:
                listed = (
                    list(knows.holders(said.get("voterRole", ""), self.unit(task, said))) if knows else []
                )
            self.bounded(task, len(listed))
            weights = (
                voters.weights_of(plain(self.value(task, said["weights"])), listed)
                if said.get("weights")
                else None
            )
            there = set(knows.able(listed)) if knows else set(listed)
            found = [seat for seat in voters.items(listed, weights) if seat["id"] in there]
            if not found and said.get("nobody") == "admin" and knows:
                found = voters.items(list(knows.holders(voters.ADMINISTRATORS, None)))
        except voters.NoVoters as error:
            raise fault_at(task, "voters", zh=error.zh, en=error.en) from error
        if not found and said.get("nobody") != "pass":
            raise fault_at(task, "nobody", zh="没有找到会签人员", en="there is nobody to vote")
        return found

    def unit(self, task: Any, said: Mapping[str, str]) -> int | None:
        """The unit that a task concerns by its `scope`, else by the owner of what the flow is about."""
        text = said.get("scope")
        value = plain(self.value(task, text)) if text else task.data.get("owner_unit_id")
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        return self.host.unit_id if isinstance(self.host, voters.Directory) else None

    def bounded(self, task: Any, times: int) -> None:
        """Raises Fault when one activity would be done more often than anyone could mean."""
        if times > MAX_INSTANCES:
            raise fault_at(
                task,
                "endless",
                zh=f"同一活动要办理超过 {MAX_INSTANCES} 次",
                en=f"one activity would be done more than {MAX_INSTANCES} times",
            )

    def act(self, task: Any, operator: str, parameters: Mapping[str, str]) -> Any:
        """What the action of a service task answers, as plain data."""
        if not operator:
            raise fault_at(task, "service", zh="服务任务没有指定操作", en="the service task names no action")
        values = {name: plain(self.value(task, text)) for name, text in parameters.items()}
        return plain(self.host.act(operator, values))

    def decide(self, task: Any, tables: Decisions | None, decision: str) -> DecisionResult:
        """What a rule table says. Raises Fault when there is none, or it gives no answer."""
        if tables is None:
            raise fault_at(
                task,
                "decision",
                zh=f"没有名为「{decision}」的规则表",
                en=f"there is no rule table called “{decision}”",
            )
        try:
            return tables.decide(decision, task.data, now=self.now)
        except DecisionError as error:
            raise fault_at(
                task,
                "decision",
                zh=f"规则表「{decision}」没有结果（{error.text.zh}）",
                en=f"the rule table “{decision}” gave no answer ({error.text.en})",
            ) from error

    def value(self, task: Any, expression: str, data: Mapping[str, Any] | None = None) -> Any:
        """What the expression says about this data, else the task's. Raises Fault when it cannot be computed."""
        try:
            return computed(expression, task.data if data is None else data)
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
        try:
            if isinstance(said, timedelta):
                return self.now + said
            return moments.due(str(said), self.now)
        except (ValueError, OverflowError) as error:
            raise self._bad_time(task, text) from error

    def repetition(self, task: Any, text: str) -> Repetition:
        try:
            return moments.repetition(str(self._said(task, text)), self.now)
        except (ValueError, OverflowError) as error:
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
