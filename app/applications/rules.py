"""What an application must say, for each kind of seal (A2, D13). Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from app.actor import Actor
from app.refusal import Conflict, Forbidden, Invalid
from app.text import HIDDEN, Text, hides_something

Kind = Literal["official", "personal_name", "personal_signature"]
Shape = Literal["round", "oval", "square", "signature"]
KINDS: tuple[Kind, ...] = ("official", "personal_name", "personal_signature")

SEAL_TYPES: dict[str, Text] = {
    "unit": Text("单位公章", "Unit's official seal"),
    "department": Text("部门章", "Department's seal"),
    "contract": Text("合同专用章", "Contract seal"),
    "finance": Text("财务专用章", "Finance seal"),
    "business": Text("其他业务专用章", "Other seal for one kind of business"),
}
KEEPINGS: dict[str, Text] = {
    "unit": Text("由单位专用 USBKEY 保管", "Kept on a card of the unit"),
    "personal": Text("由个人 USBKEY 保管", "Kept on a person's card"),
}
SIZES: dict[str, tuple[Text, Shape, float, float]] = {
    "round-38": (Text("圆形 直径 38 mm", "Round, 38 mm"), "round", 38, 38),
    "round-40": (Text("圆形 直径 40 mm", "Round, 40 mm"), "round", 40, 40),
    "round-42": (Text("圆形 直径 42 mm", "Round, 42 mm"), "round", 42, 42),
    "round-45": (Text("圆形 直径 45 mm", "Round, 45 mm"), "round", 45, 45),
    "round-50": (Text("圆形 直径 50 mm", "Round, 50 mm"), "round", 50, 50),
    "oval-45x30": (Text("椭圆形 45×30 mm", "Oval, 45×30 mm"), "oval", 45, 30),
    "square-18": (Text("方形 18 mm", "Square, 18 mm"), "square", 18, 18),
    "square-20": (Text("方形 20 mm", "Square, 20 mm"), "square", 20, 20),
    "square-22": (Text("方形 22 mm", "Square, 22 mm"), "square", 22, 22),
    "signature-40x15": (Text("签名 40×15 mm", "Signature, 40×15 mm"), "signature", 40, 15),
    "signature-50x20": (Text("签名 50×20 mm", "Signature, 50×20 mm"), "signature", 50, 20),
}
SIZES_OF: dict[Kind, tuple[str, ...]] = {
    "official": ("round-38", "round-40", "round-42", "round-45", "round-50", "oval-45x30"),
    "personal_name": ("square-18", "square-20", "square-22"),
    "personal_signature": ("signature-40x15", "signature-50x20"),
}
"""国发〔1999〕25号: the seal of an enterprise, an institution, an association, and of any part of an authority, is round
and at most 45 mm wide; 50 mm is an authority's or a state institution's own (`check_size`)."""
LARGEST_OF_OTHERS_MM = 45

STATUS_TEXT: dict[str, Text] = {
    "submitted": Text("审批中", "Being decided"),
    "sent_back": Text("已退回，待补正", "Sent back, to be corrected"),
    "approved": Text("已批准", "Approved"),
    "cancelled": Text("已撤销", "Cancelled"),
}

_MISSING = Text("请填写此项", "Fill this in")
_CHOOSE = Text("请从列表中选择", "Choose from the list")


@dataclass(frozen=True)
class Filled:
    """A form that says all it must. `fields`: the kind's own answers, as they are stored."""

    kind: Kind
    seal_name: str
    owner_unit_id: int | None
    owner_user_id: int | None
    keeping: str
    size: str
    fields: dict[str, str]

    @property
    def shape(self) -> Shape:
        return SIZES[self.size][1]

    @property
    def width_mm(self) -> float:
        return SIZES[self.size][2]

    @property
    def height_mm(self) -> float:
        return SIZES[self.size][3]


def check_kind(kind: str) -> Kind:
    if kind not in KINDS:
        raise Invalid(
            "application.unknown_kind", zh="没有这种印章", en="There is no such kind of seal", kind=kind
        )
    return kind


def check_form(kind: Kind, form: Mapping[str, str], *, check_credit_code: Callable[[str], None]) -> Filled:
    """Check every field and report all that is wrong at once. `form`: as the page sent it."""
    wrong: dict[str, Text] = {}
    said = {name: value.strip() for name, value in form.items()}
    size = said.get("size", "")
    if size not in SIZES_OF[kind]:
        wrong["size"] = _CHOOSE
    _need(said, "reason", wrong, longest=500)
    _may(said, "purpose", wrong, longest=300)
    if kind == "official":
        _check_official(said, wrong, check_credit_code)
    elif not is_id(said.get("owner_user_id", "")):
        wrong["owner_user_id"] = _CHOOSE
    if wrong:
        raise Invalid(
            "application.incomplete",
            zh="申请单还有需要更正的内容",
            en="Some of the form has to be corrected",
            fields=wrong,
        )
    official = kind == "official"
    return Filled(
        kind=kind,
        seal_name=said.get("seal_name", "") if official else "",
        owner_unit_id=int(said["owner_unit_id"]) if official else None,
        owner_user_id=None if official else int(said["owner_user_id"]),
        keeping=said.get("keeping", "unit") if official else "personal",
        size=size,
        fields={
            name: said.get(name, "").upper() if name in _CAPITALS else said.get(name, "")
            for name in FIELDS_OF[kind]
        },
    )


FIELDS_OF: dict[Kind, tuple[str, ...]] = {
    "official": (
        "seal_type", "credit_code", "handler", "reason", "purpose", "register_number", "keeper_user_id", "letter",
    ),
    "personal_name": ("reason", "purpose"),
    "personal_signature": ("reason", "purpose"),
}  # fmt: skip
ASKED = (
    "owner_unit_id", "owner_user_id", "seal_name", "seal_type", "credit_code", "keeping", "handler", "reason",
    "size", "purpose", "register_number", "keeper_user_id",
)  # fmt: skip
"""All that any of the three forms asks for."""


def _need(said: Mapping[str, str], name: str, wrong: dict[str, Text], longest: int = 100) -> None:
    value = said.get(name, "")
    if not value:
        wrong[name] = _MISSING
    elif len(value) > longest:
        wrong[name] = Text(f"不超过 {longest} 个字符", f"At most {longest} characters")
    elif hides_something(value):
        wrong[name] = HIDDEN


def _may(said: Mapping[str, str], name: str, wrong: dict[str, Text], longest: int) -> None:
    if said.get(name):
        _need(said, name, wrong, longest)


_CAPITALS = ("credit_code", "register_number")
_REGISTER_NUMBER = re.compile(r"[0-9A-Z]{6,20}")


def check_register_number(said: str) -> Text | None:
    """What is wrong with the number under which the police register the physical seal (印章备案编码). The national form
    is 13 digits, the first six a county's code; older and local numbers are letters and digits."""
    if not said:
        return None
    if not _REGISTER_NUMBER.fullmatch(said.upper()):
        return Text(
            "备案编码由 6–20 位数字或字母组成，请按备案回执填写",
            "A register number is 6 to 20 digits and letters; take it from the registration receipt",
        )
    if said.isdecimal() and len(said) == 13 and not "11" <= said[:2] <= "82":
        return Text(
            "13 位备案编码的前六位应为行政区划代码，请核对",
            "The first six of 13 digits are the code of a county; check them",
        )
    return None


def check_size(seal_type: str, credit_code: str, size: str) -> Text | None:
    """What is wrong with the size of an official seal: oval is for finance; 50 mm is the own seal of an authority or
    state institution, whose credit code begins with 1 (登记管理部门: 机构编制; GB 32100-2015)."""
    shape, width = SIZES[size][1], SIZES[size][2]
    if shape == "oval" and seal_type != "finance":
        return Text("椭圆形只用于财务专用章，请选圆形", "Oval is for finance seals only; choose a round one")
    if width > LARGEST_OF_OTHERS_MM and not (seal_type == "unit" and credit_code.startswith("1")):
        return Text(
            "企业事业单位、社会团体和内设机构的印章直径不得大于 45 mm(国发〔1999〕25号)，请按实物选择",
            "Seals of enterprises, institutions, associations and departments are at most 45 mm wide "
            "(Guofa [1999] 25); choose the true size",
        )
    return None


def _check_official(
    said: Mapping[str, str], wrong: dict[str, Text], check_credit_code: Callable[[str], None]
) -> None:
    _need(said, "seal_name", wrong, longest=60)
    _need(said, "handler", wrong)
    if said.get("seal_type") not in SEAL_TYPES:
        wrong["seal_type"] = _CHOOSE
    if said.get("keeping") not in KEEPINGS:
        wrong["keeping"] = _CHOOSE
    if said.get("size") in SIZES_OF["official"]:
        _note(wrong, "size", check_size(said.get("seal_type", ""), said.get("credit_code", ""), said["size"]))
    _note(wrong, "register_number", check_register_number(said.get("register_number", "")))
    if said.get("keeping") == "personal" and not is_id(said.get("keeper_user_id", "")):
        wrong["keeper_user_id"] = Text(
            "由个人 USBKEY 保管时，请选择保管人", "Kept on a person's card: choose who keeps it"
        )
    if said.get("seal_type") == "business" and not said.get("purpose"):
        wrong["purpose"] = Text("其他业务专用章须写明用途", "Say what this kind of seal is for")
    if said.get("seal_type") == "unit" and not said.get("letter"):
        wrong["letter"] = Text(
            "申请单位公章须附法定代表人签署的授权书(PDF 或图片)",
            "A unit's own seal needs the letter of authority signed by its representative (PDF or picture)",
        )
    if not is_id(said.get("owner_unit_id", "")):
        wrong["owner_unit_id"] = _CHOOSE
    code = said.get("credit_code", "").upper()
    if code or said.get("seal_type") == "unit":
        try:
            check_credit_code(code)
        except Invalid as refusal:
            wrong["credit_code"] = refusal.text


def _note(wrong: dict[str, Text], name: str, fault: Text | None) -> None:
    if fault is not None:
        wrong[name] = fault


def is_id(said: str) -> bool:
    """Whether it can be the number of a row."""
    return said.isascii() and said.isdecimal() and len(said) < 10


def check_code_of_unit(said: str, registered: str | None) -> None:
    """D13: the credit code is the one that the unit is registered under."""
    if registered and said and said.upper() != registered:
        sentence = Text(
            "与该单位登记的统一社会信用代码不一致，请核对",
            "This is not the credit code that the unit is registered under; check it",
        )
        raise Invalid(
            "application.foreign_code", zh=sentence.zh, en=sentence.en, fields={"credit_code": sentence}
        )


def check_keeper(name: str, *, active: bool) -> None:
    """A19: a seal is not given to somebody who has left."""
    if not active:
        text = Text(f"{name}的账号已停用，请另选保管人", f"{name}'s account is closed; choose another keeper")
        raise Invalid("application.keeper", zh=text.zh, en=text.en, fields={"keeper_user_id": text})


def check_letter_arrived(arrived: bool) -> None:
    if not arrived:
        text = Text("授权书没有收到，请重新选择", "The letter of authority did not arrive; choose it again")
        raise Invalid("application.no_letter", zh=text.zh, en=text.en, fields={"letter": text})


def check_may_apply(by: Actor, unit_ids: frozenset[int]) -> None:
    """A1: an authorised person of the unit. `unit_ids`: the owner's unit and all above it."""
    if not by.has("applicant", unit_ids):
        raise Forbidden(
            "application.not_your_unit",
            zh="您未被授权为该单位申请印章。请联系安全保密管理员授予申请人角色",
            en="You are not authorised to apply for this unit. Ask the security officer for the applicant's role",
        )


def check_own(by: Actor, applicant_id: int) -> None:
    """A4: the applicant corrects, nobody else."""
    if by.id != applicant_id:
        raise Forbidden(
            "application.not_yours", zh="只能补正自己的申请", en="Only your own application can be corrected"
        )


MAY_SEE = ("seal_office", "seal_office_head", "seal_manager", "overseer", "station_operator")


def check_may_see(by: Actor, applicant_id: int, unit_ids: frozenset[int]) -> None:
    """The applicant, and those of the unit whose work it is."""
    if by.id != applicant_id and not any(by.has(role, unit_ids) for role in MAY_SEE):
        raise Forbidden(
            "application.not_yours",
            zh="您无权查看这份申请",
            en="This application is not for you to see",
        )


DECIDES = ("seal_office", "seal_office_head")


def check_office(by: Actor, unit_ids: frozenset[int]) -> None:
    """A4: the seal office of the unit decides. Never the system: a decision does not come about by time (B4)."""
    if not any(by.has(role, unit_ids) for role in DECIDES):
        raise Forbidden(
            "application.not_office",
            zh="只有该单位的印章管理部门可以审批申请",
            en="Only the seal office of the unit decides on applications",
        )


def check_not_own(by: Actor, applicant_id: int, owner_user_id: int | None) -> None:
    """Nobody approves what they applied for, nor their own seal."""
    if by.id in (applicant_id, owner_user_id):
        raise Forbidden(
            "application.own",
            zh="不能审批自己提交的申请，请由其他审批人办理",
            en="Nobody decides on their own application; another approver has to",
        )


def check_status(status: str, *expected: str) -> None:
    if status not in expected:
        said = STATUS_TEXT.get(status, Text(status, status))
        raise Conflict(
            "application.wrong_state",
            zh=f"申请当前{said.zh},不能执行此操作",
            en=f"The application is: {said.en.lower()}. This cannot be done now",
            status=status,
        )


def check_reason(reason: str) -> str:
    """A4: who refuses says why."""
    if len(reason.strip()) < 2:
        sentence = Text("退回须说明原因", "Say why it is sent back")
        raise Invalid("application.no_reason", zh=sentence.zh, en=sentence.en, fields={"opinion": sentence})
    return reason.strip()[:500]


def default_size(kind: Kind) -> str:
    return cast("dict[Kind, str]", {"official": "round-42", "personal_name": "square-20"}).get(
        kind, "signature-40x15"
    )
