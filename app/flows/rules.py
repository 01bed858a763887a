"""The law of flows: who may act on a task, and when. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.actor import Actor
from app.refusal import Conflict, Forbidden, NotFound

EVERYWHERE = 0
"""The unit of a candidate that only a role held everywhere reaches."""


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
        (c.user_id is not None and c.user_id == by.id) or (c.role is not None and (c.role, c.unit_id) in held)
        for c in candidates
    )


def check_may_take(candidates: Iterable[Candidate], by: Actor) -> None:
    """Refuses `Forbidden`: the task is somebody else's."""
    if not may_take(candidates, by):
        raise Forbidden(
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
    raise Conflict(
        "flow.task_gone",
        zh="这项任务已随流程变化而取消，无需再办。",
        en="This task went away as the flow moved on; nothing is left to do.",
    )


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
    if assignee_id is not None and assignee_id != by.id:
        raise Forbidden(
            "flow.claimed_by_another",
            zh=f"这项任务已由{assignee or '同事'}领取，正在办理。",
            en=f"{assignee or 'A colleague'} has claimed this task and is working on it.",
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
