"""Complete subtrees of the stored tree, from the leaves and the kept nodes.

Kept are the roots of 256, 256², … leaves; whatever lies between is folded from at most 128 of the next below.
"""

import sqlalchemy as sa

from app.audit.models import LogLeaf, LogNode
from app.audit.tree import complete_root
from app.db import db

BITS = 8
"""Levels of the tree between two kept levels: 2^8 = 256."""


class MissingNode(LookupError):
    """The database lacks a part of the tree."""


def stored_node(level: int, position: int) -> bytes:
    """The hash of a complete subtree of the stored tree. Raises MissingNode."""
    kept, above = divmod(level, BITS)
    count = 1 << above
    hashes = _hashes(kept, position << above, count)
    if len(hashes) != count:
        raise MissingNode(f"level {level}, position {position}")
    return complete_root(hashes)


def _hashes(kept: int, start: int, count: int) -> list[bytes]:
    if kept == 0:
        query = (
            sa.select(LogLeaf.hash)
            .where(LogLeaf.seq >= start, LogLeaf.seq < start + count)
            .order_by(LogLeaf.seq)
        )
    else:
        query = (
            sa.select(LogNode.hash)
            .where(LogNode.level == kept, LogNode.position >= start, LogNode.position < start + count)
            .order_by(LogNode.position)
        )
    return list(db.session.scalars(query))
