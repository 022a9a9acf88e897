"""Figures of a comparison: one HTML file that needs no network, drawn by Plotly as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from types import MappingProxyType
from typing import Any

import numpy as np

from evonas.insight.comparison import Band, Curve
from evonas.insight.scale import Floats, Scale
from evonas.words import number

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#888888")
"""Colours of Okabe and Ito: nearly everybody can tell them apart, on white and on black."""

_STYLE = """
body { font-family: system-ui, sans-serif; margin: 2rem auto; \
max-width: 60rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; \
font-variant-numeric: tabular-nums; font-size: 0.9rem; }
th, td { text-align: right; padding: 0.3rem 0.7rem; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
li { margin: 0.4rem 0; }
"""

_SHARED = "Trainings that two runs share were done once and are charged to both."


def caption(bands: Mapping[str, Band], scale: Scale) -> str:
    """What the lines and bands of a picture are."""
    about = f"best {scale.objective.name} so far"
    runs = max((found.runs for found in bands.values()), default=0)
    if runs < 2:
        return f"{about}, one run a strategy"
    mean = "geometric mean" if scale.is_logarithmic else "mean"
    has_interval = any(found.is_interval for found in bands.values())
    if has_interval:
        around = "its 95 % t interval, and each run"
    else:
        around = "and each run: their range (min to max), no interval"
    told = f"{about}: {mean} of {runs} seeds, {around}"
    if any(found.failed for found in bands.values()):
        told += "; dashed: the median, if a run found nothing"
    return told


def ending(found: Band) -> str:
    """Where a strategy ends, for its label."""
    final = float(found.middle[-1])
    words = []
    if np.isfinite(final):
        words.append(number(final))
    if found.failed:
        words.append(f"{found.failed} of {found.runs} failed")
    return ", ".join(words)


def comparison_page(
    title: str,
    scale: Scale,
    unit: str,
    bands: Mapping[str, Band],
    curves: Mapping[str, Sequence[Curve]],
    rows: Sequence[Mapping[str, Any]],
    sentences: Sequence[str],
    note: str = "",
    headings: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The whole page: sentences, figure and table.

    Args:
        scale: scale of the objective.
        unit: unit of the budget.
        bands: label -> mean and interval.
        curves: label -> one curve a seed, drawn thin.
        rows: one row a strategy, all with the same keys; values are words, numbers or None.
        note: what else there is to know about the objective.
        headings: key of the rows -> heading of its column, if that is not the key itself.
    """
    import plotly.io as pio

    drawing = pio.to_html(
        comparison_figure(scale, unit, bands, curves),
        full_html=False,
        # The library is part of the page, so that the page needs no network.
        include_plotlyjs=True,
        config={"showSendToCloud": False, "displaylogo": False, "responsive": True},
    )
    said = "".join(f"<li>{escape(words)}</li>" for words in sentences)
    noted = f"<p>{escape(note)}</p>" if note else ""
    name = escape(title)
    about = escape(caption(bands, scale))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        f"<style>{_STYLE}</style></head><body>"
        f"<h1>{name}</h1><ul>{said}</ul>{drawing}<p>{about}. {_SHARED}</p>{noted}"
        f"{_table(rows, headings)}</body></html>\n"
    )


def comparison_figure(
    scale: Scale,
    unit: str,
    bands: Mapping[str, Band],
    curves: Mapping[str, Sequence[Curve]],
) -> Any:
    """Best so far against the budget: a `plotly.graph_objects.Figure`."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for position, (label, found) in enumerate(bands.items()):
        colour = COLOURS[position % len(COLOURS)]
        # Plotly reads names as HTML.
        group = escape(label)
        for one in curves[label]:
            _add_run(figure, found.budget, one, colour, group)
        # The middle is NaN as long as one of the runs has no success.
        shown = np.isfinite(found.middle)
        x = found.budget[shown]
        # The range of few runs is not filled: it would look like an interval.
        if found.is_interval:
            _add_interval(figure, x, found.low[shown], found.high[shown], colour, group)
        _add_middle(figure, x, found, colour, group)
    figure.update_layout(
        template="plotly_white",
        height=480,
        xaxis_title=unit,
        yaxis_title=f"best {scale.objective.name} so far",
        yaxis_type="log" if scale.is_logarithmic else "linear",
        hovermode="x unified",
    )
    return figure


def _add_middle(figure: Any, x: Floats, found: Band, colour: str, group: str) -> None:
    """The mean or the median, on top of its runs and its interval."""
    name = group
    if found.failed:
        name = f"{group}: {found.failed} of {found.runs} failed"
    # Without any point there is no entry in the legend, and a strategy that failed would be
    # missing there.
    figure.add_scatter(
        x=x if x.size else [None],
        y=found.middle[np.isfinite(found.middle)] if x.size else [None],
        mode="lines",
        line={
            "color": colour,
            "width": 2.5,
            "shape": "hv",
            "dash": "dash" if found.failed else "solid",
        },
        name=name,
        legendgroup=group,
    )


def _add_run(figure: Any, x: Floats, one: Curve, colour: str, group: str) -> None:
    """A thin line for one run."""
    figure.add_scatter(
        x=x,
        y=one.at(x),
        mode="lines",
        line={"color": colour, "width": 0.7, "shape": "hv"},
        opacity=0.35,
        legendgroup=group,
        showlegend=False,
        hoverinfo="skip",
    )


def _add_interval(
    figure: Any, x: Floats, low: Floats, high: Floats, colour: str, group: str
) -> None:
    """A pale area between the ends of the interval."""
    # The border of the area: along the upper end, and back along the lower one.
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        fill="toself",
        fillcolor=colour,
        opacity=0.15,
        line={"width": 0},
        legendgroup=group,
        showlegend=False,
        hoverinfo="skip",
    )


def _table(rows: Sequence[Mapping[str, Any]], headings: Mapping[str, str]) -> str:
    """The rows as an HTML table."""
    head = ""
    for key in rows[0]:
        heading = headings.get(key, key.replace("_", " "))
        head += f"<th>{escape(heading)}</th>"
    body = ""
    for row in rows:
        body += "<tr>"
        for value in row.values():
            body += f"<td>{escape(cell(value))}</td>"
        body += "</tr>"
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def cell(value: Any) -> str:
    """A value as a table shows it."""
    if value is None or isinstance(value, int | float):
        return number(value)
    return str(value)
