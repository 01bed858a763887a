"""The hash tree of RFC 6962 §2.1 (the same in RFC 9162): roots, proofs, and checking them. Pure.

A *node* (level, position) is the root of the complete subtree over the 2^level leaves from position·2^level.
"""

import hashlib
from collections.abc import Callable, Iterable

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256().digest()
Node = Callable[[int, int], bytes]
"""Looks up the hash of a complete subtree: (level, position) → 32 bytes."""


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Edge:
    """The right edge of a growing tree: the complete subtrees it is made of, largest first."""

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        if len(self.hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} complete subtrees")

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf hash. Answers the nodes (level ≥ 1, position, hash) which this completes."""
        completed: list[tuple[int, int, bytes]] = []
        level, position, value = 0, self.size, leaf
        while position & 1:
            level, position, value = level + 1, position >> 1, node_hash(self.hashes.pop(), value)
            completed.append((level, position, value))
        self.hashes.append(value)
        self.size += 1
        return completed

    def root(self) -> bytes:
        return fold(self.hashes)


def fold(hashes: list[bytes]) -> bytes:
    """The root over complete subtrees, largest first."""
    if not hashes:
        return EMPTY_ROOT
    value = hashes[-1]
    for left in reversed(hashes[:-1]):
        value = node_hash(left, value)
    return value


def edge_at(size: int, node: Node) -> Edge:
    """The edge of the tree as it was at this size."""
    hashes: list[bytes] = []
    start = 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            hashes.append(node(level, start >> level))
            start += 1 << level
    return Edge(size, hashes)


def inclusion_path(index: int, size: int, node: Node) -> list[bytes]:
    """RFC 6962 §2.1.1: the hashes that lead from leaf `index` to the root of the tree of `size` leaves."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_root(middle, end, node))
            end = middle
        else:
            path.append(_range_root(start, middle, node))
            start = middle
    return path[::-1]


def consistency_path(old: int, new: int, node: Node) -> list[bytes]:
    """RFC 6962 §2.1.2: proof that the tree of `old` leaves is a beginning of the tree of `new` leaves."""
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof from {old} to {new}")
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while old - start != end - start:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_root(middle, end, node))
            end = middle
        else:
            path.append(_range_root(start, middle, node))
            start, whole = middle, False
    if not whole:
        path.append(_range_root(start, end, node))
    return path[::-1]


def inclusion_root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root that a path leads to (RFC 9162 §2.1.3.2), or None if the path does not fit index and size."""
    if not 0 <= index < size:
        return None
    at, last, value = index, size - 1, leaf
    for step in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            value = node_hash(step, value)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            value = node_hash(value, step)
        at, last = at >> 1, last >> 1
    return value if last == 0 else None


def consistent(old: int, old_root: bytes, new: int, new_root: bytes, path: list[bytes]) -> bool:
    """Whether the path proves that the older tree is a beginning of the newer one (RFC 9162 §2.1.4.2)."""
    if old == new:
        return not path and old_root == new_root
    if not 0 < old < new or not path:
        return False
    steps = list(path) if old & (old - 1) else [old_root, *path]
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    older = newer = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            older, newer = node_hash(step, older), node_hash(step, newer)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            newer = node_hash(newer, step)
        at, last = at >> 1, last >> 1
    return last == 0 and older == old_root and newer == new_root


def complete_root(hashes: list[bytes]) -> bytes:
    """The root over a complete subtree's leaves (or equal nodes): a power of two of them."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def _range_root(start: int, end: int, node: Node) -> bytes:
    """Root over leaves start…end−1, where the range begins a subtree of its own."""
    hashes: list[bytes] = []
    while start < end:
        level = (end - start).bit_length() - 1
        hashes.append(node(level, start >> level))
        start += 1 << level
    return fold(hashes)


def _split(size: int) -> int:
    """The largest power of two smaller than size."""
    return 1 << (size - 1).bit_length() - 1
