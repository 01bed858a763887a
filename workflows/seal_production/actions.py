"""What the production of a seal asks of Python: order it, remind of it, record it."""

from app.actor import Actor
from app.fact import Fact
from app.flows import commands as flows
from app.flows.action import action
from app.seals import commands as seals


@action("seal_production/order_seal")
def order_seal(
    impression_id: int, card_serial: str, station_id: int, application_id: int, *, by: Actor
) -> Fact:
    """下达制章任务 | Order the making of the seal"""
    return seals.order_making(impression_id, card_serial, station_id, application_id, by=by)


@action("seal_production/remind_operator")
def remind_operator(business_key: str, job_id: int, *, by: Actor) -> Fact:
    """提醒制章操作员 | Remind the station operator"""
    return flows.remind(
        business_key,
        role="station_operator",
        zh=f"制章任务 {job_id} 久未回报，请到工位核对授权卡、印章卡是否插好。",
        en=f"Making job {job_id} has not been reported; check at the station that both cards are inserted.",
        by=by,
    )


@action("seal_production/record_made")
def record_made(job_id: int, *, by: Actor) -> Fact:
    """登记电子印章 | Record the electronic seal"""
    return seals.record_made(job_id, by=by)
