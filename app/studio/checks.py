"""What the engine would run, and a process owner would not have meant: mistakes that only this house looks for. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.bpmn.feel.asked import asked
from app.bpmn.problem import Problem, problem
from app.bpmn.reading import Element, local, properties, xpath
from app.bpmn.shapes import RUNNABLE, UNRUNNABLE, condition_of, is_bpmn, plain_name, processes_of, shapes_in
from app.flows.forms import Form
from app.studio.naming import Names
from app.text import Text

PEOPLE = ("userTask", "manualTask")
ACCESS = ("edit", "read", "hide")


@dataclass(frozen=True)
class Around:
    """What stands beside the diagram. `data`: names that a flow is started with, as far as its stories tell.
    `outputs`: of each decision, the names of what it answers. `held`: roles that somebody holds now."""

    key: str
    forms: Mapping[str, Form]
    outputs: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    data: frozenset[str] = frozenset()
    held: frozenset[str] | None = None


@dataclass(frozen=True)
class Found:
    """A mistake and its remedy."""

    problem: Problem
    text: Text
    remedy: Text


def found(root: Element, around: Around) -> Iterator[Found]:
    names = Names(root)
    for rule in (_ends, _paths, _people, _calls, _conditions, _permissions):
        yield from rule(root, around, names)


def _say(element: Element, rule: str, text: Text, remedy: Text, *, fatal: bool = True) -> Found:
    return Found(problem(element, rule, text.zh, text.en, fatal=fatal), text, remedy)


def _ends(root: Element, _around: Around, names: Names) -> Iterator[Found]:
    for process in processes_of(root):
        shapes = list(shapes_in(process))
        starts = [s for s in shapes if local(s) == "startEvent"]
        for extra in starts[1:]:
            yield _say(
                extra,
                "two_starts",
                Text(f"流程有 {len(starts)} 个开始", f"The flow has {len(starts)} starts"),
                Text("只留一个开始，删去其余的", "Keep one start, and remove the others"),
            )
        if not any(local(s) == "endEvent" for s in shapes):
            yield _say(
                process,
                "no_end",
                Text("流程没有结束", "The flow has no end"),
                Text("在最后一个步骤之后添加结束", "Add an end after the last step"),
            )
        for shape in shapes:
            if local(shape) in PEOPLE and not str(shape.get("name") or "").strip():
                name = names.of(str(shape.get("id")))
                yield _say(
                    shape,
                    "no_name",
                    Text(f"{name.zh}没有名称", f"{name.en[0].upper()}{name.en[1:]} has no name"),
                    Text("为它起一个名称，如“法务审核”", "Give it a name, such as “Legal review”"),
                )


def _paths(root: Element, _around: Around, names: Names) -> Iterator[Found]:
    """Shapes that have flows, but that no start leads to, or from which no end can be reached. One sentence for each
    circle: what merely follows a mistake that is told elsewhere is not told again."""
    for process in processes_of(root):
        shapes, onward, back = _ways(process)
        starts = {i for i, s in shapes.items() if local(s) == "startEvent"}
        told = {i for i in shapes if i not in starts and not back[i]} | onward[LOST]
        seen = _reached(starts | told, onward)
        for ident, shape in shapes.items():
            if starts and ident not in seen:
                seen |= _reached({ident}, onward)
                name = names.of(ident)
                yield _say(
                    shape,
                    "unreachable",
                    Text(f"从开始走不到{name.zh}", f"No way leads from the start to {name.en}"),
                    Text(
                        "从前一个步骤连一条线过来，或删去它",
                        "Lead a flow to it from the step before, or remove it",
                    ),
                )
        over = _reached({i for i in shapes if not onward[i]} | back[LOST], back)
        for ident, shape in shapes.items():
            circle = _reached({ident}, onward)
            if ident in over or any(ident not in _reached({i}, onward) for i in circle):
                continue
            over |= circle
            name = names.of(ident)
            yield _say(
                shape,
                "no_way_out",
                Text(f"从{name.zh}走不到结束：会一直绕圈", f"No way leads from {name.en} to an end: it goes round for ever"),
                Text("为圈中的分支加一条通向结束的出线", "Let a branch in the circle lead to an end"),
            )  # fmt: skip


LOST = ""
"""Stands for the end of a flow that is connected to nothing."""


def _ways(process: Element) -> tuple[dict[str, Element], dict[str, set[str]], dict[str, set[str]]]:
    """The shapes, and for each where it leads and what leads to it."""
    shapes = {str(e.get("id")): e for e in process if is_bpmn(e) and local(e) in RUNNABLE | UNRUNNABLE}
    onward: dict[str, set[str]] = {ident: set() for ident in [*shapes, LOST]}
    pairs = [(f.get("sourceRef"), f.get("targetRef")) for f in xpath(process, "./bpmn:sequenceFlow")]
    pairs += [(s.get("attachedToRef"), i) for i, s in shapes.items() if local(s) == "boundaryEvent"]
    back: dict[str, set[str]] = {ident: set() for ident in onward}
    for one, other in pairs:
        source = str(one) if one in shapes else LOST
        target = str(other) if other in shapes else LOST
        onward[source].add(target)
        back[target].add(source)
    return shapes, onward, back


def _reached(begin: set[str], ways: Mapping[str, set[str]]) -> set[str]:
    seen, waiting = set(begin), list(begin)
    while waiting:
        for following in ways.get(waiting.pop(), set()) - seen:
            seen.add(following)
            waiting.append(following)
    return seen


def _people(root: Element, around: Around, names: Names) -> Iterator[Found]:
    """Who does it, until when, and what happens where nobody can."""
    for task in xpath(root, "//bpmn:process//bpmn:userTask"):
        said, name = properties(task), names.of(str(task.get("id")))
        if "dueIn" not in said:
            yield _say(
                task,
                "no_due",
                Text(
                    f"{name.zh}没有时限：没有人会被提醒",
                    f"{name.en} has no due time: nobody will be reminded",
                ),
                Text("在“时限”中填写工作日数", "Give a number of working days under “due”"),
                fatal=False,
            )
        chosen = bool(said.get("voters") or said.get("voterRole"))
        role = said.get("voterRole") or said.get("role")
        empty = around.held is not None and role is not None and role not in around.held
        if "nobody" not in said and (chosen or empty):
            why = Text("目前没有人担任该角色", "nobody holds the role at present") if empty else Text(
                "可能一个人也找不到", "it may find nobody")  # fmt: skip
            yield _say(
                task,
                "no_nobody",
                Text(
                    f"{name.zh}没有说明找不到人时怎么办（{why.zh}）",
                    f"{name.en} does not say what happens where nobody is found ({why.en})",
                ),
                Text("在“找不到人时”中选择：等待、转流程管理员、自动通过或报告受阻", "Choose under “nobody found”: wait, the process owner, pass, or report it"),
                fatal=False,
            )  # fmt: skip


def _calls(root: Element, around: Around, names: Names) -> Iterator[Found]:
    for task in xpath(root, "//bpmn:callActivity"):
        if plain_name(task.get("calledElement")) == around.key:
            name = names.of(str(task.get("id")))
            yield _say(
                task,
                "self_call",
                Text(f"{name.zh}调用的就是本流程自己", f"{name.en} calls the very flow that it stands in"),
                Text("选择另一个流程", "Choose another flow"),
            )


def _conditions(root: Element, around: Around, names: Names) -> Iterator[Found]:
    """A condition speaks of fields that are there, and of values that they can have."""
    forms = {str(t.get("id")): _form(t, around) for t in xpath(root, "//bpmn:process//bpmn:userTask")}
    decided = {
        properties(t).get("result") or str(t.get("id")): around.outputs.get(_decision(t))
        for t in xpath(root, "//bpmn:businessRuleTask")
    }
    known = set(forms) | set(decided) | around.data | _variables(root)
    for task in xpath(root, "//bpmn:process//bpmn:userTask"):
        form = forms[str(task.get("id"))]
        if properties(task).get("merge") == "true" and form is not None:
            known |= {f.name for f in form.fields}
    for flow in xpath(root, "//bpmn:process//bpmn:sequenceFlow"):
        text, name = condition_of(flow), names.of(str(flow.get("id")))
        said = asked(text)
        for path in sorted(said.paths):
            wrong = _unknown(path, known, forms, decided, bool(around.data))
            sure = path[0] in known  # what else a flow is started with, only its callers know
            if wrong is not None:
                yield _say(
                    flow,
                    "unknown_field",
                    Text(f"{name.zh}的条件用了不存在的{wrong.zh}", f"The condition of {name.en} asks for {wrong.en}, which is not there"),
                    Text("在条件中选择一个现有的字段", "Choose a field that is there"),
                    fatal=sure,
                )  # fmt: skip
        for path, value in sorted(said.equals):
            form = forms.get(path[0]) if len(path) == 2 else None
            asked_for = form.field(path[1]) if form else None
            if asked_for and asked_for.choices and value not in {c.value for c in asked_for.choices}:
                yield _say(
                    flow,
                    "unknown_choice",
                    Text(
                        f"{name.zh}的条件要求“{asked_for.label.zh}”为“{value}”，表单里没有这个选项",
                        f"The condition of {name.en} wants “{asked_for.label.en}” to be “{value}”, which cannot be chosen",
                    ),
                    Text("在条件中选择一个现有的选项", "Choose one of the form's choices"),
                )


def _unknown(
    path: tuple[str, ...],
    known: set[str],
    forms: Mapping[str, Form | None],
    decided: Mapping[str, frozenset[str] | None],
    sure: bool,
) -> Text | None:
    """What of it is not there; None where all is, or nobody can tell."""
    root, inner = path[0], path[1] if len(path) > 1 else None
    if root not in known:
        return Text(f"字段“{root}”", f"the field “{root}”") if sure else None
    form = forms.get(root)
    if inner and form and inner not in ("outcome", "votes") and form.field(inner) is None:
        return Text(f"表单字段“{inner}”", f"the form's field “{inner}”")
    outputs = decided.get(root)
    if inner and outputs and inner not in outputs:
        return Text(f"规则表结果“{inner}”", f"the rule table's answer “{inner}”")
    return None


def _variables(root: Element) -> set[str]:
    """Names under which automatic steps and messages leave what they have brought."""
    found = {
        str(o.get("resultVariable")) for o in xpath(root, "//spiff:serviceTaskOperator[@resultVariable]")
    }
    found |= {str(v.text).strip() for v in xpath(root, "//spiff:messageVariable")}
    for event in xpath(root, "//bpmn:process//bpmn:*[@id]"):
        said = properties(event)
        found |= {said[name] for name in ("result", "variable", "outcome") if said.get(name)}
        if xpath(event, "./bpmn:messageEventDefinition") or local(event) in ("receiveTask", "callActivity"):
            found.add(str(event.get("id")))
    return found


def _form(task: Element, around: Around) -> Form | None:
    return around.forms.get(properties(task).get("form") or str(task.get("id")))


def _decision(task: Element) -> str:
    return "".join(e.text or "" for e in xpath(task, ".//spiff:calledDecisionId")).strip()


_ACCESS = re.compile(r"\s*([A-Za-z0-9_]+)\s*[=:]\s*([a-z]+)\s*")


def _permissions(root: Element, around: Around, names: Names) -> Iterator[Found]:
    """`fields`: `opinion=read, amount=hide`: each field is one of the step's form, each word a known one."""
    for task in xpath(root, "//bpmn:process//bpmn:userTask"):
        said, form = properties(task).get("fields"), _form(task, around)
        name = names.of(str(task.get("id")))
        for part in (said or "").split(",") if said else ():
            match = _ACCESS.fullmatch(part)
            if match is None or match[2] not in ACCESS:
                yield _say(
                    task,
                    "access",
                    Text(f"{name.zh}的字段权限“{part.strip()[:40]}”不对", f"The field permission “{part.strip()[:40]}” of {name.en} is wrong"),
                    Text("为每个字段选择可编辑、只读或隐藏", "Choose for each field: edit, read or hide"),
                )  # fmt: skip
            elif form is not None and form.field(match[1]) is None:
                yield _say(
                    task,
                    "access_field",
                    Text(f"{name.zh}为表单里没有的字段“{match[1]}”设了权限", f"{name.en} gives a permission for “{match[1]}”, which is no field of its form"),
                    Text("去掉它，或在表单中添加这个字段", "Take it away, or add the field to the form"),
                )  # fmt: skip


def data_of(stories: Mapping[str, Any]) -> frozenset[str]:
    """The names that stories start a flow with."""
    told: list[Mapping[str, Any]] = [story.get("data") or {} for story in stories.values()]
    return frozenset(name for data in told for name in data)
