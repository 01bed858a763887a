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
        (c.user_id is not None and c.user_id in by.persons) or (c.role is not None and (c.role, c.unit_id) in held)
        for c in candidates
    )


def check_may_take(candidates: Iterable[Candidate], by: Actor) -> None:
    """Refuses `Forbidden`: the task is somebody else's."""
    if not may_take(candidates, by):
        raise not_yours()


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
    if assignee_id is not None and assignee_id not in by.persons:
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
