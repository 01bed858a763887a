"""What a station can be asked to do, by name. The registry between the door (cards) and the houses above it.

`cards` keeps jobs, stations and cards and knows nothing of seals or documents. A house above registers a
handler for its kind of job; the commands of `cards` call it inside their own transaction:

    @job_kind("make_seal")
    class MakeSeal:
        def summary(self, job): ...
        def begin(self, job, message, *, by): ...

Messages and answers are the dataclasses of `card_agent.protocol`; the door turns them into JSON.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from app.actor import Actor
from app.refusal import NotFound
from app.text import Text
from card_agent.protocol.jobs import (
    Authorise,
    Authorised,
    Begin,
    LoginBegun,
    MakeBegun,
    SignBegun,
    Summary,
    UnlockBegun,
)
from card_agent.protocol.outcomes import Outcome

if TYPE_CHECKING:
    from app.cards.models import CardJob


@dataclass(frozen=True, kw_only=True)
class JobEnd:
    """How a handler judges the outcome a station sent. `reason`: why it failed; None when done."""

    done: bool
    reason: Text | None = None


class JobKind(Protocol):
    """A kind of job. `job` is the locked row; `message` what the station sent, its signature already checked;
    `by` the station. Each method is idempotent by job and cards, and raises a Refusal for what is unlawful.
    """

    def summary(self, job: "CardJob") -> Summary:
        """What the people at the station see before anything is done; no secret."""
        ...

    def begin(
        self, job: "CardJob", message: Begin, *, by: Actor
    ) -> MakeBegun | SignBegun | UnlockBegun | LoginBegun:
        """The server's signed order for exactly these cards."""
        ...

    def authorise(self, job: "CardJob", message: Authorise, *, by: Actor) -> Authorised:
        """The write token, once the cards have proved their keys. Refuses where the kind has no such step."""
        ...

    def outcome(self, job: "CardJob", message: Outcome, *, by: Actor) -> JobEnd:
        """Judge what came of it and keep it. A refusal leaves the job as it was."""
        ...

    def ended(self, job: "CardJob", end: JobEnd, *, by: Actor) -> None:
        """The job's row now says done, failed or cancelled: tell whoever waits (a diagram's message)."""
        ...


KINDS: dict[str, JobKind] = {}
PRODUCTIONS: set[str] = set()
"""The kinds that put something onto a card: meanwhile it is in production, and in use once that is done."""

SEVERAL_AT_ONCE: set[str] = set()
"""The kinds that leave a card as it is: any number of them waits for one card, and they are done one after the other."""

Bring = Callable[[int, Outcome], object]
BRINGS: dict[str, Bring] = {}
"""What a kind gets ready before the transaction that judges an outcome: whatever asks the world outside, or takes long."""

K = TypeVar("K", bound=type[Any])


def job_kind(
    name: str, *, production: bool = False, several: bool = False, bring: Bring | None = None
) -> Callable[[K], K]:
    """Register a handler's class under the kind's name; one instance serves all jobs. `bring(job_id, message)`: before an
    outcome is judged; what it gives is handed to `outcome` as `brought`, which a handler without it never sees."""
    if bring is not None:
        BRINGS[name] = bring
    if production:
        PRODUCTIONS.add(name)
    if several:
        SEVERAL_AT_ONCE.add(name)

    def register(handler: K) -> K:
        KINDS[name] = handler()
        return handler

    return register


def bring(name: str, job_id: int, message: Outcome) -> object:
    """What the kind wants ready; None when it wants nothing."""
    return BRINGS[name](job_id, message) if name in BRINGS else None


def kind_of(name: str) -> JobKind:
    """The handler. Refuses with NotFound when no house has registered the kind."""
    if name not in KINDS:
        raise NotFound(
            "card_job.unknown_kind",
            zh=f"系统不认识“{name}”类任务，请升级服务器",
            en=f"This server knows no job called “{name}”; upgrade it",
        )
    return KINDS[name]
