"""The worker's part: now and then look which seals are about to end."""

import time

from flask import current_app

from app.seals import remaking

SECONDS_BETWEEN_LOOKS = 600.0


def renew() -> int:
    """Start the flow of those that end soon; how many. Losing this job, or running it twice, changes nothing."""
    moment = time.monotonic()
    if moment - current_app.extensions.get("renewals_looked", -SECONDS_BETWEEN_LOOKS) < SECONDS_BETWEEN_LOOKS:
        return 0
    current_app.extensions["renewals_looked"] = moment
    return remaking.ask_for_those_that_end()
