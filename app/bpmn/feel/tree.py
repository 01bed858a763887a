"""The tree of an expression: what `parse.py` makes and `build.py` compiles. Pure."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Node:
    """`at`: where it stands in the text, as a character offset."""

    at: int


@dataclass(frozen=True, slots=True)
class Constant(Node):
    value: Any


@dataclass(frozen=True, slots=True)
class Name(Node):
    name: str


@dataclass(frozen=True, slots=True)
class Path(Node):
    """`of.name`"""

    of: Node
    name: str


@dataclass(frozen=True, slots=True)
class Filter(Node):
    """`of[by]`"""

    of: Node
    by: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`of(1, 2)` with `names` empty, or `of(a: 1, b: 2)`."""

    of: Node
    args: tuple[Node, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Negative(Node):
    of: Node


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """`op`: + - * / **"""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """`op`: = != < <= > >="""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """`op`: and, or; two terms or more."""

    op: str
    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Between(Node):
    of: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class Test(Node):
    """A unary test with an operator: `< 5`. Without one a test is any other node."""

    op: str
    to: Node


@dataclass(frozen=True, slots=True)
class In(Node):
    of: Node
    tests: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class InstanceOf(Node):
    of: Node
    type: "TypeName"


@dataclass(frozen=True, slots=True)
class TypeName:
    """`list<number>` is list with one part; `context<a: T>` has names too."""

    name: str
    parts: tuple["TypeName", ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RangeOf(Node):
    """An end of None has no bound."""

    low: Node | None
    high: Node | None
    low_closed: bool
    high_closed: bool


@dataclass(frozen=True, slots=True)
class ListOf(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ContextOf(Node):
    names: tuple[str, ...]
    values: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class If(Node):
    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Iterate(Node):
    """`kind`: for, some, every. Each source may be a range from `1..n`: a RangeOf, or any node."""

    kind: str
    names: tuple[str, ...]
    sources: tuple[Node, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class FunctionOf(Node):
    params: tuple[str, ...]
    types: tuple[TypeName | None, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class Tests(Node):
    """The tests of a cell: any of them, or none of them when `negated`. Empty and not negated: anything."""

    tests: tuple[Node, ...]
    negated: bool
