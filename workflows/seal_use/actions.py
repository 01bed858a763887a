"""What the use of a seal asks of Python: allow it, refuse it, register it, or take the grant back (A22)."""

from app.actor import Actor
from app.fact import Fact
from app.flows.action import action
from app.signing import requesting


@action("seal_use/allow_use")
def allow_use(request_id: int, days: int, *, by: Actor) -> Fact:
    """授权一次用印 | Allow this use"""
    return requesting.allow(request_id, days, by=by)


@action("seal_use/refuse_use")
def refuse_use(request_id: int, reason: str, *, by: Actor) -> Fact:
    """不批准用印 | Refuse the use"""
    return requesting.refuse(request_id, reason, by=by)


@action("seal_use/register_use")
def register_use(request_id: int, *, by: Actor) -> Fact:
    """用印登记 | Register the use"""
    return requesting.register_use(request_id, by=by)


@action("seal_use/give_up_use")
def give_up_use(request_id: int, reason: str, *, by: Actor) -> Fact:
    """不再用印 | Give the use up"""
    return requesting.give_up(request_id, reason, by=by)


@action("seal_use/expire_use")
def expire_use(request_id: int, *, by: Actor) -> Fact:
    """逾期收回授权 | Take back what was not used in time"""
    return requesting.expire(request_id, by=by)
