"""The worker's part: each second look what happened, send what is due. Losing a run, or running twice, changes nothing."""

import time

from flask import current_app

from app.notices import gathering, sending

SECONDS_BETWEEN_LOOKS = 15.0


def sweep() -> int:
    """Tell of what happened; now and then also of what is due soon, and tidy up."""
    made = gathering.gather()
    moment = time.monotonic()
    if moment - current_app.extensions.get("notices_tidied", -SECONDS_BETWEEN_LOOKS) >= SECONDS_BETWEEN_LOOKS:
        current_app.extensions["notices_tidied"] = moment
        made += gathering.look_at_due()
        gathering.tidy()
    return made + sending.deliver()
