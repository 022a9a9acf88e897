"""What differs between two genomes, in words: derived from the two, never noted down by an operator.

The words are a complete and true list of edits: whoever applies them to the parent gets the child. A gene that is
removed is named by its place in the parent, and so is one that is moved, before the word `moved`; all others by their
place in the child.
"""

from __future__ import annotations

from collections.abc import Sequence

from evonas.genome.genome import Gene, Genome, Value, positions, same_value
from evonas.genome.parameters import value_text

Pairs = list[tuple[int, int]]
"""Places of matched genes: (in the parent, in the child)."""

_GAP = 1.0
"""What it costs to leave a gene without a match; two of them are a removed and an added gene."""
_OTHER_OP = 1.9
"""A changed op is likelier than a removed and an added gene."""
_OTHER_VALUE = 0.1
_MOST_VALUES = 1.0
_OTHER_NUMBER = 0.05
"""Between equal genes, the relative is the match."""


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
        words += _Comparison(name, parent.get(name), child.get(name)).words()
    return tuple(words)


class _Comparison:
    """Two versions of one section, gene by gene."""

    def __init__(self, name: str, old: Sequence[Gene], new: Sequence[Gene]) -> None:
        self._name, self._old, self._new = name, old, new
        self._old_inputs, self._new_inputs = positions(old), positions(new)
        self._swapped = _swap(old, new)
        matched = (
            _align(old, new) if self._swapped is None else _exchanged(len(old), *self._swapped)
        )
        removed = sorted(set(range(len(old))) - {i for i, _ in matched})
        added = sorted(set(range(len(new))) - {j for _, j in matched})
        self._moved = _moves(old, new, removed, added)
        self._removed = [i for i in removed if i not in self._moved]
        self._match = {j: i for i, j in (*matched, *self._moved.items())}  # child -> parent
        self._now = {-1: -1, -2: -2} | {i: j for j, i in self._match.items()}  # parent -> child

    def words(self) -> list[str]:
        found = [f"{self._at(i)}: {self._old[i].op} removed" for i in self._removed]
        found += [
            f"{self._at(i)}: {self._old[i].op} moved to {self._at(j)}"
            for i, j in sorted(self._moved.items())
        ]
        if self._swapped is not None:
            found.append(
                f"{self._name}: {' and '.join(f'[{place}]' for place in self._swapped)} swapped"
            )
        for j in range(len(self._new)):
            if j in self._match:
                i = self._match[j]
                is_dag = any(
                    "merge" not in gene.parameters and gene.inputs
                    for gene in (self._old[i], self._new[j])
                )
                found += self._gene_words(i, j) + (
                    self._input_words if is_dag else self._skip_words
                )(i, j)
            else:
                found.append(self._added(j))
        return found

    def _at(self, place: int) -> str:
        """A gene, or the section's input, in words."""
        return {-1: "input", -2: "input 2"}.get(place, f"{self._name}[{place}]")

    def _added(self, j: int) -> str:
        gene, sources = self._new[j], self._new_inputs[j]
        merge = gene.parameters.get("merge")
        skip = (
            f"{'skip ' if merge is not None else ''}from {' and '.join(map(self._at, sources))}"
            if sources
            else ""
        )
        joined = f"merge {_text(merge)}" if merge is not None else ""
        details = ", ".join(filter(None, (_parameters_text(gene), skip, joined)))
        return f"{self._at(j)}: {gene.op} added" + (f" ({details})" if details else "")

    def _gene_words(self, i: int, j: int) -> list[str]:
        """What differs between the ops and parameters of a gene and its match."""
        old, new, here = self._old[i], self._new[j], self._at(j)
        if old.op != new.op:
            details = _parameters_text(new)
            return [f"{here}: {old.op} -> {new.op}" + (f" ({details})" if details else "")]
        return [
            f"{here}.{name}: {_text(before)} -> {_text(after)}"
            for name, before, after in _differences(old, new)
        ]

    def _input_words(self, i: int, j: int) -> list[str]:
        """What differs between two matched genes' inputs in a dag: all that the gene takes now."""
        after = self._new_inputs[j]
        if tuple(self._now.get(place) for place in self._old_inputs[i]) == after:
            return []
        return [f"{self._at(j)}: now from {' and '.join(map(self._at, after))}"]

    def _skip_words(self, i: int, j: int) -> list[str]:
        """What differs between two matched genes' skips, their sources seen from the child, and how they join."""
        here, before, after = self._at(j), self._old_inputs[i], self._new_inputs[j]
        kept = [self._now[place] for place in before if place in self._now]
        found = [
            f"{here}: skip removed with {self._at(place)}"
            for place in before
            if place not in self._now
        ]
        found += [
            f"{here}: skip from {self._at(place)} removed" for place in kept if place not in after
        ]
        old, new = self._old[i].parameters.get("merge"), self._new[j].parameters.get("merge")
        joined = f" (merge {_text(new)})" if not before and old is None and new is not None else ""
        gained = [place for place in after if place not in kept]
        found += [f"{here}: skip from {self._at(place)} added{joined}" for place in gained]
        implied = joined and gained if new is not None else not after and bool(before)
        if not same_value(old, new) and not implied:
            found.append(f"{here}.merge: {_text(old)} -> {_text(new)}")
        if not found and tuple(kept) != after and not (_is_normal(before) and _is_normal(after)):
            found.append(f"{here}: skips from {', '.join(map(self._at, after))}, in this order")
        return found


def _swap(old: Sequence[Gene], new: Sequence[Gene]) -> tuple[int, int] | None:
    """The places of the two genes that changed places, where that is all that happened to ops and parameters."""
    if len(old) != len(new):
        return None
    places = [i for i, (a, b) in enumerate(zip(old, new, strict=True)) if not _is_alike(a, b)]
    if len(places) != 2:
        return None
    i, j = places
    return (i, j) if _is_alike(old[i], new[j]) and _is_alike(old[j], new[i]) else None


def _exchanged(length: int, i: int, j: int) -> Pairs:
    """Every place matched with itself, but for two."""
    return [(place, {i: j, j: i}.get(place, place)) for place in range(length)]


def _is_normal(places: Sequence[int]) -> bool:
    """Nearest first and none twice, as in every valid genome: then the order says nothing."""
    return tuple(places) == tuple(sorted(set(places), reverse=True))


def _align(old: Sequence[Gene], new: Sequence[Gene]) -> Pairs:
    """The cheapest matching that keeps the order (Needleman & Wunsch, 1970)."""
    costs = [[(i + j) * _GAP for j in range(len(new) + 1)] for i in range(len(old) + 1)]
    for i, a in enumerate(old):
        for j, b in enumerate(new):
            gap = min(costs[i][j + 1], costs[i + 1][j]) + _GAP
            costs[i + 1][j + 1] = min(gap, costs[i][j] + _cost(a, b))
    pairs: Pairs = []
    i, j = len(old), len(new)
    while i and j:
        if costs[i][j] == costs[i - 1][j - 1] + _cost(old[i - 1], new[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif costs[i][j] == costs[i - 1][j] + _GAP:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]


def _cost(a: Gene, b: Gene) -> float:
    """How unlike two genes are."""
    number = 0.0 if a.innovation == b.innovation else _OTHER_NUMBER
    if a.op != b.op:
        return _OTHER_OP + number
    if a.params == b.params:  # may hold for 1 and 1.0, too: that only makes the match more likely
        return number
    return min(_OTHER_VALUE * len(_differences(a, b)), _MOST_VALUES) + number


def _moves(
    old: Sequence[Gene], new: Sequence[Gene], removed: Sequence[int], added: Sequence[int]
) -> dict[int, int]:
    """Removed genes that were added again elsewhere, as they were: place in the parent -> place in the child."""
    moves: dict[int, int] = {}
    for i in removed:
        same = [j for j in added if j not in moves.values() and _is_moved(old[i], new[j])]
        if same:
            moves[i] = same[0]
    return moves


def _is_moved(a: Gene, b: Gene) -> bool:
    return a.innovation == b.innovation and _is_alike(a, b)


def _is_alike(a: Gene, b: Gene) -> bool:
    """Of one op, with the same parameters; how skips join is left aside."""
    return a.op == b.op and not _differences(a, b)


def _differences(a: Gene, b: Gene) -> list[tuple[str, Value | None, Value | None]]:
    """Parameters but `merge` that differ: (name, in a, in b), None where a gene has no such parameter."""
    before, after = a.parameters, b.parameters
    names = sorted({*before, *after} - {"merge"})
    return [
        (n, before.get(n), after.get(n))
        for n in names
        if not same_value(before.get(n), after.get(n))
    ]


def _parameters_text(gene: Gene) -> str:
    return ", ".join(
        f"{name} {value_text(value)}" for name, value in gene.params if name != "merge"
    )


def _text(value: Value | None) -> str:
    return "none" if value is None else value_text(value)
