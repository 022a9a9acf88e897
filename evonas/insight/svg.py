"""The few words of SVG that a picture needs: escaped text, short numbers, and colours for a light and a dark page.

A picture is one file: no script, no font and no image from elsewhere. Colours are plain rules with a media query, not
CSS variables, because viewers other than browsers know no variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape as _escape

from evonas.insight.words import clean

COLOURS = 12
"""How many steps a colour scale has."""

_RAMP = {
    "light": ("#34318a", "#2a65a8", "#1f938f", "#58b368", "#bdb532", "#f0a020"),
    "dark": ("#8288f2", "#4ba3e3", "#35bfae", "#7fd069", "#d5db4e", "#ffc44d"),
}

_THEME = {
    "light": {
        "paper": "#ffffff",
        "ink": "#18232e",
        "soft": "#5d6a78",
        "grid": "#e8ecf0",
        "edge": "#8d9aae",
        "accent": "#d0324a",
        "none": "#9aa4b0",
    },
    "dark": {
        "paper": "#11161c",
        "ink": "#edf2f7",
        "soft": "#94a3b3",
        "grid": "#232c36",
        "edge": "#6f8196",
        "accent": "#ff7262",
        "none": "#64717f",
    },
}


def escape(text: str) -> str:
    """Text for an element or an attribute, without what XML forbids."""
    return _escape(clean(text), quote=True)


def coordinate(value: float) -> str:
    """A tenth of a pixel is enough."""
    return (
        f"{value:.1f}".removesuffix(".0").replace("-0", "0")
        if -0.05 < value < 0
        else f"{value:.1f}".removesuffix(".0")
    )


def text(x: float, y: float, words: str, css: str = "", anchor: str = "start") -> str:
    """A text element; `words` are escaped here."""
    place = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return (
        f'<text class="{css}" x="{coordinate(x)}" y="{coordinate(y)}"{place}>{escape(words)}</text>'
    )


def text_width(words: str, size: float) -> float:
    """A cautious estimate in pixels: the viewer's own font is not known."""
    narrow = sum(letter in " .,:;il|'!()" for letter in words)
    return size * (0.6 * (len(words) - narrow) + 0.36 * narrow)


def ramp(theme: str) -> list[str]:
    """The colours of a scale, from little to much."""
    stops = [[int(stop[k : k + 2], 16) for k in (1, 3, 5)] for stop in _RAMP[theme]]
    found = []
    for i in range(COLOURS):
        place = i / (COLOURS - 1) * (len(stops) - 1)
        left = min(int(place), len(stops) - 2)
        mixed = (
            a + (b - a) * (place - left) for a, b in zip(stops[left], stops[left + 1], strict=True)
        )
        found.append("#" + "".join(f"{round(part):02x}" for part in mixed))
    return found


def style(scope: str, dark: bool | None) -> str:
    """A style element whose rules hold inside elements of the class `scope` only.

    Args:
        dark: True or False for one look; None follows the reader's system.
    """
    rules = _shapes(scope) + _colours(scope, "dark" if dark else "light")
    if dark is None:
        rules += f"@media(prefers-color-scheme:dark){{{_colours(scope, 'dark')}}}"
    return f"<style>{rules}</style>"


def _shapes(scope: str) -> str:
    rules = {
        "": "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;font-size:12px",
        " text": "stroke:none",
        " .title": "font-size:19px;font-weight:650",
        " .sub": "font-size:13px",
        " .tick": "font-variant-numeric:tabular-nums",
        " .big": "font-size:15px",
        " .label": "font-size:11.5px;font-weight:600;paint-order:stroke;stroke-width:3.5px;stroke-linejoin:round",
        " .first": "font-size:13px;font-weight:700",
        " .grid": "fill:none;stroke-width:1",
        " .edges": "fill:none;stroke-width:.8",
        " .kin": "fill:none;stroke-width:1;stroke-opacity:.4",
        " .line": "fill:none;stroke-width:3.2;stroke-linejoin:round;stroke-linecap:round",
        " .halo": "fill:none;stroke-width:6.5;stroke-linejoin:round;stroke-linecap:round;stroke-opacity:.75",
        " .cloud": "fill:none;stroke:currentColor;stroke-linecap:round",
        " .dot": "fill:currentColor",
        " .strong": "stroke-width:1.2",
        " .twin": "fill:none;stroke:currentColor;stroke-width:1.2",
        " .cross": "fill:none;stroke-width:1.3;stroke-linecap:round",
        " .ring": "fill:none;stroke-width:2.4",
        " .record": "fill:none;stroke-width:1",
    }
    return "".join(f".{scope}{selector}{{{body}}}" for selector, body in rules.items())


def _colours(scope: str, theme: str) -> str:
    colour = _THEME[theme]
    rules = {
        ".paper": f"fill:{colour['paper']}",
        ".ink": f"fill:{colour['ink']}",
        ".soft": f"fill:{colour['soft']}",
        ".grid": f"stroke:{colour['grid']}",
        ".edges": f"stroke:{colour['edge']}",
        ".kin,.SCOPE .line": f"stroke:{colour['accent']}",
        ".halo,.SCOPE .strong": f"stroke:{colour['paper']}",
        ".label": f"fill:{colour['ink']};stroke:{colour['paper']}",
        ".cross": f"stroke:{colour['none']}",
        ".ring": f"stroke:{colour['ink']}",
        ".record": f"stroke:{colour['soft']}",
        ".c": f"color:{colour['none']}",
    }
    steps = {f".c{i}": f"color:{value}" for i, value in enumerate(ramp(theme))}
    named = {selector.replace("SCOPE", scope): body for selector, body in (rules | steps).items()}
    return "".join(f".{scope} {selector}{{{body}}}" for selector, body in named.items())


def classes(parts: Sequence[str]) -> str:
    """Class names joined, empty ones left out."""
    return " ".join(part for part in parts if part)
