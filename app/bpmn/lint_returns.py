"""What a diagram says about going back: `return`, `irreversible`, `withdraw`, `resubmit`, `start_task`. Pure."""

from collections.abc import Iterator

from app.bpmn.problem import Problem, Surroundings, name_of, problem
from app.bpmn.reading import Element, local, properties, xpath
from app.bpmn.shapes import RUNNABLE

WITHDRAW = ("until_decided", "always", "never")
RESUBMIT = ("through", "straight")
ALLOWED = {
    "return": ("never",),
    "irreversible": ("true", "false"),
    "withdraw": WITHDRAW,
    "resubmit": RESUBMIT,
}
PLACES = {
    "return": RUNNABLE,
    "irreversible": {"serviceTask"},
    "withdraw": {"process"},
    "resubmit": {"process", "userTask", "manualTask"},
    "start_task": {"process"},
}


def returns(root: Element, _around: Surroundings) -> Iterator[Problem]:
    """Each of these properties stands where it means something, and says something that is understood."""
    for element in xpath(root, "//bpmn:process/descendant-or-self::bpmn:*"):
        if local(element) != "process" and local(element) not in RUNNABLE:
            continue
        said = properties(element)
        for name in PLACES.keys() & said.keys():
            yield from _one(element, name, said[name])


def _one(element: Element, name: str, value: str) -> Iterator[Problem]:
    if local(element) not in PLACES[name]:
        yield problem(
            element,
            name,
            f"属性 {name} 不能用在「{name_of(element)}」（{local(element)}）上",
            f'the property {name} means nothing on "{name_of(element)}" ({local(element)})',
        )
    elif name in ALLOWED and value not in ALLOWED[name]:
        yield problem(
            element,
            name,
            f"「{name_of(element)}」的属性 {name} 只能是 {'、'.join(ALLOWED[name])}，不能是「{value}」",
            f'the property {name} of "{name_of(element)}" is one of {", ".join(ALLOWED[name])}, not "{value}"',
        )
    elif name == "start_task" and value not in {
        str(e.get("id")) for e in xpath(element, "./bpmn:userTask | ./bpmn:manualTask")
    }:
        yield problem(
            element,
            name,
            f"流程「{name_of(element)}」的 start_task 指的「{value}」不是其中的用户任务",
            f'the start_task of the process "{name_of(element)}", "{value}", is no user task in it',
        )
