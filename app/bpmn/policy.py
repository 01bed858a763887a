"""Which shapes may pass without a person, by their properties. Pure; asked when they run and when they are checked."""

from collections.abc import Mapping

CHOICES: dict[str, tuple[str, ...]] = {
    "repeat": ("ask", "pass"),
    "own": ("ask", "pass", "superior"),
    "nobody": ("wait", "incident", "pass", "admin"),
}


def wants_to_pass(said: Mapping[str, str]) -> list[str]:
    """The properties by which a shape lets itself pass."""
    return [name for name in CHOICES if said.get(name) == "pass"]


def hinders(said: Mapping[str, str]) -> list[str]:
    """The properties for which a shape must never pass without a person, nor be decided along with others: what only one's own hand may do, what a
    page of its own sees to, and what corrects the data."""
    return [
        name
        for name, stands in (
            ("ownHand", said.get("ownHand") == "true"),
            ("page", bool(said.get("page"))),
            ("merge", said.get("merge") == "true"),
        )
        if stands
    ]


def may_pass(said: Mapping[str, str]) -> bool:
    return bool(wants_to_pass(said)) and not hinders(said)
