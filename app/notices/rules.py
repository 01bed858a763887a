"""The law of notices: addresses, paces, when to try again. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.text import Text

PACES: dict[str, Text] = {
    "at_once": Text("随时", "At once"),
    "hourly": Text("每小时汇总", "One each hour"),
    "daily": Text("每天汇总", "One each day"),
}


def next_mail(pace: str, at: datetime, zone: str, hour: int) -> datetime:
    """When what happened at `at` is mailed: now, at the next full hour, at the next `hour` o'clock there."""
    if pace == "hourly":
        return at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if pace == "daily":
        local = at.astimezone(ZoneInfo(zone))
        then = local.replace(hour=hour, minute=0, second=0, microsecond=0)
        return then if then > local else then + timedelta(days=1)
    return at
