"""One question to a model: how strict it is, what it may still spend, and which rules answered. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.bpmn.decision.error import DecisionError
from app.bpmn.feel.error import FeelError, Meter
from app.bpmn.feel.scope import Scope
from app.bpmn.feel.tree import TypeName
from app.text import Text

MAX_MATCHES = 10_000
_SHOWN = 200  # characters of a text that cannot be read


@dataclass(frozen=True, kw_only=True)
class MatchedRule:
    """A rule that applied: what tells people what sent them here.

    `index`: from 1, as a table's rows are numbered. `description`, `annotations`: the author's words.
    `outputs`: what the rule said, by output name.
    """

    decision: str
    index: int
    id: str
    description: str
    annotations: tuple[str, ...]
    outputs: dict[str, Any]


class Trace(Meter):
    """Travels with the evaluation where its meter travels."""

    __slots__ = ("matched", "strict")

    def __init__(self, *, strict: bool, declared: Mapping[str, TypeName] | None = None) -> None:
        super().__init__(declared=declared)
        self.strict = strict
        self.matched: list[MatchedRule] = []

    def note(self, rule: MatchedRule) -> None:
        if len(self.matched) < MAX_MATCHES:
            self.matched.append(rule)


def unless_strict(scope: Scope, error: DecisionError) -> None:
    """In a flow a decision without an answer stops; as the standard has it, the answer is null."""
    if not isinstance(scope.meter, Trace) or scope.meter.strict:
        raise error


def mistake(where: str, zh: str, en: str) -> DecisionError:
    return DecisionError(Text(zh, en), where=where)


def misread(where: str, said: str, error: FeelError) -> DecisionError:
    """A text that is no FEEL, and why; of a long one only its beginning."""
    shown = said if len(said) <= _SHOWN else said[:_SHOWN] + "…"
    return mistake(where, f"“{shown}” {error.text.zh}", f"“{shown}” {error.text.en}")
