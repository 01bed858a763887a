"""What making a seal again asks of Python: agree, refuse, put the new one in the place of the former."""

from app.actor import Actor
from app.fact import Fact
from app.flows.action import action
from app.seals import remaking


@action("seal_remaking/agree_remaking")
def agree_remaking(remaking_id: int, *, by: Actor) -> Fact:
    """同意重新制章 | Agree to make it again"""
    return remaking.agree(remaking_id, by=by)


@action("seal_remaking/refuse_remaking")
def refuse_remaking(remaking_id: int, reason: str, *, by: Actor) -> Fact:
    """不再制作 | Let it end"""
    return remaking.refuse(remaking_id, reason, by=by)


@action("seal_remaking/replace_seal")
def replace_seal(remaking_id: int, new_seal_id: int, *, by: Actor) -> Fact:
    """注销原印章，由新印章接替 | Cancel the former seal in favour of the new"""
    return remaking.replace(remaking_id, new_seal_id, by=by)
