"""The comparison of two runs as a page: their figures, and each chart of the report with both runs in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kafka_load.output import charts, console_summary, html_report
from kafka_load.output.charts import Data, Figure
from kafka_load.output.comparison import Allowed, Comparison, compare, headline, number

_CHARTS: tuple[tuple[str, str, Callable[[Data], Figure], bool], ...] = (
    ("Rate", "records a second; A dotted", charts.rates, True),
    ("Latency", "from the moment a record was due; A dotted", charts.latency, True),
    ("Lag", "records not committed yet; A dotted", charts.lag, True),
    ("Distribution", "of the latency, from the moment a record was due; A dotted", charts.histogram, False),
)
_LEFT_OUT = ("due", "sent", "acknowledged p50")
"""Lines that would hide the others if they were there twice."""


def write(before_dir: Path, after_dir: Path, allowed: list[Allowed], path: Path | None) -> tuple[Comparison, Path]:
    """Compare the runs in two folders; the page is `path`, or lies in the second one's folder.

    Raises:
        ComparisonError: if they cannot be compared.
        OSError: if one has no verdict, or the page cannot be written.
        ResultsError: if a file of theirs is cut off, or from a version with other results.
    """
    (one, before, settings), (other, after, others) = html_report.read(before_dir), html_report.read(after_dir)
    flat = dict(html_report.flatten(settings)), dict(html_report.flatten(others))
    found = compare(one, other, allowed, flat)
    path = path or after_dir / f"compared_with_{one['run_id']}.html"
    path.write_text(render(found, before, after), encoding="utf-8")
    return found, path


def render(found: Comparison, before: Data, after: Data) -> str:
    """The page as text."""
    drawn = [
        {"id": title.lower(), "title": title, "subtitle": subtitle, "timeline": timeline}
        | overlaid(draw(before), draw(after))
        for title, subtitle, draw, timeline in _CHARTS
    ]
    word, _, sentence = headline(found).partition("  ")
    return html_report.page(
        "comparison.html",
        drawn,
        outcome="fail" if found.regressions or found.broken else "inconclusive" if found.undecided else "pass",
        word=word,
        sentence=sentence,
        before=found.before,
        after=found.after,
        rows=found.rows,
        settings=found.settings,
        number=number,
        duration=console_summary.duration,
    )


def overlaid(before: Figure, after: Figure) -> Figure:
    """Two figures in one: A's lines are dotted and pale, B's as they are, on axes that hold both."""
    traces = [
        *(
            trace | {"name": f"A {trace['name']}", "opacity": 0.7, "line": trace["line"] | {"dash": "dot"}}
            for trace in before["data"]
            if trace["name"] not in _LEFT_OUT
        ),
        *(trace | {"name": f"B {trace['name']}"} for trace in after["data"] if trace["name"] not in _LEFT_OUT),
    ]
    layout = after["layout"] | {"shapes": [*before["layout"].get("shapes", ()), *after["layout"].get("shapes", ())]}
    layout["annotations"] = []
    for axis in ("xaxis", "yaxis"):
        one, other = before["layout"][axis].get("range"), after["layout"][axis].get("range")
        if one and other:
            layout[axis] = layout[axis] | {"range": [min(one[0], other[0]), max(one[1], other[1])]}
    return {"data": traces, "layout": layout}
