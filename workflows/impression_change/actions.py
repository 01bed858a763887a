"""What a change of an impression asks of Python: agree, refuse, carry out, and deal with the seals made from it (D4)."""

from app.actor import Actor
from app.fact import Fact
from app.flows.action import action
from app.impressions import changing
from app.seals import following


@action("impression_change/agree_change")
def agree_change(change_id: int, *, by: Actor) -> Fact:
    """同意变更 | Agree to the change"""
    return changing.agree(change_id, by=by)


@action("impression_change/refuse_change")
def refuse_change(change_id: int, reason: str, *, by: Actor) -> Fact:
    """不同意变更 | Refuse the change"""
    return changing.refuse(change_id, reason, by=by)


@action("impression_change/carry_out_change")
def carry_out_change(change_id: int, *, by: Actor) -> Fact:
    """办理变更 | Carry the change out"""
    return changing.carry_out(change_id, by=by)


@action("impression_change/change_seals")
def change_seals(change_id: int, *, by: Actor) -> Fact:
    """处理已制印章 | Deal with the seals made from it"""
    return following.follow_impression(change_id, by=by)
