"""One station of `cards.py`, as a process of its own: it makes seals with the card agent's own ritual.

    python -m app.bench.one_station < {"state": …, "module": …, "jobs": …}

Prints "ready", waits for a line, then makes one seal after the other, changing the seal card as a person would, and prints what
each took and how much of that was waiting for the server; in between, the bare operations on the very same cards.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from app.bench.bare_cards import BareCards
from app.demo.cards import SimulatedStation
from card_agent import enrolment, machine
from card_agent.card.pin_counter import PinCounter
from card_agent.card.session import Pkcs11Reader
from card_agent.journal import Journal
from card_agent.link import Link
from card_agent.making import make_seal, making_steps
from card_agent.pin import Pin
from card_agent.protocol.codec import encode, to_json
from card_agent.protocol.jobs import Authorised, Jobs, MakeBegun, Work
from card_agent.protocol.outcomes import Accepted
from card_agent.ritual import Bench, Progress, job_path
from card_agent.trust import Trust

A = TypeVar("A")


@dataclass
class Watched:
    """The link to the server, and how long it was waited for. `sizes`: of what went through, for the bare operations."""

    link: Link
    waited_s: float = 0.0
    seal_info: bytes = b""
    envelope: bytes = b""
    manifest: bytes = b""

    def post(self, path: str, message: object, answer: type[A]) -> A:
        began = time.perf_counter()
        try:
            found = self.link.post(path, message, answer)
        finally:
            self.waited_s += time.perf_counter() - began
        if isinstance(found, MakeBegun):
            self.seal_info = found.seal_info
        if isinstance(found, Authorised):
            self.envelope, self.manifest = found.envelope, encode(found.token)
        return found


class Station:
    """`asked`: state, module, drawer, tokens; maker and cards as (folder, serial); pins."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.asked = asked
        state = Path(asked["state"])
        station, key = enrolment.load(state)
        self.watched = Watched(Link(station.server, key, str(station.station_id)))
        self.bench = Bench(
            reader=Pkcs11Reader(Path(asked["module"]), PinCounter(state / "pins.json")),
            server=self.watched,
            journal=Journal(state / "journal"),
            trust=Trust(station.roots),
            station_id=station.station_id,
            host=machine.host(),
            mac=machine.mac(),
        )
        self.readers = SimulatedStation(Path(asked["drawer"]), Path(asked["tokens"]))
        self.readers.insert(asked["maker"]["token"])
        self.jobs = self.watched.post("/agent/v1/work", Work(wait_s=0, known=()), Jobs).jobs

    def make(self, card: dict[str, str]) -> dict[str, float]:
        """Insert the card, make its seal as the station's card thread does, report it."""
        job = next(j for j in self.jobs if j.card_serial == card["serial"])
        self.readers.insert(card["token"])
        self.watched.waited_s = 0.0
        began, busy = time.perf_counter(), time.process_time()
        steps = making_steps()
        made = make_seal(
            job, self.bench, Progress(job, steps),
            maker_pin=Pin(self.asked["maker"]["pin"]), card_pin=Pin(card["pin"]),
        )  # fmt: skip
        self.watched.post(job_path(job.job_id, "outcome"), made, Accepted)
        self.bench.journal.note(job.job_id, "reported", state="done", body=to_json(made)["status"])
        took, busy = time.perf_counter() - began, time.process_time() - busy
        return {"took_s": took, "server_s": self.watched.waited_s, "cpu_s": busy}

    def bare(self, card: dict[str, str]) -> dict[str, float]:
        maker = self.asked["maker"]
        cards = BareCards(
            Path(self.asked["module"]), ((maker["serial"], maker["pin"]), (card["serial"], card["pin"]))
        )
        seen, busy = self.watched, time.process_time()
        took = cards.once(envelope=seen.envelope, manifest=seen.manifest, seal_info=seen.seal_info)
        return {"took_s": took, "cpu_s": time.process_time() - busy}


def main() -> None:
    asked = json.loads(sys.stdin.readline())
    station = Station(asked)
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.time()
    made: list[dict[str, float]] = []
    bare: list[dict[str, float]] = []
    for card in asked["cards"]:
        made.append(station.make(card))
        if asked["bare"]:
            bare.append(station.bare(card))
        station.readers.pull(card["token"])
    print(json.dumps({"began": began, "ended": time.time(), "made": made, "bare": bare}), flush=True)


if __name__ == "__main__":
    main()
