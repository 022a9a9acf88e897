"""k folds: all samples but those of the test, in k parts that take turns at validation."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from evonas.data.splits.grouped import Grouped
from evonas.data.splits.random import Random
from evonas.data.splits.split import Misfit, Part, Parts, Samples, Shares, Split
from evonas.data.splits.stratified import Stratified
from evonas.words import counted


@dataclass(frozen=True)
class KFold(Split):
    """Stratified for classification. If there are groups, each of them is in one fold.

    The share for validation is 1 / folds, whatever `validation` says.

    Attributes:
        folds: number of folds.
        fold: number of the fold that this run is validated on, counted from 0.
    """

    folds: Annotated[int, Ge(2)] = 5
    fold: Annotated[int, Ge(0)] = 0

    takes = ("groups",)

    def problems(self) -> dict[str, str]:
        if self.fold < self.folds:
            return {}
        return {"fold": f"must be below folds ({self.folds}). Received: {self.fold}."}

    def misfits(self, samples: Samples, shares: Shares) -> list[Misfit]:
        if "validation" in samples.given:
            message = "is given, and k_fold makes its own parts for validation."
            return [("x_val", f"{message} Allowed: x and x_test. Received: x_val.")]
        outer = _outer(samples)
        if found := outer.misfits(_without_validation(samples), shares):
            return found
        rest = outer.parts(_without_validation(samples), shares)["train"]
        of_classes: dict[str, int] = {}
        if samples.strata is not None:
            numbers = np.bincount(samples.strata[rest], minlength=len(samples.classes)).tolist()
            labels = [f"samples of class {label!r}" for label in samples.classes]
            of_classes = dict(zip(labels, numbers, strict=True))
        if samples.groups is None:
            return self._too_few("y", of_classes or {"samples": len(rest)})
        found = self._too_few("groups", {"groups": len(np.unique(samples.groups[rest]))})
        # Groups stay whole, so a fold may lack a class. If each class is that rare, nothing is left
        # to stratify by.
        if of_classes and max(of_classes.values()) < self.folds:
            found += self._too_few("y", of_classes)
        return found

    def notes(self, samples: Samples) -> tuple[str, ...]:
        if samples.groups is None or samples.strata is None:
            return ()
        notes = []
        for number, label in enumerate(samples.classes):
            count = len(np.unique(samples.groups[samples.strata == number]))
            if count < self.folds:
                where = counted(count, "group")
                fewer = f"fewer than there are folds ({self.folds})"
                notes.append(f"y: class {label!r} is in {where}, {fewer}: not each fold has it.")
        return tuple(notes)

    def parts(self, samples: Samples, shares: Shares) -> Parts:
        return self.all_parts(samples, shares)[self.fold]

    def all_parts(self, samples: Samples, shares: Shares) -> list[Parts]:
        """The parts of each fold in turn. All of them have the same test samples."""
        outer: dict[Part, Any] = {**_outer(samples).parts(_without_validation(samples), shares)}
        rest = outer["train"]
        strata = None if samples.strata is None else samples.strata[rest]
        groups = None if samples.groups is None else samples.groups[rest]
        folds: list[Parts] = []
        with warnings.catch_warnings():
            # That a class is rare is told by `notes`.
            warnings.filterwarnings("ignore", "The least populated class", UserWarning)
            drawn = list(self._splitter(samples, shares).split(rest, strata, groups))
        for train, validation in drawn:
            folds.append({**outer, "train": rest[train], "validation": rest[validation]})
        return folds

    def _too_few(self, key: str, counts: Mapping[str, int]) -> list[Misfit]:
        """Of what, by name and number, there is less than one for each fold."""
        found = []
        for what, count in counts.items():
            if count < self.folds:
                message = f"there are too few {what} for {self.folds} folds: each needs one."
                found.append((key, f"{message} Received: {count} beside the test data."))
        return found

    def _splitter(self, samples: Samples, shares: Shares) -> Any:
        # The import takes 1.1 s.
        from sklearn import model_selection

        if samples.groups is not None and samples.strata is not None:
            kind = model_selection.StratifiedGroupKFold
        elif samples.groups is not None:
            kind = model_selection.GroupKFold
        elif samples.strata is not None:
            kind = model_selection.StratifiedKFold
        else:
            kind = model_selection.KFold
        return kind(self.folds, shuffle=True, random_state=shares.seed)


def _outer(samples: Samples) -> Split:
    """What splits the test data off."""
    if samples.groups is not None:
        return Grouped()
    return Random() if samples.strata is None else Stratified()


def _without_validation(samples: Samples) -> Samples:
    """The samples as if validation data were given, so that none are split off."""
    return replace(samples, given=samples.given | {"validation"})
