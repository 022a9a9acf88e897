"""Where one strategy stands among all that a table has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

AS_IT_COMES = ", as it comes"
"""The end of the name of a strategy that has its defaults; sentences leave it out."""


def column(rows: Sequence[str], place: int) -> dict[str, float]:
    """The first number in one column of a table, by the first cell of its row.

    Args:
        rows: lines of the table, without its heading.
        place: number of the column; the one after the names has 1.
    """
    found = {}
    for row in rows:
        cells = [cell.strip() for cell in row.strip().strip("|").split("|")]
        number, _, _ = cells[place].partition(" ")
        found[cells[0]] = float(number)
    return found


def standing(name: str, scores: Mapping[str, float], by: str) -> str:
    """A sentence with a strategy's place, and all that are ahead of it.

    Args:
        name: name of the strategy in the table.
        scores: scores of all strategies; less is better, and equal ones share a place.
        by: what the scores are, in words.
    """
    ahead = [other for other, score in scores.items() if score < scores[name]]
    ahead.sort(key=lambda other: scores[other])
    plain = name.removesuffix(AS_IT_COMES)
    sentence = f"Where plain {plain} stands: at place {len(ahead) + 1} of {len(scores)}, by {by}"
    if not ahead:
        return f"{sentence}."
    names = "; ".join(other.removesuffix(AS_IT_COMES) for other in ahead)
    return f"{sentence}. Ahead of it: {names}."
