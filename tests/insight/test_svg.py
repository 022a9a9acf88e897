from __future__ import annotations

import pytest

from evonas.insight.svg import COLOURS, coordinate, escape, ramp, style, text, text_width


@pytest.mark.parametrize(
    ("value", "told"), [(12.0, "12"), (12.34, "12.3"), (-0.04, "0"), (-3.25, "-3.2"), (0.96, "1")]
)
def test_coordinates_are_short(value, told):
    assert coordinate(value) == told


def test_text_is_escaped():
    assert escape('<a b="c">&\'\x00') == "&lt;a b=&quot;c&quot;&gt;&amp;&#x27;\ufffd"
    assert (
        text(1, 2, "<b>", "tick", "end")
        == '<text class="tick" x="1" y="2" text-anchor="end">&lt;b&gt;</text>'
    )


def test_a_longer_text_is_wider():
    assert 0 < text_width("0.1", 12) < text_width("0.1234", 12) < text_width("0.1234", 14)


def test_a_scale_has_distinct_colours_in_both_themes():
    for theme in ("light", "dark"):
        assert len(set(ramp(theme))) == COLOURS


def test_rules_hold_inside_their_scope_only():
    rules = (
        style("climb", dark=None)
        .removeprefix("<style>")
        .replace("@media(prefers-color-scheme:dark){", "")
    )
    selectors = [
        part for rule in rules.split("}") if "{" in rule for part in rule.split("{")[0].split(",")
    ]

    assert len(selectors) > 20
    assert all(selector.startswith(".climb") for selector in selectors)
