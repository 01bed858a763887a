"""Processes that work without a page: one worker a queue, and the scheduler that nudges them each second.

A worker serves **one** queue only: on two, RQ loses a job whose worker is killed right after taking it
(docs/decisions/0004-redis-is-a-nudge.md). Jobs run in the worker's own process, one after the other, so that
its PKCS#11 session is never inherited across a fork.
"""

import signal
import threading
from types import FrameType
from typing import Any, cast

import redis
import sqlalchemy as sa
import structlog
from flask import Flask
from rq import Queue, SimpleWorker
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy.exc import SQLAlchemyError

from app import jobs
from app.db import db
from app.jobs import QueueName

log = structlog.get_logger()

SWEEPS: tuple[tuple[QueueName, str], ...] = (
    ("audit", "app.audit.jobs.sequence"),
    ("audit", "app.web.held_back.tell"),
    ("flows", "app.flows.jobs.sweep"),
    ("flows", "app.seals.jobs.renew"),
    ("reports", "reports.jobs.sweep"),
    ("mail", "app.notices.jobs.sweep"),
    ("mail", "app.cards.jobs.refresh_trust"),
)
"""What is due each second whether or not a nudge came: lost nudges cost a second, never the work."""


class ContextWorker(SimpleWorker):
    """Runs each job inside the app's context, with a database session of its own."""

    flask_app: Flask

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        with self.flask_app.app_context():
            try:
                return super().perform_job(job, queue, execution)
            finally:
                db.session.remove()


def work(app: Flask, queue: QueueName) -> None:
    """Work the queue until SIGTERM or SIGINT; a job begun is finished first."""
    with app.app_context():
        worker = ContextWorker(
            [Queue(queue, connection=jobs.connection(), serializer=JSONSerializer)],
            connection=jobs.connection(),
            serializer=JSONSerializer,
            maintenance_interval=60,
            log_job_description=False,
        )
    worker.flask_app = app
    worker.work(logging_level="WARNING")


def answers(app: Flask) -> list[str]:
    """What does not answer of all that a worker needs; empty when all is well."""
    faults: list[str] = []
    with app.app_context():
        try:
            jobs.connection().ping()
        except redis.RedisError as error:
            faults.append(f"Redis does not answer: {error}")
        try:
            db.session.execute(sa.text("SELECT 1"))
        except SQLAlchemyError as error:
            faults.append(f"the database does not answer: {error}")
    return faults


def schedule(app: Flask) -> None:
    """Nudge each sweep once a second, unless its queue still holds a nudge."""
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    while not stop.wait(1.0):
        with app.app_context():
            nudge_sweeps()


def nudge_sweeps() -> None:
    """Enqueue every sweep whose queue is empty. A silent Redis is logged; the next second tries again."""
    try:
        idle = {queue for queue, _ in SWEEPS if _waiting(queue) == 0}
    except redis.RedisError as error:
        log.warning("scheduler.redis_silent", error=type(error).__name__)
        return
    for queue, function in SWEEPS:
        if queue in idle:
            jobs.enqueue(queue, function)


def _waiting(queue: QueueName) -> int:
    return cast(Any, Queue(queue, connection=jobs.connection(), serializer=JSONSerializer)).count
