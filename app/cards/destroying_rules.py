"""The law of destroying a card (监销): one person of the seal office asks, another is there and confirms it. Pure.

Whose task the witness's word is, the diagram says: the seal office's as shipped; it may be drawn for the overseer of seal use.
"""

from app.actor import Actor
from app.refusal import Conflict, Forbidden


def may_destroy(by: Actor, unit_ids: frozenset[int]) -> bool:
    """Whether this person is of the seal office for the card's unit."""
    return by.kind == "person" and by.id is not None and by.has("seal_office", unit_ids)


def check_may_destroy(by: Actor, unit_ids: frozenset[int]) -> None:
    if not may_destroy(by, unit_ids):
        raise Forbidden(
            "card.may_not_destroy",
            zh="卡由印章管理部门销毁，并由该部门另一人监销",
            en="The seal office destroys cards, with another of its people as the witness",
        )


MAY_WITNESS = ("seal_office", "seal_office_head", "overseer")


def check_may_witness(by: Actor, unit_ids: frozenset[int], *, asked_by_id: int) -> None:
    """Refuses Forbidden to whoever asked, and to whom it is not theirs."""
    if by.id == asked_by_id:
        raise Forbidden(
            "card.own_destruction",
            zh="销毁须两人在场：申请人不能自己监销，请由印章管理部门的另一位同事确认",
            en="Destroying takes two people: nobody witnesses their own; a colleague of the seal office confirms it",
        )
    if by.kind != "person" or by.id is None or not any(by.has(role, unit_ids) for role in MAY_WITNESS):
        raise Forbidden(
            "card.not_the_witness",
            zh="监销人须是印章管理部门人员或用印监督员",
            en="The witness is of the seal office, or an overseer of seal use",
        )


def check_may_take_back(by: Actor, unit_ids: frozenset[int], *, asked_by_id: int) -> None:
    if by.id is None or by.id != asked_by_id:
        check_may_destroy(by, unit_ids)


def check_none_waits(serial: str, *, waiting: bool) -> None:
    if waiting:
        raise Conflict(
            "card.destruction_waits",
            zh=f"卡 {serial} 的销毁已申请，正等待监销人确认；需要时先撤回",
            en=f"Destroying card {serial} waits for its witness already; take that back first if need be",
        )


def check_open(state: str) -> None:
    if state != "open":
        raise Conflict(
            "card.destruction_over",
            zh="这次销毁已经办结或撤回，请刷新页面",
            en="This is over already; reload the page",
        )
