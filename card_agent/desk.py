"""The desk: the jobs of this station, the one being done, and what came of the last ones.

Cards are touched by one thread only, one job at a time; pages and loops ask the desk, never a card.
"""

import logging
import secrets
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from card_agent.fault import (
    Busy,
    Fault,
    JobGone,
    NotAccepted,
    ServerRefused,
    ServerSilent,
    Unexpected,
    UnknownKind,
)
from card_agent.logging_in import log_in, login_steps
from card_agent.making import make_seal, making_steps
from card_agent.outbox import Outbox
from card_agent.pin import Pin
from card_agent.protocol.codec import to_json
from card_agent.protocol.jobs import Job
from card_agent.protocol.names import LOG_IN, MAKE_SEAL, MOVED_ON, SIGN_DOCUMENT, UNLOCK_PIN
from card_agent.protocol.outcomes import Accepted, Failed, Incident, outcome_from_json
from card_agent.ritual import Batch, Bench, Progress, Server, Step, job_path
from card_agent.signing import sign_document, signing_steps
from card_agent.unlocking import unlock_pin, unlocking_steps

log = logging.getLogger(__name__)

HISTORY = 10
AGAIN = 30
"""So often a document that others seal at the same time is signed anew, before the person is asked again."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """A job that ended here. `status`: made, signed, unlocked, proved or failed; `reported`: whether the server has
    answered."""

    job_id: int
    kind: str
    title_zh: str
    title_en: str
    status: str
    at: str
    reported: bool


class Desk:
    """`bench`: what rituals work with. Its `server` is used by the card thread only."""

    def __init__(self, bench: Bench, outbox: Outbox) -> None:
        self.jobs: tuple[Job, ...] = ()
        self.progress: Progress | None = None
        self.past: list[Past] = []
        self._bench = bench
        self._outbox = outbox
        self._lock = threading.Lock()
        self._reporting = threading.Lock()
        self._running: Future[None] | None = None
        self._card_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="card")
        self._remember()

    # --- what people do ---

    def run(
        self,
        job_id: int,
        *,
        maker_pin: Pin | None = None,
        card_pin: Pin | None = None,
        so_pin: Pin | None = None,
        new_pin: Pin | None = None,
        also: Sequence[int] = (),
    ) -> Progress:
        """Begin a job; returns at once. `also`: further documents for the same card, signed after it with the same consent.
        Refuses Busy, JobGone, UnknownKind."""
        with self._lock:
            self._check_free()
            job = self._job(job_id)
            more = [self._job(number) for number in also if number != job_id]
            if more and any(
                (j.kind, j.card_serial) != (SIGN_DOCUMENT, job.card_serial) for j in (job, *more)
            ):
                raise UnknownKind(job.kind)
            batch = Batch(1 + len(more)) if more else None
            self.progress = progress = Progress(job=job, steps=_steps(job.kind), batch=batch)
            given = {"maker": maker_pin, "card": card_pin, "so": so_pin, "new": new_pin}
            pins = {name: pin or Pin("") for name, pin in given.items()}
            self._running = self._card_thread.submit(self._do_all, progress, more, pins)
            return progress

    def give_back(self, job_id: int, zh: str, en: str) -> None:
        """The person gives the job up; the server returns it to whoever ordered it. Refuses Busy, JobGone,
        and what the server refuses. A job whose seal is on the card already is reported as made instead."""
        with self._lock:
            self._check_free()
            job = self._job(job_id)
            record = self._bench.journal.read(job_id)
            if "outcome" not in record.steps:
                failed = Failed(
                    order_id=record.order_id("begun"),
                    code="station.given_back",
                    zh=zh,
                    en=en,
                    # once it was authorised, something may have been written
                    card_changed="authorised" in record.steps,
                    host=self._bench.host,
                    mac=self._bench.mac,
                )
                self._start_record(job)
                self._bench.journal.note(job_id, "outcome", order_id=failed.order_id, body=to_json(failed))
            self._running = self._card_thread.submit(self._report_quietly, job_id)

    def wait(self, seconds: float) -> None:
        """Until the card thread is idle, or so long."""
        if self._running is not None:
            try:
                self._running.result(timeout=seconds)
            except TimeoutError:
                return

    @property
    def busy(self) -> bool:
        return self._running is not None and not self._running.done()

    # --- what loops do ---

    def replay(self, server: Server) -> None:
        """Send what the server has not answered yet: outcomes, then incidents. Raises ServerSilent."""
        for record in self._bench.journal.all():
            if record.unreported is not None and not (self.busy and self._current_id() == record.job_id):
                self._report(record.job_id, server)
                self._remember()
        self._outbox.send(server)

    def stop(self, grace_s: float) -> None:
        """No new job; the one being done has so long to come to its end, else the journal takes it up next
        time."""
        self._card_thread.shutdown(wait=False, cancel_futures=True)
        self.wait(grace_s)

    # --- the card thread ---

    def _do_all(self, progress: Progress, more: list[Job], pins: dict[str, Pin]) -> None:
        """One job, or a batch: what the server refuses is left out, what stands in the way of the card ends it."""
        batch = progress.batch
        self._do(progress.job, progress, pins)
        for job in more:
            assert batch is not None
            self._count(batch, progress)
            if progress.fault is not None and not isinstance(progress.fault, ServerRefused):
                return
            self.progress = progress = Progress(job=job, steps=_steps(job.kind), batch=batch)
            self._do(job, progress, pins)
        if batch is not None:
            self._count(batch, progress)

    @staticmethod
    def _count(batch: Batch, progress: Progress) -> None:
        batch.done += progress.state == "done"
        batch.failed += progress.state == "failed"

    def _do(self, job: Job, progress: Progress, pins: dict[str, Pin]) -> None:
        try:
            self._start_record(job)
            if self._bench.journal.read(job.job_id).unreported is not None:
                self._report_or_leave(job.job_id, progress)
            elif job.kind == SIGN_DOCUMENT:
                self._sign(job, progress, pins["card"])
            else:
                if job.kind == MAKE_SEAL:
                    make_seal(job, self._bench, progress, maker_pin=pins["maker"], card_pin=pins["card"])
                elif job.kind == LOG_IN:
                    log_in(job, self._bench, progress, card_pin=pins["card"])
                else:
                    unlock_pin(job, self._bench, progress, so_pin=pins["so"], new_pin=pins["new"])
                self._report_or_leave(job.job_id, progress)
            progress.state = "done"
        except Fault as fault:
            self._failed(job, progress, fault)
        except Exception as error:
            log.exception("job %s", job.job_id)
            self._failed(job, progress, Unexpected(type(error).__name__))
        finally:
            self._remember()

    def _sign(self, job: Job, progress: Progress, card_pin: Pin) -> None:
        """Where others seal the same document at the same time, theirs may come first: the newest is signed then, with the
        consent that was given for the document. In the end it is told as any other refusal."""
        for left in reversed(range(AGAIN)):
            sign_document(job, self._bench, progress, card_pin=card_pin)
            try:
                return self._report_or_leave(job.job_id, progress)
            except ServerRefused as refusal:
                if refusal.code != MOVED_ON or not left:
                    raise

    def _report_or_leave(self, job_id: int, progress: Progress) -> None:
        """The outcome is on our disk: a silent server gets it later, by `replay`."""
        try:
            state = self._report(job_id, self._bench.server)
            progress.reported = True
            if state == "failed":
                raise NotAccepted
        except ServerSilent:
            log.warning("job %s is done; its outcome waits for the server", job_id)

    def _report_quietly(self, job_id: int) -> None:
        try:
            self._report(job_id, self._bench.server)
        except Fault as fault:
            log.warning("job %s: %s", job_id, fault)
        self._remember()

    def _report(self, job_id: int, server: Server) -> str:
        """The job's state after it, by the server's word; empty when there was nothing to report."""
        with self._reporting:
            body = self._bench.journal.read(job_id).unreported
            if body is None:
                return ""
            try:
                answer = server.post(job_path(job_id, "outcome"), outcome_from_json(body), Accepted)
            except ServerRefused as refusal:
                # heard and refused: sending it again would change nothing
                self._bench.journal.note(job_id, "reported", state="refused", code=refusal.code)
                raise
            self._bench.journal.note(job_id, "reported", state=answer.state)
        self.jobs = tuple(j for j in self.jobs if j.job_id != job_id)
        return answer.state

    def _failed(self, job: Job, progress: Progress, fault: Fault) -> None:
        progress.fault = fault
        progress.state = "failed"
        log.warning("job %s failed at %s: %s", job.job_id, fault.step or "-", fault)
        if not fault.reported:
            return
        self._outbox.put(
            job.job_id,
            Incident(
                code=fault.code,
                step=fault.step,
                zh=fault.zh,
                en=fault.en,
                card_serial=fault.card_serial,
                card_changed=fault.card_changed,
                at=datetime.now(UTC),
                nonce=secrets.token_hex(16),
                host=self._bench.host,
                mac=self._bench.mac,
            ),
        )
        try:
            self._outbox.send(self._bench.server)
        except ServerSilent:
            log.warning("an incident of job %s waits for the server", job.job_id)

    # --- small ones ---

    def _check_free(self) -> None:
        if self.busy:
            raise Busy

    def _current_id(self) -> int | None:
        return self.progress.job.job_id if self.progress else None

    def _job(self, job_id: int) -> Job:
        job = next((j for j in self.jobs if j.job_id == job_id), None)
        if job is None:
            raise JobGone
        return job

    def _start_record(self, job: Job) -> None:
        title = job.summary.title
        self._bench.journal.note(job.job_id, "started", kind=job.kind, zh=title.zh, en=title.en)

    def _remember(self) -> None:
        """The last productions, newest first, from the journal; those long reported are forgotten there."""
        self._bench.journal.prune()
        ended = [r for r in self._bench.journal.all() if "outcome" in r.steps and "started" in r.steps]
        ended.sort(key=lambda r: r.steps["outcome"]["at"], reverse=True)
        self.past = [
            Past(
                job_id=r.job_id,
                kind=r.steps["started"]["kind"],
                title_zh=r.steps["started"]["zh"],
                title_en=r.steps["started"]["en"],
                status=r.steps["outcome"]["body"]["status"],
                at=r.steps["outcome"]["at"],
                reported="reported" in r.steps,
            )
            for r in ended[:HISTORY]
        ]


def _steps(kind: str) -> list[Step]:
    if kind == MAKE_SEAL:
        return making_steps()
    if kind == SIGN_DOCUMENT:
        return signing_steps()
    if kind == UNLOCK_PIN:
        return unlocking_steps()
    if kind == LOG_IN:
        return login_steps()
    raise UnknownKind(kind)
