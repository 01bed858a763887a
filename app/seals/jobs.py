"""The worker's part: logins whose time is over, and now and then a look which seals are about to end."""

import time

from flask import current_app

from app.seals import card_login, remaking

SECONDS_BETWEEN_LOOKS = 600.0


def renew() -> int:
    """Start the flow of those that end soon; how many. Losing this job, or running it twice, changes nothing."""
    card_login.end_expired()
    moment = time.monotonic()
    if moment - current_app.extensions.get("renewals_looked", -SECONDS_BETWEEN_LOOKS) < SECONDS_BETWEEN_LOOKS:
        return 0
    current_app.extensions["renewals_looked"] = moment
    return remaking.ask_for_those_that_end()
