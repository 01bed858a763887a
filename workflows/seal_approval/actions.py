"""What the approval of a seal asks of Python: send back, approve, import into the library."""

from app.actor import Actor
from app.applications import commands as applications
from app.applications import queries as applied
from app.fact import Fact
from app.flows.action import action
from app.impressions import commands as impressions


@action("seal_approval/send_back_application")
def send_back_application(application_id: int, reason: str, *, by: Actor) -> Fact:
    """退回申请 | Send the application back"""
    return applications.send_back(application_id, reason, by=by)


@action("seal_approval/approve_application")
def approve_application(application_id: int, *, by: Actor) -> Fact:
    """批准申请 | Approve the application"""
    return applications.approve(application_id, by=by)


@action("seal_approval/register_impression")
def register_impression(application_id: int, *, by: Actor) -> Fact:
    """导入印模库 | Import the impression into the library"""
    application = applied.application(application_id)
    return impressions.register(
        owner_unit_id=application.owner_unit_id,
        owner_user_id=application.owner_user_id,
        kind=application.kind,
        name=application.seal_name,
        png=applied.impression_png(application_id),
        width_mm=application.width_mm,
        height_mm=application.height_mm,
        by=by,
    )
