"""What the authorisation of a seal asks of Python: authorise by how the seal is kept (A17–A19)."""

from app.actor import Actor
from app.fact import Fact
from app.flows.action import action
from app.seals import commands as seals


@action("seal_authorization/authorize_by_keeping")
def authorize_by_keeping(seal_id: int, *, by: Actor) -> Fact:
    """按保管方式授权 | Authorise by keeping"""
    return seals.authorize_by_keeping(seal_id, by=by)
