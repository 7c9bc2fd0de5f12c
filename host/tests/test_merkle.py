"""RFC 6962 trees against published roots and paths, and against the definition written out."""

import json
from pathlib import Path

import pytest
from fuzzing import fuzzed
from hypothesis import given
from hypothesis import strategies as st
from sealhost import merkle

VECTORS = json.loads(
    (Path(__file__).resolve().parents[2] / "docs/vectors/custody/rfc6962-merkle.json").read_text()
)
LEAVES = [bytes.fromhex(leaf) for leaf in VECTORS["leaves"]]


class Tree:
    """A tree in a dictionary."""

    def __init__(self, leaves=()):
        self.nodes, self.size = {}, 0
        for leaf in leaves:
            self.append(leaf)

    def append(self, leaf):
        made = merkle.grown(self.size, merkle.leaf_hash(leaf), self.read)
        self.nodes.update({(level, place): value for level, place, value in made})
        self.size += 1

    def read(self, level, place):
        return self.nodes[level, place]


def by_definition(hashes):
    """MTH of RFC 6962, section 2.1, as it stands there."""
    if not hashes:
        return merkle.EMPTY_ROOT
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return merkle.node_hash(by_definition(hashes[:k]), by_definition(hashes[k:]))


def test_published_roots_come_out_leaf_by_leaf():
    tree, roots = Tree(), []
    for leaf in LEAVES:
        tree.append(leaf)
        roots.append(merkle.root(tree.size, tree.read).hex())

    assert roots == VECTORS["roots"]
    assert merkle.EMPTY_ROOT.hex() == VECTORS["empty_root"]


@pytest.mark.parametrize("case", VECTORS["inclusion"], ids=lambda case: f"{case['index']} of {case['size']}")
def test_published_audit_paths_come_out_and_prove(case):
    tree = Tree(LEAVES)
    path = merkle.inclusion(case["index"], case["size"], tree.read)
    leaf, root = merkle.leaf_hash(LEAVES[case["index"]]), merkle.root(case["size"], tree.read)

    assert [step.hex() for step in path] == case["path"]
    assert merkle.proves_inclusion(leaf, case["index"], case["size"], path, root)


@pytest.mark.parametrize("case", VECTORS["consistency"], ids=lambda case: f"{case['old']} to {case['new']}")
def test_published_consistency_paths_come_out(case):
    path = merkle.consistency(case["old"], case["new"], Tree(LEAVES).read)

    assert [step.hex() for step in path] == case["path"]


@pytest.mark.parametrize("size", range(1, 34))
def test_every_proof_of_every_tree_proves_and_a_flipped_one_does_not(size):
    leaves = [bytes([n]) for n in range(size)]
    tree = Tree(leaves)
    root = merkle.root(size, tree.read)

    assert root == by_definition([merkle.leaf_hash(leaf) for leaf in leaves])
    for index in range(size):
        path, leaf = merkle.inclusion(index, size, tree.read), merkle.leaf_hash(leaves[index])
        assert merkle.proves_inclusion(leaf, index, size, path, root)
        assert not merkle.proves_inclusion(flipped(leaf), index, size, path, root)
        assert not any(merkle.proves_inclusion(leaf, index, size, bad, root) for bad in spoiled(path))
        assert not merkle.proves_inclusion(leaf, index + 1, size, path, root)


@pytest.mark.parametrize("new", range(1, 34))
def test_every_older_tree_is_shown_to_be_a_beginning_and_no_other(new):
    tree = Tree([bytes([n]) for n in range(new)])
    roots = [merkle.root(size, tree.read) for size in range(new + 1)]

    for old in range(new + 1):
        path = merkle.consistency(old, new, tree.read)
        assert merkle.proves_consistency(old, new, roots[old], roots[new], path)
        assert not merkle.proves_consistency(old, new, flipped(roots[old]), roots[new], path)
        assert not merkle.proves_consistency(old, new, roots[old], flipped(roots[new]), path) or old == 0
        assert not any(
            merkle.proves_consistency(old, new, roots[old], roots[new], bad) for bad in spoiled(path)
        )


def flipped(value):
    return bytes([value[0] ^ 0xFF]) + value[1:]


def spoiled(path):
    yield [*path, bytes(32)]
    for place in range(len(path)):
        yield [*path[:place], flipped(path[place]), *path[place + 1 :]]
        yield path[:place] + path[place + 1 :]


@fuzzed()
@given(st.lists(st.binary(max_size=40), max_size=60))
def test_appending_gives_the_root_of_the_definition(leaves):
    tree = Tree(leaves)

    assert merkle.root(tree.size, tree.read) == by_definition([merkle.leaf_hash(leaf) for leaf in leaves])


def test_appending_and_the_root_read_only_a_logarithm_of_the_tree():
    tree, reads = Tree([b"x"] * 1000), []

    def counted(level, place):
        reads.append((level, place))
        return tree.nodes[level, place]

    merkle.grown(1000, merkle.leaf_hash(b"y"), counted)
    merkle.root(1000, counted)

    assert len(reads) <= 20
