"""The station's program under a drill: the same agent on the same cards, with one fault that strikes at a named point.

    python -m card_agent.drilled run      serve; YINXU_DRILL_FAULT says the fault, YINXU_DRILL_TRACE where points are noted,
                                          YINXU_DRILL_SESSIONS where the sessions left open after each ritual are
    python -m card_agent.drilled look     what a card holds, as JSON, for each line "serial PIN" of standard input
    python -m card_agent.drilled copy     all of ours on one card onto another of the same PIN, as a thief would

The agent that is installed as a service never imports this module.
"""

import argparse
import ctypes
import json
import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from card_agent import enrolment, settings
from card_agent.agent import Agent
from card_agent.card.interface import OpenCard, Reader
from card_agent.card.pin_counter import PinCounter
from card_agent.card.seal_card import SealCard
from card_agent.card.session import Pkcs11Reader
from card_agent.fault import CannotStart, ServerSilent
from card_agent.journal import Journal
from card_agent.pin import Pin
from card_agent.protocol.codec import encode, from_json, parse_canonical
from card_agent.protocol.jobs import Authorised
from card_agent.protocol.statements import CardSignature
from card_agent.ritual import Bench, Server
from card_agent.trust import Trust

A = TypeVar("A")
FAULT, TRACE, SESSIONS = "YINXU_DRILL_FAULT", "YINXU_DRILL_TRACE", "YINXU_DRILL_SESSIONS"


@dataclass
class Strike:
    """`at`: the point. `act`: `kill` this process, `pull` a card (rename `source` to `target`), `wait` for the
    file `target`, or at points of the line
    to the server: `cut` it, `keep` the answer in the file `target`, `replay` the one kept in `source`, `forge` what the
    server signed. Once, the first time that the point is reached; the n-th time a point of
    one name is reached it is called `name #n`."""

    at: str = ""
    act: str = ""
    source: str = ""
    target: str = ""
    trace: Path | None = None
    seen: Counter[str] = field(default_factory=Counter[str])
    on_the_line: str = field(default="", init=False)
    """What is to be done with the answer that has just come."""

    def press(self, reached: str) -> None:
        name = re.sub(r"ESEAL\.M[0-9]+", "manifest", re.sub(r"ESEAL\.[AB]", "envelope", reached))
        self.seen[name] += 1
        name = f"{name} #{self.seen[name]}" if self.seen[name] > 1 else name
        if self.trace is not None:
            with self.trace.open("a") as file:
                file.write(name + "\n")
        if name != self.at:
            return
        self.at = ""
        if self.act == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.act == "pull":
            Path(self.source).rename(self.target)
        elif self.act == "wait":
            while not Path(self.target).exists():
                time.sleep(0.02)
        elif self.act == "cut":
            raise ServerSilent("drill")
        else:
            self.on_the_line = self.act

    def answered(self, answer: A, kind: type[A]) -> A:
        """The answer as the station gets it, with somebody on the line."""
        act, self.on_the_line = self.on_the_line, ""
        if act == "keep":
            Path(self.target).write_bytes(encode(answer))
        elif act == "replay":
            return from_json(kind, parse_canonical(Path(self.source).read_bytes()))
        elif act == "forge":
            if not isinstance(answer, Authorised):
                raise TypeError("only leave to write is forged")
            statement = {**answer.token.statement, "seq": answer.token.statement["seq"] + 1}
            return replace(answer, token=replace(answer.token, statement=statement))
        return answer


@dataclass(frozen=True)
class StruckServer:
    """The line to the server; a cut after the answer has come loses the answer."""

    server: Server
    strike: Strike

    def post(self, path: str, message: object, answer: type[A]) -> A:
        act = path.rsplit("/", 1)[-1]
        self.strike.press(f"before {act}")
        result = self.server.post(path, message, answer)
        self.strike.press(f"answered {act}")
        return self.strike.answered(result, answer)


class StruckJournal(Journal):
    def __init__(self, folder: Path, press: Callable[[str], None]) -> None:
        super().__init__(folder)
        self._press = press

    def note(self, job_id: int, step: str, **values: Any) -> None:
        self._press(f"before the note {step}")
        super().note(job_id, step, **values)
        self._press(f"noted {step}")


@dataclass(frozen=True)
class StruckReader:
    reader: Reader
    press: Callable[[str], None]
    count: Callable[[], None] = lambda: None

    @contextmanager
    def session(self) -> Generator[None]:
        try:
            with self.reader.session():
                yield
        finally:
            self.count()

    def cards(self) -> Any:
        return self.reader.cards()

    def open(self, serial: str, pin: Pin) -> "StruckCard":
        self.press("before open")
        card = self.reader.open(serial, pin)
        self.press("opened")
        return StruckCard(card, self.press)

    def renew_pin(self, serial: str, so_pin: Pin, new_pin: Pin) -> None:
        self.press("before renew_pin")
        self.reader.renew_pin(serial, so_pin, new_pin)


@dataclass(frozen=True)
class StruckCard:
    card: OpenCard
    press: Callable[[str], None]

    @property
    def serial(self) -> str:
        return self.card.serial

    @property
    def certificate(self) -> bytes:
        return self.card.certificate

    @property
    def alg(self) -> str:
        return self.card.alg

    def sign(self, data: bytes) -> CardSignature:
        self.press("before sign")
        return self.card.sign(data)

    def labels(self) -> list[str]:
        return self.card.labels()

    def read(self, label: str) -> bytes | None:
        return self.card.read(label)

    def write(self, label: str, value: bytes) -> None:
        self.card.write(label, value)

    def delete(self, label: str) -> None:
        self.press(f"before delete {label}")
        self.card.delete(label)
        self.press(f"deleted {label}")


HANDLES = 4_000
"""More than one ritual's sessions and objects together; SoftHSM numbers them from 1 since it was initialised."""


def open_sessions(module: Path) -> int:
    """How many sessions this process has open: each number is asked for (C_GetSessionInfo), because SoftHSM says of
    their count that it does not know. Only in the thread that uses the library."""
    library, info = ctypes.CDLL(str(module)), ctypes.create_string_buffer(64)
    return sum(library.C_GetSessionInfo(ctypes.c_ulong(n), info) == 0 for n in range(1, HANDLES))


def around(bench: Bench, journal: Path, strike: Strike, count: Callable[[], None] = lambda: None) -> Bench:
    """The bench with the strike's points between its hands and the world."""
    return replace(
        bench,
        reader=StruckReader(bench.reader, strike.press, count),
        server=StruckServer(bench.server, strike),
        journal=StruckJournal(journal, strike.press),
        press=strike.press,
    )


def run(options: argparse.Namespace) -> int:
    given = settings.read(options)
    trace = os.environ.get(TRACE)
    strike = Strike(**json.loads(os.environ.get(FAULT, "{}")), trace=Path(trace) if trace else None)
    told = os.environ.get(SESSIONS)

    def count() -> None:
        if told:
            with Path(told).open("a") as file:
                file.write(f"{open_sessions(given.module)}\n")

    agent = Agent(given, lambda bench: around(bench, given.state_dir / "journal", strike, count))
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stopped.set())
    print(f"card agent under a drill: {agent.address}", flush=True)
    agent.run_until(stopped)
    return 0


def look(options: argparse.Namespace) -> int:
    """Labels of the card's objects, and the seal that counts: number, id, digest of its envelope. A line for a line,
    each time as if it had just been started."""
    given = settings.read(options)
    station, _ = enrolment.load(given.state_dir)
    reader = Pkcs11Reader(given.module, PinCounter(given.state_dir / "pins-of-looking.json"))
    for line in sys.stdin:
        serial, pin = line.split()
        with reader.session():
            card = reader.open(serial, Pin(pin))
            found = SealCard(card, Trust(station.roots)).current()
            seal = None if found is None else {
                "seq": found.token.seq, "es_id": found.token.es_id, "job_id": found.token.job_id,
                "envelope_sha256": found.envelope_sha256, "labels": [found.slot, found.manifest_label],
            }  # fmt: skip
            print(json.dumps({"labels": card.labels(), "seal": seal}), flush=True)
    return 0


def copy(options: argparse.Namespace) -> int:
    given = settings.read(options)
    pin = sys.stdin.readline().strip()
    reader = Pkcs11Reader(given.module, PinCounter(given.state_dir / "pins-of-looking.json"))
    with reader.session():
        source, target = reader.open(options.serial, Pin(pin)), reader.open(options.onto, Pin(pin))
        for label in source.labels():
            target.write(label, source.read(label) or b"")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="card_agent.drilled", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("run", "look", "copy"):
        command = commands.add_parser(name)
        settings.add_arguments(command)
        if name == "copy":
            command.add_argument("serial")
            command.add_argument("onto")
    options = parser.parse_args()
    os.umask(0o077)
    try:
        return {"run": run, "look": look, "copy": copy}[options.command](options)
    except (CannotStart, OSError) as error:
        print(f"card_agent.drilled: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
