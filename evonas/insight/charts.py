"""Figures of a comparison: one HTML file that needs no network, drawn by Plotly as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from types import MappingProxyType
from typing import Any

import numpy as np

from evonas.insight.comparison import Band, Curve, Floats
from evonas.trial import Objective

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

_ABOUT = (
    "Lines are means over the seeds, bands their 95 % bootstrap intervals; thin lines are the runs."
    " Trainings that two runs share were done once and are charged to both."
)


def comparison_page(
    title: str,
    objective: Objective,
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
        unit: unit of the budget.
        bands: label -> mean and interval.
        curves: label -> one curve a seed, drawn thin.
        rows: one row a strategy, all with the same keys; values are words, numbers or None.
        note: what else there is to know about the objective.
        headings: key of the rows -> heading of its column, if that is not the key itself.
    """
    import plotly.io as pio

    drawing = pio.to_html(
        comparison_figure(objective, unit, bands, curves),
        full_html=False,
        # The library is part of the page, so that the page needs no network.
        include_plotlyjs=True,
        config={"showSendToCloud": False, "displaylogo": False, "responsive": True},
    )
    said = "".join(f"<li>{escape(words)}</li>" for words in sentences)
    noted = f"<p>{escape(note)}</p>" if note else ""
    name = escape(title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        f"<style>{_STYLE}</style></head><body>"
        f"<h1>{name}</h1><ul>{said}</ul>{drawing}<p>{_ABOUT}</p>{noted}"
        f"{_table(rows, headings)}</body></html>\n"
    )


def comparison_figure(
    objective: Objective,
    unit: str,
    bands: Mapping[str, Band],
    curves: Mapping[str, Sequence[Curve]],
) -> Any:
    """Best so far against the budget: a `plotly.graph_objects.Figure`."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for number, (label, found) in enumerate(bands.items()):
        colour = COLOURS[number % len(COLOURS)]
        # Plotly reads names as HTML.
        name = escape(label)
        # The mean is NaN as long as one of the runs has no success.
        shown = np.isfinite(found.mean)
        x = found.budget[shown]
        for one in curves[label]:
            _add_run(figure, x, one, colour, name)
        _add_interval(figure, x, found.low[shown], found.high[shown], colour, name)
        # The mean is drawn last, on top of its runs and its interval.
        figure.add_scatter(
            x=x,
            y=found.mean[shown],
            mode="lines",
            line={"color": colour, "width": 2.5, "shape": "hv"},
            name=name,
            legendgroup=name,
        )
    figure.update_layout(
        template="plotly_white",
        height=480,
        xaxis_title=unit,
        yaxis_title=f"best {objective.name} so far",
        yaxis_type="log" if objective.direction == "min" else "linear",
        hovermode="x unified",
    )
    return figure


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
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)
