"""The law of impressions: which one can make a seal, and what may be done with it. Pure."""

from dataclasses import dataclass
from typing import Literal

from app.actor import Actor
from app.refusal import Conflict, Forbidden, Invalid
from app.text import Text

Verb = Literal["suspend", "resume", "destroy"]
Status = Literal["effective", "suspended", "displaced", "destroyed"]

STATUS_TEXT: dict[Status, Text] = {
    "effective": Text("有效", "Effective"),
    "suspended": Text("已停用", "Suspended"),
    "displaced": Text("已被替换", "Displaced"),
    "destroyed": Text("已销毁", "Destroyed"),
}


@dataclass(frozen=True)
class State:
    """Where an impression stands, and why."""

    status: Status
    reason: str = ""


def check_usable(state: State) -> None:
    """A8: only an effective impression makes a seal. Refuses Conflict, which says what to do instead."""
    if state.status == "effective":
        return
    said = STATUS_TEXT[state.status]
    raise Conflict(
        f"impression.{state.status}",
        zh=f"该印模{said.zh},不能用于制章。请选用有效印模，或重新申请",
        en=f"This impression is {said.en.lower()} and can make no seal. Choose an effective one, or apply anew",
        reason=state.reason,
    )


MAY_LOOK = ("seal_manager", "seal_office", "seal_office_head", "overseer")


def check_may_register(by: Actor, unit_ids: frozenset[int]) -> None:
    """A6: the seal office's approval brings an impression in. `unit_ids`: the owner's unit and all above it."""
    if by.kind == "person" and not (by.has("seal_office", unit_ids) or by.has("seal_office_head", unit_ids)):
        raise Forbidden(
            "impression.not_office",
            zh="印模只能由印章管理部门审批后导入",
            en="An impression enters the library only through the seal office's approval",
        )


def check_may_change(by: Actor, unit_ids: frozenset[int]) -> None:
    """A7: the unit's seal managers suspend, resume and destroy."""
    if not by.has("seal_manager", unit_ids):
        raise Forbidden(
            "impression.not_manager",
            zh="只有该单位的印章管理员可以停用、启用或销毁印模",
            en="Only a seal manager of the unit suspends, resumes or destroys an impression",
        )


def may_look(by: Actor, unit_ids: frozenset[int]) -> bool:
    return any(by.has(role, unit_ids) for role in MAY_LOOK)


def check_may_look(by: Actor, unit_ids: frozenset[int]) -> None:
    if not may_look(by, unit_ids):
        raise Forbidden(
            "impression.not_for_you",
            zh="您无权查看该印模。如需要，请联系安全保密管理员授权",
            en="You may not see this impression. Ask the security officer for a role that does",
        )


def check_may_open(state: State) -> None:
    """D3: the sample of a destroyed impression stays sealed."""
    if state.status == "destroyed":
        raise Conflict(
            "impression.sealed",
            zh="印模已销毁，样本已封存。鉴定需要时，在印模页面申请开启，须两人同意",
            en="The impression was destroyed and its sample is sealed. If forensics needs it, ask on its page: it takes two people",
        )


def check_reason(reason: str) -> str:
    """Every change of an impression says why."""
    if len(reason.strip()) < 2:
        sentence = Text("请填写原因", "Give the reason")
        raise Invalid("impression.no_reason", zh=sentence.zh, en=sentence.en, fields={"reason": sentence})
    return reason.strip()[:500]


def check_change(verb: Verb, state: State) -> None:
    """What may follow what: a displaced one is only destroyed, a destroyed one is nothing any more."""
    lawful = {
        "suspend": {"effective"},
        "resume": {"suspended", "displaced"},
        "destroy": {"effective", "suspended", "displaced"},
    }
    if state.status not in lawful[verb]:
        said = STATUS_TEXT[state.status]
        raise Conflict(
            f"impression.cannot_{verb}",
            zh=f"印模当前{said.zh},不能执行此操作",
            en=f"The impression is {said.en.lower()}; this cannot be done to it",
            status=state.status,
        )


VERBS: dict[Verb, Text] = {
    "suspend": Text("停用", "Suspend"),
    "resume": Text("启用", "Resume"),
    "destroy": Text("销毁", "Destroy"),
}
"""What can be asked for (A7)."""

FOR_SEALS: dict[str, Text] = {
    "keep": Text("不变，照常使用", "stay in use"),
    "suspend": Text("一并停用", "are suspended as well"),
    "cancel": Text("一并注销，不可恢复", "are cancelled for good"),
}
"""What becomes of the seals made from an impression that is suspended or destroyed (D4)."""


def check_seals_choice(verb: str, seals: str) -> str:
    """Refuses Invalid; a resumed impression leaves its seals as they are."""
    if verb == "resume" and not seals:
        return "keep"
    if seals not in FOR_SEALS or (verb == "resume" and seals != "keep"):
        sentence = Text("请选择已制成的印章如何处理", "Say what becomes of the seals already made")
        raise Invalid("impression.no_choice", zh=sentence.zh, en=sentence.en, fields={"seals": sentence})
    return seals


def check_verb(verb: str) -> Verb:
    """Refuses Invalid for anything that cannot be asked for."""
    for known in VERBS:
        if verb == known:
            return known
    raise Invalid(
        "impression.no_such_verb",
        zh="只能停用、启用或销毁印模",
        en="An impression is suspended, resumed or destroyed",
    )


def check_none_open(waiting: str) -> None:
    """One change at a time. `waiting`: the verb of the open one, or empty."""
    if waiting:
        said = VERBS[check_verb(waiting)]
        raise Conflict(
            "impression.change_waits",
            zh=f"该印模已有待办的变更（{said.zh}），请等其办结，或由申请人撤销后再办",
            en=f"A change of this impression is waiting already ({said.en.lower()}); let it end, or have whoever asked "
            "take it back",
        )


def check_may_agree(by: Actor, unit_ids: frozenset[int], *, asked_by_id: int) -> None:
    """The seal office decides, and never on what one asked for oneself."""
    if not (by.has("seal_office", unit_ids) or by.has("seal_office_head", unit_ids)):
        raise Forbidden(
            "impression.not_the_office",
            zh="印模变更由印章管理部门复核",
            en="The seal office decides on a change of an impression",
        )
    if by.id == asked_by_id:
        raise Forbidden(
            "impression.own_change",
            zh="不能复核自己申请的变更，请由印章管理部门的另一位同事办理",
            en="Nobody decides on a change they asked for; a colleague of the seal office does",
        )


def check_may_witness(
    by: Actor, unit_ids: frozenset[int], *, asked_by_id: int, agreed_by_id: int | None
) -> None:
    """监销 (D3): destroying takes three: who asked, who agreed, and who sees it done."""
    if agreed_by_id is None:
        raise Conflict(
            "impression.not_agreed",
            zh="销毁印模须先经印章管理部门同意；请检查流程中是否缺少复核",
            en="The seal office agrees before an impression is destroyed; does the flow lack that step?",
        )
    if by.id in (asked_by_id, agreed_by_id) or not any(by.has(role, unit_ids) for role in MAY_WITNESS):
        raise Forbidden(
            "impression.not_the_witness",
            zh="监销人须是用印监督员或印章管理部门人员，且不是申请人、复核人",
            en="The witness is an overseer or of the seal office, and neither who asked nor who agreed",
        )


MAY_WITNESS = ("overseer", "seal_office", "seal_office_head")


def check_change_open(state: str) -> None:
    if state != "open":
        raise Conflict(
            "impression.change_over",
            zh="这项变更已经办结或撤销，请刷新页面",
            en="This change is over already; reload the page",
        )


# --- the sealed sample (D3) ---


def check_may_open_sample(by: Actor, unit_ids: frozenset[int]) -> None:
    if not any(by.has(role, unit_ids) for role in MAY_WITNESS):
        raise Forbidden(
            "impression.may_not_open",
            zh="封存样本只能由用印监督员或印章管理部门的两人共同开启",
            en="A sealed sample is opened by two people of the seal office or overseers of seal use",
        )


def check_sealed(state: State) -> None:
    if state.status != "destroyed":
        raise Conflict(
            "impression.not_sealed",
            zh="只有已销毁的印模才有封存样本；此印模可直接查看",
            en="Only a destroyed impression has a sealed sample; this one can be looked at",
        )


def check_no_opening(waiting: bool) -> None:
    if waiting:
        raise Conflict(
            "impression.opening_waits",
            zh="已有开启申请在办或样本正在开启中，请刷新页面",
            en="An opening is asked for already, or the sample is open now; reload the page",
        )


def check_second_person(by: Actor, *, asked_by_id: int, agreed: bool) -> None:
    if agreed:
        raise Conflict(
            "impression.opening_over",
            zh="该申请已有人同意，请刷新页面",
            en="Somebody agreed already; reload the page",
        )
    if by.id == asked_by_id:
        raise Forbidden(
            "impression.own_opening",
            zh="须由另一人同意，申请人不能自己同意",
            en="Another person agrees, not the one who asked",
        )


def check_is_one_of_two(by: Actor, *, open_now: bool, two: tuple[int | None, ...]) -> None:
    if not open_now or by.id is None or by.id not in two:
        raise Forbidden(
            "impression.sample_closed",
            zh="样本已封存：只在开启后一小时内供申请人和同意人查看",
            en="The sample is sealed: it shows for an hour, to who asked and who agreed",
        )
