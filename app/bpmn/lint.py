"""What is wrong with a diagram, before anything runs it: one Problem a mistake, each names the element. Pure.

Two layers. The engine's own rules hold for any file: no Python anywhere, only shapes we can run, expressions
that FEEL can read, flows that lead somewhere. The house's rules (`Surroundings`) hold for what is published
here: actions, forms, rule tables, called flows and lanes must exist.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from app.bpmn import moments
from app.bpmn.expressions import compiled
from app.bpmn.reading import BPMN, SPIFF, Element, local, namespace, properties, xpath
from app.text import Text

RUNNABLE = {
    "startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent",
    "task", "userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "businessRuleTask",
    "callActivity", "subProcess", "exclusiveGateway", "parallelGateway", "inclusiveGateway",
}  # fmt: skip
UNRUNNABLE = {
    "scriptTask", "complexGateway", "eventBasedGateway", "adHocSubProcess", "transaction", "choreographyTask",
    "subChoreography", "callChoreography", "subConversation", "dataStoreReference",
}  # fmt: skip
EVENTS = {"timerEventDefinition", "messageEventDefinition", "signalEventDefinition", "errorEventDefinition",
          "escalationEventDefinition", "terminateEventDefinition"}  # fmt: skip
SPIFF_ALLOWED = {"properties", "property", "serviceTaskOperator", "parameters", "parameter", "calledDecisionId",
                 "messageVariable"}  # fmt: skip
RESERVED_IDS = {"Start", "End", "Root", "StartEventSplit", "StartEventJoin"}
DRAWN = RUNNABLE | UNRUNNABLE | {"sequenceFlow", "lane", "participant", "process", "definitions"}
GATEWAYS = {"exclusiveGateway", "parallelGateway", "inclusiveGateway"}


@dataclass(frozen=True)
class Problem:
    """One mistake. `fatal` ones keep the diagram out; the others are advice."""

    rule: str
    element: str
    line: int
    text: Text
    fatal: bool = True

    def as_json(self) -> dict[str, object]:
        return {
            "rule": self.rule,
            "element": self.element,
            "line": self.line,
            "message": self.text.en,
            "message_zh": self.text.zh,
            "fatal": self.fatal,
        }


@dataclass(frozen=True)
class Surroundings:
    """What a diagram may refer to. None means unknown: not checked."""

    actions: Mapping[str, tuple[frozenset[str], frozenset[str]]] | None = None
    """Registered actions: the parameters each must be given, and those it may be given."""

    forms: frozenset[str] | None = None
    decisions: frozenset[str] | None = None
    flows: frozenset[str] | None = None
    role_of_lane: Callable[[str], str | None] | None = None
    roles: frozenset[str] = frozenset()

    @staticmethod
    def unknown() -> "Surroundings":
        return Surroundings()


def lint(root: Element, around: Surroundings) -> list[Problem]:
    """Every problem, in the file's order."""
    if local(root) != "definitions" or namespace(root) != BPMN:
        return [_problem(root, "root", "不是 BPMN 2.0 流程图", "This is not a BPMN 2.0 diagram")]
    found = [p for rule in RULES for p in rule(root, around)]
    return sorted(found, key=lambda p: p.line)


def _problem(element: Element, rule: str, zh: str, en: str, *, fatal: bool = True) -> Problem:
    return Problem(
        rule, str(_shape(element).get("id") or ""), int(element.sourceline or 0), Text(zh, en), fatal
    )


def _shape(element: Element) -> Element:
    """The element itself, or what it belongs to on the drawing: people know boxes and arrows, not their innards."""
    return next((e for e in _up(element) if namespace(e) == BPMN and local(e) in DRAWN), element)


def _up(element: Element) -> Iterator[Element]:
    yield element
    yield from element.iterancestors()


def _name(element: Element) -> str:
    return str(element.get("name") or element.get("id") or local(element))


def _one_process(root: Element, _around: Surroundings) -> Iterator[Problem]:
    processes = xpath(root, "/bpmn:definitions/bpmn:process")
    if len(processes) != 1:
        yield _problem(
            root,
            "one_process",
            f"一个文件应当只有一个流程，这里有 {len(processes)} 个",
            f"A file holds exactly one process; this one holds {len(processes)}",
        )
    for process in processes:
        if not process.get("id"):
            yield _problem(process, "process_id", "流程缺少标识 id", "The process has no id")
        if process.get("isExecutable") == "false":
            yield _problem(
                process, "executable", "流程未标为可执行", "The process is not marked as executable"
            )
        if not xpath(process, "./bpmn:startEvent"):
            yield _problem(process, "start", "流程没有开始事件", "The process has no start event")


def _no_python(root: Element, _around: Surroundings) -> Iterator[Problem]:
    """Whatever SpiffWorkflow would have run as Python, and every extension we do not know."""
    for element in root.iter():
        tag = local(element)
        if namespace(element) == SPIFF and tag not in SPIFF_ALLOWED:
            yield _problem(
                element,
                "extension",
                f"「{_owner(element)}」带有不允许的扩展 {tag}，请删除",
                f'"{_owner(element)}" carries the extension {tag}, which is not allowed; remove it',
            )
        for attribute in element.attrib:
            if str(attribute).startswith("{" + SPIFF + "}"):
                yield _problem(
                    element,
                    "extension",
                    f"「{_owner(element)}」带有不允许的扩展属性 {attribute}",
                    f'"{_owner(element)}" carries the extension attribute {attribute}, which is not allowed',
                )
        language = str(element.get("language") or element.get("scriptFormat") or "")
        if namespace(element) == BPMN and language and "feel" not in language.lower():
            yield _problem(
                element,
                "language",
                f"「{_owner(element)}」的表达式语言是 {language}，这里只认 FEEL",
                f'"{_owner(element)}" uses the expression language {language}; only FEEL is understood',
            )


def _owner(element: Element) -> str:
    return _name(_shape(element))


def _only_runnable(root: Element, _around: Surroundings) -> Iterator[Problem]:
    for element in xpath(root, "//bpmn:process//*"):
        tag = local(element)
        if namespace(element) == BPMN and tag in UNRUNNABLE:
            zh = "脚本任务" if tag == "scriptTask" else tag
            yield _problem(
                element,
                "unsupported",
                f"「{_name(element)}」是{zh}，本引擎不执行，请改用登记的操作或其他图元",
                f'"{_name(element)}" is a {tag}, which this engine does not run; use a registered action '
                "or another shape",
            )
        if namespace(element) == BPMN and tag.endswith("EventDefinition") and tag not in EVENTS:
            yield _problem(
                element,
                "unsupported",
                f"「{_owner(element)}」用了不支持的事件 {tag}",
                f'"{_owner(element)}" uses the event {tag}, which is not supported',
            )
        if tag == "subProcess" and element.get("triggeredByEvent") == "true":
            yield _problem(
                element,
                "unsupported",
                f"「{_name(element)}」是事件子流程，不支持",
                f'"{_name(element)}" is an event sub-process, which is not supported',
            )
        if tag in ("startEvent", "intermediateCatchEvent", "boundaryEvent") and _events_of(element) > 1:
            yield _problem(
                element,
                "unsupported",
                f"「{_name(element)}」同时等待多个事件，不支持",
                f'"{_name(element)}" waits for several events at once, which is not supported',
            )


def _events_of(element: Element) -> int:
    return sum(1 for child in element if local(child).endswith("EventDefinition"))


def _ids(root: Element, _around: Surroundings) -> Iterator[Problem]:
    elements = [e for e in xpath(root, "//bpmn:process/descendant-or-self::*[@id]") if namespace(e) == BPMN]
    counts = Counter(str(e.get("id")) for e in elements)
    for element in elements:
        ident = str(element.get("id"))
        if counts[ident] > 1:
            yield _problem(
                element, "duplicate_id", f"标识「{ident}」重复", f'the id "{ident}" is used more than once'
            )
            counts[ident] = 1
        if ident in RESERVED_IDS and local(element) in RUNNABLE:
            yield _problem(
                element,
                "reserved_id",
                f"标识「{ident}」是保留字，请改名",
                f'the id "{ident}" is reserved; rename it',
            )


def _flows(root: Element, _around: Surroundings) -> Iterator[Problem]:
    nodes = {str(e.get("id")): e for e in xpath(root, "//bpmn:process//*[@id]") if local(e) in RUNNABLE}
    outgoing: dict[str, list[Element]] = defaultdict(list)
    incoming: Counter[str] = Counter()
    for flow in xpath(root, "//bpmn:process//bpmn:sequenceFlow"):
        source, target = str(flow.get("sourceRef")), str(flow.get("targetRef"))
        for end, zh, en in ((source, "起点", "source"), (target, "终点", "target")):
            if end not in nodes:
                yield _problem(
                    flow,
                    "dangling",
                    f"连线的{zh}「{end}」不存在",
                    f'the {en} "{end}" of a flow does not exist',
                )
        outgoing[source].append(flow)
        incoming[target] += 1
    for ident, node in nodes.items():
        yield from _ways_out(node, outgoing[ident])
        kind = local(node)
        if kind not in ("startEvent", "boundaryEvent") and not incoming[ident]:
            yield _problem(
                node,
                "unreachable",
                f"没有连线到达「{_name(node)}」",
                f'no flow leads to "{_name(node)}"',
                fatal=False,
            )
        if kind != "endEvent" and not outgoing[ident]:
            yield _problem(
                node,
                "dead_end",
                f"「{_name(node)}」之后没有连线，流程会停在这里",
                f'nothing follows "{_name(node)}"',
                fatal=False,
            )


def _ways_out(node: Element, flows: list[Element]) -> Iterator[Problem]:
    kind = local(node)
    if len(flows) > 1 and kind not in GATEWAYS and kind != "startEvent":
        yield _problem(
            node,
            "split",
            f"「{_name(node)}」有 {len(flows)} 条出线，请用网关分开",
            f'"{_name(node)}" has {len(flows)} outgoing flows; part them at a gateway',
        )
    if kind not in ("exclusiveGateway", "inclusiveGateway") or len(flows) < 2:
        return
    default = node.get("default")
    for flow in flows:
        if flow.get("id") != default and not xpath(flow, "./bpmn:conditionExpression"):
            yield _problem(
                flow,
                "condition",
                f"网关「{_name(node)}」的一条出线没有条件，也不是默认出线",
                f'a flow out of the gateway "{_name(node)}" has neither a condition nor is the default',
            )
    if not default:
        yield _problem(
            node,
            "default",
            f"网关「{_name(node)}」没有默认出线：条件都不成立时流程会停住",
            f'the gateway "{_name(node)}" has no default flow: if no condition holds, the flow stops there',
            fatal=False,
        )


EXPRESSIONS = (
    "//bpmn:sequenceFlow/bpmn:conditionExpression",
    "//bpmn:multiInstanceLoopCharacteristics/bpmn:loopCardinality",
    "//bpmn:multiInstanceLoopCharacteristics/bpmn:completionCondition",
    "//bpmn:standardLoopCharacteristics/bpmn:loopCondition",
)


def _expressions(root: Element, _around: Surroundings) -> Iterator[Problem]:
    for path in EXPRESSIONS:
        for element in xpath(root, path):
            yield from _feel(element, (element.text or "").strip())
    for parameter in xpath(root, "//spiff:parameter"):
        yield from _feel(parameter, str(parameter.get("value") or "").strip())
    for prop in xpath(root, "//bpmn:process//spiff:property[@name='correlation' or @name='scope']"):
        yield from _feel(prop, str(prop.get("value") or "").strip())
    for timer in xpath(root, "//bpmn:timerEventDefinition"):
        yield from _timer(timer)
    for prop in xpath(root, "//bpmn:process//spiff:property[@name='dueIn']"):
        yield from _time_text(prop, str(prop.get("value")), moments.duration)


def _feel(element: Element, text: str) -> Iterator[Problem]:
    try:
        compiled(text)
    except Exception as error:  # whatever FEEL cannot read, for whatever reason, is a problem of this text
        yield _problem(
            element,
            "feel",
            f"「{_owner(element)}」的表达式「{text}」不是合法的 FEEL：{error}",
            f'the expression “{text}” of "{_owner(element)}" is not FEEL: {error}',
        )


def _timer(timer: Element) -> Iterator[Problem]:
    texts = [e for e in timer if local(e) in ("timeDate", "timeDuration", "timeCycle")]
    if len(texts) != 1 or not (texts[0].text or "").strip():
        yield _problem(
            timer,
            "timer",
            f"定时事件「{_owner(timer)}」没有时间",
            f'the timer "{_owner(timer)}" has no time',
        )
        return
    text = texts[0].text.strip()
    if not moments.LITERAL.match(text):
        yield from _feel(texts[0], text)
    else:
        reader = moments.repetition if local(texts[0]) == "timeCycle" else moments.due
        yield from _time_text(texts[0], text, lambda t: reader(t, _SOME_DAY))


def _time_text(element: Element, text: str, reader: Callable[[str], object]) -> Iterator[Problem]:
    try:
        reader(text)
    except (ValueError, OverflowError) as error:
        yield _problem(
            element,
            "timer",
            f"「{_owner(element)}」的时间「{text}」不是 ISO 8601 写法",
            f'the time “{text}” of "{_owner(element)}" is not ISO 8601: {error}',
        )


def _referred(root: Element, around: Surroundings) -> Iterator[Problem]:
    """Actions, rule tables and called flows exist, and actions get the parameters they need."""
    for task in xpath(root, "//bpmn:serviceTask"):
        yield from _action(task, around)
    for task in xpath(root, "//bpmn:businessRuleTask"):
        called = "".join(e.text or "" for e in xpath(task, ".//spiff:calledDecisionId")).strip()
        if around.decisions is not None and called not in around.decisions:
            yield _missing(task, "decision", "规则表", "rule table", called)
    for task in xpath(root, "//bpmn:callActivity"):
        called = str(task.get("calledElement") or "")
        if not called or (around.flows is not None and called not in around.flows):
            yield _missing(task, "call", "流程", "flow", called)


def _action(task: Element, around: Surroundings) -> Iterator[Problem]:
    operators = xpath(task, "./bpmn:extensionElements/spiff:serviceTaskOperator")
    name = str(operators[0].get("id")) if operators else ""
    if not name:
        yield _problem(
            task,
            "action",
            f"服务任务「{_name(task)}」没有选择操作",
            f'the service task "{_name(task)}" names no action',
            fatal=around.actions is not None,
        )
        return
    if around.actions is None:
        return
    if name not in around.actions:
        yield _missing(task, "action", "操作", "action", name)
        return
    needed, allowed = around.actions[name]
    given = {str(p.get("id")) for p in xpath(operators[0], ".//spiff:parameter")}
    for missing in sorted(needed - given):
        yield _problem(
            task,
            "parameter",
            f"「{_name(task)}」没有给操作 {name} 参数 {missing}",
            f'"{_name(task)}" does not give the action {name} its parameter {missing}',
        )
    for extra in sorted(given - allowed):
        yield _problem(
            task,
            "parameter",
            f"操作 {name} 没有参数 {extra}（「{_name(task)}」）",
            f'the action {name} has no parameter {extra} ("{_name(task)}")',
        )


def _missing(task: Element, rule: str, zh: str, en: str, name: str) -> Problem:
    return _problem(
        task,
        rule,
        f"「{_name(task)}」引用的{zh}「{name}」不存在",
        f'"{_name(task)}" refers to the {en} "{name}", which does not exist',
    )


def _people(root: Element, around: Surroundings) -> Iterator[Problem]:
    """Who acts: each task of a person stands in a lane that is a role, and its form exists."""
    if around.role_of_lane is None:
        return
    lanes = {
        str(ref.text).strip(): str(ref.getparent().get("name")) for ref in xpath(root, "//bpmn:flowNodeRef")
    }
    for task in xpath(root, "//bpmn:userTask | //bpmn:manualTask"):
        said, lane = properties(task), lanes.get(str(task.get("id")), "")
        role = said.get("role") or around.role_of_lane(lane)
        if role is None or (around.roles and role not in around.roles):
            yield _problem(
                task,
                "role",
                f"「{_name(task)}」不在任何角色的泳道里：没有人能办理",
                f'"{_name(task)}" stands in no lane that is a role: nobody could do it',
            )
        form = said.get("form") or str(task.get("id"))
        if local(task) == "userTask" and around.forms is not None and form not in around.forms:
            yield _missing(task, "form", "表单", "form", form)


def _messages(root: Element, _around: Surroundings) -> Iterator[Problem]:
    """A catch must say what its message is correlated by, or any instance would take any message."""
    known = {
        str(m.get("id")): str(m.get("name") or "") for m in xpath(root, "/bpmn:definitions/bpmn:message")
    }
    catching = "//bpmn:receiveTask | //bpmn:intermediateCatchEvent | //bpmn:boundaryEvent"
    for node in xpath(root, catching):
        definitions = xpath(node, "./bpmn:messageEventDefinition")
        if local(node) != "receiveTask" and not definitions:
            continue
        reference = str((definitions[0] if definitions else node).get("messageRef") or "")
        if not known.get(reference):
            yield _problem(
                node,
                "message",
                f"「{_name(node)}」等待的消息没有定义",
                f'the message that "{_name(node)}" waits for is not defined',
                fatal=bool(reference),
            )
        if not properties(node).get("correlation"):
            yield _problem(
                node,
                "correlation",
                f"「{_name(node)}」没有说明消息按什么对应（correlation）",
                f'"{_name(node)}" does not say what its message is correlated by (correlation)',
                fatal=False,
            )


_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)

RULES: tuple[Callable[[Element, Surroundings], Iterator[Problem]], ...] = (
    _one_process,
    _no_python,
    _only_runnable,
    _ids,
    _flows,
    _expressions,
    _referred,
    _people,
    _messages,
)
