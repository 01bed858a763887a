"""Signs of life of the stations, and the nonces they have used: rows that are overwritten or swept, no record.

A heartbeat every ten seconds makes nothing true that anybody must answer for, so it is no command and leaves no
entry in the log; what a station *does* passes the gate. Each function here is one short transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.exc import IntegrityError

from app import clock
from app.cards.models import StationNonce, StationPresence
from app.cards.rules import REQUEST_SLACK
from app.db import begin_writing, db
from app.refusal import Unauthenticated


def use_nonce(station_id: int, nonce: str) -> None:
    """Refuses Unauthenticated a nonce this station has used before. Nonces too old to be taken are swept, now and
    then: they only take room."""
    now = clock.now()
    begin_writing()
    if _sweeps(now):
        db.session.execute(sa.delete(StationNonce).where(StationNonce.used_at < now - 2 * REQUEST_SLACK))
    db.session.add(StationNonce(station_id=station_id, nonce=nonce, used_at=now))
    try:
        db.session.commit()
    except IntegrityError as error:
        db.session.rollback()
        raise Unauthenticated(
            "station.replayed",
            zh="这个请求已经收到过，重放的请求不予办理；请检查工位程序",
            en="This request has been received before; a replay is not answered. Check the station's agent",
            station_id=station_id,
        ) from error


def _sweeps(now: datetime) -> bool:
    """Whether this process has not swept for as long as a request is taken."""
    last: datetime | None = current_app.extensions.get("nonces_swept")
    if last is not None and abs(now - last) < REQUEST_SLACK:
        return False
    current_app.extensions["nonces_swept"] = now
    return True


def is_new(station_id: int, nonce: str) -> bool:
    """Whether an incident's nonce is seen for the first time."""
    try:
        use_nonce(station_id, f"i:{nonce}"[:64])
    except Unauthenticated:
        return False
    return True


def heartbeat(station_id: int, cards: Sequence[dict[str, Any]], *, ip: str | None) -> None:
    """The station lives, and these cards are in its readers."""
    begin_writing()
    row = db.session.get(StationPresence, station_id, with_for_update=True)
    if row is None:
        db.session.add(StationPresence(station_id=station_id, seen_at=clock.now(), cards=list(cards), ip=ip))
    else:
        row.seen_at, row.cards, row.ip = clock.now(), list(cards), ip
    db.session.commit()
