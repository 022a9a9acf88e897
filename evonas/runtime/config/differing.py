"""What differs between two configs, key by key."""

from __future__ import annotations

from typing import Any


def differing(before: Any, after: Any, path: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The lowest keys that differ, each with both values: `key`, `from` and `to`.

    If another member of a family was chosen by name, it is the key of the choice.

    Args:
        before, after: plain JSON data of the two.
        path: keys that lead to them.
    """
    if before == after:
        return []
    are_dicts = isinstance(before, dict) and isinstance(after, dict)
    # With other keys another member was chosen: its settings have nothing to be compared with.
    if are_dicts and before.keys() == after.keys():
        found = []
        for key in before:
            found += differing(before[key], after[key], (*path, key))
        return found
    return [{"key": ".".join(path), "from": before, "to": after}]
