"""What can be wrong with a decision model, or with asking it. Pure."""

from app.text import Text


class DecisionError(ValueError):
    """A model that cannot be read, or a decision that has no answer. `text`: zh and en; `where`: which element."""

    def __init__(self, text: Text, *, where: str = "") -> None:
        if where:
            text = Text(f"{where}：{text.zh}", f"{where}: {text.en}")
        super().__init__(text.en)
        self.text = text
        self.where = where


class UnknownDecision(DecisionError):
    """No decision has this id or name."""


class InvalidInput(DecisionError):
    """A value is not of the declared type, or not among the allowed values."""


class NoMatch(DecisionError):
    """No rule of a table applies, and it has no default."""


class UniqueViolation(DecisionError):
    """More than one rule of a UNIQUE table applies."""


class AnyViolation(DecisionError):
    """Rules of an ANY table apply and disagree."""
