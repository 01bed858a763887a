"""Now, and the one place that asks the machine for it."""

from datetime import UTC, datetime


def now() -> datetime:
    """This moment, with its zone (UTC). Tests hand other moments to rules as arguments."""
    return datetime.now(UTC)
