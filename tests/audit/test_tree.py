"""The tree is RFC 6962's: known vectors, and proofs against a plain recomputation."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit import tree

LEAVES = [bytes.fromhex(x) for x in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Certificate Transparency's reference vectors: the roots over the first 0…8 leaves."""


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word; `leaves` are leaf hashes."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def leaves_of(size: int) -> list[bytes]:
    return [tree.leaf_hash(str(n).encode()) for n in range(size)]


def grown(leaves: list[bytes]) -> tuple[tree.Edge, tree.Node]:
    """The edge after all leaves, and a look-up of every completed node on the way."""
    edge, nodes = tree.Edge(), {(0, n): leaf for n, leaf in enumerate(leaves)}
    for leaf in leaves:
        nodes.update({(level, position): value for level, position, value in edge.append(leaf)})
    return edge, lambda level, position: nodes[(level, position)]


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_of_the_reference_vectors(size: int) -> None:
    edge, _ = grown([tree.leaf_hash(data) for data in LEAVES[:size]])
    assert edge.root().hex() == ROOTS[size]


@given(st.integers(0, 300))
def test_a_growing_edge_has_the_root_of_a_plain_recomputation(size: int) -> None:
    leaves = leaves_of(size)
    edge, node = grown(leaves)
    assert edge.root() == naive_root(leaves)
    assert tree.edge_at(size, node).hashes == edge.hashes


@given(st.integers(1, 300), st.data())
def test_an_inclusion_path_leads_to_the_root_from_its_leaf_alone(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    edge, node = grown(leaves)

    path = tree.inclusion_path(index, size, node)

    assert tree.inclusion_root(leaves[index], index, size, path) == edge.root()
    assert len(path) <= size.bit_length()
    if other != index:
        assert tree.inclusion_root(leaves[index], other, size, path) != edge.root()
        assert tree.inclusion_root(leaves[other], index, size, path) != edge.root()
    if path:
        assert tree.inclusion_root(leaves[index], index, size, path[:-1]) != edge.root()
    assert tree.inclusion_root(leaves[index], index, size, [*path, leaves[0]]) != edge.root()


@given(st.integers(1, 300), st.data())
def test_a_consistency_path_proves_a_beginning_and_nothing_else(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    leaves = leaves_of(size)
    edge, node = grown(leaves)
    old_root, forged = naive_root(leaves[:old]), hashlib.sha256(b"forged").digest()

    path = tree.consistency_path(old, size, node)

    assert tree.consistent(old, old_root, size, edge.root(), path)
    assert not tree.consistent(old, forged, size, edge.root(), path)
    assert not tree.consistent(old, old_root, size, forged, path)
    if path:
        assert not tree.consistent(old, old_root, size, edge.root(), path[:-1])
    assert not tree.consistent(old, old_root, size, edge.root(), [*path, leaves[0]])


def test_nonsense_is_refused_plainly() -> None:
    _, node = grown(leaves_of(4))
    with pytest.raises(ValueError, match="no leaf 4"):
        tree.inclusion_path(4, 4, node)
    with pytest.raises(ValueError, match="no consistency proof"):
        tree.consistency_path(5, 4, node)
    with pytest.raises(ValueError, match="2 complete subtrees"):
        tree.Edge(3, [])
    assert tree.inclusion_root(LEAVES[0], 3, 2, []) is None
