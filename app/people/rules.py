"""The law of people: who may hold which roles together, what a login looks like. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from app.actor import Actor
from app.glossary import OFFICERS, ROLES
from app.refusal import Conflict, Forbidden, Invalid
from app.text import Text, hides_something

REGISTRAR = "system_administrator"


def check_registrar(by: Actor) -> None:
    """D6: the system administrator enters units and people, and nobody else."""
    if by.kind != "system" and not by.has(REGISTRAR):
        raise Forbidden(
            "people.may_not_register",
            zh="只有系统管理员可以登记、变更单位和人员",
            en="Only the system administrator registers and changes units and people",
        )


CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,63}")
PASSWORD_LENGTH = (10, 128)


def check_login_name(login: str) -> None:
    if not _LOGIN.fullmatch(login):
        raise Invalid(
            "people.bad_login",
            zh="登录名以小写字母开头,2–64 个字符，只含小写字母、数字、点、下划线和连字符",
            en="A login starts with a lower-case letter: 2 to 64 of a-z, 0-9, dot, underscore, hyphen",
        )


LONGEST_NAME = {"person": 100, "unit": 200}


def check_name(name: str, of: Literal["person", "unit"]) -> str:
    """The name of a person or of a unit, trimmed. Refuses Invalid for none, for a long one, for hidden characters."""
    trimmed, longest = name.strip(), LONGEST_NAME[of]
    if not 1 <= len(trimmed) <= longest or hides_something(trimmed):
        what = Text("姓名", "the person") if of == "person" else Text("单位名称", "the unit")
        raise Invalid(
            "people.no_name",
            zh=f"请填写{what.zh}，不超过 {longest} 个字符，不含不可见字符",
            en=f"Give {what.en} a name: at most {longest} characters, none of them invisible",
        )
    return trimmed


def check_password(password: str, login: str) -> None:
    """Length is what counts (ASVS 6.2); a password that holds the login is refused."""
    shortest, longest = PASSWORD_LENGTH
    if not shortest <= len(password) <= longest or login.lower() in password.lower():
        raise Invalid(
            "people.weak_password",
            zh=f"密码须为 {shortest}–{longest} 个字符，且不得包含登录名",
            en=f"A password has {shortest} to {longest} characters and does not contain the login",
        )


def check_credit_code(code: str) -> None:
    """统一社会信用代码, GB 32100-2015: 18 characters: who registered it, what it is, the county's six digits, nine of
    the organisation, and a check character modulo 31, by which any one wrong character is found."""
    well_formed = len(code) == 18 and all(c in CREDIT_ALPHABET for c in code) and code[2:8].isdecimal()
    if not well_formed or credit_check_character(code[:17]) != code[17]:
        sentence = Text(
            "统一社会信用代码不正确，请核对 18 位代码(含校验位)",
            "This is no valid unified social credit code; check its 18 characters",
        )
        raise Invalid("people.bad_credit_code", zh=sentence.zh, en=sentence.en, fields={"code": sentence})


def credit_check_character(body: str) -> str:
    """The 18th character for the first 17."""
    total = sum(CREDIT_ALPHABET.index(c) * w for c, w in zip(body, _CREDIT_WEIGHTS, strict=True))
    return CREDIT_ALPHABET[(31 - total % 31) % 31]


def check_roles_together(held: Iterable[str], new: str) -> None:
    """三员分立 (D6): nobody holds two of the three officers, none of them holds any other role."""
    if new not in ROLES:
        raise Invalid("people.unknown_role", zh="没有这个角色", en="There is no such role", role=new)
    others = set(held) - {new}
    clash = (new in OFFICERS and bool(others)) or bool(others & OFFICERS)
    if clash:
        raise Conflict(
            "people.officers_apart",
            zh="三员分立：三员之间不得兼任，也不得兼任其他角色。请先解除原有角色，或另选人员",
            en="The three officers are kept apart: none may hold another role. End the other role first, "
            "or choose another person",
            held=sorted(others),
            role=new,
        )


@dataclass(frozen=True, kw_only=True)
class FirstPerson:
    """Somebody of the ceremony that starts an installation. `password`: empty while it has not been asked for."""

    login: str
    name: str
    role: str
    password: str = field(default="", repr=False)


def check_ceremony(people: Sequence[FirstPerson]) -> None:
    """The three officers, each appointed, and nobody twice; every other role is the security officer's to
    grant (D6). Passwords are not looked at."""
    others = sorted({p.role for p in people} - OFFICERS)
    if others:
        raise Invalid(
            "people.ceremony_other_role",
            zh=f"首次任命只任命三员；角色 {'、'.join(others)} 请在安装之后由安全保密管理员授予",
            en=f"Only the three officers are appointed here, not {', '.join(others)}: "
            "the security officer grants the other roles afterwards",
            roles=others,
        )
    for person in people:
        check_login_name(person.login)
        if not person.name.strip():
            raise Invalid("people.no_name", zh="请填写姓名", en="Give the person a name")
    logins = [p.login for p in people]
    if len(set(logins)) != len(logins):
        raise Conflict(
            "people.ceremony_twice",
            zh="三员分立：每人只能任命一次，三员之间不得兼任。请另选人员",
            en="The three officers are kept apart: each login is appointed once. Choose another person",
        )
    missing = sorted(OFFICERS - {p.role for p in people})
    if missing:
        raise Invalid(
            "people.ceremony_incomplete",
            zh=f"三员须同时任命，还缺：{'、'.join(ROLES[role].zh for role in missing)}（{'、'.join(missing)}）",
            en=f"All three officers are appointed at once; missing: {', '.join(missing)}",
            roles=missing,
        )


def check_nobody_yet(people: int) -> None:
    """The first appointment is made once."""
    if people:
        raise Conflict(
            "people.ceremony_over",
            zh="已有人员登记，首次任命只能进行一次。请由安全保密管理员在页面上授予角色",
            en="There are people already: the first appointment is over. The security officer grants roles now",
        )


def check_may_appoint(by: Actor, role: str, *, first: bool) -> None:
    """The security officer grants roles; the officers themselves are first appointed by the ceremony (D6)."""
    if by.kind == "system" and first:
        return
    if not by.has("security_officer"):
        raise Forbidden(
            "people.may_not_appoint",
            zh="只有安全保密管理员可以授予或解除角色",
            en="Only the security officer grants and ends roles",
            role=role,
        )


def check_period(valid_from: datetime, valid_until: datetime | None, at: datetime) -> None:
    """A role is held from a moment to a later one that is still to come."""
    if valid_until is not None and (valid_until <= valid_from or valid_until <= at):
        sentence = Text(
            "结束日期须晚于今天和开始日期，请重新选择",
            "The last day must lie after today and after the first day; choose another",
        )
        raise Invalid("people.bad_period", zh=sentence.zh, en=sentence.en, fields={"valid_until": sentence})


STRANGERS_SHARE = 4
"""How many addresses may each use up their tries on one login before addresses it never used are held off."""


def login_held_off(here: int, everywhere: int, allowed: int, *, familiar: bool) -> bool:
    """Whether the next try at a login is refused unread. Counted are wrong passwords of the last minutes.

    `here`: from this address; `everywhere`: from all. `familiar`: the login came in from this address before, so
    that nobody locks a person out of their own desk by failing elsewhere (ASVS 6.3.1).
    """
    return here >= allowed or (everywhere >= allowed * STRANGERS_SHARE and not familiar)


# --- the second factor ---

CODE_DIGITS = 6


def wrong_code() -> Invalid:
    said = Text(
        "验证码不正确，请核对手机时间后输入新的一组",
        "The code is wrong; check the phone's clock and enter the next one",
    )
    return Invalid("people.wrong_code", zh=said.zh, en=said.en, fields={"code": said})


# --- units that change (D1) ---


def check_why(reason: str) -> str:
    """Which decision it rests on, for everybody who reads it in a seal's life."""
    said = reason.strip()
    if not 2 <= len(said) <= LONGEST_WHY or hides_something(said):
        sentence = Text(
            f"请填写依据(如批文号)，2–{LONGEST_WHY} 个字符",
            f"Say on which decision it rests: 2 to {LONGEST_WHY} characters",
        )
        raise Invalid("people.no_reason", zh=sentence.zh, en=sentence.en, fields={"reason": sentence})
    return said


LONGEST_WHY = 300


def check_other_name(former: str, new: str) -> None:
    if former == new:
        sentence = Text("新名称与原名称相同", "The new name is the old one")
        raise Invalid("people.same_name", zh=sentence.zh, en=sentence.en, fields={"name": sentence})


def check_merges(unit_id: int, into_id: int, path_of_into: frozenset[int]) -> None:
    """A unit goes into another that is not below it. `path_of_into`: that unit and all above it."""
    if unit_id == into_id or unit_id in path_of_into:
        sentence = Text(
            "不能并入自身或其下级单位，请选择其他单位",
            "It cannot go into itself or a unit below it; choose another",
        )
        raise Invalid(
            "people.merged_into_itself", zh=sentence.zh, en=sentence.en, fields={"into_id": sentence}
        )


def check_may_close(*, people: int, units: int) -> None:
    if people or units:
        raise Conflict(
            "people.unit_not_empty",
            zh=f"该单位还有 {people} 名在职人员、{units} 个下级单位，请先调出或撤销，或改用合并",
            en=f"It still has {people} people and {units} units below it; move or close them first, or merge it",
        )
