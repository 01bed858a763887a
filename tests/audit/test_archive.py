"""A period of the log in a file: proven offline by anybody with a checkpoint of their own (D7)."""

import hashlib
from dataclasses import replace

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.audit import archive as archives
from app.audit import queries, sequencer, tree
from app.audit.archive import Archive, ArchiveFault
from tests.audit.makers import CLERK, stamp, write


def leaf(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def node(level: int, position: int) -> bytes:
    if level == 0:
        return tree.leaf_hash(leaf(position))
    return tree.node_hash(node(level - 1, 2 * position), node(level - 1, 2 * position + 1))


@given(st.data())
def test_any_period_of_any_tree_leads_to_its_root_and_to_no_other(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    first = data.draw(st.integers(0, size))
    until = data.draw(st.integers(first, size))
    left, right = archives.around(first, until, size, node)
    archive = Archive(first, left, [leaf(n) for n in range(first, until)], right, "note\n")

    root = tree.edge_at(size, node).root()
    assert archives.root_of(archive, size) == root
    assert archives.parse("\n".join(archive.lines()) + "\n") == archive
    if until > first:
        at = data.draw(st.integers(0, until - first - 1))
        leaves = [*archive.leaves[:at], b"other", *archive.leaves[at + 1 :]]
        assert archives.root_of(replace(archive, leaves=leaves), size) != root
        assert archives.root_of(replace(archive, leaves=archive.leaves[1:]), size) != root
    if first:
        assert archives.root_of(replace(archive, first=first - 1), size) != root


def test_an_archive_is_proven_without_the_database_and_only_as_it_was(log: Flask) -> None:
    write(30, batch=10)
    note, keys = sequencer.witness().latest() or "", sequencer.witness().keys()
    found = queries.archive(7, 21)
    text = "\n".join(found.lines()) + "\n"

    assert archives.check(archives.parse(text), note, keys) == 14
    with pytest.raises(ArchiveFault, match="it was changed"):
        archives.check(replace(found, leaves=[*found.leaves[:-1], found.leaves[0]]), note, keys)
    with pytest.raises(ArchiveFault, match="damaged"):
        archives.parse(text.replace("entry ", "entry  ", 1))
    with pytest.raises(ArchiveFault, match="no archive"):
        archives.parse("hello")
    write(1)
    with pytest.raises(ArchiveFault, match="checkpoint of 30 entries"):
        archives.check(found, sequencer.witness().latest() or "", keys)


def test_a_period_is_named_by_days_and_ends_with_the_last_checkpoint(log: Flask) -> None:
    write(5)
    stamp(6, by=CLERK)  # waits for its place

    assert queries.period(None, None) == (0, 5)
    day = queries.entry(2).at.replace(hour=0, minute=0, second=0, microsecond=0)
    assert queries.period(day, None) == (0, 5)
    assert queries.period(None, day) == (5, 5)
