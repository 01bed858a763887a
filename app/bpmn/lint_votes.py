"""What a shape says of votes and of steps that pass by themselves: known words, that fit together. Pure."""

from collections.abc import Iterator, Mapping

from app.bpmn.policy import CHOICES, hinders, wants_to_pass
from app.bpmn.problem import Problem, Surroundings, name_of, problem
from app.bpmn.reading import Element, local, properties, xpath
from app.bpmn.votes import KINDS, SHARED, share_of

OF_A_VOTE = ("voters", "voterRole", "share", "weights")
LEFT_OUT = ("loopCardinality", "loopDataInputRef", "inputDataItem", "loopDataOutputRef", "outputDataItem",
            "completionCondition")  # fmt: skip


def votes(root: Element, around: Surroundings) -> Iterator[Problem]:
    """A vote is a multi-instance user task that says who is asked and how it counts, and nothing else."""
    for shape in xpath(root, "//bpmn:process//bpmn:*[bpmn:extensionElements/spiff:properties]"):
        said = properties(shape)
        if "vote" not in said:
            for name in OF_A_VOTE:
                if name in said:
                    yield _wrong(
                        shape, f"有 {name} 却没有 vote", f"says {name}, but not how it counts (vote)"
                    )
            continue
        yield from _counted(shape, said)
        yield from _asked(shape, said, around)
        for many in xpath(shape, "./bpmn:multiInstanceLoopCharacteristics"):
            for part in (e for e in many if local(e) in LEFT_OUT):
                yield _wrong(
                    shape,
                    f"会签由 vote 计票，不能再有 {local(part)}",
                    f"its votes are counted by `vote`: {local(part)} has no place there",
                )


def _counted(shape: Element, said: Mapping[str, str]) -> Iterator[Problem]:
    kind = said["vote"].strip()
    if local(shape) != "userTask" or not xpath(shape, "./bpmn:multiInstanceLoopCharacteristics"):
        yield _wrong(
            shape,
            "vote 只能用于多实例的用户任务",
            "a vote is a user task that is marked as multi-instance",
        )
    if kind not in KINDS:
        yield _wrong(
            shape,
            f"vote「{kind[:40]}」应是 {'、'.join(KINDS)}",
            f"vote “{kind[:40]}” is none of {', '.join(KINDS)}",
        )
        return
    if kind in SHARED:
        try:
            share_of(said.get("share", ""))
        except ValueError as error:
            yield _wrong(
                shape,
                f"share「{said.get('share', '')[:40]}」应是 0 到 1 之间的比例，如 2/3、0.6、60%",
                f"share “{said.get('share', '')[:40]}” is no share such as 2/3, 0.6 or 60%: {error}",
            )
    elif "share" in said:
        yield _wrong(shape, f"vote 为 {kind} 时没有 share", f"a vote of kind {kind} has no share")
    if (kind == "weighted") != bool(said.get("weights")):
        yield _wrong(
            shape,
            "weights 与 vote=weighted 须同时出现",
            "weights belong to vote=weighted, and it needs them",
        )


def _asked(shape: Element, said: Mapping[str, str], around: Surroundings) -> Iterator[Problem]:
    if bool(said.get("voters")) == bool(said.get("voterRole")):
        yield _wrong(
            shape, "会签人员要么是 voters，要么是 voterRole", "says who votes by either voters or voterRole"
        )
    role = said.get("voterRole")
    if role and around.roles and role not in around.roles:
        yield _wrong(shape, f"voterRole「{role}」不是角色", f"voterRole “{role}” is no role")
    if said.get("merge") == "true" or said.get("page"):
        yield _wrong(shape, "会签不能有 merge 或 page", "a vote has neither merge nor page")


def signers(root: Element, _around: Surroundings) -> Iterator[Problem]:
    """`addSigners`, of a task of people or of the process, is true or false."""
    for shape in xpath(
        root, "//bpmn:process/descendant-or-self::bpmn:*[bpmn:extensionElements/spiff:properties]"
    ):
        said = properties(shape).get("addSigners")
        if said is not None and local(shape) not in ("process", "userTask", "manualTask"):
            yield _wrong(
                shape, "addSigners 只用于流程和用户任务", "addSigners belongs to processes and user tasks"
            )
        elif said not in (None, "true", "false"):
            yield _wrong(
                shape,
                f"addSigners「{said[:40]}」应是 true 或 false",
                f"addSigners “{said[:40]}” is neither true nor false",
            )


def policies(root: Element, _around: Surroundings) -> Iterator[Problem]:
    """Steps that may pass by themselves say so in known words, and never where only a person's own hand will do."""
    for shape in xpath(root, "//bpmn:process//bpmn:*[bpmn:extensionElements/spiff:properties]"):
        said = properties(shape)
        for name, allowed in CHOICES.items():
            if name not in said:
                continue
            if local(shape) != "userTask":
                yield _wrong(shape, f"{name} 只用于用户任务", f"{name} belongs to user tasks")
            if said[name] not in allowed:
                yield _wrong(
                    shape,
                    f"{name}「{said[name][:40]}」应是 {'、'.join(allowed)}",
                    f"{name} “{said[name][:40]}” is none of {', '.join(allowed)}",
                )
        if "vote" in said and (said.get("own") == "superior" or said.get("nobody") == "wait"):
            yield _wrong(
                shape,
                "会签不支持 own=superior 和 nobody=wait，请在 voters 中安排人员",
                "a vote knows neither own=superior nor nobody=wait; see to it in voters",
            )
        for wish in wants_to_pass(said) if hinders(said) else ():
            yield _wrong(
                shape,
                f"{wish}=pass 与 {'、'.join(hinders(said))} 冲突：这一步只能由本人办理",
                f"{wish}=pass goes against {', '.join(hinders(said))}: only a person may do this step",
            )


def _wrong(shape: Element, zh: str, en: str) -> Problem:
    return problem(shape, "vote", f"「{name_of(shape)}」{zh}", f'"{name_of(shape)}": {en}')
