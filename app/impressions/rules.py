"""The law of impressions: which one can make a seal, and what may be done with it. Pure."""

from dataclasses import dataclass
from typing import Literal

from app.actor import Actor
from app.refusal import Conflict, Forbidden, Invalid
from app.text import Text

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
            zh="印模已销毁，样本已封存，不再显示。鉴定需要时请联系印章管理部门",
            en="The impression was destroyed and its sample is sealed. Ask the seal office if forensics needs it",
        )


def check_reason(reason: str) -> str:
    """Every change of an impression says why."""
    if len(reason.strip()) < 2:
        sentence = Text("请填写原因", "Give the reason")
        raise Invalid("impression.no_reason", zh=sentence.zh, en=sentence.en, fields={"reason": sentence})
    return reason.strip()[:500]


def check_change(verb: Literal["suspend", "resume", "destroy"], state: State) -> None:
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


def check_witness(witness: str, by: Actor) -> str:
    """监销人 (D3): somebody, and somebody else."""
    if len(witness.strip()) < 2 or witness.strip() == by.name:
        sentence = Text("请填写监销人姓名，且不能是您本人", "Name the witness, who is not yourself")
        raise Invalid("impression.no_witness", zh=sentence.zh, en=sentence.en, fields={"witness": sentence})
    return witness.strip()[:100]
