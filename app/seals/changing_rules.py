"""The law of changing a seal's standing (停用、启用、注销). Pure."""

from app.actor import Actor
from app.refusal import Conflict, Forbidden, Invalid
from app.text import Text

VERBS: dict[str, Text] = {
    "suspend": Text("停用", "Suspend"),
    "resume": Text("启用", "Resume"),
    "cancel": Text("注销", "Cancel for good"),
}
ASKERS = ("seal_manager", "seal_office")
OFFICE = ("seal_office", "seal_office_head")


def check_verb(verb: str) -> None:
    if verb not in VERBS:
        raise Invalid(
            "seal.no_such_verb",
            zh="印章只能停用、启用或注销",
            en="A seal is suspended, resumed or cancelled",
        )


def check_may_ask(by: Actor, unit_ids: frozenset[int]) -> None:
    if not any(by.has(role, unit_ids) for role in ASKERS):
        raise Forbidden(
            "seal.may_not_ask_change",
            zh="印章的停用、启用和注销由该单位的印章管理员或印章管理部门申请",
            en="The unit's seal manager or the seal office asks for a seal to be suspended, resumed or cancelled",
        )


def check_standing(verb: str, *, suspended: bool) -> None:
    """What may follow what: only one in use is suspended, only a suspended one resumed."""
    if verb == "suspend" and suspended:
        raise Conflict("seal.suspended_already", zh="该印章已停用", en="This seal is suspended already")
    if verb == "resume" and not suspended:
        raise Conflict("seal.not_suspended", zh="该印章没有停用", en="This seal is not suspended")


def check_none_waits(waiting: str) -> None:
    """`waiting`: the verb of the change under way, or empty."""
    if waiting:
        said = VERBS[waiting]
        raise Conflict(
            "seal.change_waits",
            zh=f"该印章已有待办的变更（{said.zh}），请等其办结，或由申请人撤销后再办",
            en=f"A change of this seal is waiting already ({said.en.lower()}); let it end, or have whoever asked take it back",
        )


def check_may_agree(by: Actor, unit_ids: frozenset[int], *, asked_by_id: int) -> None:
    """The seal office decides, and never on what one asked for oneself."""
    if not any(by.has(role, unit_ids) for role in OFFICE):
        raise Forbidden(
            "seal.not_the_office",
            zh="印章变更由印章管理部门复核",
            en="The seal office decides on a change of a seal",
        )
    if by.id == asked_by_id:
        raise Forbidden(
            "seal.own_change",
            zh="不能复核自己申请的变更，请由印章管理部门的另一位同事办理",
            en="Nobody decides on a change they asked for; a colleague of the seal office does",
        )


def check_agreed(verb: str, agreed_by_id: int | None) -> None:
    """注销 is for ever: whatever a diagram says, it takes two."""
    if verb == "cancel" and agreed_by_id is None:
        raise Conflict(
            "seal.change_not_agreed",
            zh="注销印章须先经印章管理部门同意；请检查流程中是否缺少复核",
            en="The seal office agrees before a seal is cancelled; does the flow lack that step?",
        )


def check_open(state: str) -> None:
    if state != "open":
        raise Conflict(
            "seal.change_over",
            zh="这项变更已经办结或撤销，请刷新页面",
            en="This change is over already; reload the page",
        )
