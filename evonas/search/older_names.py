"""Names that an older evonas had, and what they mean today.

Three strategies differed in their surrogate, whose settings stood beside those of the strategy:
`forest: {trees: 20, initial: 8}` means
`model_based: {surrogate: {forest: {trees: 20}}, initial: 8}`, and proposes the same.

Of Optuna's samplers only TPE is left. evonas has the others itself, with other numbers, so a config
that names one of them is refused, and told what to write.
"""

from __future__ import annotations

import dataclasses
import typing
from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from evonas.search.strategies.model_based import ModelBasedSettings
from evonas.search.surrogate import SURROGATES, Surrogate
from evonas.settings import OlderSettings


@dataclass(frozen=True)
class BySurrogate(OlderSettings, ABC):
    """The settings of `model_based` and those of its surrogate, side by side."""

    surrogate: ClassVar[type[Surrogate]]

    def meant(self) -> ModelBasedSettings:
        of_surrogate = _values(self, self.surrogate)
        surrogate = self.surrogate(**of_surrogate)
        return ModelBasedSettings(surrogate, **_values(self, ModelBasedSettings))


def _names(cls: type[Any]) -> list[str]:
    """The fields of the strategy, or of a surrogate, that stand side by side."""
    return [item.name for item in dataclasses.fields(cls) if item.name != "surrogate"]


def _values(settings: BySurrogate, cls: type[Any]) -> dict[str, Any]:
    """Those of the settings that are fields of this class."""
    return {name: vars(settings)[name] for name in _names(cls)}


def _by_surrogate(name: str) -> type[BySurrogate]:
    """The class of the settings under the name of a surrogate."""
    surrogate = SURROGATES[name]
    found = []
    for cls in (ModelBasedSettings, surrogate):
        hints = typing.get_type_hints(cls, include_extras=True)
        for item in dataclasses.fields(cls):
            if item.name in _names(cls):
                copy = dataclasses.field(default=item.default, default_factory=item.default_factory)
                found.append((item.name, hints[item.name], copy))
    made: type[BySurrogate] = dataclasses.make_dataclass(
        f"Older_{name}",
        found,
        bases=(BySurrogate,),
        namespace={"surrogate": surrogate},
        frozen=True,
    )
    return made


OLDER_STRATEGIES: Mapping[str, type[OlderSettings]] = {
    name: _by_surrogate(name) for name in ("gaussian_process", "forest", "dngo")
}
"""Strategies under their older names: a config may write them, and its run is the same."""

_DELETED = "is no longer asked of Optuna. evonas has its own, with other proposals: write"

DELETED_SAMPLERS: Mapping[str, str] = {
    "cma_es": f"{_DELETED} `strategy: cma_es`.",
    "nsgaii": f"{_DELETED} `strategy: evolution`, or `strategy: nsga2` for several objectives.",
    "nsgaiii": f"{_DELETED} `strategy: evolution`, or `strategy: nsga3` for several objectives.",
    "qmc": f"{_DELETED} `strategy: {{random: {{sampler: sobol}}}}`, or `halton`.",
    "random": f"{_DELETED} `strategy: random`.",
}
"""Samplers of Optuna's that are gone, and why a config cannot name them."""
