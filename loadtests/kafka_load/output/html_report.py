"""report.html: one self-contained page made from the files that a run leaves, verdict first.

It reads files only, so that `kafka-load report RUN` can make the page again at any time.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from kafka_load.config.slo import LIMITS
from kafka_load.output import charts, console_summary
from kafka_load.output.charts import Data, Figure, Leader
from kafka_load.run import client_figures

COUNTS = (
    "consumed",
    "lost",
    "redelivered",
    "reordered",
    "duplicated_in_log",
    "phantom",
    "offset_regressions",
    "lag_at_end",
    "unread",
    "unverifiable",
)
MAX_ANOMALIES = 100
WORDS = ("marks", "why")
"""Columns of the run's tables that are not numbers."""

_FIGURES: tuple[tuple[str, str, Callable[[Data], Figure], Callable[[Data], object], bool], ...] = (
    (
        "Rate",
        "records a second; red where a fault was in effect, dotted where it was recovered from, grey: warm-up",
        charts.rates,
        lambda d: d.rows,
        True,
    ),
    ("Latency", "from the moment a record was due", charts.latency, lambda d: d.rows, True),
    ("Lag", "records not committed yet", charts.lag, lambda d: d.rows and d.groups, True),
    (
        "Round trips",
        "until a broker answers a producer, 99th percentile of the slowest client",
        charts.round_trips,
        lambda d: d.round_trips,
        True,
    ),
    (
        "Client queue",
        "records that wait in librdkafka, and throttling by the brokers' quotas",
        charts.client,
        lambda d: any("client_queue_records" in row for row in d.rows),
        True,
    ),
    (
        "Leaders",
        "pale where replicas were out of sync, empty where nobody led",
        charts.leaders,
        lambda d: d.leaders,
        True,
    ),
    ("Saturation", "what each step of the rate cost", charts.curve, lambda d: d.curve, False),
    (
        "Distribution",
        "of the latency, from the moment a record was due",
        charts.histogram,
        lambda d: d.histograms,
        False,
    ),
)


def write(run_dir: Path) -> Path:
    """Make report.html from the files in `run_dir` and return its path.

    Raises:
        OSError: if verdict.json is not there.
    """
    verdict, data, settings = read(run_dir)
    page = render(verdict, data, _csv(run_dir / "anomalies.csv")[:MAX_ANOMALIES], settings)
    path = run_dir / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def read(run_dir: Path) -> tuple[dict[str, Any], Data, dict[str, Any]]:
    """A run's verdict, what its pictures are drawn from, and its settings.

    Raises:
        OSError: if verdict.json is not there.
    """
    verdict = json.loads((run_dir / "verdict.json").read_text(encoding="utf-8"))
    data = Data(
        rows=[_numbers(row) for row in _csv(run_dir / "timeline.csv")],
        groups=[group["group"] for group in verdict["groups"]],
        faults=verdict["faults"],
        leaders=[_leader(row) for row in _csv(run_dir / "leaders.csv")],
        histograms=_json(run_dir / "histograms.json", {}),
        warmup_s=verdict["plan"].get("warmup_s", 0.0),
        curve=[_numbers(row) for row in _csv(run_dir / "curve.csv")],
        round_trips=[_numbers(row) for row in _csv(run_dir / client_figures.FILE)],
    )
    return verdict, data, _json(run_dir / "settings.json", {})


def render(
    verdict: Mapping[str, Any], data: Data, anomalies: Sequence[Mapping[str, str]], settings: Mapping[str, Any]
) -> str:
    """The page as text; `settings` may be nested and is shown flat."""
    drawn = [
        {
            "id": title.lower().replace(" ", "-"),
            "title": title,
            "subtitle": subtitle,
            "timeline": timeline,
            **draw(data),
        }
        for title, subtitle, draw, present, timeline in _FIGURES
        if present(data)
    ]
    return page(
        "report.html",
        drawn,
        outcome=verdict["outcome"],
        verdict=verdict,
        headline=console_summary.headline(verdict),
        breaches=[console_summary.breach(result) for result in console_summary.broken(verdict)],
        broken={result["name"]: result["limit"] for result in console_summary.broken(verdict)},
        tiles=tiles(verdict),
        counts=COUNTS,
        limits=LIMITS,
        faults=[(fault, console_summary.fault_in_words(fault)) for fault in verdict["faults"]],
        anomalies=anomalies,
        settings=list(flatten(settings)),
        duration=console_summary.duration,
        number=console_summary.number,
        milliseconds=console_summary.milliseconds,
        plus_minus=console_summary.plus_minus,
    )


def page(template: str, figures: Sequence[Figure], **values: Any) -> str:
    """A page that stands alone, with `figures` that have an id, a title, a subtitle and whether they are timelines."""
    environment = Environment(loader=PackageLoader(__package__, "."), autoescape=select_autoescape(), trim_blocks=True)
    return environment.get_template(template).render(
        figures=figures,
        figures_json=_script(figures),
        plotly_js=Markup(get_plotlyjs()),  # noqa: S704 - Plotly's own code, not input
        **values,
    )


def tiles(verdict: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """The figures that people look for first: name, value, and whether it broke a limit."""
    broken = {result["name"] for result in console_summary.broken(verdict)}
    latency = verdict["latency_us"]
    groups = latency["end_to_end"].values()
    slowest = max((values["p99"] for values in groups), default=0)
    unsure = console_summary.plus_minus(max((values.get("uncertainty", 0) for values in groups), default=0))
    return [
        ("acknowledged", f"{verdict['produced']['acknowledged']:,}", False),
        *(
            (name.replace("_", " "), f"{console_summary.worst(verdict, name):,}", name in broken)
            for name in ("lost", "redelivered", "reordered")
        ),
        ("longest gap", console_summary.duration(verdict["availability"]["longest_gap_s"]), "longest_gap_s" in broken),
        ("p99 produce", console_summary.milliseconds(latency["produce"]["p99"]), "p99_produce_ms" in broken),
        ("p99 end to end", console_summary.milliseconds(slowest) + unsure, "p99_end_to_end_ms" in broken),
    ]


def flatten(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested settings as dotted names and texts."""
    pairs: list[tuple[str, str]] = []
    for name, value in settings.items():
        if isinstance(value, Mapping):
            pairs += flatten(value, f"{prefix}{name}.")
        else:
            pairs.append((prefix + name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)))
    return pairs


def _script(value: object) -> Markup:
    """JSON that may stand inside a script element: `</` cannot end it early."""
    return Markup(json.dumps(value).replace("</", "<\\/"))  # noqa: S704 - escaped here


def _json(path: Path, missing: Any) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else missing


def _csv(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _numbers(row: Mapping[str, str]) -> dict[str, float]:
    return {name: float(value) for name, value in row.items() if value and name not in WORDS}


def _leader(row: Mapping[str, str]) -> Leader:
    isr = tuple(int(node) for node in row["isr"].split())
    return Leader(float(row["t_s"]), row["partition"], int(row["leader"]), isr, int(row["replicas"]))
