"""Reading the log is an act like any other: it is recorded before anything is shown."""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

from app.actor import Actor
from app.audit import queries as log
from app.command import command
from app.oversight import queries
from app.oversight.facts import LogArchived, LogEntryRead, LogProofTaken, LogSearched


@command
def search_log(wanted: dict[str, str], *, by: Actor) -> LogSearched:
    """Record a search. `wanted`: conditions by name (`queries.CONDITIONS`). Refuses Invalid, Forbidden."""
    conditions = queries.cleaned(wanted)
    return LogSearched(wanted=conditions, matched=queries.matched(conditions, by))


@command
def read_entry(number: int, *, by: Actor) -> LogEntryRead:
    """Record that an entry was opened. Refuses NotFound (also when it is not for this reader), Forbidden."""
    return LogEntryRead(number=queries.visible(number, by).number)


@command
def take_proof(number: int, *, by: Actor) -> LogProofTaken:
    """Record that an entry's proof left the house. Refuses NotFound, Forbidden."""
    return LogProofTaken(number=queries.visible(number, by).number)


@command
def archive_log(
    since: datetime | None, until: datetime | None, write: Callable[[bytes], None], *, by: Actor
) -> LogArchived:
    """Put a period of the log into a file, with its proof (D7). `write` is given the file's bytes before anything
    is recorded; what it raises is raised. Refuses NotFound for a period without entries."""
    found = log.archive(*log.period(since, until))
    data = ("\n".join(found.lines()) + "\n").encode()
    write(data)
    return LogArchived(first=found.first, until=found.until, digest=sha256(data).hexdigest())
