"""Which cards are in the readers, as the watcher process says (`card/watcher.py`); started again when it
dies."""

import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from card_agent.link import Backoff
from card_agent.protocol.codec import Malformed, decode
from card_agent.protocol.jobs import CardSeen, Heartbeat

log = logging.getLogger(__name__)


class Presence:
    """`cards` is the last word. `changed` is called from the watching thread whenever it is a new one. After
    the watcher's death it is empty: nothing is shown that is not seen."""

    def __init__(self, module: Path, changed: Callable[[], None]) -> None:
        self.cards: tuple[CardSeen, ...] = ()
        self._module = module
        self._changed = changed
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._process is not None:
            self._process.terminate()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        backoff = Backoff(0.2, 10)
        while not self._stopping.is_set():
            self._watch(backoff)
            self._set(())
            if self._stopping.wait(backoff.next_s()):
                return
            log.warning("the watcher of the readers ended and is started again")

    def _watch(self, backoff: Backoff) -> None:
        command = [sys.executable, "-m", "card_agent.card.watcher", str(self._module)]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:  # noqa: S603
            self._process = process
            if self._stopping.is_set():
                process.terminate()
            assert process.stdout is not None
            for line in process.stdout:
                try:
                    self._set(decode(Heartbeat, line).cards)
                    backoff.reset()
                except Malformed:
                    log.warning("the watcher of the readers says something unreadable")

    def _set(self, cards: tuple[CardSeen, ...]) -> None:
        if cards != self.cards:
            self.cards = cards
            self._changed()
