"""A9 under concurrency: whoever comes at the same time, exactly one is effective and nobody sees an error."""

from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from app.db import db
from app.impressions import commands, queries
from app.impressions.models import Impression, ImpressionEvent
from app.refusal import Conflict
from tests.impressions.makers import Bureau

THREADS, EACH = 6, 4


def in_threads(bureau: Bureau, work: object) -> list[object]:
    """Run `work(n)` for n in 0…23 on six threads, each in a context of its own."""

    def one(n: int) -> object:
        with bureau.app.app_context():
            try:
                return work(n)  # type: ignore[operator]
            finally:
                db.session.remove()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(THREADS * EACH)))


def effective() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).where(Impression.effective)) or 0


def test_of_many_registrations_at_once_all_are_kept_and_the_last_is_effective(bureau: Bureau) -> None:
    facts = in_threads(bureau, lambda n: bureau.register(str(n)))

    assert effective() == 1
    assert db.session.scalar(sa.select(sa.func.count(Impression.id))) == THREADS * EACH
    displaced = [fact.displaced_id for fact in facts]  # type: ignore[attr-defined]
    assert displaced.count(None) == 1
    assert len(set(displaced)) == THREADS * EACH  # each displaced another one, once


def test_registering_suspending_and_resuming_at_once_leaves_at_most_one(bureau: Bureau) -> None:
    known = [bureau.register(str(n)).impression_id for n in range(3)]

    def work(n: int) -> str:
        try:
            if n % 3 == 0:
                return bureau.register(str(n)).name
            verb = commands.suspend if n % 3 == 1 else commands.resume
            return verb(known[n % 2], "同时办理", by=bureau.manager).name
        except Conflict as refusal:  # lawful: somebody else was first, and the sentence says so
            return refusal.code

    told = in_threads(bureau, work)

    assert effective() <= 1
    assert not [code for code in told if code == "busy"]
    last = db.session.scalars(sa.select(ImpressionEvent).order_by(ImpressionEvent.id.desc())).first()
    assert last is not None
    for found in db.session.scalars(sa.select(Impression)):
        assert (queries.state(found.id).status == "effective") == found.effective
