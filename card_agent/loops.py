"""The two loops that keep a station in touch: a heartbeat, and the long poll for work. Each has a line of its
own."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from card_agent.desk import Desk
from card_agent.fault import Fault, ServerRefused, ServerSilent, Unexpected
from card_agent.link import Backoff, Link
from card_agent.presence import Presence
from card_agent.protocol.jobs import Heartbeat, Jobs, Nothing, Work
from card_agent.version import VERSION

log = logging.getLogger(__name__)


@dataclass
class Contact:
    """What the page shows of the line to the server. `fault`: why there is none at the moment."""

    last_at: datetime | None = None
    fault: Fault | None = None

    def made(self) -> None:
        self.last_at, self.fault = datetime.now(UTC), None


class Loop:
    """Runs `turn` again and again in a thread of its own; after a fault it pauses, longer each time. `turn`
    waits by itself while all is well."""

    def __init__(self, name: str, turn: Callable[[], None], contact: Contact, backoff: Backoff) -> None:
        self.stopping = threading.Event()
        self._turn = turn
        self._contact = contact
        self._backoff = backoff
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()

    def _run(self) -> None:
        while not self.stopping.is_set():
            try:
                self._turn()
                self._backoff.reset()
            except (ServerSilent, ServerRefused) as fault:
                self._pause(fault)
            except Exception as error:
                # a loop never ends by itself: a station that is out of touch must come back
                log.exception("%s", self._thread.name)
                self._pause(Unexpected(type(error).__name__))

    def _pause(self, fault: Fault) -> None:
        if self._contact.fault is None or self._contact.fault.code != fault.code:
            log.warning("%s: %s", self._thread.name, fault)
        self._contact.fault = fault
        self.stopping.wait(self._backoff.next_s())


class HeartbeatTurn:
    """Tells the server which cards are in, every `every_s` seconds and whenever that changes."""

    def __init__(self, link: Link, presence: Presence, contact: Contact, *, host: str, mac: str,
                 every_s: float) -> None:  # fmt: skip
        self.due = threading.Event()
        self._link = link
        self._presence = presence
        self._contact = contact
        self._host = host
        self._mac = mac
        self._every_s = every_s

    def __call__(self) -> None:
        self.due.clear()
        beat = Heartbeat(cards=self._presence.cards, host=self._host, mac=self._mac, agent_version=VERSION)
        self._link.post("/agent/v1/heartbeat", beat, Nothing)
        self._contact.made()
        self.due.wait(self._every_s)


class WorkTurn:
    """Sends what was left over, then asks for the open jobs and waits for news of them."""

    def __init__(self, link: Link, desk: Desk, contact: Contact, *, wait_s: int) -> None:
        self._link = link
        self._desk = desk
        self._contact = contact
        self._wait_s = wait_s
        self._pause = threading.Event()

    def __call__(self) -> None:
        self._desk.replay(self._link)
        known = tuple(j.job_id for j in self._desk.jobs)
        asked_at = datetime.now(UTC)
        answer = self._link.post(
            "/agent/v1/work", Work(wait_s=self._wait_s, known=known), Jobs, wait_s=self._wait_s
        )
        self._contact.made()
        changed = tuple(j.job_id for j in answer.jobs) != known
        self._desk.jobs = answer.jobs
        if not changed and (datetime.now(UTC) - asked_at).total_seconds() < 1:
            # a server that does not hold requests open is asked once a second
            self._pause.wait(1)

    def stop(self) -> None:
        self._pause.set()
