"""Who is asked to vote, by what a shape says: a list of people, or the holders of a role at a unit.

Nothing is guessed: a voter who is no person, a weight that is missing or not above zero, or nobody at all is a
Fault at the shape, before anybody was asked.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol, cast, runtime_checkable

ADMINISTRATORS = "process_owner"
"""Whom a task is given to where nobody is found and the shape says `nobody="admin"`."""

HEAVIEST = 10**9


@runtime_checkable
class Directory(Protocol):
    """What a host may know of people. `unit_id`: the unit of whoever started the flow."""

    unit_id: int | None

    def holders(self, role: str, unit_id: int | None) -> Sequence[int]:
        """Ids of those who hold the role for the unit now (for any, where None), in order."""
        ...

    def able(self, ids: Sequence[int]) -> Sequence[int]:
        """Of these, the people who can act now, in the same order. Those who left are no voters."""
        ...


class NoVoters(Exception):
    """What is wrong with the voters: a sentence in each language."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def ids_of(said: object) -> list[int]:
    """People's ids out of what an expression gave: each once, in order. Raises NoVoters."""
    listed = cast("list[object]", said) if isinstance(said, list) else [said]
    found: list[int] = []
    for one in listed:
        written = isinstance(one, str) and one.isascii() and one.isdigit() and len(one) < 10
        ident = int(cast("str", one)) if written else one
        if (
            isinstance(ident, bool)
            or not isinstance(ident, (int, Decimal))
            or ident != int(ident)
            or ident <= 0
        ):
            raise NoVoters(
                f"会签人员里的 {one!r} 不是人员编号", f"{one!r} among the voters is no person's id"
            )
        found.append(int(ident))
    return list(dict.fromkeys(found))


def weights_of(said: object, ids: Sequence[int]) -> list[Fraction]:
    """The weight of each voter: a context with an entry for each id, or a list in the order of the voters."""
    if isinstance(said, Mapping):
        by_id = cast("Mapping[str, object]", said)
        given = [by_id.get(str(ident)) for ident in ids]
    elif isinstance(said, list) and len(cast("list[object]", said)) == len(ids):
        given = cast("list[object]", said)
    else:
        raise NoVoters(
            "票数既不是按人员编号的对照，也不是与会签人员等长的列表",
            "the weights are neither a context by people's ids nor a list as long as that of the voters",
        )
    return [weight_of(one, ident) for one, ident in zip(given, ids, strict=True)]


def weight_of(said: object, ident: int) -> Fraction:
    weight = None
    if isinstance(said, (int, Decimal, float)) and not isinstance(said, bool):
        try:
            weight = Fraction(str(said))
        except ValueError:
            weight = None
    if weight is None or not 0 < weight <= HEAVIEST:
        raise NoVoters(
            f"人员 {ident} 的票数 {said!r} 不是正数",
            f"the weight of person {ident}, {said!r}, is not above zero",
        )
    return weight


def items(ids: Sequence[int], weights: Sequence[Fraction] | None = None) -> list[dict[str, Any]]:
    """Seats as an activity keeps them."""
    shares = weights or [Fraction(1)] * len(ids)
    return [{"id": ident, "weight": str(w)} for ident, w in zip(ids, shares, strict=True)]
