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
from app.bpmn.decision.model import DecisionResult, Decisions
from app.bpmn.decision.trace import MatchedRule

DecisionModel = Decisions


@lru_cache(maxsize=256)
def parse(xml: bytes) -> Decisions:
    """Read a file; the same bytes are read once. Raises DecisionError that names the element."""
    try:
        return Decisions(xml)
    except RecursionError:
        from app.text import Text

        raise DecisionError(Text("嵌套过深", "nested too deeply")) from None


__all__ = [
    "AnyViolation",
    "DecisionError",
    "DecisionModel",
    "DecisionResult",
    "Decisions",
    "InvalidInput",
    "MatchedRule",
    "NoMatch",
    "UniqueViolation",
    "UnknownDecision",
    "parse",
]
