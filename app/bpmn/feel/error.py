"""What can be wrong with an expression, and how far one may go. Pure."""

from collections.abc import Mapping

from app.bpmn.feel.tree import TypeName
from app.text import Text

MAX_LENGTH = 10_000  # characters of one expression
MAX_DEPTH = 60  # brackets, operators and keywords inside each other
MAX_STEPS = 200_000  # iterations, calls and items made by one evaluation
MAX_STRING = 100_000  # characters of a string that an expression makes
MAX_ITEMS = 50_000  # items of a list that an expression makes
MAX_CALLS = 50  # functions inside each other while they run


class FeelError(ValueError):
    """An expression that cannot be read, or goes too far. `position`: character offset from 0."""

    def __init__(self, position: int, text: Text) -> None:
        super().__init__(f"{text.en} (at character {position + 1})")
        self.position = position
        self.text = Text(f"{text.zh}（第 {position + 1} 个字符）", f"{text.en} (at character {position + 1})")


class Meter:
    """Counts the work of one evaluation, so that each one ends. `declared`: the types its model declares."""

    __slots__ = ("calls", "declared", "left")

    def __init__(self, steps: int = MAX_STEPS, declared: Mapping[str, TypeName] | None = None) -> None:
        self.left = steps
        self.calls = 0
        self.declared: Mapping[str, TypeName] = declared or {}

    def spend(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise FeelError(
                0,
                Text(
                    "表达式计算量过大，已中止；请缩小循环或列表",
                    "The expression takes too many steps and was stopped; shorten its loops or lists",
                ),
            )
