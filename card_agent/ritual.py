"""What the rituals at a station share: their steps as people see them, and what they are given to work
with."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from card_agent.card.interface import PressPoint, Reader, nothing
from card_agent.fault import Fault
from card_agent.journal import Journal
from card_agent.protocol.jobs import Job
from card_agent.protocol.statements import CardSignature, hex_digest
from card_agent.trust import Trust

A = TypeVar("A")


class Server(Protocol):
    """The server as rituals need it; `link.py` implements it. Raises ServerRefused or ServerSilent."""

    def post(self, path: str, message: object, answer: type[A]) -> A: ...


@dataclass
class Step:
    """`state`: waiting, running, done or failed. `ms`: how long it took, waiting for the server included."""

    name: str
    zh: str
    en: str
    state: str = "waiting"
    ms: float = 0.0


@dataclass
class Batch:
    """Documents that are signed one after the other with one consent: how many, and how they ended so far."""

    total: int
    done: int = 0
    failed: int = 0


@dataclass
class Progress:
    """What the page shows of a ritual; written by the card thread, read by others. `state`: running, done or
    failed; `reported`: whether the server has answered the outcome. `picture`: the impression, PNG, once it
    is known."""

    job: Job
    steps: list[Step]
    state: str = "running"
    fault: Fault | None = None
    reported: bool = False
    picture: bytes | None = field(default=None, repr=False)
    batch: Batch | None = None

    @contextmanager
    def step(self, name: str) -> Generator[None]:
        """Surrounds one step; a fault on the way learns the step's name."""
        step = next(s for s in self.steps if s.name == name)
        step.state, start = "running", time.perf_counter()
        try:
            yield
        except Fault as fault:
            step.state, fault.step = "failed", name
            raise
        except BaseException:
            step.state = "failed"
            raise
        else:
            step.state = "done"
        finally:
            step.ms += (time.perf_counter() - start) * 1000


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Everything a ritual works with. `press` is called at named points (tests pull cards there)."""

    reader: Reader
    server: Server
    journal: Journal
    trust: Trust
    station_id: int
    host: str
    mac: str
    press: PressPoint = nothing


def job_path(job_id: int, act: str) -> str:
    return f"/agent/v1/jobs/{job_id}/{act}"


def cert_sha256(certificate: bytes) -> str:
    return hex_digest(certificate)


def as_json(signature: CardSignature) -> dict[str, str]:
    return {"alg": signature.alg, "value": signature.value.hex()}


def from_journal(entry: dict[str, str]) -> CardSignature:
    return CardSignature(alg=entry["alg"], value=bytes.fromhex(entry["value"]))
