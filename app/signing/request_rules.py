"""The law of asking for the use of a seal (用印申请, A22). Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.actor import Actor
from app.glossary import DOCUMENT_CLASSES
from app.refusal import Conflict, Forbidden, Invalid
from app.seals.rules import may_ask_for_use
from app.text import Text

MESSAGE = "seal_use.sealed"
"""What the flow of a request waits for once it was agreed to; correlated by the request's number."""

MOST_SEALS = 20
MOST_USES = 100
PURPOSE_LIMIT = 500

PRESSERS: dict[str, Text] = {
    "self": Text("本人盖章", "I press it myself"),
    "keeper": Text("由印章使用者代为盖章", "The seal's users press it"),
}

STATES: dict[str, tuple[Text, str]] = {
    "open": (Text("待审批", "Waiting for approval"), "warn"),
    "agreed": (Text("已批准，待盖章", "Agreed to, not sealed yet"), "warn"),
    "used": (Text("已盖章", "Sealed"), "good"),
    "refused": (Text("未批准", "Refused"), "bad"),
    "cancelled": (Text("已撤销", "Taken back"), "neutral"),
    "expired": (Text("逾期未用", "Not used in time"), "neutral"),
}
UNDER_WAY = ("open", "agreed")


def check_may_ask(by: Actor) -> None:
    if not may_ask_for_use(by):
        raise Forbidden(
            "request.may_not_ask",
            zh="您没有申请用印的角色，请向安全保密管理员申请“申请人”角色",
            en="You do not hold a role that asks for a use; have the security officer make you an applicant",
        )


def check_purpose(purpose: str) -> str:
    said = purpose.strip()
    if not said or len(said) > PURPOSE_LIMIT:
        told = Text(
            f"请填写用印事由（不超过 {PURPOSE_LIMIT} 字）",
            f"Say what it is for, in at most {PURPOSE_LIMIT} characters",
        )
        raise Invalid("request.purpose_needed", zh=told.zh, en=told.en, fields={"purpose": told})
    return said


def check_class(document_class: str) -> str:
    if document_class not in DOCUMENT_CLASSES:
        told = Text("请选择文件类别", "Choose what kind of document it is")
        raise Invalid("request.unknown_class", zh=told.zh, en=told.en, fields={"document_class": told})
    return document_class


def check_choice(seal_ids: Sequence[int], presser: str, uses: int) -> None:
    """At least one seal, each once."""
    fields: dict[str, Text] = {}
    if not seal_ids or len(set(seal_ids)) != len(seal_ids) or len(seal_ids) > MOST_SEALS:
        fields["seal_ids"] = Text(f"请选择 1 到 {MOST_SEALS} 枚印章", f"Choose from 1 to {MOST_SEALS} seals")
    if presser not in PRESSERS:
        fields["presser"] = Text("请选择由谁盖章", "Say who presses it")
    if not 1 <= uses <= MOST_USES:
        fields["uses"] = Text(f"盖章次数须在 1 到 {MOST_USES} 之间", f"From 1 to {MOST_USES} times")
    if fields:
        first = next(iter(fields.values()))
        raise Invalid("request.incomplete", zh=first.zh, en=first.en, fields=fields)


def check_askable(name: str, *, personal: bool, usable: bool) -> None:
    """Nobody asks for a person's own seal: its owner uses it in person (B4)."""
    if personal:
        raise Forbidden(
            "request.personal_seal",
            zh=f"“{name}”是个人印章，只能由本人使用，请由本人盖章",
            en=f"“{name}” is a personal seal: its owner uses it in person",
        )
    if not usable:
        raise Conflict(
            "request.seal_not_in_use",
            zh=f"“{name}”现在不能使用（停用、注销、过期或未发放），请选择其他印章或联系印章管理员",
            en=f"“{name}” cannot be used now; choose another seal or ask its manager",
        )


def check_none_waits(name: str, *, waiting: bool) -> None:
    if waiting:
        raise Conflict(
            "request.waits_already",
            zh=f"这份文件使用“{name}”的申请正在办理，请等其办结，或撤销后重新提交",
            en=f"The use of “{name}” on this document is asked for already; wait for it, or take it back first",
        )


def check_state(state: str, wanted: str) -> None:
    if state != wanted:
        said = STATES[state][0]
        raise Conflict(
            "request.over",
            zh=f"这项用印申请的状态已是“{said.zh}”，请刷新页面",
            en=f"This request is “{said.en}” already; reload the page",
        )


def check_not_own(by: Actor, *, asked_by_id: int) -> None:
    if asked_by_id in by.persons:
        raise Forbidden(
            "request.own",
            zh="不能审批自己的用印申请，请由印章管理员的同事或上级办理",
            en="Nobody agrees to their own request; another manager or a superior does",
        )


def until(now: datetime, days: int) -> datetime:
    """How long it may be used. Refuses Invalid for a diagram that says nonsense."""
    if not 1 <= days <= 366:
        raise Invalid(
            "request.bad_days",
            zh="办理期限须在 1 到 366 天之间，请流程管理员修改流程图",
            en="The days must be from 1 to 366; have the process owner mend the diagram",
        )
    return now + timedelta(days=days)


def because(request_id: int, purpose: str) -> str:
    return f"用印申请 {request_id}：{purpose}"[:300]
