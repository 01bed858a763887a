"""The law of taking a seal back from a document (D5). Pure."""

from app.actor import Actor
from app.refusal import Conflict, Forbidden

MANAGERS = ("seal_manager", "seal_office")


def check_may_ask(by: Actor, unit_ids: frozenset[int], *, sealed_by_id: int) -> None:
    if by.id is None or (by.id != sealed_by_id and not any(by.has(role, unit_ids) for role in MANAGERS)):
        raise Forbidden(
            "signing.may_not_withdraw",
            zh="只有盖章人本人或印章管理人员可以撤章，请联系他们办理",
            en="Only the person who sealed it or the seal's managers may withdraw it; ask one of them",
        )


def check_none_waits(waiting: bool) -> None:
    if waiting:
        raise Conflict(
            "signing.withdrawal_waits",
            zh="撤章申请已在办理，请查看流程进度",
            en="This withdrawal is asked for already; see where its flow stands",
        )


def check_may_agree(by: Actor, unit_ids: frozenset[int], *, asked_by_id: int) -> None:
    if not any(by.has(role, unit_ids) for role in MANAGERS):
        raise Forbidden(
            "signing.may_not_agree_withdrawal",
            zh="撤章由印章所属单位的印章管理员或印章管理部门审批",
            en="The manager of the seal or the seal office decides on a withdrawal",
        )
    if by.id == asked_by_id:
        raise Forbidden(
            "signing.own_withdrawal",
            zh="不能审批自己的撤章申请，请由另一位管理人员办理",
            en="Nobody decides on their own wish; another manager does",
        )


def check_agreed(*, sent: bool, own: bool, agreed_by_id: int | None) -> None:
    """Whatever a diagram says: alone only the sealer, and only while nothing follows."""
    if (sent or not own) and agreed_by_id is None:
        raise Conflict(
            "signing.withdrawal_not_agreed",
            zh="文件已取走或后面另有签章，撤章须经审批；请检查流程中是否缺少审批，或重新申请",
            en="The document was taken or another seal follows, so this takes an agreement; does the flow lack that step? "
            "Otherwise ask anew",
        )


def check_open(state: str) -> None:
    if state != "open":
        raise Conflict(
            "signing.withdrawal_over",
            zh="这次撤章申请已经办结或撤销，请刷新页面",
            en="This withdrawal is over already; reload the page",
        )
