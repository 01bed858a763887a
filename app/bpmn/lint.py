"""What is wrong with a diagram, before anything runs it: one Problem a mistake, each names the element. Pure.

Three layers. Shapes (here): only what we can run, and flows that lead somewhere. Words (`lint_words`): no Python
anywhere, expressions that FEEL can read. The house (`lint_house`): actions, forms, rule tables, called flows and
lanes exist. What is published is held to all of it; a file from elsewhere may leave things open.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping

from app.bpmn.lint_hands import hands
from app.bpmn.lint_house import messages, people, referred
from app.bpmn.lint_returns import returns
from app.bpmn.lint_votes import policies, signers, votes
from app.bpmn.lint_words import expressions, loops, no_python
from app.bpmn.problem import Problem, Surroundings, name_of, problem
from app.bpmn.reading import BPMN, MAX_SHAPES, Element, local, namespace, xpath
from app.bpmn.shapes import (
    ACTIVITIES,
    EVENTS,
    GATEWAYS,
    RUNNABLE,
    UNRUNNABLE,
    condition_of,
    events_of,
    is_handler,
    links_of,
    processes_of,
    shapes_in,
)
from app.bpmn.shapes import referred as referred_to

RESERVED_IDS = {"Start", "End", "Root", "StartEventSplit", "StartEventJoin"}
INSIDE = "*[self::bpmn:subProcess or self::bpmn:transaction]"
MAX_NESTING = 20
MAX_PROBLEMS = 100
"""Nobody reads more of them; the rest is counted in the last."""

__all__ = ["Problem", "Surroundings", "lint"]


def lint(root: Element, around: Surroundings) -> list[Problem]:
    """Every problem, in the file's order."""
    if local(root) != "definitions" or namespace(root) != BPMN:
        return [problem(root, "root", "不是 BPMN 2.0 流程图", "This is not a BPMN 2.0 diagram")]
    found: list[Problem] = list(_size(root, around))
    for rule in () if found else RULES:
        for said in rule(root, around):
            found.append(said)
            if len(found) >= MAX_PROBLEMS and any(p.fatal for p in found):
                return sorted(found, key=lambda p: p.line)
    return sorted(found, key=lambda p: p.line)


def _size(root: Element, _around: Surroundings) -> Iterator[Problem]:
    """First of all: what is larger than any drawing is not looked into."""
    shapes = sum(1 for e in root.iter(f"{{{BPMN}}}*") if local(e) in RUNNABLE or local(e) == "sequenceFlow")
    if shapes > MAX_SHAPES:
        yield problem(
            root,
            "too_many",
            f"图元与连线共 {shapes} 个，超过 {MAX_SHAPES} 个",
            f"{shapes} shapes and flows: more than {MAX_SHAPES}",
        )
    for inner in xpath(root, f"//{INSIDE}[not(.//{INSIDE})]"):
        if sum(1 for e in inner.iterancestors() if local(e) in ("subProcess", "transaction")) >= MAX_NESTING:
            yield problem(
                inner,
                "too_deep",
                f"子流程嵌套超过 {MAX_NESTING} 层",
                f"sub-processes inside each other, deeper than {MAX_NESTING}",
            )


def _processes(root: Element, around: Surroundings) -> Iterator[Problem]:
    processes = processes_of(root)
    if len(processes) != 1:
        yield problem(
            root,
            "one_process",
            f"一个文件应当只有一个流程，这里有 {len(processes)} 个",
            f"A file holds exactly one process; this one holds {len(processes)}",
            fatal=around.strict or not processes,
        )
    for process in processes:
        if not process.get("id"):
            yield problem(
                process, "process_id", "流程缺少标识 id", "The process has no id", fatal=around.strict
            )
        if process.get("isExecutable") == "false":
            yield problem(
                process,
                "executable",
                "流程未标为可执行",
                "The process is not marked as executable",
                fatal=around.strict,
            )
    targets = {str(f.get("targetRef")) for f in xpath(root, "//bpmn:process//bpmn:sequenceFlow")}
    for scope in [*processes, *xpath(root, f"//bpmn:process//{INSIDE}")]:
        yield from _beginning(scope, targets, around)


def _beginning(scope: Element, targets: set[str], around: Surroundings) -> Iterator[Problem]:
    shapes = [n for n in shapes_in(scope) if not is_handler(n)]
    if any(local(n) == "startEvent" for n in shapes):
        return
    free = [n for n in shapes if local(n) != "boundaryEvent" and n.get("id") not in targets]
    lost = bool(shapes) and not free
    yield problem(
        scope,
        "start",
        f"「{name_of(scope)}」没有开始事件",
        f'"{name_of(scope)}" has no start event'
        + (", and every shape in it waits for another" if lost else ""),
        fatal=lost or around.strict,
    )


def _only_runnable(root: Element, around: Surroundings) -> Iterator[Problem]:
    everything = xpath(root, "//bpmn:process//bpmn:*")
    hosts = {str(e.get("id")): e.getparent() for e in everything if local(e) in ACTIVITIES}
    for element in everything:
        tag = local(element)
        if tag in UNRUNNABLE:
            zh = "脚本任务" if tag == "scriptTask" else tag
            yield problem(
                element,
                "unsupported",
                f"「{name_of(element)}」是{zh}，本引擎不执行，请改用登记的操作或其他图元",
                f'"{name_of(element)}" is a {tag}, which this engine does not run; use a registered action '
                "or another shape",
            )
        elif is_handler(element):
            yield from _handler(element, root, around)
        elif tag == "transaction" and around.strict:
            yield problem(
                element,
                "unsupported",
                f"「{name_of(element)}」是事务子流程，请改用普通子流程",
                f'"{name_of(element)}" is a transaction; use a sub-process',
            )
        elif tag in EVENTS:
            yield from _event(element, root, hosts)


def _handler(element: Element, root: Element, around: Surroundings) -> Iterator[Problem]:
    """An event sub-process is rehearsed, where one event begins it and what it interrupts has one beginning."""
    starts = [n for n in shapes_in(element) if local(n) == "startEvent"]
    beginnings = [n for n in shapes_in(element.getparent()) if local(n) == "startEvent"]
    whole = len(starts) == 1 and len(events_of(starts[0], root)) == 1 and len(beginnings) <= 1
    if around.strict or not whole:
        yield problem(
            element,
            "unsupported",
            f"「{name_of(element)}」是事件子流程，不支持",
            f'"{name_of(element)}" is an event sub-process'
            + (", which is not supported" if around.strict else " that does not begin with just one event"),
        )


def _event(element: Element, root: Element, hosts: Mapping[str, Element]) -> Iterator[Problem]:
    tag, name = local(element), name_of(element)
    definitions = events_of(element, root)
    for definition in definitions:
        kind = local(definition).removesuffix("EventDefinition")
        handles = tag == "startEvent" and is_handler(element.getparent()) and kind in ("error", "escalation")
        if kind not in EVENTS[tag] and not handles:
            yield problem(
                element,
                "unsupported",
                f"「{name}」（{tag}）用了不支持的事件 {kind}",
                f'"{name}" ({tag}) uses the event {kind}, which is not supported there',
            )
    if len(definitions) > 1 and tag != "endEvent":
        yield problem(
            element,
            "unsupported",
            f"「{name}」同时涉及多个事件，不支持",
            f'"{name}" is about several events at once, which is not supported',
        )
    if any(local(d) == "cancelEventDefinition" for d in definitions):
        ref = referred_to(element.get("attachedToRef"), hosts)
        home = element.getparent() if tag == "endEvent" else hosts_by(element, ref)
        if home is None or local(home) != "transaction":
            yield problem(
                element,
                "unsupported",
                f"「{name}」是取消事件，只能用于事务子流程",
                f'"{name}" cancels, which only a transaction can be',
            )
    if tag == "boundaryEvent":
        wanted = referred_to(element.get("attachedToRef"), hosts)
        if hosts.get(wanted) is not element.getparent() or not definitions:
            yield problem(
                element,
                "boundary",
                f"边界事件「{name}」没有依附在活动上，或没有事件",
                f'the boundary event "{name}" sits on no activity, or waits for nothing',
            )


def hosts_by(event: Element, ident: str) -> Element | None:
    """The shape of that id beside an event."""
    return next((e for e in event.getparent() if e.get("id") == ident), None)


def _links(root: Element, _around: Surroundings) -> Iterator[Problem]:
    for throw, catches in links_of(root):
        if len(catches) != 1:
            yield problem(
                throw,
                "link",
                f"链接「{name_of(throw)}」在同一层中应恰有一个接收，这里有 {len(catches)} 个",
                f'the link "{name_of(throw)}" needs one event of its level that catches it; there are {len(catches)}',
            )


def _ids(root: Element, around: Surroundings) -> Iterator[Problem]:
    kinds = RUNNABLE | {"process", "sequenceFlow"}
    elements = [e for e in xpath(root, "//bpmn:process/descendant-or-self::bpmn:*[@id]") if local(e) in kinds]
    counts = Counter(str(e.get("id")) for e in elements)
    for element in elements:
        ident = str(element.get("id"))
        if counts[ident] > 1:
            yield problem(
                element, "duplicate_id", f"标识「{ident}」重复", f'the id "{ident}" is used more than once'
            )
            counts[ident] = 1
        if "~" in ident and local(element) in RUNNABLE:
            yield problem(
                element, "reserved_id", f"标识「{ident}」不能含有 ~", f'the id "{ident}" may not hold a ~'
            )
        if ident in RESERVED_IDS and local(element) in RUNNABLE:
            yield problem(
                element,
                "reserved_id",
                f"标识「{ident}」是保留字，请改名",
                f'the id "{ident}" is reserved; rename it',
                fatal=around.strict,
            )


def _borders(root: Element, _around: Surroundings) -> Iterator[Problem]:
    """A flow stays in its process or sub-process, never enters a start, and never leaves an end."""
    homes = {str(e.get("id")): e for e in xpath(root, "//bpmn:process//bpmn:*[@id]") if local(e) in RUNNABLE}
    for flow in xpath(root, "//bpmn:process//bpmn:sequenceFlow"):
        source, target = homes.get(str(flow.get("sourceRef"))), homes.get(str(flow.get("targetRef")))
        if source is None or target is None:
            continue
        crossing = source.getparent() is not target.getparent() or is_handler(source) or is_handler(target)
        if crossing or local(target) in ("startEvent", "boundaryEvent") or local(source) == "endEvent":
            yield problem(
                flow,
                "border",
                f"连线不能从「{name_of(source)}」到「{name_of(target)}」",
                f'no flow may lead from "{name_of(source)}" to "{name_of(target)}"'
                + (": it crosses the border of a process" if crossing else ""),
            )
        if local(source) == "eventBasedGateway" and local(target) not in (
            "intermediateCatchEvent",
            "receiveTask",
        ):
            yield problem(
                flow,
                "event_gateway",
                f"事件网关「{name_of(source)}」之后只能是捕获事件或接收任务，「{name_of(target)}」不是",
                f'after the event-based gateway "{name_of(source)}" only events may follow; '
                f'"{name_of(target)}" is none',
            )


def _flows(root: Element, around: Surroundings) -> Iterator[Problem]:
    drawn = {str(e.get("id")): e for e in xpath(root, "//bpmn:process//bpmn:*[@id]")}
    nodes = {ident: e for ident, e in drawn.items() if local(e) in RUNNABLE}
    outgoing: dict[str, list[Element]] = defaultdict(list)
    incoming: Counter[str] = Counter()
    for flow in xpath(root, "//bpmn:process//bpmn:sequenceFlow"):
        source, target = str(flow.get("sourceRef") or ""), str(flow.get("targetRef") or "")
        for end, zh, en in ((source, "起点", "source"), (target, "终点", "target")):
            if end not in nodes and not (end in drawn and local(drawn[end]) in UNRUNNABLE):
                yield problem(
                    flow,
                    "dangling",
                    f"连线的{zh}「{end}」不存在",
                    f'the {en} "{end}" of a flow does not exist',
                )
        outgoing[source].append(flow)
        incoming[target] += 1
    linked = {e for throw, catches in links_of(root) for e in (throw, *catches)}
    for ident, node in nodes.items():
        yield from _ways_out(node, outgoing[ident], around)
        kind = local(node)
        if node in linked or is_handler(node):
            continue
        if kind not in ("startEvent", "boundaryEvent") and not incoming[ident]:
            yield problem(
                node,
                "unreachable",
                f"没有连线到达「{name_of(node)}」",
                f'no flow leads to "{name_of(node)}"',
                fatal=False,
            )
        if kind != "endEvent" and not outgoing[ident]:
            yield problem(
                node,
                "dead_end",
                f"「{name_of(node)}」之后没有连线，流程会停在这里",
                f'nothing follows "{name_of(node)}"',
                fatal=False,
            )


def _ways_out(node: Element, flows: list[Element], around: Surroundings) -> Iterator[Problem]:
    kind = local(node)
    if len(flows) > 1 and kind not in GATEWAYS and kind != "startEvent":
        yield problem(
            node,
            "split",
            f"「{name_of(node)}」有 {len(flows)} 条出线，请用网关分开",
            f'"{name_of(node)}" has {len(flows)} outgoing flows; part them at a gateway',
            fatal=around.strict,
        )
    if kind not in ("exclusiveGateway", "inclusiveGateway") or len(flows) < 2:
        return
    default = node.get("default")
    for flow in flows:
        if not (default and flow.get("id") == default) and not condition_of(flow):
            yield problem(
                flow,
                "condition",
                f"网关「{name_of(node)}」的一条出线没有条件，也不是默认出线",
                f'a flow out of the gateway "{name_of(node)}" has neither a condition nor is the default',
                fatal=around.strict,
            )
    if not default:
        yield problem(
            node,
            "default",
            f"网关「{name_of(node)}」没有默认出线：条件都不成立时流程会停住",
            f'the gateway "{name_of(node)}" has no default flow: if no condition holds, the flow stops there',
            fatal=False,
        )


RULES: tuple[Callable[[Element, Surroundings], Iterator[Problem]], ...] = (
    _processes,
    no_python,
    _only_runnable,
    _links,
    _ids,
    _borders,
    _flows,
    expressions,
    loops,
    referred,
    people,
    hands,
    messages,
    votes,
    policies,
    signers,
    returns,
)
