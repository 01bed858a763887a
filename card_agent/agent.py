"""A running station: everything joined, started and stopped."""

import fcntl
import logging
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

from card_agent import enrolment, machine
from card_agent.card.pin_counter import PinCounter
from card_agent.card.session import Pkcs11Reader
from card_agent.desk import Desk
from card_agent.fault import CannotStart
from card_agent.journal import Journal
from card_agent.link import Backoff, Link
from card_agent.loopback import Loopback
from card_agent.loops import Contact, HeartbeatTurn, Loop, WorkTurn
from card_agent.outbox import Outbox
from card_agent.presence import Presence
from card_agent.protocol.codec import canonical
from card_agent.ritual import Bench
from card_agent.settings import Settings
from card_agent.station_key import write_private
from card_agent.trust import Trust

log = logging.getLogger(__name__)

LOOPBACK_FILE = "loopback.json"
STOP_GRACE_S = 8.0


class AlreadyRunning(CannotStart):
    """Another agent uses this state folder."""


class Agent:
    """One for a state folder. `start` returns at once; `stop` leaves nothing running. `around`: what a drill puts
    round the bench."""

    def __init__(self, settings: Settings, around: Callable[[Bench], Bench] = lambda bench: bench) -> None:
        station, key = enrolment.load(settings.state_dir)
        server = settings.server or station.server
        self._lock = _sole(settings.state_dir)
        self.station = station
        self.contact = Contact()
        self.host, self.mac = machine.host(), machine.mac()
        self.presence = Presence(settings.module, self._cards_changed)
        self._links = [Link(server, key, str(station.station_id), settings.ca_file) for _ in range(3)]
        for_cards, for_heart, for_work = self._links
        bench = Bench(
            reader=Pkcs11Reader(
                settings.module, PinCounter(settings.state_dir / "pins.json", settings.pin_tries)
            ),
            server=for_cards,
            journal=Journal(settings.state_dir / "journal"),
            trust=Trust(station.roots),
            station_id=station.station_id,
            host=self.host,
            mac=self.mac,
        )
        bench.journal.prune()
        self.desk = Desk(around(bench), Outbox(settings.state_dir / "incidents"))
        self._heartbeat = HeartbeatTurn(
            for_heart, self.presence, self.contact, host=self.host, mac=self.mac, every_s=settings.heartbeat_s
        )
        self._work = WorkTurn(for_work, self.desk, self.contact, wait_s=settings.wait_s)
        self._loops = [
            Loop("heartbeat", self._heartbeat, self.contact, Backoff()),
            Loop("work", self._work, self.contact, Backoff(0.2, 10)),
        ]
        self.token = secrets.token_urlsafe(32)
        self.loopback = Loopback(settings.listen, self, self.token)
        self._state_dir = settings.state_dir

    @property
    def address(self) -> str:
        return self.loopback.address

    def start(self) -> None:
        self.presence.start()
        for loop in self._loops:
            loop.start()
        self.loopback.start()
        write_private(
            self._state_dir / LOOPBACK_FILE,
            canonical({"address": self.address, "token": self.token, "pid": os.getpid()}),
        )
        log.info(
            "station %s (%s) serves %s", self.station.station_id, self.station.station_name, self.address
        )

    def stop(self) -> None:
        for loop in self._loops:
            loop.stop()
        self._heartbeat.due.set()
        self._work.stop()
        self.loopback.stop()
        self.desk.stop(STOP_GRACE_S)
        self.presence.stop()
        for link in self._links:
            link.close()
        (self._state_dir / LOOPBACK_FILE).unlink(missing_ok=True)
        os.close(self._lock)

    def run_until(self, stopped: threading.Event) -> None:
        self.start()
        stopped.wait()
        self.stop()

    def _cards_changed(self) -> None:
        self._heartbeat.due.set()


def _sole(state_dir: Path) -> int:
    """A lock that ends with the process, however it ends. Refuses with AlreadyRunning."""
    descriptor = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise AlreadyRunning(f"another card agent already uses {state_dir}; stop it first") from error
    return descriptor
