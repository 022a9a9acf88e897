"""Plain data as YAML that evonas reads back as they are: for the copy of a config, for errors."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import yaml

from evonas.errors import InvalidYaml
from evonas.genome import strict_yaml


def as_yaml(data: Mapping[str, Any]) -> str:
    """Plain data as YAML that evonas reads back as they are."""
    return yaml.dump(
        dict(data),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        # Small mappings and lists stand on one line, as people write them.
        default_flow_style=None,
        width=100,
    )


def in_line(data: Mapping[str, Any]) -> str:
    """The same on one line, without the braces around it: `data: {path: x.npz}`."""
    text: str = yaml.dump(
        dict(data),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=True,
        width=float("inf"),
    )
    return text.strip()[1:-1]


class _Dumper(yaml.SafeDumper):
    """Quotes each word that evonas would read as something else."""

    def ignore_aliases(self, data: Any) -> bool:
        """Equal values are written out twice: anchors are not allowed in a config."""
        return True


def _word(dumper: _Dumper, word: str) -> yaml.ScalarNode:
    """A word, in quotes if it has to be."""
    style = "'"
    with suppress(InvalidYaml):
        # PyYAML alone would write the word 1e-3 without quotes, and evonas reads a number then.
        if strict_yaml.load(word, "").data == word:
            style = ""
    return dumper.represent_scalar("tag:yaml.org,2002:str", word, style=style or None)


_Dumper.add_representer(str, _word)
