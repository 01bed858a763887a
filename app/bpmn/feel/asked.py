"""What an expression asks of the data, as far as it can be read off the text. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from app.bpmn.feel.build import free_names, walk
from app.bpmn.feel.error import FeelError
from app.bpmn.feel.parse import Names, Parser
from app.bpmn.feel.tree import Compare, Constant, Name, Node, Path


@dataclass(frozen=True)
class Asked:
    """`paths`: `review.decision` as ("review", "decision"), the longest of each. `equals`: (path, text) for each
    comparison of a path with a text."""

    paths: frozenset[tuple[str, ...]]
    equals: frozenset[tuple[tuple[str, ...], str]]


@lru_cache(maxsize=1024)
def asked(text: str) -> Asked:
    """Nothing for a text that cannot be read: that is another complaint."""
    try:
        node = Parser(text, Names(())).whole_expression()
    except (FeelError, RecursionError):
        return Asked(frozenset(), frozenset())
    free = free_names(node)
    inner = {id(found.of) for found in walk(node) if isinstance(found, Path)}
    paths = {p for found in walk(node) if id(found) not in inner and (p := _path(found)) and p[0] in free}
    return Asked(frozenset(paths), frozenset(_equals(node)))


def _path(node: Node) -> tuple[str, ...]:
    if isinstance(node, Name):
        return (node.name,)
    if isinstance(node, Path):
        before = _path(node.of)
        return (*before, node.name) if before else ()
    return ()


def _equals(node: Node) -> Iterator[tuple[tuple[str, ...], str]]:
    for found in walk(node):
        if isinstance(found, Compare) and found.op in ("=", "!="):
            for one, other in ((found.left, found.right), (found.right, found.left)):
                if isinstance(other, Constant) and isinstance(other.value, str) and _path(one):
                    yield _path(one), other.value
