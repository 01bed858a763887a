"""The worker's part: now and then look what is due to be fetched of what authorities say."""

import time

from flask import current_app

from app.cards import believing
from app.clock import now
from app.settings import current_settings

SECONDS_BETWEEN_LOOKS = 60.0
SECONDS_A_LOOK = 20.0
"""Others wait in the same queue; what is not reached is due the next time."""


def refresh_trust() -> int:
    """Fetch the lists and answers that are due; gives how many were asked for. Losing this job, or running it twice,
    changes nothing."""
    if not current_settings().trust_refresh_s:
        return 0
    extensions, moment = current_app.extensions, time.monotonic()
    if moment - extensions.get("trust_looked", -SECONDS_BETWEEN_LOOKS) < SECONDS_BETWEEN_LOOKS:
        return 0
    extensions["trust_looked"] = moment
    keeper = extensions.setdefault("trust_keeper", believing.keeper())
    return len(believing.refresh(keeper, at=now(), seconds=SECONDS_A_LOOK))
