"""The law of hands: who may pass a task to whom, who may stand in for whom, and what only one's own hand may do. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from app.actor import Actor
from app.flows.rules import Candidate, badly_said, may_take
from app.glossary import OFFICERS, ROLES
from app.refusal import Conflict, Forbidden, Invalid, TooMany
from app.text import Text, hides_something

LONGEST_WORDS = 500
LONGEST_ABSENCE = timedelta(days=366)
ADMINISTRATORS = ("process_owner", "system_administrator")
"""Who may arrange for others; neither gets a task or a right by it."""

HANDED = Text("转办", "handed on")
ASKED = Text("委派", "passed to another for an answer")


def check_words(said: str, field: str, zh: str, en: str) -> str:
    """The words without blanks around them. Refuses `Invalid` for none, more than 500 characters, or hidden ones."""
    words = said.strip()
    if not words or len(words) > LONGEST_WORDS or hides_something(words):
        text = badly_said(words) or Text(
            f"请填写{zh}，最多 {LONGEST_WORDS} 字", f"Please fill in {en}, at most {LONGEST_WORDS} characters"
        )
        raise Invalid("flow.words_needed", zh=text.zh, en=text.en, fields={field: text})
    return words


def check_reason(said: str) -> str:
    """Refuses `Invalid` without a reason."""
    return check_words(said, "reason", "原因", "the reason")


def check_note(said: str) -> str:
    """Words that need not be. Refuses `Invalid` for more than 500 characters."""
    return check_words(said, "note", "说明", "the note") if said.strip() else ""


def check_not_own_hand(own_hand: bool, verb: Text) -> None:
    """Refuses `Conflict`: the diagram asks for one's own hand (B4)."""
    if own_hand:
        raise Conflict(
            "flow.own_hand",
            zh=f"这一步须本人亲办，不能{verb.zh}：签发、印章审批、用印和销毁要由有权的人亲自决定，以免代签盗签。",
            en=f"This step is done by one's own hand and cannot be {verb.en}: signing off, approving, using and "
            "destroying seals are decided in person, so that nobody signs for another.",
        )


def check_not_asked(owner_id: int | None, asked: str | None) -> None:
    """Refuses `Conflict`: somebody was asked for an answer, and only that can be given (or called back) now."""
    if owner_id is not None:
        raise Conflict(
            "flow.asked",
            zh=f"这项任务已委派给{asked or '他人'}答复。答复或收回之后，才能由委派人继续办理。",
            en=f"{asked or 'Somebody'} has been asked for an answer. Once it is given or called back, whoever asked "
            "goes on.",
        )


def check_may_ask_others(allowed: bool) -> None:
    """Refuses `Conflict`: the diagram keeps this step to those whom it names (`addSigners`)."""
    if not allowed:
        raise Conflict(
            "flow.nobody_added",
            zh="流程图规定这一步不能加签，请由指定的人员办理。可以用“委派”征求意见，或联系流程管理员。",
            en="The diagram lets nobody be added to this step. Ask a colleague for an answer instead, or the process "
            "owner.",
        )


def check_asked(owner_id: int | None) -> None:
    """Refuses `Conflict`: nobody was asked."""
    if owner_id is None:
        raise Conflict(
            "flow.not_asked",
            zh="这项任务没有委派给别人，无需答复或收回。",
            en="Nobody was asked about this task; there is nothing to answer or to call back.",
        )


def check_may_arrange(by: Actor, user_id: int | None = None) -> None:
    """Refuses `Forbidden` unless it is their own matter, or they arrange for others."""
    if by.kind == "system" or (by.kind == "person" and user_id is not None and by.id == user_id):
        return
    if not any(by.has(role) for role in ADMINISTRATORS):
        raise Forbidden(
            "flow.may_not_arrange",
            zh="只能为自己安排代理；为他人安排，须由流程管理员或系统管理员办理。",
            en="You arrange this for yourself only; for others, the process owner or the system administrator does.",
        )


def check_person(name: str, *, active: bool, roles: Iterable[str]) -> None:
    """Refuses `Conflict`: nobody passes work to one who has left, nor to an officer (D6)."""
    if not active:
        raise Conflict(
            "flow.not_active", zh=f"{name}已停用，不能接手。", en=f"{name} is not active any more."
        )
    if set(roles) & OFFICERS:
        raise Conflict(
            "flow.officers_apart",
            zh=f"三员分立：{name}是三员之一，不接手、也不交出业务办理。",
            en=f"The three officers are kept apart: {name} is one of them, and takes over no work and lends none.",
        )


def check_another(user_id: int | None, other_id: int) -> None:
    """Refuses `Conflict`: to oneself."""
    if user_id == other_id:
        raise Conflict("flow.same_person", zh="请选择另一个人。", en="Choose another person.")


def fits(
    receiver: Actor, role: str | None, candidates: Iterable[Candidate], unit_ids: frozenset[int]
) -> bool:
    """Whether somebody may have a task: what is filed under a role goes to one who holds it there; what is filed
    under a person, to one who holds the role that the step stands for, for the unit concerned."""
    filed = list(candidates)
    if any(c.role is not None for c in filed):
        return may_take([c for c in filed if c.role is not None], receiver)
    return role is None or receiver.has(role, unit_ids)


def check_fits(
    receiver: Actor, role: str | None, candidates: Iterable[Candidate], unit_ids: frozenset[int]
) -> None:
    """Refuses `Conflict`, naming the role that is lacking."""
    if not fits(receiver, role, candidates, unit_ids):
        text = does_not_fit(receiver.name, role)
        raise Conflict("flow.receiver_lacks", zh=text.zh, en=text.en, role=role)


def does_not_fit(name: str, role: str | None) -> Text:
    known = ROLES.get(role or "", Text("相应", "needed"))
    return Text(
        f"{name}没有这项任务所需的角色（{known.zh}），不能接手。",
        f"{name} does not hold the role this task needs ({known.en}) and cannot take it.",
    )


def check_period(begins: datetime, ends: datetime, at: datetime) -> None:
    """Refuses `Invalid`: the end lies before the beginning or in the past, or more than a year away."""
    if ends <= begins or ends <= at or ends - begins > LONGEST_ABSENCE:
        text = Text(
            "结束日期须晚于开始日期和今天，且不超过一年",
            "The last day lies after the first and after today, and within a year",
        )
        raise Invalid("flow.bad_period", zh=text.zh, en=text.en, fields={"until": text})


Held = tuple[int, int, str | None]
"""A substitution as the law sees it: whose, by whom, for which flow."""


def check_no_overlap(held: Iterable[Held], user_id: int, flow_key: str | None) -> None:
    """Refuses `Conflict`: at one moment, one substitute for one thing."""
    if any(u == user_id and (key is None or flow_key is None or key == flow_key) for u, _, key in held):
        raise Conflict(
            "flow.substitutes_overlap",
            zh="这段时间内已有代理人，请先结束原来的代理，或改用不重叠的日期。",
            en="There is a substitute for this time already. End that first, or choose days that do not overlap.",
        )


def check_no_chain(held: Iterable[Held], user_id: int, substitute_id: int) -> None:
    """Refuses `Conflict`: whoever is away stands in for nobody, and whoever stands in does not go away meanwhile."""
    if any(s == user_id or u == substitute_id for u, s, _ in held):
        raise Conflict(
            "flow.substitutes_chain",
            zh="代理不能传递：代理人在此期间自己也由别人代理，或本人正在代理别人。请另选人员或日期。",
            en="A substitute has no substitute: one of the two is away, or stands in for somebody, in that time. "
            "Choose another person or other days.",
        )


def check_may_urge(
    by: Actor, *, initiator_id: int | None, owner_id: int | None, holder_id: int | None
) -> None:
    """Refuses `Forbidden`: whoever started the flow, whoever asked, and the process owner wait for it; and nobody
    urges themselves."""
    waits = by.kind == "person" and by.id is not None and by.id in (initiator_id, owner_id)
    if not (waits or by.kind == "system" or by.has("process_owner")) or (
        by.id is not None and by.id == holder_id
    ):
        raise Forbidden(
            "flow.may_not_urge",
            zh="只有等待结果的人（发起人、委派人或流程管理员）可以催办。",
            en="Only those who wait for it may urge: who started it, who asked, or the process owner.",
        )


def check_interval(last: datetime | None, at: datetime, interval: timedelta) -> None:
    """Refuses `TooMany`: it was urged a moment ago."""
    if last is not None and at - last < interval:
        minutes = -(-int((last + interval - at).total_seconds()) // 60)
        raise TooMany(
            "flow.urged_already",
            zh=f"刚催办过，请在 {minutes} 分钟后再催。",
            en=f"This was urged a moment ago; try again in {minutes} minutes.",
            minutes=minutes,
        )
