"""`enqueue()` after commit: the only door to RQ. Redis carries nudges; the database holds the truth.

A job may be lost or run twice; each is written so that neither matters (docs/decisions/0004).
"""

import contextlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal

import redis
import structlog
from rq import Queue
from rq.serializers import JSONSerializer

from app.db import db
from app.settings import current_settings

QueueName = Literal["audit", "reports", "mail", "flows"]
QUEUES: tuple[QueueName, ...] = ("audit", "reports", "mail", "flows")

log = structlog.get_logger()


@lru_cache(maxsize=8)
def _connection(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=None)


def connection() -> "redis.Redis":
    return _connection(current_settings().redis_url)


def enqueue(queue: QueueName, function: str, *args: Any, job_id: str | None = None) -> None:
    """Ask a worker to run `function` (dotted path) with JSON arguments, once the transaction has committed.

    Outside a command it is sent at once. A silent Redis is logged, never raised: the scheduler's sweep each
    second finds the work in the database.
    """
    pending: list[Callable[[], None]] | None = db.session.info.get("after_commit")
    send = lambda: _send(queue, function, args, job_id)  # noqa: E731
    if pending is None:
        send()
    else:
        pending.append(send)


def _send(queue: QueueName, function: str, args: tuple[Any, ...], job_id: str | None) -> None:
    settings = current_settings()
    try:
        Queue(queue, connection=connection(), serializer=JSONSerializer).enqueue(
            function,
            args=args,
            job_id=job_id,
            job_timeout=settings.job_timeout_s,
            result_ttl=60,
            failure_ttl=86_400,
        )
    except redis.RedisError as error:
        log.warning("nudge.lost", queue=queue, function=function, error=type(error).__name__)


@contextlib.contextmanager
def collecting() -> Any:
    """Hold back everything enqueued until the block has ended well; then send it. Used by the gate."""
    pending: list[Callable[[], None]] = []
    db.session.info["after_commit"] = pending
    try:
        yield
    finally:
        db.session.info.pop("after_commit", None)
    for send in pending:
        send()
