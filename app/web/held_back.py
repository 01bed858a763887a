"""Refusals that a flood kept out of the log: counted in Redis by the minute, each count told in one entry."""

from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any, cast

import redis

from app import clock, jobs
from app import command as gate
from app.actor import Actor, Origin
from app.refusal import TooMany
from app.web import limits


def count(code: str) -> bool:
    """Count one more of this refusal for the address that asks. False while Redis is silent: record it, then."""
    field = f"{_minute()} {code} {limits.address()}"
    try:
        jobs.connection().hincrby(_key(), field, 1)
    except redis.RedisError:
        return False
    return True


def tell(*, at: datetime | None = None) -> None:
    """One entry for each code, address and minute that was over by `at` (now). A job: lost, the next second's does it."""
    present = _minute(at)
    for field, number in _counted().items():
        minute, code, address = field.split(" ")
        if int(minute) + 1 >= present:  # somebody may still be counting
            continue
        refusal = TooMany(
            "web.held_back",
            zh=f"同一地址在一分钟内的拒绝（{code}）过多，其中 {number} 次未逐条记录",
            en=f"So many refusals ({code}) for one address within a minute that {number} have no entry of their own",
            refused=code,
            held_back=number,
            minute=datetime.fromtimestamp(int(minute) * 60, UTC).isoformat(),
        )
        gate.record(refusal, attempted=code, by=Actor(kind="person", origin=Origin(ip=address)))
        jobs.connection().hdel(_key(), field)  # last: told twice is better than never


def _counted() -> dict[str, int]:
    found = cast("dict[bytes, bytes] | Awaitable[Any]", jobs.connection().hgetall(_key()))
    return {field.decode(): int(number) for field, number in cast("dict[bytes, bytes]", found).items()}


def _minute(at: datetime | None = None) -> int:
    return int((at or clock.now()).timestamp()) // 60


def _key() -> str:
    return f"yinxu/{limits.installation()}/held-back"
