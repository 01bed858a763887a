"""What a withdrawal asks of Python: agree, refuse, enter it in the register (D5)."""

from app.actor import Actor
from app.fact import Fact
from app.flows.action import action
from app.signing import withdrawing


@action("seal_withdrawal/agree_withdrawal")
def agree_withdrawal(withdrawal_id: int, *, by: Actor) -> Fact:
    """同意撤章 | Agree to the withdrawal"""
    return withdrawing.agree(withdrawal_id, by=by)


@action("seal_withdrawal/refuse_withdrawal")
def refuse_withdrawal(withdrawal_id: int, reason: str, *, by: Actor) -> Fact:
    """不同意撤章 | Refuse the withdrawal"""
    return withdrawing.refuse(withdrawal_id, reason, by=by)


@action("seal_withdrawal/record_withdrawal")
def record_withdrawal(withdrawal_id: int, *, by: Actor) -> Fact:
    """登记撤章 | Enter it in the register"""
    return withdrawing.carry_out(withdrawal_id, by=by)
