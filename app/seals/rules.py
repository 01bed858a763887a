"""The law of seals: who may operate, who is authorised, and the one decision on every use. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.actor import Actor
from app.glossary import DOCUMENT_CLASSES, ROLES, SEAL_KINDS
from app.refusal import Conflict, Forbidden, Invalid
from app.text import Text

Function = Literal["pdf", "office", "web", "login"]
FUNCTIONS: tuple[Function, ...] = ("pdf", "office", "web", "login")
"""What a seal card can be used for (A21); all are open unless a grant says less."""

FUNCTION_TEXT: dict[str, Text] = {
    "pdf": Text("PDF 签章", "PDF sealing"),
    "office": Text("MS Office 签章", "Office sealing"),
    "web": Text("WEB 签章", "Web sealing"),
    "login": Text("登录认证", "Login"),
}


def kind_text(kind: str) -> Text:
    return SEAL_KINDS.get(kind, Text(kind, kind))


def role_text(role: str) -> Text:
    return ROLES.get(role, Text(role, role))


EXPORTERS = ("seal_office", "seal_office_head", "seal_manager")


def may_export(actor: Actor, unit_ids: frozenset[int]) -> bool:
    """Whether this person may take the structure of a seal of these units out."""
    return actor.id is not None and any(actor.has(role, unit_ids) for role in EXPORTERS)


PERSONAL_KINDS = frozenset({"personal_name", "personal_signature"})


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The answer of the one decision point, and why: `because` is a sentence for people.

    `grant_id`: the grant that allows it; None when refused.
    """

    allowed: bool
    because: Text
    code: str
    grant_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class GrantView:
    """A grant as the law sees it. `unit_path`: the grant's unit and all above it, for a role grant."""

    id: int
    user_id: int | None
    role: str | None
    unit_path: frozenset[int]
    unit_name: str
    functions: Sequence[str]
    valid_from: datetime
    valid_until: datetime | None
    withdrawn: bool
    document_digest: str | None
    document_classes: Sequence[str] | None = None
    uses_left: int | None = None


@dataclass(frozen=True, kw_only=True)
class SealView:
    """A seal as the law sees it. `card_problem`: why its card cannot be used (lost, certificate), or None."""

    name: str
    valid_from: datetime
    valid_until: datetime
    issued: bool
    suspended: bool
    cancelled: bool
    card_problem: Text | None
    by_request: bool = False


def decide_use(
    seal: SealView,
    grants: Sequence[GrantView],
    actor: Actor,
    *,
    function: str,
    document_digest: str | None,
    document_class: str | None = None,
    at: datetime,
) -> Decision:
    """May this person use this seal, for this function, on this document, at this moment? (A20–A22, B10)

    First whether the seal can be used by anybody, then whether by this person. The first fault is told, a withdrawn grant's last. A grant for
    this one document goes before a standing one: it was asked for, and is used up.
    """
    fault = _seal_fault(seal, at)
    if fault is not None:
        return Decision(allowed=False, code=fault[0], because=fault[1])
    if actor.kind != "person" or actor.id is None:
        return _no("not_a_person", "只有登录的本人可以用印", "Only a person who is logged in may use a seal")
    mine = sorted(
        (g for g in grants if is_for(g, actor)), key=lambda g: (g.withdrawn, g.document_digest is None)
    )
    by_request = seal.by_request and function != "login"  # there is no document to ask for
    asked = _Asked(function, document_digest, document_class, at, by_request=by_request)
    faults = [_grant_fault(g, asked) for g in mine]
    for grant, problem in zip(mine, faults, strict=True):
        if problem is None:
            return Decision(allowed=True, code="granted", because=_because(grant), grant_id=grant.id)
    told = next((p for p in faults if p is not None), None)
    if by_request and (told is None or told.code == "document"):
        return _request_needed()
    return told or _no(
        "not_authorized",
        f"您没有“{seal.name}”的使用授权，请向印章管理员申请",
        f"You are not authorised to use “{seal.name}”; ask its seal manager",
    )


def _seal_fault(seal: SealView, at: datetime) -> tuple[str, Text] | None:
    """Why nobody may use the seal now, or None."""
    if seal.cancelled:
        return "cancelled", Text(
            f"“{seal.name}”已注销，不能再使用；需要时请重新申请制章",
            f"“{seal.name}” has been cancelled for good; apply for a new seal",
        )
    if seal.suspended:
        return "suspended", Text(
            f"“{seal.name}”已停用，请联系印章管理员启用后再用印",
            f"“{seal.name}” is suspended; have the seal manager resume it first",
        )
    if seal.card_problem is not None:
        return "card", seal.card_problem
    if at < seal.valid_from or at > seal.valid_until:
        return "out_of_date", Text(
            f"“{seal.name}”不在有效期内，请更新证书并重新制章",
            f"“{seal.name}” is outside its period of validity; renew the certificate and make the seal again",
        )
    if not seal.issued:
        return "not_issued", Text(
            f"“{seal.name}”尚未发放，请先到印章管理部门领取",
            f"“{seal.name}” has not been issued yet; collect it from the seal office first",
        )
    return None


def is_for(grant: GrantView, actor: Actor) -> bool:
    """Whether the grant is to this person, or to a role this person holds for its unit."""
    if grant.user_id is not None:
        return grant.user_id == actor.id
    return grant.role is not None and actor.has(grant.role, grant.unit_path)


@dataclass(frozen=True)
class _Asked:
    """What a use is measured by."""

    function: str
    document: str | None
    document_class: str | None
    at: datetime
    by_request: bool


def _grant_fault(grant: GrantView, asked: _Asked) -> Decision | None:
    at = asked.at
    if grant.withdrawn:
        return _no(
            "withdrawn",
            "您的用印授权已被收回，请向印章管理员申请",
            "Your authorisation has been withdrawn; ask the seal manager",
        )
    if at < grant.valid_from:
        return _no(
            "not_yet",
            "您的用印授权尚未生效，请在生效后办理",
            "Your authorisation has not begun; come back when it has",
        )
    if grant.valid_until is not None and at > grant.valid_until:
        return _no(
            "expired", "您的用印授权已到期，请申请续期", "Your authorisation has ended; ask for a new one"
        )
    if asked.function not in grant.functions:
        return _no(
            "function",
            "您的授权不包含此项功能，请向印章管理员申请",
            "Your authorisation does not cover this function; ask the seal manager",
        )
    return _document_fault(grant, asked)


def _document_fault(grant: GrantView, asked: _Asked) -> Decision | None:
    """Which documents it covers, and whether it is used up."""
    if grant.document_digest is not None and grant.document_digest != asked.document:
        return _no(
            "document",
            "您的授权只限指定的文件，请核对文件或另行申请用印",
            "Your authorisation is for one other document; check the file or ask for its own",
        )
    if grant.document_classes is not None and asked.document_class not in grant.document_classes:
        covered = [DOCUMENT_CLASSES[name] for name in grant.document_classes if name in DOCUMENT_CLASSES]
        return _no(
            "document_class",
            f"您的授权只限这些类别的文件：{'、'.join(c.zh for c in covered)}；其他文件请提交用印申请",
            f"Your authorisation covers {', '.join(c.en.lower() for c in covered)} only; ask for the use for others",
        )
    if grant.uses_left is not None and grant.uses_left <= 0:
        return _no(
            "used_up",
            "您的授权次数已用完，请另行申请用印",
            "Your authorisation has been used up; ask for a new one",
        )
    if asked.by_request and grant.document_digest is None and asked.function != "login":
        return _request_needed()
    return None


def _request_needed() -> Decision:
    return _no(
        "request_needed",
        "这枚印章每次使用都须先申请，请提交用印申请，批准后再盖章",
        "Each use of this seal is asked for first; hand in a request and seal once it is agreed to",
    )


def _no(code: str, zh: str, en: str) -> Decision:
    return Decision(allowed=False, code=code, because=Text(zh, en))


def _because(grant: GrantView) -> Text:
    if grant.document_digest is not None:
        return Text("因为这份文件的用印申请已获批准", "Because the use on this document was agreed to")
    if grant.user_id is not None:
        return Text("因为印章已授权给您本人", "Because the seal is authorised to you in person")
    return Text(
        f"因为您担任“{grant.unit_name}”的印章使用者，该印章授权给此角色",
        f"Because you are a seal user of “{grant.unit_name}”, to whom the seal is authorised",
    )


# --- authorisation by the keeping of the card (A17–A19) ---


BECAUSE_PERSONAL = Text("个人印章制章时自动授权本人", "A personal seal goes to its person when it is made")
BECAUSE_UNIT_CARD = Text(
    "单独 USBKEY 管理，授权给部门印章使用者角色",
    "Kept on a card of its own, it goes to the unit's seal users",
)
BECAUSE_PERSONAL_CARD = Text(
    "个人 USBKEY 管理，授权给 USBKEY 所有人", "Kept on a personal card, it goes to the card's owner"
)
BY_KEEPING = (BECAUSE_PERSONAL, BECAUSE_UNIT_CARD, BECAUSE_PERSONAL_CARD)


def because_text(recorded: str) -> Text:
    """The reason of a grant as the record has it, in both languages where it is one of ours."""
    return next((t for t in BY_KEEPING if t.zh == recorded), Text(recorded, recorded))


@dataclass(frozen=True, kw_only=True)
class Grantee:
    """To whom a seal goes by itself. `because`: the rule, in Chinese, for the record."""

    user_id: int | None = None
    role: str | None = None
    unit_id: int | None = None
    because: str


def grantee_by_keeping(
    *,
    kind: str,
    keeping: str,
    owner_unit_id: int | None,
    owner_user_id: int | None,
    card_owner_user_id: int | None,
) -> Grantee:
    """A17: a personal seal → its person. A18: a unit's seal on a unit's card → the unit's seal users.
    A19: a unit's seal on a personal card → the card's owner. Refuses Conflict when that one is not known."""
    if kind in PERSONAL_KINDS and owner_user_id is not None:
        return Grantee(user_id=owner_user_id, because=BECAUSE_PERSONAL.zh)
    if keeping == "personal" and card_owner_user_id is not None:
        return Grantee(user_id=card_owner_user_id, because=BECAUSE_PERSONAL_CARD.zh)
    if keeping == "unit" and owner_unit_id is not None and kind not in PERSONAL_KINDS:
        return Grantee(
            role="seal_user",
            unit_id=owner_unit_id,
            because=BECAUSE_UNIT_CARD.zh,
        )
    raise Conflict(
        "seal.no_grantee",
        zh="无法确定印章应授权给谁：请核对印章所有者与卡的保管方式，然后手工授权",
        en="Nobody follows from the seal's owner and the card's keeping; check both, then authorise by hand",
    )


def check_functions(functions: Sequence[str]) -> None:
    if not functions or any(f not in FUNCTIONS for f in functions):
        raise Invalid(
            "seal.unknown_function",
            zh="请至少选择一项功能：PDF、Office、WEB、登录",
            en="Choose at least one function: PDF, Office, web, login",
            fields={"functions": Text("请选择功能", "Choose functions")},
        )


def check_limits(document_classes: Sequence[str] | None, uses_allowed: int | None) -> None:
    """Refuses Invalid for a class that is none of ours, and for fewer than one use."""
    if document_classes is not None and (
        not document_classes or any(c not in DOCUMENT_CLASSES for c in document_classes)
    ):
        told = Text("请选择文件类别", "Choose classes of documents")
        raise Invalid("seal.unknown_class", zh=told.zh, en=told.en, fields={"document_classes": told})
    if uses_allowed is not None and not 1 <= uses_allowed <= MOST_USES:
        told = Text(f"使用次数须在 1 到 {MOST_USES} 之间", f"The number of uses is from 1 to {MOST_USES}")
        raise Invalid("seal.bad_uses", zh=told.zh, en=told.en, fields={"uses_allowed": told})


MOST_USES = 10_000


def limits_text(
    document_digest: str | None, classes: Sequence[str] | None, allowed: int | None, used: int
) -> list[Text]:
    """What a grant does not cover, for whoever reads the list of grants."""
    said: list[Text] = []
    if document_digest is not None:
        digest = document_digest.removeprefix("sha256:")[:12]
        said.append(Text(f"只限一份文件（{digest}…）", f"one document only ({digest}…)"))
    if classes is not None:
        named = [DOCUMENT_CLASSES.get(name, Text(name, name)) for name in classes]
        said.append(Text(f"只限{'、'.join(c.zh for c in named)}", ", ".join(c.en for c in named)))
    if allowed is not None:
        said.append(Text(f"限 {allowed} 次，已用 {used} 次", f"{allowed} times, {used} used"))
    return said


USE_ASKERS = ("applicant", "seal_user", "seal_manager", "unit_head")
"""Who may ask for the use of a seal (A1: an authorised person of a unit)."""


def may_ask_for_use(by: Actor) -> bool:
    return by.kind == "person" and any(by.has(role) for role in USE_ASKERS)


def check_period(valid_from: datetime, valid_until: datetime | None) -> None:
    if valid_until is not None and valid_until <= valid_from:
        raise Invalid(
            "seal.bad_period",
            zh="结束时间必须晚于开始时间",
            en="The end must come after the beginning",
            fields={"valid_until": Text("须晚于开始时间", "Must come after the beginning")},
        )


# --- making ---


def check_may_operate(operator_id: int, approver_ids: frozenset[int]) -> None:
    """Whoever approved the application stays away from the card station (two-party control)."""
    if operator_id in approver_ids:
        raise Forbidden(
            "seal.approver_may_not_operate",
            zh="您审批过这份申请，不能再操作制章，请由另一位制章操作员办理",
            en="You approved this application, so another operator must make the seal",
        )


def check_card_owner(
    *,
    kind: str,
    owner_unit_id: int | None,
    owner_user_id: int | None,
    card_unit_id: int | None,
    card_user_id: int | None,
    card_user_units: frozenset[int],
    keeping: str,
) -> None:
    """The card belongs to whom the seal does: a personal seal goes on its person's card; a unit's seal on a
    card of that unit, or on the personal card of somebody who belongs to it (A19). `card_user_units`: the
    card's person's unit and all above. Refuses Conflict otherwise."""
    if kind in PERSONAL_KINDS and owner_user_id is not None:
        fits = card_user_id == owner_user_id
    elif keeping == "personal":
        fits = owner_unit_id in card_user_units
    else:
        fits = card_unit_id == owner_unit_id
    if not fits:
        raise Conflict(
            "seal.card_of_another",
            zh="该卡不属于此印章的所有者，请换用其本单位或本人的卡",
            en="This card does not belong to the seal's owner; take a card of that unit or person",
        )


def check_keeping(kind: str, *, asked: str, card: str) -> None:
    """A unit's seal is kept as its application said: the keeping decides who may use it (A18, A19)."""
    if kind not in PERSONAL_KINDS and asked != card:
        zh, en = KEEPING_TEXT[asked].zh, KEEPING_TEXT[asked].en
        raise Conflict(
            "seal.other_keeping",
            zh=f"申请获批的保管方式是“{zh}”，请选用这样登记的卡",
            en=f"What was approved is keeping on {en}; choose a card registered so",
        )


KEEPING_TEXT: dict[str, Text] = {
    "unit": Text("单独 USBKEY", "a card of its own"),
    "personal": Text("个人 USBKEY", "a personal card"),
}


def check_order_alive(expires_at: datetime, now: datetime) -> None:
    if now > expires_at:
        raise Conflict(
            "seal.order_expired",
            zh="制章命令已过期，未写入任何数据；请在工位重新开始",
            en="The order has expired, nothing was written; start again at the station",
        )


def check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid(
            "seal.reason_needed",
            zh="请填写原因",
            en="Say why",
            fields={"reason": Text("请填写原因", "Say why")},
        )
    check_length("reason", reason, LONGEST_REASON)


LONGEST_REASON = 500
LONGEST_BECAUSE = 300


def check_filing(number: str, authority: str) -> tuple[str, str]:
    """Both, trimmed. Refuses Invalid for what is empty or too long."""
    said = {"number": number.strip(), "authority": authority.strip()}
    longest = {"number": 60, "authority": 100}
    missing = {
        name: Text(f"请填写（不超过 {longest[name]} 字）", f"Needed, at most {longest[name]} characters")
        for name, value in said.items()
        if not value or len(value) > longest[name]
    }
    if missing:
        raise Invalid(
            "seal.filing_incomplete",
            zh="请填写备案编号和备案机关",
            en="Give the filing number and the authority",
            fields=missing,
        )
    return said["number"], said["authority"]


def check_length(field: str, said: str, longest: int) -> None:
    """Refuses Invalid for more characters than are kept."""
    if len(said) > longest:
        told = Text(f"不超过 {longest} 个字符", f"At most {longest} characters")
        raise Invalid("seal.too_long", zh=told.zh, en=told.en, fields={field: told})
