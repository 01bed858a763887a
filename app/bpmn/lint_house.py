"""What a diagram refers to: actions, forms, rule tables, called flows, roles, messages. Pure."""

from collections.abc import Iterator

from app.bpmn.problem import Problem, Surroundings, missing, name_of, problem
from app.bpmn.reading import Element, local, properties, xpath
from app.bpmn.shapes import plain_name


def referred(root: Element, around: Surroundings) -> Iterator[Problem]:
    """Actions, rule tables and called flows exist, and actions get the parameters they need."""
    for task in xpath(root, "//bpmn:serviceTask"):
        yield from _action(task, around)
    for task in xpath(root, "//bpmn:businessRuleTask"):
        called = "".join(e.text or "" for e in xpath(task, ".//spiff:calledDecisionId")).strip()
        if around.decisions is not None and called not in around.decisions:
            yield missing(task, "decision", "规则表", "rule table", called)
    for task in xpath(root, "//bpmn:callActivity"):
        called = plain_name(task.get("calledElement"))
        if not called or (around.flows is not None and called not in around.flows):
            yield missing(task, "call", "流程", "flow", called, fatal=around.flows is not None)


def _action(task: Element, around: Surroundings) -> Iterator[Problem]:
    operators = xpath(task, "./bpmn:extensionElements/spiff:serviceTaskOperator")
    name = str(operators[0].get("id")) if operators else ""
    if not name:
        yield problem(
            task,
            "action",
            f"服务任务「{name_of(task)}」没有选择操作",
            f'the service task "{name_of(task)}" names no action',
            fatal=around.actions is not None,
        )
        return
    if around.actions is None:
        return
    if name not in around.actions:
        yield missing(task, "action", "操作", "action", name)
        return
    needed, allowed = around.actions[name]
    given = {str(p.get("id")) for p in xpath(operators[0], ".//spiff:parameter")}
    for lacking in sorted(needed - given):
        yield problem(
            task,
            "parameter",
            f"「{name_of(task)}」没有给操作 {name} 参数 {lacking}",
            f'"{name_of(task)}" does not give the action {name} its parameter {lacking}',
        )
    for extra in sorted(given - allowed):
        yield problem(
            task,
            "parameter",
            f"操作 {name} 没有参数 {extra}（「{name_of(task)}」）",
            f'the action {name} has no parameter {extra} ("{name_of(task)}")',
        )


def people(root: Element, around: Surroundings) -> Iterator[Problem]:
    """Who acts: each task of a person stands in a lane that is a role, and its form exists."""
    if around.role_of_lane is None:
        return
    lanes = {
        str(ref.text).strip(): str(ref.getparent().get("name")) for ref in xpath(root, "//bpmn:flowNodeRef")
    }
    for task in xpath(root, "//bpmn:userTask | //bpmn:manualTask"):
        said, lane = properties(task), lanes.get(str(task.get("id")), "")
        role = said.get("role") or around.role_of_lane(lane)
        if "vote" not in said and (role is None or (around.roles and role not in around.roles)):
            yield problem(
                task,
                "role",
                f"「{name_of(task)}」不在任何角色的泳道里：没有人能办理",
                f'"{name_of(task)}" stands in no lane that is a role: nobody could do it',
            )
        form = said.get("form") or str(task.get("id"))
        if local(task) == "userTask" and around.forms is not None and form not in around.forms:
            yield missing(task, "form", "表单", "form", form)


def messages(root: Element, around: Surroundings) -> Iterator[Problem]:
    """A catch must say what its message is correlated by, or any instance would take any message."""
    known = {
        str(m.get("id")): str(m.get("name") or m.get("id"))
        for m in xpath(root, "/bpmn:definitions/bpmn:message")
    }
    catching = "//bpmn:receiveTask | //bpmn:intermediateCatchEvent | //bpmn:boundaryEvent"
    for node in xpath(root, catching):
        definitions = xpath(node, "./bpmn:messageEventDefinition")
        if local(node) != "receiveTask" and not definitions:
            continue
        reference = plain_name((definitions[0] if definitions else node).get("messageRef"))
        if not known.get(reference):
            yield problem(
                node,
                "message",
                f"「{name_of(node)}」等待的消息没有定义",
                f'the message that "{name_of(node)}" waits for is not defined',
                fatal=bool(reference) and around.strict,
            )
        if not properties(node).get("correlation"):
            yield problem(
                node,
                "correlation",
                f"「{name_of(node)}」没有说明消息按什么对应（correlation）",
                f'"{name_of(node)}" does not say what its message is correlated by (correlation)',
                fatal=False,
            )
