"""What a change of a seal asks of Python: agree, refuse, carry out (D1)."""

from app.actor import Actor
from app.fact import Fact
from app.flows.action import action
from app.seals import changing


@action("seal_change/agree_seal_change")
def agree_seal_change(seal_change_id: int, *, by: Actor) -> Fact:
    """同意变更 | Agree to the change"""
    return changing.agree(seal_change_id, by=by)


@action("seal_change/refuse_seal_change")
def refuse_seal_change(seal_change_id: int, reason: str, *, by: Actor) -> Fact:
    """不同意变更 | Refuse the change"""
    return changing.refuse(seal_change_id, reason, by=by)


@action("seal_change/carry_out_seal_change")
def carry_out_seal_change(seal_change_id: int, *, by: Actor) -> Fact:
    """办理变更 | Carry the change out"""
    return changing.carry_out(seal_change_id, by=by)
