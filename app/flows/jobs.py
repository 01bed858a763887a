"""What is due: timers, and messages that crossed with the waiting. The scheduler asks once a second."""

from collections.abc import Callable, Iterable

import structlog

from app.actor import SYSTEM
from app.clock import now
from app.db import db
from app.flows import commands, queries, timeouts
from app.refusal import Refusal

log = structlog.get_logger()


def sweep() -> int:
    """Fire every due timer, let every timeout act and deliver every kept message that is waited for; gives how many. Losing this job,
    or running it twice, changes nothing: the tables say what is due."""
    done = _each(queries.due_timers(now()), lambda ident: commands.fire(ident, by=SYSTEM))
    done += _each(timeouts.due(now()), lambda ident: timeouts.time_out(ident, by=SYSTEM))
    return done + _each(queries.deliverable_messages(), lambda ident: commands.hand_over(ident, by=SYSTEM))


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
