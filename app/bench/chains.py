"""Flows of N activities to measure on, drawn twice: for our engine, and for SpiffWorkflow as its makers ship it.

Six in ten activities are a person's; of four, all. After each person's step stands a gateway that goes on or back
to the first step, as approvals do. Both drawings hold the same shapes; conditions are FEEL in ours and Python in the
other, and an automatic step is an action that does nothing in ours and a script that sets a number in the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"
EXTENSION = "http://spiffworkflow.org/bpmn/schema/1.0/core"
FORM = {
    "title": {"zh": "审核", "en": "Review"},
    "fields": [
        {"name": "decision", "type": "text", "label": {"zh": "结论", "en": "Decision"}, "required": True},
        {"name": "opinion", "type": "textarea", "label": {"zh": "意见", "en": "Opinion"}, "required": False},
    ],
}
ANSWER = {"decision": "approve", "opinion": "同意；请按制度办理。" * 40}
"""About 1.3 KB of JSON, as an opinion with its attachments' names is."""
SENT_BACK = {"decision": "back", "opinion": "请补正。"}
AUTOMATIC = "bench/nothing"


@dataclass(frozen=True)
class Chain:
    """A flow of so many activities. `key`: its process' id."""

    activities: int

    @property
    def key(self) -> str:
        return f"bench_{self.activities}"

    def is_a_persons(self, index: int) -> bool:
        return self.activities <= 4 or index % 5 in (0, 2, 4)

    @property
    def people(self) -> int:
        return sum(self.is_a_persons(i) for i in range(self.activities))

    def ours(self) -> bytes:
        return self._drawn(feel=True)

    def theirs(self) -> bytes:
        return self._drawn(feel=False)

    def _drawn(self, *, feel: bool) -> bytes:
        inner = "".join(self._shapes(feel))
        lane = "".join(f"<flowNodeRef>{name}</flowNodeRef>" for name in self._names())
        return (
            f'<definitions xmlns="{MODEL}" xmlns:s="{EXTENSION}" id="d" targetNamespace="urn:bench">'
            f'<process id="{self.key}" name="{self.key}" isExecutable="true">'
            f'<laneSet id="lanes"><lane id="lane" name="印章管理部门">{lane}</lane></laneSet>{inner}'
            "</process></definitions>"
        ).encode()

    def _names(self) -> Iterator[str]:
        yield "begin"
        for i in range(self.activities):
            yield f"a{i}"
            if self.is_a_persons(i):
                yield f"g{i}"
        yield "finish"

    def _shapes(self, feel: bool) -> Iterator[str]:
        yield '<startEvent id="begin" name="begin"/>' + _flow("begin", "a0")
        for i in range(self.activities):
            after = f"a{i + 1}" if i + 1 < self.activities else "finish"
            if not self.is_a_persons(i):
                yield _automatic(f"a{i}", feel) + _flow(f"a{i}", after)
                continue
            yield _review(f"a{i}", feel) + _flow(f"a{i}", f"g{i}")
            yield f'<exclusiveGateway id="g{i}" name="g{i}" default="g{i}_{after}"/>'
            yield _flow(f"g{i}", "a0", f'a{i}.decision = "back"' if feel else 'decision == "back"')
            yield _flow(f"g{i}", after)
        yield '<endEvent id="finish" name="finish"/>'


def _flow(source: str, target: str, condition: str = "") -> str:
    inner = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
    return f'<sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'


def _review(name: str, feel: bool) -> str:
    form = '<s:properties><s:property name="form" value="review"/></s:properties>' if feel else ""
    return f'<userTask id="{name}" name="{name}"><extensionElements>{form}</extensionElements></userTask>'


def _automatic(name: str, feel: bool) -> str:
    if not feel:
        return f'<scriptTask id="{name}" name="{name}"><script>{name} = 1</script></scriptTask>'
    return (
        f'<serviceTask id="{name}" name="{name}"><extensionElements>'
        f'<s:serviceTaskOperator id="{AUTOMATIC}" resultVariable="{name}"><s:parameters/></s:serviceTaskOperator>'
        "</extensionElements></serviceTask>"
    )
