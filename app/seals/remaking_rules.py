"""The law of making a seal again (补办、换发). Pure."""

from app.actor import Actor
from app.refusal import Conflict, Forbidden, Invalid
from app.text import Text

CAUSES: dict[str, Text] = {
    "lost": Text("卡遗失，补办", "The card was lost"),
    "expiring": Text("即将到期，换发", "It is about to end"),
    "damaged": Text("卡损坏，补办", "The card is damaged"),
}
ASKERS = ("seal_manager", "seal_office", "seal_office_head")


def may_ask(by: Actor, unit_ids: frozenset[int]) -> bool:
    return by.kind != "person" or any(by.has(role, unit_ids) for role in ASKERS)


def check_may_ask(by: Actor, unit_ids: frozenset[int]) -> None:
    if not may_ask(by, unit_ids):
        raise Forbidden(
            "seal.may_not_ask_remaking",
            zh="重新制章由该单位的印章管理员或印章管理部门申请",
            en="The unit's seal manager or the seal office asks for a seal to be made again",
        )


def check_cause(cause: str) -> None:
    if cause not in CAUSES:
        sentence = Text("请选择重新制章的原因类别", "Choose why it is made again")
        raise Invalid("seal.no_cause", zh=sentence.zh, en=sentence.en, fields={"cause": sentence})


def check_not_over(name: str, *, cancelled: bool) -> None:
    if cancelled:
        raise Conflict(
            "seal.cancelled",
            zh=f"“{name}”已注销，不能重新制作；需要时请重新申请",
            en=f"“{name}” has been cancelled for good; apply for a new seal",
        )


def check_none_waits(name: str, *, waiting: bool) -> None:
    if waiting:
        raise Conflict(
            "seal.remaking_waits",
            zh=f"“{name}”的重新制章已在办理，请查看流程进度",
            en=f"“{name}” is being made again already; see where its flow stands",
        )


def check_may_agree(by: Actor, unit_ids: frozenset[int], *, asked_by_id: int | None) -> None:
    if not (by.has("seal_office", unit_ids) or by.has("seal_office_head", unit_ids)):
        raise Forbidden(
            "seal.not_the_office",
            zh="重新制章由印章管理部门审批",
            en="The seal office decides whether a seal is made again",
        )
    if by.id == asked_by_id:
        raise Forbidden(
            "seal.own_remaking",
            zh="不能审批自己的申请，请由印章管理部门的另一位同事办理",
            en="Nobody decides on their own wish; a colleague of the seal office does",
        )


def check_open(state: str) -> None:
    if state != "open":
        raise Conflict(
            "seal.remaking_over",
            zh="这次重新制章已经办结或撤销，请刷新页面",
            en="This remaking is over already; reload the page",
        )


def check_replaces(*, agreed: bool, same_impression: bool, other: bool) -> None:
    if not agreed:
        raise Conflict(
            "seal.remaking_not_agreed",
            zh="重新制章尚未经印章管理部门同意；请检查流程是否缺少审批",
            en="The seal office has not agreed; does the flow lack that step?",
        )
    if not (same_impression and other):
        raise Conflict(
            "seal.not_its_new_one",
            zh="新印章须由同一印模制成，且不是原印章",
            en="The new seal is made from the same impression, and is another one",
        )


def replaced_because(cause: str, new_es_id: str) -> str:
    """For the record of the old seal."""
    return f"{CAUSES[cause].zh}，由新印章 {new_es_id} 接替"
