"""On what the defaults were chosen, in the sentences that stand beside the tables.

A default does better where it was chosen than elsewhere. `docs/decisions` has the measurements.
"""

from __future__ import annotations

EVOLUTION = """
Evolution's rates of edits and crossover were chosen on digits, with seeds 0 and 1 (decision 16).
"""

MODELS = """
What surrogates do with trials that wait, and how long dngo's network is trained, were chosen on
NAS-Bench-Macro (decisions 45 and 53).
"""

CUBE = """
That cma_es learns from mirrored points was chosen on an ellipsoid and on Rastrigin's function, the
first simplex of nelder_mead on a sphere (decisions 50 and 51).
"""

REST = "No measurement is recorded for any other default."

OTHERS = f"{EVOLUTION} {MODELS} {CUBE} {REST}"

ELSEWHERE = f"No default was chosen on this table. {OTHERS}"
"""Beside a table on which no default was chosen."""
