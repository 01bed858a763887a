"""What a person calls a shape: its name; where it has none, by what stands beside it. Never its id. Pure."""

from collections.abc import Mapping

from app.bpmn.picture import label_of
from app.bpmn.reading import Element, local, xpath
from app.glossary import ROLES, role_of_lane
from app.text import Text

KINDS: dict[str, Text] = {
    "userTask": Text("步骤", "step"),
    "manualTask": Text("步骤", "step"),
    "task": Text("步骤", "step"),
    "serviceTask": Text("自动步骤", "automatic step"),
    "sendTask": Text("发送步骤", "sending step"),
    "receiveTask": Text("接收步骤", "receiving step"),
    "scriptTask": Text("脚本步骤", "script step"),
    "businessRuleTask": Text("规则步骤", "rule step"),
    "callActivity": Text("子流程步骤", "step that calls a flow"),
    "subProcess": Text("子流程", "sub-process"),
    "exclusiveGateway": Text("分支", "branch"),
    "inclusiveGateway": Text("多选分支", "branch of several ways"),
    "parallelGateway": Text("并行分支", "parallel branch"),
    "eventBasedGateway": Text("等待分支", "branch that waits"),
    "startEvent": Text("开始", "start"),
    "endEvent": Text("结束", "end"),
    "boundaryEvent": Text("边界事件", "border event"),
    "intermediateCatchEvent": Text("等待", "wait"),
    "intermediateThrowEvent": Text("通知", "notice"),
    "lane": Text("泳道", "lane"),
    "process": Text("流程", "flow"),
    "definitions": Text("流程图", "diagram"),
}
OTHER = Text("图元", "shape")


class Names:
    """The names of one file's shapes and flows, each by its id."""

    def __init__(self, root: Element) -> None:
        self.elements: dict[str, Element] = {}
        for element in root.iter("*"):
            if element.get("id"):
                self.elements.setdefault(str(element.get("id")), element)
        self._before: dict[str, str] = {}
        for flow in xpath(root, "//bpmn:sequenceFlow"):
            self._before.setdefault(str(flow.get("targetRef")), str(flow.get("sourceRef")))

    def of(self, ident: str) -> Text:
        """In quotes where it is a name: 「法务审核」, “Legal review”."""
        element = self.elements.get(ident)
        if element is None:
            source, arrow, target = ident.partition(" → ")
            return self._flow(source, target) if arrow else OTHER
        if local(element) == "sequenceFlow":
            return self._flow(str(element.get("sourceRef")), str(element.get("targetRef")))
        return self._shape(element)

    def is_connected(self, ident: str) -> bool:
        """Whether both ends of a flow are drawn."""
        flow = self.elements.get(ident)
        ends = (flow.get("sourceRef"), flow.get("targetRef")) if flow is not None else (None,)
        return all(end in self.elements for end in ends)

    def _flow(self, source: str, target: str) -> Text:
        one, other = self._end(source), self._end(target)
        return Text(f"从{one.zh}到{other.zh}的连线", f"the flow from {one.en} to {other.en}")

    def _end(self, ident: str) -> Text:
        element = self.elements.get(ident)
        return Text("不存在的图元", "a shape that is gone") if element is None else self._shape(element)

    def _shape(self, element: Element, further: bool = True) -> Text:
        label, kind = label_of(element), KINDS.get(local(element), OTHER)
        role = role_of_lane(label.zh) if local(element) == "lane" else None
        if role is not None:
            label = ROLES[role]
        if label.zh:
            return Text(f"「{label.zh}」", f"“{label.en or label.zh}”")
        before = self.elements.get(self._before.get(str(element.get("id")), ""))
        if before is not None and further:
            near = self._shape(before, further=False)
            return Text(f"{near.zh}之后的{kind.zh}", f"the {kind.en} after {near.en}")
        return Text(f"没有名称的{kind.zh}", f"the {kind.en} without a name")


def filled(text: Text, values: Mapping[str, Text]) -> Text:
    """Both halves with their values: `{name}`."""
    return Text(
        text.zh.format(**{name: value.zh for name, value in values.items()}),
        text.en.format(**{name: value.en for name, value in values.items()}),
    )
