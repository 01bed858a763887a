"""The law of giving a card's PIN anew: who asks, who agrees, who stands at the station. Pure."""

from app.actor import Actor
from app.refusal import Conflict, Forbidden

ASKERS = ("seal_manager", "seal_office", "seal_office_head", "station_operator")
AGREERS = ("seal_office", "seal_office_head")


def _has(by: Actor, roles: tuple[str, ...], unit_ids: frozenset[int]) -> bool:
    return by.kind == "person" and any(by.has(role, unit_ids) for role in roles)


def check_may_ask(by: Actor, unit_ids: frozenset[int], *, owner_user_id: int | None) -> None:
    if not (_has(by, ASKERS, unit_ids) or (by.id is not None and by.id == owner_user_id)):
        raise Forbidden(
            "card.may_not_ask_unlock",
            zh="解锁由持卡人本人、该单位的印章管理员或印章管理部门申请",
            en="Its holder, the unit's seal manager or the seal office asks for a card to be unlocked",
        )


def check_none_waits(*, waiting: bool) -> None:
    if waiting:
        raise Conflict(
            "card.unlock_waits",
            zh="该卡的解锁已在办理，请等其办结或由申请人撤回",
            en="This card is being unlocked already; let it end, or have whoever asked take it back",
        )


def check_may_agree(by: Actor, unit_ids: frozenset[int], *, asked_by_id: int, agreed: bool) -> None:
    if not _has(by, AGREERS, unit_ids):
        raise Forbidden(
            "card.may_not_agree_unlock",
            zh="解锁须由印章管理部门同意",
            en="The seal office agrees to the unlocking of a card",
        )
    if by.id == asked_by_id:
        raise Forbidden(
            "card.own_unlock",
            zh="解锁须两人办理：申请人不能自己同意，请由印章管理部门的另一位同事办理",
            en="Unlocking takes two people: nobody agrees to their own wish; a colleague of the seal office does",
        )
    if agreed:
        raise Conflict(
            "card.unlock_agreed", zh="已有人同意，请刷新页面", en="Somebody agreed already; reload the page"
        )


def check_may_refuse(by: Actor, unit_ids: frozenset[int], *, asked_by_id: int) -> None:
    if by.id != asked_by_id and not _has(by, AGREERS, unit_ids):
        raise Forbidden(
            "card.may_not_end_unlock",
            zh="只有申请人或印章管理部门可以终止解锁",
            en="Only whoever asked, or the seal office, ends this",
        )


def check_may_start(by: Actor, unit_ids: frozenset[int], *, agreed_by_id: int | None) -> None:
    if agreed_by_id is None:
        raise Conflict(
            "card.unlock_not_agreed",
            zh="解锁尚未经印章管理部门同意，请先等待同意",
            en="The seal office has not agreed yet; wait for that",
        )
    if not _has(by, ("station_operator",), unit_ids):
        raise Forbidden(
            "card.not_operator", zh="工位操作由制章操作员办理", en="A station operator takes it to a station"
        )
    if by.id == agreed_by_id:
        raise Forbidden(
            "card.agreer_may_not_operate",
            zh="您同意了这次解锁，不能再到工位操作，请由另一位制章操作员办理",
            en="You agreed to this, so another operator does it at the station",
        )


def check_open(state: str) -> None:
    if state != "open":
        raise Conflict(
            "card.unlock_over", zh="这次解锁已经办结，请刷新页面", en="This is over already; reload the page"
        )


def proof_bad() -> Conflict:
    return Conflict(
        "card.unlock_proof_bad",
        zh="卡未能证明新 PIN 可用，请在工位重新办理",
        en="The card did not prove that its new PIN works; do it again at the station",
    )
