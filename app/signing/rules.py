"""The law of sealing a document. Pure."""

import re
from typing import Literal

from app.refusal import Conflict, Forbidden, Invalid
from app.text import Text
from card_agent.protocol import names

SealingState = Literal["ordered", "prepared", "sealed", "failed", "cancelled"]

STATE_TEXT: dict[str, Text] = {
    "ordered": Text("等待插卡签名", "Waiting for the card"),
    "prepared": Text("正在签名", "The card is signing"),
    "sealed": Text("已盖章", "Sealed"),
    "failed": Text("未成功", "Not sealed"),
    "cancelled": Text("已取消", "Cancelled"),
}
OPEN_STATES: tuple[SealingState, ...] = ("ordered", "prepared")
REASON_LIMIT = 500


def clean_name(file_name: str) -> str:
    """The name alone, without folders or control characters, at most 200 characters, ending in .pdf."""
    name = re.sub(r"[\x00-\x1f\x7f]", "", file_name.replace("\\", "/").rsplit("/", 1)[-1]).strip()
    name = name.removesuffix(".pdf").removesuffix(".PDF")[:196].strip() or "document"
    return f"{name}.pdf"


def sealed_name(file_name: str) -> str:
    """What the sealed copy is called."""
    return f"{file_name.removesuffix('.pdf')}-已盖章.pdf"


def check_may_use(allowed: bool, because: Text, code: str) -> None:
    """Refuses Forbidden with the reason the one decision point gave."""
    if not allowed:
        raise Forbidden(f"signing.{code}", zh=because.zh, en=because.en)


def check_open(state: str) -> None:
    if state not in OPEN_STATES:
        raise Conflict(
            "signing.ended",
            zh=f"这次盖章的状态已是“{STATE_TEXT[state].zh}”，请重新发起",
            en=f"This sealing is “{STATE_TEXT[state].en}” already; start a new one",
            state=state,
        )


def check_not_ordered(*, waits: bool) -> None:
    if waits:
        raise Conflict(
            "signing.ordered_already",
            zh="这份文件已在等待盖这枚印章，请在工位完成，或先取消那一次",
            en="This document waits for this seal already; finish that at the station, or cancel it first",
        )


def check_own(sealing_user_id: int, user_id: int | None) -> None:
    if sealing_user_id != user_id:
        raise Forbidden(
            "signing.not_yours",
            zh="这次盖章由他人发起，只有发起人可以继续",
            en="Somebody else started this sealing; only they can go on with it",
        )


def check_order(expected: str | None, given: str) -> None:
    """The station answers the order that is in force, no older one."""
    if expected is None or expected != given:
        raise Conflict(
            "signing.replayed_order",
            zh="回报的签名不是针对当前的盖章命令，已拒绝；请在工位重新开始",
            en="This signature answers another order than the present one, so it is refused; start again",
        )


def check_newest(*, prepared_on: str | None, newest: str) -> None:
    """The seal goes onto the newest revision; the station takes `signing.moved_on` as word to sign that one instead."""
    if prepared_on != newest:
        raise Conflict(
            names.MOVED_ON,
            zh="签名期间这份文件盖上了另一枚印章，请在最新的文件上重新签名",
            en="Another seal went onto this document meanwhile; sign its newest revision",
        )


def check_card(*, expected: str, presented: str) -> None:
    """Both SHA-256 of a certificate, hex: the card that signs is the one the seal was made for (A23)."""
    if expected != presented:
        raise Conflict(
            "signing.wrong_card",
            zh="插入的卡不是该印章的印章卡，请插入正确的印章卡",
            en="This is not the card of the chosen seal; insert that card",
        )


def check_same_seal(*, expected: str, presented: str) -> None:
    """Both SHA-256 of the envelope: the card still carries the seal as it was written (A15)."""
    if expected != presented:
        raise Conflict(
            "signing.other_seal_on_card",
            zh="卡内的电子印章与登记的不一致，请停止使用并联系印章管理部门",
            en="The seal on this card is not the one on record; stop using it and tell the seal office",
        )


def check_finished(ready: bool) -> None:
    """The time-stamp was fetched for the order that is in force."""
    if not ready:
        raise Conflict(
            "signing.not_stamped",
            zh="这份文件还没有时间戳，请在工位重新回报",
            en="This document has no time-stamp yet; report it again at the station",
        )


def check_genuine(verdict: str, problems: list[str]) -> None:
    """What we sealed must verify before anybody gets it."""
    if verdict != "genuine":
        raise Conflict(
            "signing.not_genuine",
            zh="盖章后的自动验证未通过，文件未生成；请联系印章管理部门",
            en="The sealed document did not pass its own verification and was not kept; tell the seal office",
            verdict=verdict,
            problems=problems,
        )


def check_reason(reason: str) -> str:
    """The reason, trimmed. Refuses Invalid when there is none."""
    trimmed = reason.strip()[:REASON_LIMIT]
    if not trimmed:
        told = Text("请填写撤章原因", "Say why the seal is withdrawn")
        raise Invalid("signing.reason_needed", zh=told.zh, en=told.en, fields={"reason": told})
    return trimmed


def check_not_withdrawn(already: bool) -> None:
    if already:
        raise Conflict(
            "signing.withdrawn_already",
            zh="该签章已经撤章，无需重复办理",
            en="This seal has been withdrawn from the document already",
        )
