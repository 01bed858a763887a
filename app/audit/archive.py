"""A period of the log in a file of its own, checkable offline for as long as it is kept (D7). Pure.

    yinxu.log/archive@v1
    first 1200
    left base64…            the complete subtrees before the period, largest first
    entry base64…           each entry's leaf data, still encrypted: length ‖ header ‖ nonce ‖ ciphertext
    right base64…           the complete subtrees behind it, in order
    (empty line)
    the checkpoint under which all of it stands, a C2SP signed note

Whoever holds the archive and a checkpoint that they trust needs neither the database nor us: from the three lists
the root is computed again.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.audit import checkpoint as notes
from app.audit import tree
from app.crypto.keys import verify

FIRST_LINE = "yinxu.log/archive@v1"


class ArchiveFault(ValueError):
    """The archive does not hold what the log held, and why."""


@dataclass(frozen=True)
class Archive:
    """`leaves`: the leaf data of the entries from number `first` on. `note`: the checkpoint it was made under."""

    first: int
    left: list[bytes]
    leaves: list[bytes]
    right: list[bytes]
    note: str

    @property
    def until(self) -> int:
        """The number after the last entry."""
        return self.first + len(self.leaves)

    def lines(self) -> Iterator[str]:
        yield FIRST_LINE
        yield f"first {self.first}"
        for name, values in (("left", self.left), ("entry", self.leaves), ("right", self.right)):
            for value in values:
                yield f"{name} {base64.b64encode(value).decode()}"
        yield ""
        yield self.note.removesuffix("\n")


def parse(text: str) -> Archive:
    """Read an archive. Raises ArchiveFault."""
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or lines[0] != FIRST_LINE or len(lines) < 3 or not lines[1].startswith("first "):
        raise ArchiveFault("this is no archive of a log")
    found: dict[str, list[bytes]] = {"left": [], "entry": [], "right": []}
    try:
        first = int(lines[1].removeprefix("first "))
        for line in lines[2:]:
            name, _, value = line.partition(" ")
            found[name].append(base64.b64decode(value, validate=True))
    except (KeyError, ValueError, binascii.Error) as error:
        raise ArchiveFault(f"damaged: {error}") from error
    archive = Archive(first, found["left"], found["entry"], found["right"], note)
    if "\n".join(archive.lines()) + "\n" != text:
        raise ArchiveFault("damaged")
    return archive


def around(first: int, until: int, size: int, node: tree.Node) -> tuple[list[bytes], list[bytes]]:
    """What an archive of these entries needs of the rest of a tree of `size` leaves: (left, right)."""
    return tuple([node(*place) for place in places] for places in _places(first, until, size))  # type: ignore[return-value]


def check(archive: Archive, checkpoint: str, verifier_keys: list[str]) -> int:
    """How many entries are proven under `checkpoint`, which is the reader's own. Raises ArchiveFault."""
    try:
        keys = [notes.parse_verifier_key(line) for line in verifier_keys]
        stated, public_key = notes.check(checkpoint, [key for _, key in keys], verify)
        inner = notes.parse(archive.note).checkpoint
    except notes.NoteFault as error:
        raise ArchiveFault(str(error)) from error
    if (stated.origin, public_key) not in keys:
        raise ArchiveFault("the checkpoint is another log's")
    if inner != stated:
        raise ArchiveFault(
            f"the archive was made under the checkpoint of {inner.size} entries, yours is of {stated.size}; "
            f"give the checkpoint of {inner.size} entries, which the witness keeps"
        )
    if root_of(archive, stated.size) != stated.root:
        raise ArchiveFault("what is in it does not lead to the checkpoint's root: it was changed")
    return len(archive.leaves)


def root_of(archive: Archive, size: int) -> bytes | None:
    """The root of the whole tree of `size` leaves, or None if the archive's lists do not fit it."""
    if not 0 <= archive.first <= archive.until <= size:
        return None
    left, right = _places(archive.first, archive.until, size)
    if (len(left), len(right)) != (len(archive.left), len(archive.right)):
        return None
    known = dict(zip([*left, *right], [*archive.left, *archive.right], strict=True))
    known |= {(0, archive.first + n): tree.leaf_hash(data) for n, data in enumerate(archive.leaves)}

    def node(level: int, position: int) -> bytes:
        found = known.get((level, position))
        if found is not None:
            return found
        return tree.node_hash(node(level - 1, 2 * position), node(level - 1, 2 * position + 1))

    return tree.edge_at(size, node).root()


def _places(first: int, until: int, size: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    return list(_cover(0, first)), list(_cover(until, size))


def _cover(start: int, end: int) -> Iterable[tuple[int, int]]:
    """The fewest complete subtrees (level, position) that are just these leaves, in order."""
    while start < end:
        aligned = (start & -start).bit_length() - 1 if start else end.bit_length()
        level = min(aligned, (end - start).bit_length() - 1)
        yield level, start >> level
        start += 1 << level
