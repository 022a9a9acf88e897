"""What differs between two genomes, in words.

The words are derived from the two genomes. No mutation or crossover writes them down.
They are complete and true: applying every word to the parent gives the child.

A removed gene is named by its place in the parent. A moved gene is named by both places, as in
`features[3]: dense moved to features[5]`. Every other gene is named by its place in the child.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evonas.genome.genome import Gene, Genome, Value, positions, same_value
from evonas.genome.parameters import value_text

Pairs = list[tuple[int, int]]
"""Places of matched genes: (in the parent, in the child)."""

Difference = tuple[str, Value | None, Value | None]
"""A parameter with its two values; None if the gene has no such parameter."""

_SOURCE_WORDS = {-1: "input", -2: "input 2"}

# The costs of an alignment. Only the order of their sums matters. For example, a changed op with
# another number costs 1.95. That is below the two gaps of a removal and an addition.
_GAP = 1.0
"""Cost of a gene without a match."""
_OTHER_OP = 1.9
_OTHER_VALUE = 0.1
_MOST_VALUES = 1.0
_OTHER_NUMBER = 0.05
"""Decides between genes that are equal otherwise: the one with the same number is the match."""


def changes(parent: Genome, child: Genome) -> tuple[str, ...]:
    """The child's differences from its parent, such as `features[3].filters: 16 -> 32`.

    Returns:
        Sentences in the order of the sections; empty exactly when the genomes are equal.
    """
    if parent == child:
        return ()
    words: list[str] = []
    for name in dict.fromkeys((*parent.names, *child.names)):
        if name not in child:
            words.append(f"{name}: section removed")
        elif name not in parent:
            words.append(f"{name}: section added")
        old = parent.get(name)
        new = child.get(name)
        # Most sections of a child are its parent's as they were.
        if not _are_same(old, new):
            words += _Comparison(name, old, new).words()
    return tuple(words)


class _Comparison:
    """Two versions of one section, gene by gene.

    In all methods, i is a place in the parent and j a place in the child.
    """

    def __init__(self, name: str, old: Sequence[Gene], new: Sequence[Gene]) -> None:
        self._name = name
        self._old = old
        self._new = new
        self._old_inputs = positions(old)
        self._new_inputs = positions(new)
        # An alignment keeps the order of the genes, so it cannot show a swap. A swap comes first.
        self._swapped = _swap(old, new)
        if self._swapped is None:
            matched = _align(old, new)
        else:
            matched = _exchanged(len(old), *self._swapped)
        matched_old = {i for i, _ in matched}
        matched_new = {j for _, j in matched}
        removed = [i for i in range(len(old)) if i not in matched_old]
        added = [j for j in range(len(new)) if j not in matched_new]
        self._moved = _moves(old, new, removed, added)
        self._removed = [i for i in removed if i not in self._moved]
        # Place in the child -> place of its match in the parent.
        self._match = {j: i for i, j in matched}
        for i, j in self._moved.items():
            self._match[j] = i
        # Place in the parent -> place in the child. The section's inputs are the same in both.
        self._now = {-1: -1, -2: -2}
        for j, i in self._match.items():
            self._now[i] = j

    def words(self) -> list[str]:
        """Removed genes first, then moved and swapped ones, then the child's genes in order."""
        found = []
        for i in self._removed:
            op = self._old[i].op
            found.append(f"{self._at(i)}: {op} removed")
        for i, j in sorted(self._moved.items()):
            op = self._old[i].op
            target = self._at(j)
            found.append(f"{self._at(i)}: {op} moved to {target}")
        if self._swapped is not None:
            first, second = self._swapped
            found.append(f"{self._name}: [{first}] and [{second}] swapped")
        for j in range(len(self._new)):
            match = self._match.get(j)
            if match is None:
                found.append(self._added(j))
            else:
                found += self._matched(match, j)
        return found

    def _at(self, place: int) -> str:
        """A gene, or an input of the section, in words."""
        if place in _SOURCE_WORDS:
            return _SOURCE_WORDS[place]
        return f"{self._name}[{place}]"

    def _sources_text(self, places: Iterable[int]) -> str:
        return " and ".join(map(self._at, places))

    def _added(self, j: int) -> str:
        """A new gene with all that it has."""
        gene = self._new[j]
        sources = self._new_inputs[j]
        merge = gene.parameters.get("merge")
        details = []
        parameters = _parameters_text(gene)
        if parameters:
            details.append(parameters)
        if sources:
            # Only a skip has `merge`. In a dag, the sources are all that the gene takes.
            kind = "" if merge is None else "skip "
            taken = self._sources_text(sources)
            details.append(f"{kind}from {taken}")
        if merge is not None:
            details.append(f"merge {value_text(merge)}")
        word = f"{self._at(j)}: {gene.op} added"
        return _with_details(word, ", ".join(details))

    def _matched(self, i: int, j: int) -> list[str]:
        """All that differs between two matched genes."""
        found = self._gene_words(i, j)
        old = self._old[i]
        new = self._new[j]
        if _is_of_dag(old) or _is_of_dag(new):
            found += self._input_words(i, j)
        else:
            found += self._skip_words(i, j)
        return found

    def _gene_words(self, i: int, j: int) -> list[str]:
        """What differs between the ops and parameters of two matched genes."""
        old = self._old[i]
        new = self._new[j]
        here = self._at(j)
        if old.op != new.op:
            # Another op has parameters of its own, so all of the new values are named.
            word = f"{here}: {old.op} -> {new.op}"
            return [_with_details(word, _parameters_text(new))]
        found = []
        for name, before, after in _differences(old, new):
            change = _change_text(before, after)
            found.append(f"{here}.{name}: {change}")
        return found

    def _input_words(self, i: int, j: int) -> list[str]:
        """What differs between two matched genes' inputs in a dag: all that the gene takes now."""
        before = tuple(self._now.get(place) for place in self._old_inputs[i])
        after = self._new_inputs[j]
        if before == after:
            return []
        return [f"{self._at(j)}: now from {self._sources_text(after)}"]

    def _skip_words(self, i: int, j: int) -> list[str]:
        """What differs between two matched genes' skips and the way in which they join.

        A source that both genomes have is named by its place in the child.
        """
        here = self._at(j)
        before = self._old_inputs[i]
        after = self._new_inputs[j]
        kept = [self._now[place] for place in before if place in self._now]
        found = self._lost_skips(i, j, kept)
        old_merge = self._old[i].parameters.get("merge")
        new_merge = self._new[j].parameters.get("merge")
        # The first skip of a gene brings its `merge` along: one sentence tells both.
        brings_merge = not before and old_merge is None and new_merge is not None
        joined = f" (merge {_text(new_merge)})" if brings_merge else ""
        gained = [place for place in after if place not in kept]
        for place in gained:
            source = self._at(place)
            found.append(f"{here}: skip from {source} added{joined}")
        if new_merge is not None:
            is_told = brings_merge and bool(gained)
        else:
            # The last skip of a gene takes its `merge` along.
            is_told = bool(before) and not after
        if not same_value(old_merge, new_merge) and not is_told:
            change = _change_text(old_merge, new_merge)
            found.append(f"{here}.merge: {change}")
        if found or tuple(kept) == after:
            return found
        # In a valid genome the order of skips says nothing.
        if not (_is_normal(before) and _is_normal(after)):
            sources = ", ".join(map(self._at, after))
            found.append(f"{here}: skips from {sources}, in this order")
        return found

    def _lost_skips(self, i: int, j: int, kept: Sequence[int]) -> list[str]:
        """The skips that the gene no longer has: first those whose source is gone, too."""
        here = self._at(j)
        found = []
        for place in self._old_inputs[i]:
            if place not in self._now:
                source = self._at(place)
                found.append(f"{here}: skip removed with {source}")
        after = self._new_inputs[j]
        for place in kept:
            if place not in after:
                source = self._at(place)
                found.append(f"{here}: skip from {source} removed")
        return found


def _swap(old: Sequence[Gene], new: Sequence[Gene]) -> tuple[int, int] | None:
    """The two places whose genes changed places; None if ops or parameters differ elsewhere."""
    if len(old) != len(new):
        return None
    places = []
    for place, (a, b) in enumerate(zip(old, new, strict=True)):
        if not _is_alike(a, b):
            places.append(place)
    if len(places) != 2:
        return None
    i, j = places
    if not _is_alike(old[i], new[j]):
        return None
    if not _is_alike(old[j], new[i]):
        return None
    return i, j


def _exchanged(length: int, i: int, j: int) -> Pairs:
    """Every place matched with itself, except that i and j are matched with each other."""
    pairs = [(place, place) for place in range(length)]
    pairs[i] = (i, j)
    pairs[j] = (j, i)
    return pairs


def _is_of_dag(gene: Gene) -> bool:
    """Whether the gene takes its inputs as in a dag, where they come without `merge`."""
    if not gene.inputs:
        return False
    return "merge" not in gene.parameters


def _is_normal(places: Sequence[int]) -> bool:
    """Whether the nearest comes first and no place comes twice."""
    normal = sorted(set(places), reverse=True)
    return tuple(places) == tuple(normal)


def _align(old: Sequence[Gene], new: Sequence[Gene]) -> Pairs:
    """The cheapest matching that keeps the order (Needleman & Wunsch, 1970)."""
    # A gene that is the same in both costs nothing, and any other partner has another number and
    # costs something. So at both ends, each cheapest matching pairs what is the same.
    shorter = min(len(old), len(new))
    head = 0
    while head < shorter and _is_same(old[head], new[head]):
        head += 1
    tail = 0
    while tail < shorter - head and _is_same(old[-1 - tail], new[-1 - tail]):
        tail += 1
    pairs = [(i, i) for i in range(head)]
    inner = _align_all(old[head : len(old) - tail], new[head : len(new) - tail])
    pairs += [(head + i, head + j) for i, j in inner]
    pairs += [(len(old) - k, len(new) - k) for k in range(tail, 0, -1)]
    return pairs


def _align_all(old: Sequence[Gene], new: Sequence[Gene]) -> Pairs:
    """The same, by the table of all costs."""
    costs = _costs(old, new)
    pairs: Pairs = []
    # The way back, from the end of both lists. It repeats the sums that made the table, so `==`
    # is exact. A match is preferred to a gap of the same cost.
    i = len(old)
    j = len(new)
    while i and j:
        matched = costs[i - 1][j - 1] + _cost(old[i - 1], new[j - 1])
        if costs[i][j] == matched:
            i -= 1
            j -= 1
            pairs.append((i, j))
        elif costs[i][j] == costs[i - 1][j] + _GAP:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]


def _costs(old: Sequence[Gene], new: Sequence[Gene]) -> list[list[float]]:
    """The least cost of aligning the first i old genes with the first j new ones, at [i][j]."""
    costs = []
    for i in range(len(old) + 1):
        # Right already for an empty list, where each gene of the other list is a gap.
        costs.append([(i + j) * _GAP for j in range(len(new) + 1)])
    for i, a in enumerate(old):
        above = costs[i]
        row = costs[i + 1]
        for j, b in enumerate(new):
            gap = min(above[j + 1], row[j]) + _GAP
            row[j + 1] = min(gap, above[j] + _cost(a, b))
    return costs


def _cost(a: Gene, b: Gene) -> float:
    """How unlike two genes are."""
    number = 0.0
    if a.innovation != b.innovation:
        number = _OTHER_NUMBER
    if a.op != b.op:
        return _OTHER_OP + number
    # A shortcut for most pairs. It also holds for 1 and 1.0, which only makes a match likelier.
    if a.params == b.params:
        return number
    differences = _differences(a, b)
    values = _OTHER_VALUE * len(differences)
    return min(values, _MOST_VALUES) + number


def _moves(
    old: Sequence[Gene], new: Sequence[Gene], removed: Sequence[int], added: Sequence[int]
) -> dict[int, int]:
    """Removed genes that were added again elsewhere, unchanged.

    Returns:
        Place in the parent -> place in the child.
    """
    moves: dict[int, int] = {}
    for i in removed:
        for j in added:
            # Each new gene is the target of one move at most.
            if j not in moves.values() and _is_moved(old[i], new[j]):
                moves[i] = j
                break
    return moves


def _is_moved(a: Gene, b: Gene) -> bool:
    """Whether b can be a in another place."""
    if a.innovation != b.innovation:
        return False
    return _is_alike(a, b)


def _is_alike(a: Gene, b: Gene) -> bool:
    """Whether op and parameters are the same, except `merge`."""
    if a.op != b.op:
        return False
    return not _differences(a, b)


def _are_same(old: Sequence[Gene], new: Sequence[Gene]) -> bool:
    """Whether two versions of a section are the same to the last number."""
    if len(old) != len(new):
        return False
    return all(map(_is_same, old, new))


def _is_same(a: Gene, b: Gene) -> bool:
    """Whether two genes are the same, numbers and inputs too."""
    if a is b:
        return True
    return a == b and _has_same_values(a, b)


def _has_same_values(a: Gene, b: Gene) -> bool:
    """Whether all parameters are the same."""
    if a.params is b.params:
        return True
    # First as a whole, which is fast; but 1, 1.0 and True are equal there.
    if a.params != b.params:
        return False
    return all(type(x) is type(y) for (_, x), (_, y) in zip(a.params, b.params, strict=True))


def _differences(a: Gene, b: Gene) -> list[Difference]:
    """Parameters that differ, except `merge`, which belongs to the skips."""
    if _has_same_values(a, b):
        return []
    before = a.parameters
    after = b.parameters
    found = []
    for name in sorted({*before, *after}):
        if name == "merge":
            continue
        old = before.get(name)
        new = after.get(name)
        if not same_value(old, new):
            found.append((name, old, new))
    return found


def _parameters_text(gene: Gene) -> str:
    """All parameters with their values, except `merge`."""
    words = []
    for name, value in gene.params:
        if name != "merge":
            words.append(f"{name} {value_text(value)}")
    return ", ".join(words)


def _with_details(word: str, details: str) -> str:
    if details:
        return f"{word} ({details})"
    return word


def _change_text(before: Value | None, after: Value | None) -> str:
    return f"{_text(before)} -> {_text(after)}"


def _text(value: Value | None) -> str:
    if value is None:
        return "none"
    return value_text(value)
