"""The words are true and complete: who knows only the words can turn the parent into the child."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas.genome import Gene, Genome, SearchSpace, changes, cross, mutate, sample
from evonas.genome.genome import positions
from evonas.genome.parameters import value_text

Bred = Callable[[SearchSpace, int], Genome]


@dataclass
class Read:
    """A gene as the words describe it."""

    op: str
    params: dict[str, str] = field(default_factory=dict)
    skips: set[str] = field(default_factory=set)
    inputs: list[str] = field(default_factory=list)


def content(genome: Genome, name: str) -> list[Read]:
    found = []
    for gene, inputs in zip(genome[name], positions(genome[name]), strict=True):
        params = {key: value_text(value) for key, value in gene.params}
        sources = [{-1: "input", -2: "input 2"}.get(i, f"{name}[{i}]") for i in inputs]
        is_dag = "merge" not in params
        found.append(
            Read(gene.op, params, set() if is_dag else set(sources), sources if is_dag else [])
        )
    return found


def details(text: str | None) -> tuple[dict[str, str], set[str], list[str]]:
    """Parameters, skips and inputs of a gene in words.

    For example of `units 64, skip from input and a[0], merge add`, or of `k a, from input`.
    """
    params, skips, inputs = {}, set[str](), list[str]()
    for part in (text or "").split(", ") if text else []:
        if part.startswith("skip from "):
            skips = set(part.removeprefix("skip from ").split(" and "))
        elif part.startswith("from "):
            inputs = part.removeprefix("from ").split(" and ")
        else:
            key, value = part.split(" ", 1)
            params[key] = value
    return params, skips, inputs


def apply(name: str, old: list[Read], words: list[str]) -> list[Read]:
    """Reads the words about one section."""
    gone: set[int] = set()
    moved: dict[int, int] = {}
    added: dict[int, Read] = {}
    swapped: list[int] = []
    edits: list[str] = []
    for word in words:
        if m := re.fullmatch(rf"{name}\[(\d+)\]: (\S+) removed", word):
            assert old[int(m[1])].op == m[2]
            gone.add(int(m[1]))
        elif m := re.fullmatch(rf"{name}\[(\d+)\]: (\S+) moved to {name}\[(\d+)\]", word):
            assert old[int(m[1])].op == m[2]
            moved[int(m[1])] = int(m[3])
        elif m := re.fullmatch(rf"{name}\[(\d+)\]: (\S+) added(?: \((.*)\))?", word):
            added[int(m[1])] = Read(m[2], *details(m[3]))
        elif m := re.fullmatch(rf"{name}: \[(\d+)\] and \[(\d+)\] swapped", word):
            swapped = [int(m[1]), int(m[2])]
        else:
            edits.append(word)
    place: dict[int, int] = dict(moved)
    free = [
        j
        for j in range(len(old) - len(gone) + len(added))
        if j not in added and j not in moved.values()
    ]
    place |= dict(
        zip([i for i in range(len(old)) if i not in gone and i not in moved], free, strict=True)
    )
    if swapped:
        place[swapped[0]], place[swapped[1]] = place[swapped[1]], place[swapped[0]]
    now = {f"{name}[{i}]": f"{name}[{j}]" for i, j in place.items()} | {
        "input": "input",
        "input 2": "input 2",
    }
    new = dict(added)
    for i, j in place.items():
        lost = {skip for skip in old[i].skips if skip not in now}
        told = {
            w.split(" with ")[1] for w in edits if w.startswith(f"{name}[{j}]: skip removed with ")
        }
        assert lost == told
        new[j] = Read(
            old[i].op, dict(old[i].params), {now[skip] for skip in old[i].skips if skip in now}
        )
        new[j].inputs = [now.get(source, "lost") for source in old[i].inputs]
        if lost and not new[j].skips and not any(f"{name}[{j}]: skip from" in w for w in edits):
            new[j].params.pop("merge", None)
    for word in edits:
        edit(name, new, word)
    return [new[j] for j in sorted(new)]


def edit(name: str, new: dict[int, Read], word: str) -> None:
    """Applies what is said about one gene."""
    m = re.match(rf"{name}\[(\d+)\](.*)", word)
    assert m, word
    gene, rest = new[int(m[1])], m[2]
    if m := re.fullmatch(r"\.(\w+): (.+) -> (.+)", rest):
        assert gene.params.get(m[1], "none") == m[2], word
        gene.params[m[1]] = m[3]
        if m[3] == "none":
            del gene.params[m[1]]
    elif m := re.fullmatch(r": skip from (\S+) added(?: \(merge (\w+)\))?", rest):
        assert m[1] not in gene.skips, word
        gene.skips.add(m[1])
        if m[2]:
            gene.params["merge"] = m[2]
    elif m := re.fullmatch(r": now from (.+)", rest):
        gene.inputs = m[1].split(" and ")
    elif m := re.fullmatch(r": skip from (\S+) removed", rest):
        gene.skips.remove(m[1])
        if not gene.skips:
            gene.params["former merge"] = gene.params.pop("merge")
    elif m := re.fullmatch(r": (\S+) -> (\S+?)(?: \((.*)\))?", rest):
        assert gene.op == m[1], word
        merge = {"merge": gene.params["merge"]} if "merge" in gene.params else {}
        gene.op, gene.params = m[2], details(m[3])[0] | merge
    else:
        assert rest.startswith(": skip removed with "), word
    if gene.skips and "former merge" in gene.params:  # the last skip went and another came
        gene.params.setdefault("merge", gene.params["former merge"])
    if gene.skips:
        gene.params.pop("former merge", None)


def check(parent: Genome, child: Genome) -> None:
    words = changes(parent, child)
    assert (words == ()) == (parent == child)
    assert len(set(words)) == len(words)
    for name in parent.names:
        new = apply(name, content(parent, name), [w for w in words if re.match(rf"{name}\b", w)])
        for gene in new:
            gene.params.pop("former merge", None)
        assert new == content(child, name), words


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_words_are_true_of_children_and_of_strangers(
    space: SearchSpace, bred: Bred, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    first, second = bred(space, seed), sample(space, rng)
    child = cross(space, first, second, rng)
    check(first, child)
    check(second, child)
    for _ in range(3):
        parent, (child, _) = child, mutate(space, child, rng)
        check(parent, child)
    check(first, child)


def test_equal_networks_born_apart_have_no_words(convnet: SearchSpace) -> None:
    genome = sample(convnet, np.random.default_rng(4))
    genes = genome["features"]
    numbers = {gene.innovation: gene.innovation + 1000 for gene in genes} | {0: 0}
    apart = [
        Gene(g.op, g.params, tuple(numbers[n] for n in g.inputs), numbers[g.innovation])
        for g in genes
    ]
    assert changes(genome, genome.with_section("features", apart)) == ()


def conv(number: int, filters: int, *inputs: int, merge: str = "") -> Gene:
    return Gene.make(
        "conv", {"filters": filters} | ({"merge": merge} if merge else {}), inputs, number
    )


def pool(number: int, *inputs: int, merge: str = "") -> Gene:
    return Gene.make("pool", {"merge": merge} if merge else {}, inputs, number)


def one(*genes: Gene) -> Genome:
    return Genome((("a", genes),))


@pytest.mark.parametrize(
    ("parent", "child", "words"),
    [
        ([conv(1, 8), pool(2)], [conv(1, 8)], ["a[1]: pool removed"]),
        ([conv(1, 8)], [conv(1, 8), conv(300, 16)], ["a[1]: conv added (filters 16)"]),
        ([conv(1, 8)], [conv(1, 8), pool(300)], ["a[1]: pool added"]),
        ([conv(1, 8), pool(2)], [conv(1, 32), pool(2)], ["a[0].filters: 8 -> 32"]),
        ([conv(1, 8), pool(2)], [pool(1), pool(2)], ["a[0]: conv -> pool"]),
        ([pool(1)], [conv(1, 8)], ["a[0]: pool -> conv (filters 8)"]),
        (
            [conv(1, 8), pool(2), conv(3, 9)],
            [conv(3, 9), pool(2), conv(1, 8)],
            ["a: [0] and [2] swapped"],
        ),
        (
            [conv(1, 8), pool(2), conv(3, 9)],
            [pool(2), conv(3, 9), conv(1, 8)],
            ["a[0]: conv moved to a[2]"],
        ),
        (  # an edit by which genes are only permuted, and their numbers with them, is none
            [pool(1), pool(2), conv(3, 8)],
            [pool(2), pool(1), conv(3, 8)],
            [],
        ),
        (  # of two equal genes the relative is the match
            [pool(1), pool(2), pool(3, 1, merge="add")],
            [pool(2), pool(3)],
            ["a[0]: pool removed", "a[1]: skip removed with a[0]"],
        ),
        (
            [pool(1), pool(2)],
            [pool(1), pool(2, 0, merge="add")],
            ["a[1]: skip from input added (merge add)"],
        ),
        ([pool(1), pool(2, 0, merge="add")], [pool(1), pool(2)], ["a[1]: skip from input removed"]),
        (
            [pool(1), pool(2, 0, merge="add")],
            [pool(1), pool(2, 0, merge="concat")],
            ["a[1].merge: add -> concat"],
        ),
        (
            [pool(1), pool(2), pool(3, 0, merge="add")],
            [pool(1), pool(2), pool(3, 1, merge="add")],
            ["a[2]: skip from input removed", "a[2]: skip from a[0] added"],
        ),
        (  # the source has another place now, but it is the same gene
            [conv(1, 8), pool(2), pool(3), pool(4, 2, merge="add")],
            [pool(2), pool(3), pool(4, 2, merge="add")],
            ["a[0]: conv removed"],
        ),
        (
            [pool(1)],
            [pool(1), conv(2, 8, 0, merge="concat")],
            ["a[1]: conv added (filters 8, skip from input, merge concat)"],
        ),
    ],
)
def test_words(parent: list[Gene], child: list[Gene], words: list[str]) -> None:
    assert list(changes(one(*parent), one(*child))) == words


@pytest.mark.parametrize(
    ("before", "after"), [(1, 1.0), (1, True), ("1", 1), ("true", True), (0.0, False)]
)
def test_values_of_another_type_differ(before: str | float, after: str | float) -> None:
    old, new = (one(Gene.make("x", {"k": value}, (), 1)) for value in (before, after))
    assert changes(old, new) == (f"a[0].k: {value_text(before)} -> {value_text(after)}",)


def test_genomes_of_different_spaces_and_abnormal_inputs() -> None:
    assert changes(one(), Genome(())) == ("a: section removed",)
    assert changes(Genome(()), one(pool(1))) == ("a: section added", "a[0]: pool added")
    wired = [
        one(pool(1), pool(2), pool(3, *inputs, merge="add"))
        for inputs in ((1, 0), (0, 1), (1, 1, 0))
    ]
    assert changes(wired[0], wired[1]) == ("a[2]: skips from input, a[0], in this order",)
    assert changes(wired[0], wired[2]) != ()
