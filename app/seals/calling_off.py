"""What becomes of a making whose application's flow is cancelled: its order is taken back before a card is written."""

from app.actor import SYSTEM, Actor
from app.cards import commands as card_commands
from app.cards import queries as cards
from app.flows.action import cancelled
from app.refusal import Conflict
from app.seals import queries, remakings
from card_agent.protocol import names


@cancelled("application")
def call_off(application_id: int, reason: str, *, by: Actor) -> None:
    """Take back every order to make a seal of this application. Refuses `Conflict` once a station may write the card:
    then the seal comes to be, and the flow must hear of it."""
    _take_back("application_id", application_id, reason, by)


@cancelled("remaking")
def call_off_remaking(remaking_id: int, reason: str, *, by: Actor) -> None:
    """The same where a seal was to be made again: its impression makes no other seal meanwhile that nobody asked for."""
    impression_id = queries.seal(remakings.remaking(remaking_id).seal_id).impression_id
    _take_back("impression_id", impression_id, reason, by)


def _take_back(of: str, ident: int, reason: str, by: Actor) -> None:
    for job in cards.open_jobs_of_kind(names.MAKE_SEAL):
        if job.payload.get(of) != ident:
            continue
        if job.state == "authorised":
            raise Conflict(
                "seal.being_written",
                zh="工位正在把印章写入卡中，现在不能撤销；请等工位回报后再办理",
                en="A station is writing the seal to its card; it cannot be cancelled now. Wait for its report first",
                job_id=job.id,
            )
        card_commands.cancel_job(job.id, f"{by.name}：{reason}", by=SYSTEM)
