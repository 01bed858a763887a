"""Who may take figures out of the system. Pure."""

from app.actor import Actor
from app.glossary import ROLES
from app.refusal import Conflict, Forbidden, Hidden, NotFound, TooMany

MAY_ORDER = ("seal_office", "seal_office_head", "seal_manager", "overseer")
MAX_WAITING = 5


def check_may_order(actor: Actor) -> None:
    """Refuses Forbidden to all but those who look after seals or their use (A29)."""
    if actor.kind == "person" and any(actor.has(role) for role in MAY_ORDER):
        return
    names = [ROLES[role] for role in MAY_ORDER]
    raise Forbidden(
        "export.role_missing",
        zh=f"导出报表需要角色：{'、'.join(n.zh for n in names)}。如需要，请联系安全保密管理员授权",
        en=f"Exports need the role {' or '.join(n.en for n in names)}. Ask the security officer for it",
    )


def check_waiting(count: int) -> None:
    """Refuses TooMany when a person has as many exports under way as one person may."""
    if count >= MAX_WAITING:
        raise TooMany(
            "export.too_many",
            zh=f"您有 {count} 份报表正在生成，请等其中一份完成后再申请",
            en=f"{count} reports of yours are being built; wait for one of them to be ready",
        )


def check_own(ordered_by_id: int, actor: Actor) -> None:
    """An export shows what its orderer may see, so nobody else gets it. Refuses NotFound."""
    if actor.id != ordered_by_id:
        raise unknown(Hidden)


def unknown(kind: type[NotFound] = NotFound) -> NotFound:
    return kind(
        "export.unknown",
        zh="没有这份报表，或不是您申请的；请返回报表页重新导出",
        en="There is no such report, or it is not yours; go back to Reports and export again",
    )


def check_ready(state: str) -> None:
    if state != "done":
        raise Conflict(
            "export.not_ready",
            zh="报表尚未生成或生成失败；请返回报表页查看进度，或重新导出",
            en="The report is not ready, or could not be built; see its progress on Reports, or export again",
        )
