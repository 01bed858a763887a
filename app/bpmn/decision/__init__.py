"""Decision models (DMN 1.1 to 1.5). Pure.

model = decision.parse(xml)
result = model.decide("routing", {"kind": "official", "unit_level": 1})
result.outputs   {"route": "office_and_head"}
result.matched   the rules that said so: index, id, the author's description
"""

from functools import lru_cache

from app.bpmn.decision.error import (
    AnyViolation,
    DecisionError,
    InvalidInput,
    NoMatch,
    UniqueViolation,
    UnknownDecision,
)
from app.bpmn.decision.model import DecisionResult, Decisions, Library
from app.bpmn.decision.trace import MatchedRule
from app.text import Text

DecisionModel = Decisions


@lru_cache(maxsize=256)
def parse(xml: bytes) -> Decisions:
    """Read a file; the same bytes are read once. Raises DecisionError that names the element."""
    return read(xml, forgiving=False)


def read(xml: bytes, *, forgiving: bool, library: Library | None = None) -> Decisions:
    """Read a file, and those it imports as far as the library has them.

    `forgiving`: a decision that cannot be read is an error only when it is asked.
    """
    try:
        return Decisions(xml, forgiving=forgiving, library=library)
    except RecursionError:
        raise DecisionError(Text("嵌套过深", "nested too deeply")) from None


__all__ = [
    "AnyViolation",
    "DecisionError",
    "DecisionModel",
    "DecisionResult",
    "Decisions",
    "InvalidInput",
    "Library",
    "MatchedRule",
    "NoMatch",
    "UniqueViolation",
    "UnknownDecision",
    "parse",
    "read",
]
