"""The law of flows: who may act on a task, and when. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.actor import Actor
from app.glossary import ROLES
from app.refusal import Conflict, Forbidden, Invalid, NotFound
from app.text import Text, hides_something

EVERYWHERE = 0
"""The unit of a candidate that only a role held everywhere reaches."""

OVER = frozenset({"finished", "cancelled"})
"""Statuses of an instance that never goes on."""

AWAKE = frozenset({"running", "incident"})
"""Statuses of an instance that takes what comes: messages, timers, people's work."""


@dataclass(frozen=True)
class Candidate:
    """Who may take a task: one person, or whoever holds a role for one of these units (or everywhere)."""

    role: str | None = None
    unit_id: int = EVERYWHERE
    user_id: int | None = None


def reach(grants: Iterable[tuple[str, int | None]]) -> set[tuple[str, int]]:
    """The (role, unit) pairs under which a person's tasks are filed."""
    return {(role, EVERYWHERE if unit_id is None else unit_id) for role, unit_id in grants}


def may_take(candidates: Iterable[Candidate], by: Actor) -> bool:
    held = reach((g.role, g.unit_id) for g in by.grants)
    return by.kind == "person" and any(
        (c.user_id is not None and c.user_id in by.persons)
        or (c.role is not None and (c.role, c.unit_id) in held)
        for c in candidates
    )


def not_yours() -> Forbidden:
    return Forbidden(
        "flow.not_yours",
        zh="这项任务不归您办理。如需代办，请联系有权办理的同事。",
        en="This task is not yours to do. Ask a colleague who holds the role.",
    )


def check_open(status: str, done_by: str | None, done_at: datetime | None) -> None:
    """Refuses `Conflict`: the task is over, and says who did it."""
    if status == "open":
        return
    if status == "done":
        raise Conflict(
            "flow.task_done",
            zh=f"这项任务已由{done_by or '他人'}办理完毕，无需再办。请回到待办查看其余任务。",
            en=f"{done_by or 'Somebody'} has already completed this task; nothing is left to do. "
            "Go back to the inbox for the others.",
            done_by=done_by,
            done_at=done_at.isoformat() if done_at else None,
        )
    if status == "held":
        raise Conflict(
            "flow.held",
            zh="这项任务您已表态，正在等待后加签的人员办理。",
            en="This task is decided already; it waits for those who were added after it.",
        )
    raise Conflict(
        "flow.task_gone",
        zh="这项任务已随流程变化而取消，无需再办。",
        en="This task went away as the flow moved on; nothing is left to do.",
    )


def check_not_suspended(status: str) -> None:
    """Refuses `Conflict`: an operator holds the instance."""
    if status == "suspended":
        raise Conflict(
            "flow.suspended",
            zh="该流程已被流程管理员暂停，恢复后才能继续办理。您的任务会保留。",
            en="The process owner has suspended this flow; it can be worked on once it is resumed. Your task stays.",
        )


OPERATORS = ("process_owner", "system_administrator")
"""Who keeps flows running. The administrator may hold one and let it go, and touches nothing of what it is about."""

LONGEST_REASON = 500


def may_steer(by: Actor, unit_ids: frozenset[int], *roles: str) -> bool:
    """Whether one of the roles is held for the unit of the instance or one above it; what is no person may."""
    return by.kind == "system" or any(by.has(role, unit_ids) for role in roles)


def check_may_steer(by: Actor, unit_ids: frozenset[int], *roles: str) -> None:
    """Refuses `Forbidden`, naming who may."""
    if not may_steer(by, unit_ids, *roles):
        names = [ROLES[role] for role in roles]
        raise Forbidden(
            "flow.may_not_steer",
            zh=f"只有该单位的{'或'.join(n.zh for n in names)}可以这样做。",
            en=f"Only the {' or '.join(n.en.lower() for n in names)} of this unit may do this.",
            needed=list(roles),
        )


def check_may_cancel(by: Actor, unit_ids: frozenset[int], *, initiator_id: int | None, decided: bool) -> None:
    """Refuses `Forbidden` for whom it does not concern, `Conflict` for whoever started it once another person has
    done a task in it: then it is theirs too."""
    if may_steer(by, unit_ids, "process_owner"):
        return
    if by.kind != "person" or by.id is None or by.id != initiator_id:
        check_may_steer(by, unit_ids, "process_owner")
    if decided:
        raise Conflict(
            "flow.already_decided",
            zh="已有人办理过这个流程，发起人不能再自行撤销。请联系流程管理员。",
            en="Somebody has acted in this flow already, so you cannot cancel it yourself. Ask the process owner.",
        )


def check_reason(reason: str, *, longest: int = LONGEST_REASON) -> str:
    """The reason without blanks around it. Refuses `Invalid` for none, for a long one, and for hidden characters."""
    said = reason.strip()
    if not said or len(said) > longest or hides_something(said):
        text = badly_said(said) or Text(
            f"请写明原因，最多 {longest} 字", f"Say why, in at most {longest} characters"
        )
        raise Invalid("flow.reason_needed", zh=text.zh, en=text.en, fields={"reason": text})
    return said


def badly_said(said: str) -> Text | None:
    """What is wrong with words that are neither too few nor too many."""
    if not hides_something(said):
        return None
    return Text(
        "文字里有看不见的控制字符（常见于从别处粘贴），请删除后重新输入",
        "There are invisible control characters in it, as pasting brings them; take them out",
    )


def check_not_over(status: str) -> None:
    """Refuses `Conflict`: the instance never goes on."""
    if status in OVER:
        raise Conflict(
            "flow.is_over",
            zh="该流程已经结束。" if status == "finished" else "该流程已被撤销。",
            en="This flow is over." if status == "finished" else "This flow was cancelled.",
        )


def check_may_retry(by: Actor) -> None:
    """Refuses `Forbidden`: what stopped is the process owner's to look at."""
    if by.kind == "person" and not by.has("process_owner"):
        raise Forbidden(
            "flow.may_not_retry",
            zh="只有流程管理员可以重试受阻的流程。",
            en="Only the process owner may try a stopped flow again.",
        )


def may_pass_by_itself(code: str) -> bool:
    """Whether time may help: a house refused an action (a card is not there yet, a seal is held). What the engine
    finds wrong, in the drawing or in the data, stays wrong until a person changes something."""
    return not code.startswith("flow.")


def check_is_done_here(page: str | None) -> None:
    """Refuses `Conflict`: the task has a page of its own, whose command sees to what the form cannot."""
    if page is not None:
        raise Conflict(
            "flow.done_elsewhere",
            zh="这项任务要在它自己的页面上办理，请在待办中点“打开”。",
            en="This task is done on a page of its own; press Open in the inbox.",
            page=page,
        )


def check_not_anothers(assignee_id: int | None, assignee: str | None, by: Actor) -> None:
    """Refuses `Forbidden`: a colleague has claimed the task."""
    if assignee_id is not None and assignee_id not in by.persons:
        raise Forbidden(
            "flow.claimed_by_another",
            zh=f"这项任务已由{assignee or '同事'}领取，正在办理。",
            en=f"{assignee or 'A colleague'} has claimed this task and is working on it.",
        )


def check_not_asked_by_name(voter_id: int | None) -> None:
    """Refuses `Conflict`: a vote is asked of one person, who cannot put it back for others."""
    if voter_id is not None:
        raise Conflict(
            "flow.asked_by_name",
            zh="这项任务是指名请您表态的，不能退还。",
            en="You are asked for this by name; it cannot be put back for others.",
        )


def check_answered(names: Sequence[str]) -> None:
    """Refuses `Conflict`: somebody added before this task has not answered."""
    if names:
        raise Conflict(
            "flow.waits_for_added",
            zh=f"请先等待前加签的 {'、'.join(names)} 表态，或将其减签。",
            en=f"{', '.join(names)} must answer first, or be taken off.",
        )


PLACES = ("before", "after", "into")
MOST_AT_ONCE = 20
"""People that one act adds; and that are asked beside one task at a time."""

DEEPEST = 3
"""Whoever was added may add others, so many levels deep."""


def check_place(place: str, *, votes: bool) -> None:
    """Refuses `Invalid` for no place; `Conflict` where a vote is added to as if it were none, or the other way."""
    if place not in PLACES:
        raise Invalid(
            "flow.no_such_place",
            zh="加签方式只有：前加签、后加签、加入会签。",
            en="People are added before, after, or into a vote.",
            place=place[:40],
        )
    if votes != (place == "into"):
        raise Conflict(
            "flow.wrong_place",
            zh="会签任务只能加入会签人员。" if votes else "这项任务不是会签，只能前加签或后加签。",
            en="People can only be added into this vote."
            if votes
            else "This is no vote: people are added before or after it.",
        )


def check_added(people: Sequence[int], there: Mapping[int, str], asked: Collection[int], by: Actor) -> None:
    """Refuses `Invalid`: nobody, too many, oneself, or somebody who cannot act; `Conflict`: asked already."""
    if not people or len(set(people)) != len(people) or len(people) + len(asked) > MOST_AT_ONCE:
        raise Invalid(
            "flow.added_how_many",
            zh=f"请选择 1 至 {MOST_AT_ONCE} 位不同的人员。",
            en=f"Choose 1 to {MOST_AT_ONCE} different people.",
        )
    if by.id in people or any(ident not in there for ident in people):
        raise Invalid(
            "flow.added_who",
            zh="加签人员应是在册且可登录的其他人员。",
            en="Only other people who can log in may be added.",
        )
    if any(ident in asked for ident in people):
        raise Conflict(
            "flow.asked_already",
            zh="其中有人已经被加签，尚未表态。",
            en="One of them has been added already and has not answered yet.",
        )


def check_depth(depth: int) -> None:
    """Refuses `Conflict`: added by who was added by who was added, and so on."""
    if depth >= DEEPEST:
        raise Conflict(
            "flow.added_too_deep",
            zh=f"加签最多 {DEEPEST} 层，请由上一层的办理人加签。",
            en=f"People are added at most {DEEPEST} levels deep; ask who added you.",
        )


def check_may_take_off(added_by: int | None, person_id: int, by: Actor) -> None:
    """Who was added is taken off by who added them; a voter steps back; the process owner may take off anybody.
    No voter takes off another one whom the diagram asks. Refuses `Forbidden`."""
    mine = by.kind == "person" and by.id in (added_by, person_id)
    if not mine and not by.has("process_owner"):
        raise Forbidden(
            "flow.may_not_take_off",
            zh="只能减签自己加签的人员（或本人回避）；其他会签人员请联系流程管理员。",
            en="You may take off whom you added, or step back yourself; for others ask the process owner.",
        )


def not_asked(*, answered: bool) -> Conflict:
    if answered:
        return Conflict(
            "flow.has_answered",
            zh="此人已经表态，不能减签。",
            en="This person has answered already and cannot be taken off.",
        )
    return Conflict(
        "flow.not_added", zh="此人没有被加签到这项任务。", en="This person was not added to this task."
    )


def check_may_start(role: str | None, by: Actor) -> None:
    """Refuses `Forbidden`: the diagram names a role for whoever starts it."""
    if role and by.kind == "person" and not by.has(role):
        raise Forbidden(
            "flow.may_not_start",
            zh="您没有发起该流程的权限，请联系安全保密管理员授予相应角色。",
            en="You may not start this flow; ask the security officer for the role.",
            role=role,
        )


def check_running(status: str) -> None:
    """Refuses `Conflict`: the flow is over, or something stops it."""
    if status != "running":
        raise Conflict(
            "flow.not_running",
            zh="流程已办结，不能再退回。" if status == "finished" else "流程受阻，请先由流程管理员处理。",
            en="The flow is finished; nothing can go back."
            if status == "finished"
            else "Something stops this flow; the process owner must see to it first.",
        )


def check_is_applicant(initiator_id: int | None, by: Actor) -> None:
    """Refuses `Forbidden`: only who started a flow withdraws it."""
    if by.kind != "person" or by.id is None or initiator_id != by.id:
        raise Forbidden(
            "flow.not_the_applicant",
            zh="只有发起人可以撤回流程。",
            en="Only the person who started the flow may withdraw it.",
        )


def check_did_it(status: str, done_by_id: int | None, by: Actor) -> None:
    """Refuses `Forbidden`: somebody else did the task; `Conflict`: it is not done."""
    if by.kind != "person" or by.id is None or done_by_id != by.id:
        raise Forbidden(
            "flow.not_your_doing",
            zh="只有办理人本人可以拿回。",
            en="Only the person who did the task may take it back.",
        )
    if status != "done":
        raise nothing_to_take_back()


def nothing_to_take_back() -> Conflict:
    return Conflict(
        "flow.nothing_to_take_back",
        zh="流程已走到别处，这一步不能再拿回。",
        en="The flow has gone elsewhere; this step cannot be taken back any more.",
    )


def vote_is_over() -> Conflict:
    return Conflict(
        "flow.vote_is_over",
        zh="会签已经有了结果，不能再拿回自己的意见。",
        en="The countersigning has come to its result; a vote cannot be taken back any more.",
    )


def no_withdrawing() -> Conflict:
    return Conflict(
        "flow.no_withdrawing",
        zh="该流程不支持撤回。",
        en="This flow cannot be withdrawn.",
    )


def already_there() -> Conflict:
    return Conflict(
        "flow.already_there",
        zh="流程已经在您手上，可以直接修改。",
        en="The flow is with you already; correct it there.",
    )


def moved_on() -> Conflict:
    return Conflict(
        "flow.moved_on",
        zh="流程刚刚被他人推进，请刷新后重试",
        en="Somebody has just moved this flow on; reload the page and try again",
    )


def no_such_task(task_id: int) -> NotFound:
    return NotFound(
        "flow.no_such_task",
        zh="没有这项任务，链接可能有误。请从待办进入。",
        en="There is no such task; the link may be wrong. Start from the inbox.",
        task_id=task_id,
    )


def no_such_instance(ident: object) -> NotFound:
    return NotFound(
        "flow.no_such_instance",
        zh="没有这个流程实例。",
        en="There is no such flow instance.",
        instance=str(ident),
    )


def no_such_flow(key: str) -> NotFound:
    return NotFound(
        "flow.no_such_flow",
        zh=f"流程「{key}」尚未发布。请先运行 yinxu db upgrade 载入流程。",
        en=f'The flow "{key}" is not published. Run "yinxu db upgrade" to load the flows.',
        key=key,
    )
