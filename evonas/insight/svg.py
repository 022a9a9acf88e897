"""The few words of SVG that a picture needs: escaped text, short numbers, and two sets of colours.

A picture is one file: no script, no font and no image from elsewhere. It has colours for a light
and for a dark page.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape as _escape

from evonas.words import clean

COLOURS = 12
"""Number of steps of a colour scale."""

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


def opening(css: str, width: int, height: int) -> str:
    """The start tag of a picture, which shrinks with a narrow page."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{css}" role="img"'
        f' width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        ' style="max-width:100%;height:auto">'
    )


def escape(text: str) -> str:
    """Text for an element or an attribute, without what XML forbids."""
    return _escape(clean(text), quote=True)


def coordinate(value: float) -> str:
    """A number of pixels, to a tenth: finer steps cannot be seen."""
    short = f"{value:.1f}".removesuffix(".0")
    # Python writes -0.0 for a value just below zero.
    if -0.05 < value < 0:
        return short.replace("-0", "0")
    return short


def point(x: float, y: float) -> str:
    """A point of a path."""
    return f"{coordinate(x)} {coordinate(y)}"


def centre(x: float, y: float) -> str:
    """The attributes of a circle's centre."""
    return f'cx="{coordinate(x)}" cy="{coordinate(y)}"'


def text(x: float, y: float, words: str, css: str = "", anchor: str = "start") -> str:
    """A text element; `words` are escaped here."""
    place = f'x="{coordinate(x)}" y="{coordinate(y)}"'
    # "start" is what SVG assumes if nothing is said.
    if anchor != "start":
        place += f' text-anchor="{anchor}"'
    safe = escape(words)
    return f'<text class="{css}" {place}>{safe}</text>'


def text_width(words: str, size: float) -> float:
    """The width of a text in pixels, rather too large than too small."""
    # The viewer's own font is not known, so two widths of letters must do.
    narrow = 0
    for letter in words:
        if letter in " .,:;il|'!()":
            narrow += 1
    wide = len(words) - narrow
    return size * (0.6 * wide + 0.36 * narrow)


def ramp(theme: str) -> list[str]:
    """The colours of a scale, from little to much."""
    stops = [_channels(stop) for stop in _RAMP[theme]]
    end = len(stops) - 1
    found = []
    for i in range(COLOURS):
        place = i / (COLOURS - 1) * end
        # The last step falls on the last stop, which has no stop to its right.
        left = min(int(place), end - 1)
        share = place - left
        colour = "#"
        for a, b in zip(stops[left], stops[left + 1], strict=True):
            part = round(a + (b - a) * share)
            colour += f"{part:02x}"
        found.append(colour)
    return found


def _channels(colour: str) -> list[int]:
    """Red, green and blue of `#rrggbb`, from 0 to 255."""
    red = colour[1:3]
    green = colour[3:5]
    blue = colour[5:7]
    return [int(red, 16), int(green, 16), int(blue, 16)]


def style(scope: str, dark: bool | None) -> str:
    """A style element whose rules hold inside elements of the class `scope` only.

    Args:
        dark: True or False for one look; None follows the reader's system.
    """
    rules = _shapes(scope)
    # Plain rules with a media query, no CSS variables: viewers other than browsers know none.
    rules += _colours(scope, "dark" if dark else "light")
    if dark is None:
        rules += f"@media(prefers-color-scheme:dark){{{_colours(scope, 'dark')}}}"
    return f"<style>{rules}</style>"


_SHAPES = {
    "": (
        "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;"
        "font-size:12px"
    ),
    " text": "stroke:none",
    " .title": "font-size:19px;font-weight:650",
    " .sub": "font-size:13px",
    " .tick": "font-variant-numeric:tabular-nums",
    " .big": "font-size:15px",
    " .label": (
        "font-size:11.5px;font-weight:600;"
        "paint-order:stroke;stroke-width:3.5px;stroke-linejoin:round"
    ),
    " .first": "font-size:13px;font-weight:700",
    " .grid": "fill:none;stroke-width:1",
    " .edges": "fill:none;stroke-width:.8",
    " .kin": "fill:none;stroke-width:1;stroke-opacity:.4",
    " .line": "fill:none;stroke-width:3.2;stroke-linejoin:round;stroke-linecap:round",
    " .halo": (
        "fill:none;stroke-width:6.5;stroke-linejoin:round;stroke-linecap:round;stroke-opacity:.75"
    ),
    " .cloud": "fill:none;stroke:currentColor;stroke-linecap:round",
    " .dot": "fill:currentColor",
    " .strong": "stroke-width:1.2",
    " .twin": "fill:none;stroke:currentColor;stroke-width:1.2",
    " .cross": "fill:none;stroke-width:1.3;stroke-linecap:round",
    " .ring": "fill:none;stroke-width:2.4",
    " .record": "fill:none;stroke-width:1",
}
"""Selector -> rules that are the same in both sets of colours."""


def _shapes(scope: str) -> str:
    """The rules that are the same in both sets of colours."""
    rules = ""
    for selector, body in _SHAPES.items():
        rules += f".{scope}{selector}{{{body}}}"
    return rules


def _colours(scope: str, theme: str) -> str:
    """The rules of one set of colours."""
    colour = _THEME[theme]
    paper = colour["paper"]
    ink = colour["ink"]
    soft = colour["soft"]
    none = colour["none"]
    rules = {
        ".paper": f"fill:{paper}",
        ".ink": f"fill:{ink}",
        ".soft": f"fill:{soft}",
        ".grid": f"stroke:{colour['grid']}",
        ".edges": f"stroke:{colour['edge']}",
        f".kin,.{scope} .line": f"stroke:{colour['accent']}",
        f".halo,.{scope} .strong": f"stroke:{paper}",
        ".label": f"fill:{ink};stroke:{paper}",
        ".cross": f"stroke:{none}",
        ".ring": f"stroke:{ink}",
        ".record": f"stroke:{soft}",
        ".c": f"color:{none}",
    }
    for i, value in enumerate(ramp(theme)):
        rules[f".c{i}"] = f"color:{value}"
    written = ""
    for selector, body in rules.items():
        written += f".{scope} {selector}{{{body}}}"
    return written


def classes(parts: Sequence[str]) -> str:
    """Class names joined, empty ones left out."""
    return " ".join(part for part in parts if part)
