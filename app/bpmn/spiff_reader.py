"""How SpiffWorkflow reads the canonical form: its parsers, with our shapes in place of those that run Python.

Everything here follows what SpiffWorkflow calls; what is read was written by `canonical`.
"""

# pyright: reportUntypedBaseClass=false, reportUnknownMemberType=false, reportMissingTypeStubs=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyright: reportPrivateUsage=false

from types import MethodType
from typing import Any, cast

from SpiffWorkflow.bpmn.parser.event_parsers import SIGNAL_EVENT_XPATH, EventDefinitionParser
from SpiffWorkflow.bpmn.parser.task_parsers import ConditionalGatewayParser, GatewayParser
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.specs.defaults import EndEvent
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.bpmn.specs.mixins.subworkflow_task import CallActivity, SubWorkflowTask
from SpiffWorkflow.spiff.parser.event_parsers import SpiffEndEventParser
from SpiffWorkflow.spiff.parser.process import SpiffBpmnParser, SpiffProcessParser
from SpiffWorkflow.spiff.parser.task_spec import SpiffTaskParser
from SpiffWorkflow.util.task import TaskState

from app.bpmn.ballot import Ballot
from app.bpmn.canonical import as_drawn
from app.bpmn.gateways import Exclusive, FirstEvent, Inclusive, Parallel
from app.bpmn.joins import TheEnd
from app.bpmn.loops import Again, Many, OneByOne
from app.bpmn.outcry import Error, Escalation
from app.bpmn.reading import Element, local, properties, xpath
from app.bpmn.shapes import RUNNABLE
from app.bpmn.specs import ActionTask, DueTimer, FirstRound, RepeatingTimer, RuleTask
from app.refusal import Invalid


class _ActionParser(SpiffTaskParser):
    def create_task(self) -> Any:
        operator = self.parse_extensions().get("serviceTaskOperator") or {}
        given = cast("dict[str, dict[str, str]]", operator.get("parameters", {}))
        return ActionTask(
            self.spec,
            self.bpmn_id,
            operator=operator.get("name", ""),
            parameters={name: parameter["value"] for name, parameter in given.items()},
            result=operator.get("resultVariable") or "",
            **self.bpmn_attributes,
        )


class _RuleParser(SpiffTaskParser):
    def create_task(self) -> Any:
        name = self.get_decision_ref(self.node)
        tables = self.process_parser.parser.tables
        return RuleTask(
            self.spec,
            self.bpmn_id,
            tables=next((t for t in tables if name in t.ids), None),
            decision=name,
            result=properties(self.node).get("result") or name,
            **self.bpmn_attributes,
        )

    @staticmethod
    def get_decision_ref(node: Element) -> str:
        return str(SpiffTaskParser._parse_extensions(node).get("calledDecisionId") or "")


class _OurEvents:
    """Events of ours in place of SpiffWorkflow's: timers, whose texts are Python there and whose clock is the
    machine's; errors and escalations, which everybody hears there."""

    def parse_error_event(self, error_event: Any) -> Any:
        made = cast(Any, super()).parse_error_event(error_event)
        made.__class__ = Error
        return made

    def parse_escalation_event(self, escalation_event: Any) -> Any:
        made = cast(Any, super()).parse_escalation_event(escalation_event)
        made.__class__ = Escalation
        return made

    def parse_timer_event(self, event: Element) -> Any:
        owner = event.getparent()
        name = str(owner.get("id"))
        often = RepeatingTimer if owner.get("cancelActivity") == "false" else FirstRound
        for tag, made in (("timeDate", DueTimer), ("timeDuration", DueTimer), ("timeCycle", often)):
            found = xpath(event, f"./bpmn:{tag}")
            if found:
                return made(name, (found[0].text or "").strip())
        raise Invalid("diagram.timer", zh=f"定时事件「{name}」没有时间", en=f'the timer "{name}" has no time')


class _EndParser(SpiffEndEventParser):
    """SpiffWorkflow knows every event that an end may tell, but for signals."""

    def get_event_definition(self, xpaths: list[str]) -> Any:
        return super().get_event_definition([*xpaths, SIGNAL_EVENT_XPATH])


class _OurLoops:
    STANDARD_LOOP_CLASS = Again
    PARALLEL_MI_CLASS = Many
    SEQUENTIAL_MI_CLASS = OneByOne


def _ours(parser: type, spec: type) -> tuple[type, type]:
    """A parser of SpiffWorkflow's that makes our loops and timers."""
    mixed = (_OurLoops, _OurEvents) if issubclass(parser, EventDefinitionParser) else (_OurLoops,)
    return type(parser.__name__, (*mixed, parser), {}), spec


class _Process(SpiffProcessParser):
    """Reads a process from its ends to its start: SpiffWorkflow would go down one call for each shape in a row."""

    def add_tasks(self) -> None:
        shapes = [n for n in self.node if local(n) in RUNNABLE and local(n) != "boundaryEvent"]
        if len(shapes) > LONG:
            for node in self._last_first(shapes):
                self.parse_node(node)
        super().add_tasks()

    def _last_first(self, shapes: list[Element]) -> list[Element]:
        """The shapes that can be reached, each after all that follow it, as far as there are no circles."""
        by_id = {str(n.get("id")): n for n in shapes}
        after: dict[str, list[str]] = {}
        for ident in by_id:
            sources = [ident, *(str(e.get("id")) for e in self.get_boundary_events(ident))]
            flows = [f for source in sources for f in self.get_outgoing_sequence_flows(source)]
            after[ident] = [t for f in flows if (t := str(f.get("targetRef"))) in by_id]
        ordered: list[Element] = []
        seen: set[str] = set()
        for start in (i for i, n in by_id.items() if local(n) == "startEvent"):
            waiting = [(start, iter(after[start]))]
            seen.add(start)
            while waiting:
                ident, following = waiting[-1]
                step = next((t for t in following if t not in seen), None)
                if step is None:
                    ordered.append(by_id[ident])
                    waiting.pop()
                else:
                    seen.add(step)
                    waiting.append((step, iter(after[step])))
        return ordered


LONG = 60
PREDICTED = int(TaskState.PREDICTED_MASK)


class Reader(SpiffBpmnParser):
    PROCESS_PARSER_CLASS = _Process
    OVERRIDE_PARSER_CLASSES = {
        **{tag: _ours(*both) for tag, both in SpiffBpmnParser.OVERRIDE_PARSER_CLASSES.items()},
        full_tag("serviceTask"): _ours(_ActionParser, ActionTask),
        full_tag("businessRuleTask"): _ours(_RuleParser, RuleTask),
        full_tag("endEvent"): _ours(_EndParser, EndEvent),
        full_tag("exclusiveGateway"): (ConditionalGatewayParser, Exclusive),
        full_tag("inclusiveGateway"): (ConditionalGatewayParser, Inclusive),
        full_tag("parallelGateway"): (GatewayParser, Parallel),
        full_tag("eventBasedGateway"): (GatewayParser, FirstEvent),
    }

    def __init__(self, tables: tuple[Any, ...]) -> None:
        super().__init__()
        self.tables = tables


def specs_of(parser: Any, key: str) -> dict[str, Any]:
    """The process and the sub-processes drawn inside it."""
    specs, waiting = {key: parser.get_spec(key)}, [key]
    while waiting:
        for spec in list(specs[waiting.pop()].task_specs.values()):
            inner = str(getattr(spec, "spec", ""))
            if (
                isinstance(spec, SubWorkflowTask)
                and not isinstance(spec, CallActivity)
                and inner not in specs
            ):
                specs[inner] = parser.get_spec(inner)
                waiting.append(inner)
    for made in specs.values():
        _connect(made)
    return specs


def _connect(spec: Any) -> None:
    """SpiffWorkflow's own end gives way to ours. It connects a loop to its children when it creates them, so a reload forgets; ours never does.
    Shapes get back the ids they were drawn with."""
    spec.end.__class__ = TheEnd
    for made in spec.task_specs.values():
        task_spec: Any = made
        if isinstance(made, LoopTask):
            _seat_people(task_spec, getattr(spec.task_specs[task_spec.task_spec], "extensions", None) or {})
            spec.task_specs[task_spec.task_spec].completed_event.connect(task_spec.merge_child)
        elif isinstance(made, FirstEvent):
            task_spec.race()
        if task_spec.bpmn_id is not None:
            task_spec.bpmn_id = as_drawn(task_spec.bpmn_id)
        task_spec._predict = MethodType(_one_step_ahead, task_spec)


def _seat_people(loop: Any, extensions: dict[str, Any]) -> None:
    """A multi-instance task that says how votes are counted is a ballot."""
    said = cast("dict[str, str]", extensions.get("properties") or {})
    if isinstance(loop, Many) and "vote" in said:
        sequential = loop.sequential
        loop.__class__ = Ballot
        ballot = cast("Ballot", loop)
        ballot.sequential = sequential
        ballot.becomes(said)


def _one_step_ahead(
    self: Any, my_task: Any, seen: Any = None, looked_ahead: int = 0, mask: int = PREDICTED
) -> None:
    """In place of SpiffWorkflow's prediction, which draws the whole future into the tree, one call for each shape,
    and never comes back from a circle without a choice in it. `step` asks for the next step before each run."""
    if my_task.has_state(mask):
        self._predict_hook(my_task)
