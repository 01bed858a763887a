"""What the log costs: the pages' commands with it and without it, how soon an entry is signed, how fast all is verified.

The transactions are flows, from their start to their end (`flows.py`): tasks, history and, with the log, an entry for each
command, encrypted, indexed and sequenced. The audit worker and the scheduler are the product's own processes and run all the time.
Without the log: the gate's two calls into it are left out, and nothing else. Rounds of the two are taken in turn.
"""

import contextlib
import multiprocessing
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app import command as gate
from app.audit import verify
from app.audit.header import unpack
from app.audit.models import LogCheckpoint, LogEntry, LogLeaf, LogPending
from app.bench import flows, stage
from app.bench.chains import Chain
from app.bench.measure import Measure
from app.crypto.keys import keyring
from app.db import db
from app.settings import Settings

CHAIN = Chain(4)
WRITERS = {1: 0.7, 8: 0.8, 32: 0.7}
"""How many write at once, and how much of their throughput must stay."""
PROCESSES = 4
ROUNDS, SECONDS = 4, 2.0
SIGNED_WITHIN_S = 1.0
VERIFY_GOAL = {"postgresql": 0.2, "sqlite": 0.4}
"""Of the rate of hashing and decrypting the same bytes, one core each."""
LOOKS = 20
YINXU = Path(sys.executable).with_name("yinxu")


def _nothing(*_given: object, **_named: object) -> None:
    """What the gate calls instead of the log."""


_WITHOUT = SimpleNamespace(append=_nothing, append_refusal=_nothing, nudge=_nothing)


def measures(db: str | None = None) -> Iterator[Measure]:
    """`db`: a database whose owner may make a schema in it; SQLite in a temporary folder when None."""
    kind = "postgresql" if db and not db.startswith("sqlite") else "sqlite"
    with stage.staged(db) as settings, _sequenced(settings):
        flows.load()
        for writers, goal in WRITERS.items():
            ours, base = _writers(writers)
            yield Measure(
                name=f"audit.{kind}.writers_{writers}", ours=ours, unit="flows/s", baseline=base,
                ratio=ours / base, goal=goal,
            )  # fmt: skip
        yield _signed(kind)
        yield _verified(kind)


@contextlib.contextmanager
def _sequenced(settings: Settings) -> Generator[None]:
    """The audit worker and the scheduler, as in an installation."""
    with (settings.var_dir / "workers.log").open("wb") as log:
        commands = (["worker", "audit"], ["scheduler"])
        running = [subprocess.Popen([YINXU, *words], stdout=log, stderr=log) for words in commands]  # noqa: S603
        try:
            yield
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(timeout=30)


# --- with and without ---


def _writers(count: int) -> tuple[float, float]:
    """Flows a second of so many writers, with the log and without it: medians of rounds."""
    context = multiprocessing.get_context("spawn")
    processes = min(count, PROCESSES)
    start, told = context.Barrier(processes), context.Queue()
    children = [
        context.Process(target=_write, args=(count // processes, start, told)) for _ in range(processes)
    ]
    for child in children:
        child.start()
    rounds = [told.get(timeout=600) for _ in children]
    for child in children:
        child.join()
    sums = [[sum(child[mode][n] for child in rounds) for n in range(ROUNDS)] for mode in (0, 1)]
    return statistics.median(sums[0]), statistics.median(sums[1])


def _write(threads: int, start: Any, told: Any) -> None:
    """One process of writers: rates with the log, rates without it."""
    server, log = stage.server(), gate.audit_log
    rates: tuple[list[float], list[float]] = ([], [])
    with server.app_context():
        flows.finish(CHAIN)
    for turn in range(2 * ROUNDS):
        gate.audit_log = log if turn % 2 == 0 else _WITHOUT  # type: ignore[assignment]
        start.wait(120)
        rates[turn % 2].append(_round(server, threads))
    told.put(rates)


def _round(server: Any, threads: int) -> float:
    """Flows a second of this process in one round."""
    done = [0] * threads
    end = time.perf_counter() + SECONDS

    def write(number: int) -> None:
        with server.app_context():
            while time.perf_counter() < end:
                flows.finish(CHAIN)
                done[number] += 1

    began = time.perf_counter()
    running = [threading.Thread(target=write, args=(n,)) for n in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return sum(done) / (time.perf_counter() - began)


# --- how soon under a signed checkpoint ---


def _signed(kind: str) -> Measure:
    """The longest of several waits, while one writer goes on: from a commit to a checkpoint over its entry."""
    stop = threading.Event()
    server = stage.server()

    def go_on() -> None:
        with server.app_context():
            while not stop.is_set():
                flows.finish(CHAIN)

    writer = threading.Thread(target=go_on)
    writer.start()
    try:
        with server.app_context():
            waits = [_wait_for_checkpoint() for _ in range(LOOKS)]
    finally:
        stop.set()
        writer.join()
    longest = max(waits)
    return Measure(
        name=f"audit.{kind}.signed_after", ours=longest, unit="s at most", baseline=SIGNED_WITHIN_S,
        ratio=SIGNED_WITHIN_S / longest, goal=1.0,
    )  # fmt: skip


def _wait_for_checkpoint() -> float:
    flows.finish(CHAIN)
    began = time.perf_counter()
    with db.engine.connect() as look:
        newest = look.scalar(sa.select(sa.func.max(LogEntry.id)))
        look.rollback()
        signed = (
            sa.select(LogLeaf.seq)
            .where(LogLeaf.entry_id == newest, LogLeaf.seq < sa.select(sa.func.max(LogCheckpoint.size)).scalar_subquery())
        )  # fmt: skip
        while look.scalar(signed) is None:
            look.rollback()
            time.sleep(0.005)
            if time.perf_counter() - began > 30:
                raise RuntimeError("no checkpoint for half a minute: does the audit worker run?")
    return time.perf_counter() - began


# --- verifying ---


def _verified(kind: str) -> Measure:
    """Entries a second of `yinxu audit verify`, beside SHA-256 and AES-GCM of the same bytes."""
    with stage.server().app_context():
        _settle()
        began = time.perf_counter()
        report = verify.walk()
        ours = report.entries / (time.perf_counter() - began)
        if not report.intact:
            raise RuntimeError(f"the log is not whole: {report.as_json()['breaks'][:3]}")
        base = report.entries / _bare()
    return Measure(
        name=f"audit.{kind}.verify", ours=ours, unit="entries/s", baseline=base, ratio=ours / base,
        goal=VERIFY_GOAL[kind],
    )  # fmt: skip


def _settle() -> None:
    """Until every entry has its place."""
    with db.engine.connect() as look:
        while look.scalar(sa.select(sa.func.count()).select_from(LogPending)):
            look.rollback()
            time.sleep(0.1)


def _bare() -> float:
    """Seconds for hashing and decrypting every entry, once all lie in memory and their keys are open."""
    rows = db.session.execute(sa.select(LogEntry.header, LogEntry.nonce, LogEntry.ciphertext)).all()
    ring = keyring()
    keys = {key_id: AESGCM(ring.data_key_by_id(key_id)) for key_id in {unpack(r.header).key_id for r in rows}}
    ready = [(keys[unpack(r.header).key_id], r.header, r.nonce, r.ciphertext) for r in rows]
    began = time.perf_counter()
    for key, header, nonce, ciphertext in ready:
        sha256(b"\x00" + header + nonce + ciphertext).digest()
        key.decrypt(nonce, ciphertext, header)
    return time.perf_counter() - began
