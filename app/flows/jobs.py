"""What is due: timers, and messages that crossed with the waiting. The scheduler asks once a second."""

import time
from collections.abc import Callable, Iterable

import structlog
from flask import current_app

from app.actor import SYSTEM
from app.clock import now
from app.db import db
from app.flows import commands, mending, migrating, once, queries, timeouts, uploads
from app.refusal import Refusal

log = structlog.get_logger()


def sweep() -> int:
    """Fire every due timer, let every timeout act, deliver every kept message that is waited for, try again what is due to be; gives how
    many. Losing this job, or running it twice, changes nothing: the tables say what is due."""
    _tidy()
    done = _each(queries.due_timers(now()), lambda ident: commands.fire(ident, by=SYSTEM))
    done += _each(timeouts.due(now()), lambda ident: timeouts.time_out(ident, by=SYSTEM))
    done += _each(queries.deliverable_messages(), lambda ident: commands.hand_over(ident, by=SYSTEM))
    return done + _each(queries.due_incidents(now()), lambda ident: mending.retry_by_itself(ident, by=SYSTEM))


SECONDS_BETWEEN_TIDYINGS = 600.0


def _tidy() -> None:
    """Now and then, forget answers that nobody will ask for again, states that nobody can go back to, and files of
    forms that were never sent."""
    moment = time.monotonic()
    if (
        moment - current_app.extensions.get("flows_tidied", -SECONDS_BETWEEN_TIDYINGS)
        >= SECONDS_BETWEEN_TIDYINGS
    ):
        current_app.extensions["flows_tidied"] = moment
        once.forget_old()
        migrating.forget_old()
        if left := uploads.orphans():
            uploads.clear(left, by=SYSTEM)


def _each(idents: Iterable[int], act: Callable[[int], object]) -> int:
    """Each in a transaction of its own. A refusal means that another worker was quicker: it is in the log."""
    done = 0
    db.session.rollback()
    for ident in idents:
        try:
            act(ident)
            done += 1
        except Refusal as refusal:
            log.info("sweep.refused", code=refusal.code, id=ident)
    return done
