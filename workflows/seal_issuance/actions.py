"""What the issuance of a seal asks of Python: record who took it away (A16)."""

from app.actor import Actor
from app.fact import Fact
from app.flows.action import action
from app.seals import commands as seals


@action("seal_issuance/issue_seal")
def issue_seal(
    seal_id: int, collector_name: str, collector_document: str, on_behalf_of: str, *, by: Actor
) -> Fact:
    """记录领用 | Record the collector"""
    return seals.issue(seal_id, collector_name, collector_document, on_behalf_of, by=by)
