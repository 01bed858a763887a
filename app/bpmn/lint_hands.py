"""Whose hands a task may come into, and what its due moment brings: properties that contradict each other. Pure."""

import re
from collections.abc import Iterator, Mapping

from app.bpmn import moments, policy
from app.bpmn.problem import Problem, Surroundings, missing, name_of, problem
from app.bpmn.reading import Element, local, properties, xpath
from app.bpmn.shapes import events_of

ON_TIMEOUT = ("remind", "escalate", "pass", "refuse")
MOST_TIMES = 100
PASSES_BY_ITSELF = ("repeat", "own", "nobody")
"""Policies by which a task may be passed without anybody; each may say `pass`."""

OF_PEOPLE = ("ownHand", "onTimeout", "every", "atMost", "escalateTo", "timeoutOutcome", "batch")


def hands(root: Element, around: Surroundings) -> Iterator[Problem]:
    """本人亲办 (B4), timeouts, copies, deciding several together."""
    tasks = xpath(root, "//bpmn:process//bpmn:userTask | //bpmn:process//bpmn:manualTask")
    for task in tasks:
        said = properties(task)
        yield from _timeout(task, said, around)
        if said.get("ownHand", "false") not in ("true", "false"):
            yield _wrong(task, "own_hand", "ownHand", said["ownHand"], "true 或 false", "true or false")
        if said.get("ownHand") == "true":
            yield from _own_hand(task, said, root)
        yield from _batch(task, said)
    for element in xpath(root, "//bpmn:process//*[@id]"):
        if local(element) not in ("userTask", "manualTask"):
            for name in sorted(set(OF_PEOPLE) & set(properties(element))):
                yield problem(
                    element,
                    "misplaced",
                    f"「{name_of(element)}」不是人工任务，不能有 {name}",
                    f'"{name_of(element)}" is no task of a person and cannot have {name}',
                )


def _timeout(task: Element, said: Mapping[str, str], around: Surroundings) -> Iterator[Problem]:
    how = said.get("onTimeout")
    if how is not None and how not in ON_TIMEOUT:
        yield _wrong(task, "on_timeout", "onTimeout", how, "、".join(ON_TIMEOUT), ", ".join(ON_TIMEOUT))
        return
    if how is not None and "dueIn" not in said:
        yield problem(
            task,
            "on_timeout",
            f"「{name_of(task)}」说明了超时怎么办，却没有时限 dueIn",
            f'"{name_of(task)}" says what a timeout brings, but has no dueIn',
        )
    needed = {"every": ("remind", "escalate"), "atMost": ("remind", "escalate"), "escalateTo": ("escalate",),
              "timeoutOutcome": ("pass", "refuse")}  # fmt: skip
    for name, hows in needed.items():
        if name in said and how not in hows:
            yield problem(
                task,
                "on_timeout",
                f"「{name_of(task)}」的 {name} 只用于 onTimeout={'/'.join(hows)}",
                f'{name} of "{name_of(task)}" goes with onTimeout={"/".join(hows)} only',
            )
    if "every" in said:
        yield from _every(task, said["every"])
    if "atMost" in said and not (
        re.fullmatch("[0-9]{1,3}", said["atMost"]) and 0 < int(said["atMost"]) <= MOST_TIMES
    ):
        yield _wrong(task, "on_timeout", "atMost", said["atMost"], f"1 至 {MOST_TIMES}", f"1 to {MOST_TIMES}")
    role = said.get("escalateTo")
    if role is not None and around.roles and role not in around.roles:
        yield missing(task, "role", "角色", "role", role)
    if how == "escalate" and role is None and _lane_is_applicant(task, said, around):
        yield problem(
            task,
            "on_timeout",
            f"「{name_of(task)}」由申请人办理，升级时须用 escalateTo 说明升级给谁",
            f'"{name_of(task)}" is the applicant\'s; say with escalateTo to whom it escalates',
        )
    if how in ("pass", "refuse") and "page" in said:
        yield problem(
            task,
            "on_timeout",
            f"「{name_of(task)}」在自己的页面上办理，不能超时自动办结",
            f'"{name_of(task)}" is done on a page of its own and cannot be completed by a timeout',
        )


def _every(task: Element, text: str) -> Iterator[Problem]:
    try:
        moments.span(text)
    except (ValueError, OverflowError):
        yield _wrong(
            task, "on_timeout", "every", text, "PT4H、P1WD 这样的时长", "a duration such as PT4H or P1WD"
        )


def _lane_is_applicant(task: Element, said: Mapping[str, str], around: Surroundings) -> bool:
    if around.role_of_lane is None:
        return False
    lane = next(
        (
            str(ref.getparent().get("name"))
            for ref in xpath(task.getroottree().getroot(), "//bpmn:flowNodeRef")
            if str(ref.text).strip() == task.get("id")
        ),
        "",
    )
    return (said.get("role") or around.role_of_lane(lane)) == "applicant"


def _own_hand(task: Element, said: Mapping[str, str], root: Element) -> Iterator[Problem]:
    """What is done by one's own hand is never passed by anything else."""
    if said.get("onTimeout") in ("pass", "refuse"):
        yield _not_by_own_hand(task, f"onTimeout={said['onTimeout']}")
    for name in PASSES_BY_ITSELF:
        process = next(e for e in task.iterancestors() if local(e) == "process")
        if (said.get(name) or properties(process).get(name)) == "pass":
            yield _not_by_own_hand(task, f"{name}=pass")
    for event in xpath(root, "//bpmn:process//bpmn:boundaryEvent"):
        timers = [e for e in events_of(event, root) if local(e) == "timerEventDefinition"]
        if event.get("attachedToRef") == task.get("id") and timers and event.get("cancelActivity") != "false":
            yield _not_by_own_hand(task, f"{event.get('id')}")


def _batch(task: Element, said: Mapping[str, str]) -> Iterator[Problem]:
    """批量办理: what is done by one's own hand, on a page of its own, or corrects the data, is decided by itself."""
    if said.get("batch", "no") not in ("yes", "no"):
        yield _wrong(task, "batch", "batch", said["batch"], "yes 或 no", "yes or no")
    if said.get("batch") == "yes":
        for name in policy.hinders(said):
            yield problem(
                task,
                "batch",
                f"「{name_of(task)}」有 {name}，须逐项办理，不能同时有 batch=yes",
                f'"{name_of(task)}" has {name}: it is decided one by one and cannot have batch=yes',
            )


def _not_by_own_hand(task: Element, what: str) -> Problem:
    return problem(
        task,
        "own_hand",
        f"「{name_of(task)}」须本人亲办（ownHand），不能同时有 {what}：到时只能提醒，不能替人决定",
        f'"{name_of(task)}" is done by one\'s own hand (ownHand) and cannot have {what}: time may remind, never decide',
    )


def _wrong(task: Element, rule: str, name: str, said: str, zh: str, en: str) -> Problem:
    return problem(
        task,
        rule,
        f"「{name_of(task)}」的 {name} 应为 {zh}，不是「{said[:40]}」",
        f'{name} of "{name_of(task)}" is {en}, not “{said[:40]}”',
    )
