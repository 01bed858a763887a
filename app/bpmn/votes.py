"""How a vote is counted, and from when on it is decided. Pure, and exact: shares and weights are fractions.

`all` and `ratio` ask how many of those who are asked agree, `weighted` (票签) how much of the weight, `any` (或签) is
decided by whoever answers first. Whoever does not agree counts against; whoever was taken off (减签) does not count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, cast, get_args

Kind = Literal["all", "any", "ratio", "weighted"]
KINDS: tuple[str, ...] = get_args(Kind)
SHARED = ("ratio", "weighted")
"""The kinds that need a share."""

YES = "approve"
"""What the form's `decision` says where somebody agrees, unless the drawing says otherwise (`yes`)."""


@dataclass(frozen=True)
class Rule:
    """How it is counted. `share`: how much must agree, above 0 and at most 1. `yes`: the word of agreement."""

    kind: Kind
    share: Fraction = Fraction(1)
    yes: str = YES


@dataclass(frozen=True)
class Seat:
    """One who is asked. `answer`: agrees, does not, or has not said yet."""

    answer: bool | None = None
    weight: Fraction = Fraction(1)


def share_of(text: str) -> Fraction:
    """`2/3`, `0.6` or `60%` as a fraction. Raises ValueError for what is none, or not above 0 and at most 1."""
    said = text.strip()
    if len(said) > 20 or "e" in said.lower():
        raise ValueError(f"{said[:20]!r} is no share")
    try:
        share = Fraction(said[:-1]) / 100 if said.endswith("%") else Fraction(said)
    except ZeroDivisionError as error:
        raise ValueError("a share has no zero under its line") from error
    if not 0 < share <= 1:
        raise ValueError("a share is above 0 and at most 1")
    return share


def rule_of(properties: Mapping[str, str]) -> Rule:
    """The rule that a shape's properties say. Raises ValueError."""
    kind = properties.get("vote", "").strip()
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no way to count")
    share = share_of(properties.get("share", "")) if kind in SHARED else Fraction(1)
    return Rule(cast("Kind", kind), share, properties.get("yes", "").strip() or YES)


def verdict(rule: Rule, seats: Sequence[Seat]) -> bool | None:
    """Whether it is approved or refused, as early as that is certain; None while it is open."""
    if rule.kind == "any":
        return next((seat.answer for seat in seats if seat.answer is not None), None)
    total = _weight(rule, seats)
    agreed = _weight(rule, [s for s in seats if s.answer is True])
    against = _weight(rule, [s for s in seats if s.answer is False])
    needed = rule.share * total
    if seats and agreed >= needed:
        return True
    return False if total - against < needed else None


def _weight(rule: Rule, seats: Sequence[Seat]) -> Fraction:
    return sum((s.weight for s in seats), Fraction()) if rule.kind == "weighted" else Fraction(len(seats))


def number(weight: Fraction) -> Any:
    """A weight as JSON says numbers, for people and for FEEL; what decides is the fraction."""
    return int(weight) if weight.denominator == 1 else float(weight)
