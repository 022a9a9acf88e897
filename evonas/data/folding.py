"""Folds: all samples but those of the test, in parts that take turns at validation.

The test data are split off once. The fitness of a genome is its mean over the folds.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evonas.data.arrays import GIVEN, Arrays
from evonas.data.splits import Part, Random, Samples, Shares, Split, Stratified
from evonas.data.splits.grouped import Grouped
from evonas.data.splits.k_fold import KFold
from evonas.data.splits.split import Indices
from evonas.data.splitting import samples_of, wrong_parts
from evonas.errors import InvalidData, Issue
from evonas.learning.tasks import TASKS, Strata, guess_task

FOLDABLE: tuple[type[Split], ...] = (Random, Stratified, Grouped)
"""The splits by which folds can be drawn.

Without a split they are stratified for classification, and whole groups if there are groups.
"""

FEW = 2000
"""With fewer samples, a score on one part for validation is luck for the most part."""

FOLDS_OF_FEW = 5
"""The number of folds of such data, if nobody says how they are split."""


@dataclass(frozen=True, eq=False)
class Folds:
    """How samples are split into folds.

    Attributes:
        pool: indices of the samples that are in the folds, in ascending order.
        fold_of: (pool,), the number of the fold in which each of them is for validation.
        test: indices of the samples of the test; None if the source gives them.
    """

    pool: Indices
    fold_of: NDArray[np.int32]
    test: Indices | None


def default_folds(count: int, split: Split | None, given: Collection[Part]) -> int | None:
    """The number of folds for a config that does not say how data are split; None for one part.

    Args:
        count: number of samples that are not in a given part.
        split: split of the config, or None.
        given: parts that the source has split off itself.
    """
    is_drawn = split is None or isinstance(split, Random | Stratified)
    if count >= FEW or "validation" in given or not is_drawn:
        return None
    return FOLDS_OF_FEW


def folds_of(arrays: Arrays, split: Split | None, task: str | None, shares: Shares) -> int | None:
    """`default_folds` for these arrays; None, too, if they cannot be split so.

    Args:
        split: split of the config, or None.
        task: name of the task in the config; None to guess it.
        shares: shares of the config.
    """
    given = [part for part in GIVEN if arrays.given(part) is not None]
    folds = default_folds(len(arrays.y), split, given)
    # Who has groups or times, or has said how much is for validation, wants another split.
    is_said = shares.validation != Shares().validation
    # The steps of a forecast follow each other in time.
    is_in_time = arrays.time is not None or task == "forecasting"
    if folds is None or is_said or is_in_time or arrays.groups is not None:
        return None
    try:
        known = guess_task(arrays.y)[0] if task is None else TASKS[task]
        labels = known.labels(arrays.y)
        strata = known.strata(known.encode(arrays.y, labels), labels)
        fold_arrays(arrays, split, folds, shares, strata)
    # A class may be too rare. Targets that are no targets are told elsewhere.
    except (InvalidData, ValueError, TypeError, IndexError):
        return None
    return folds


def fold_arrays(
    arrays: Arrays,
    split: Split | None,
    folds: int,
    shares: Shares,
    strata: Strata | None,
) -> tuple[Folds, tuple[str, ...]]:
    """The folds of `x`, and notes for the user.

    Args:
        split: one of `FOLDABLE`, or None.
        folds: number of folds.
        strata: what each fold should have the same shares of; None if nothing.

    Raises:
        InvalidData: the samples cannot be split so, or a fold leaves nothing to train on.
    """
    samples = samples_of(arrays, strata)
    if "validation" in samples.given:
        message = (
            "is given, and `data.folds` makes its own parts for validation. Allowed: x and x_test;"
            " or x_val without `folds`. Received: x_val."
        )
        raise InvalidData(Issue(message, "x_val", arrays.origin))
    seen = _seen_by(split, samples)
    k_fold = KFold(folds)
    found = [] if split is None else split.misfits(_without_validation(seen), shares)
    if found := found or k_fold.misfits(seen, shares):
        raise InvalidData([Issue(message, key, arrays.origin) for key, message in found])
    drawn = k_fold.all_parts(seen, shares)
    for parts in drawn:
        if wrong := wrong_parts(parts, samples):
            raise InvalidData(Issue(wrong, "y", arrays.origin))
    pool = np.sort(np.concatenate([parts["validation"] for parts in drawn]))
    fold_of = np.empty(len(pool), np.int32)
    for fold, parts in enumerate(drawn):
        fold_of[np.searchsorted(pool, parts["validation"])] = fold
    return Folds(pool, fold_of, drawn[0].get("test")), k_fold.notes(seen)


def _seen_by(split: Split | None, samples: Samples) -> Samples:
    """The samples with what a split looks at alone."""
    if isinstance(split, Random):
        return replace(samples, classes=(), strata=None, groups=None)
    if isinstance(split, Stratified):
        return replace(samples, groups=None)
    return samples


def _without_validation(samples: Samples) -> Samples:
    """The samples as if validation data were given: the split takes off the test data alone."""
    return replace(samples, given=samples.given | {"validation"})
