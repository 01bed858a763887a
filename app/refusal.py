"""A "no" that a person can act on: code for machines, a sentence for people, details for the log. Pure.

A command that will not do what it was asked raises one of these; the gate (`app/command.py`) undoes
everything, records the refusal in the log of illegal operations (A26), and passes it on; `app/web/errors.py`
turns it into an HTTP answer, once.
"""

from typing import Any, ClassVar

from app.text import Text


class Refusal(Exception):
    """`code`: dotted, stable, e.g. `impression.suspended`. `zh`, `en`: what happened and what to do.

    `details` go to the log and to JSON answers, never a PIN or a key. `fields` names form fields with
    their own sentence, so that a page can put it where the mistake is.
    """

    status: ClassVar[int] = 409

    def __init__(
        self, code: str, *, zh: str, en: str, fields: dict[str, Text] | None = None, **details: Any
    ) -> None:
        super().__init__(f"{code}: {en}")
        self.code = code
        self.text = Text(zh, en)
        self.fields = fields or {}
        self.details = details
        self.recorded = False  # whether the log of illegal operations has it already


class Invalid(Refusal):
    """What was sent cannot be used as it is."""

    status = 422


class Unauthenticated(Refusal):
    """Nobody is logged in, or not any more."""

    status = 401


class Forbidden(Refusal):
    """This person may not do this."""

    status = 403


class NotFound(Refusal):
    """There is no such thing, or not for this person."""

    status = 404


class Hidden(NotFound):
    """It exists, but not for this person: they hear what they would hear if it did not, and the log hears of it."""


class Conflict(Refusal):
    """It was lawful to ask, but the thing is no longer in a state for it."""

    status = 409


class TooMany(Refusal):
    """Too often, too large, too many."""

    status = 429


class Unavailable(Refusal):
    """A part we depend on does not answer; nothing was changed."""

    status = 503
