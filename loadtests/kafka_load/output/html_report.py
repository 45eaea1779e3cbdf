"""report.html: one self-contained page made from the files that a run leaves, verdict first.

It reads files only, so that `kafka-load report RUN` can make the page again at any time.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO, TypeVar

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
    "duplicated_by_broker",
    "duplicated_by_client",
    "phantom",
    "diverged",
    "offset_regressions",
    "lag_at_end",
    "unread",
    "unverifiable",
)
NEEDED = (
    *("run_id", "profile", "started", "duration_s", "outcome", "notes"),
    *("produced.acknowledged", "produced.failed", "produced.indeterminate"),
    *("availability.longest_gap_s", "availability.partitions", "latency_us.produce", "latency_us.end_to_end"),
    *(f"groups.{name}" for name in ("group", "mode", "consumed", "lost", "redelivered", "reordered")),
    *(f"slo.{name}" for name in ("name", "limit", "value", "ok")),
    *(f"faults.{name}" for name in ("name", "target", "injected_at_s", "healed_at_s")),
)
"""What a verdict must have, of each entry where there are several; the rest is shown if it is there."""
MAX_ANOMALIES = 100
WORDS = ("marks", "why")
"""Columns of the run's tables that are not numbers."""

T = TypeVar("T")


class ResultsError(ValueError):
    """A file of a run that holds something else than a run leaves; the message is one sentence that names it."""


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
        ResultsError: if a file is cut off, or from a version with other results.
    """
    verdict, data, settings = read(run_dir)
    page = render(verdict, data, _rows(run_dir / "anomalies.csv", dict)[:MAX_ANOMALIES], settings)
    path = run_dir / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def read(run_dir: Path) -> tuple[dict[str, Any], Data, dict[str, Any]]:
    """A run's verdict, what its pictures are drawn from, and its settings.

    Raises:
        OSError: if verdict.json is not there.
        ResultsError: if a file is cut off, or from a version with other results.
    """
    verdict = _parsed(run_dir / "verdict.json", _verdict)
    data = Data(
        rows=_rows(run_dir / "timeline.csv", _numbers),
        groups=[group["group"] for group in verdict["groups"]],
        faults=verdict["faults"],
        leaders=_rows(run_dir / "leaders.csv", _leader),
        histograms=_json(run_dir / "histograms.json"),
        warmup_s=verdict.get("plan", {}).get("warmup_s", 0.0),
        curve=_rows(run_dir / "curve.csv", _numbers),
        round_trips=_rows(run_dir / client_figures.FILE, _numbers),
    )
    return verdict, data, _json(run_dir / "settings.json")


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


def _parsed(path: Path, parse: Callable[[TextIO], T]) -> T:
    """What a file holds. Raises ResultsError if `parse` finds something else in it."""
    with path.open(newline="", encoding="utf-8") as file:
        try:
            return parse(file)
        except KeyError as error:
            why = f"it has no {error.args[0]!r}, so another version of kafka-load wrote it"
        except (ValueError, TypeError, AttributeError, csv.Error) as error:
            why = f"it is cut off, or not as this version of kafka-load writes it ({error})"
    raise ResultsError(f"{path} cannot be used: {why}; name another run")


def _verdict(file: TextIO) -> dict[str, Any]:
    verdict: dict[str, Any] = _object(file)
    for name in NEEDED:
        table, _, key = name.rpartition(".")
        for part in _parts(verdict, table):
            if key not in part:
                raise KeyError(name)
    for result in verdict["slo"]:
        if result["name"] not in LIMITS:
            raise ValueError(f"{result['name']!r} is no limit")
    return verdict


def _parts(verdict: Mapping[str, Any], table: str) -> Iterator[Mapping[str, Any]]:
    """The verdict itself, one of its tables, or each entry of a list of them."""
    found = verdict.get(table, {}) if table else verdict
    yield from found if isinstance(found, list) else (found,)


def _object(file: TextIO) -> dict[str, Any]:
    found = json.load(file)
    if not isinstance(found, dict):
        raise TypeError("it holds no object")
    return found


def _json(path: Path) -> dict[str, Any]:
    return _parsed(path, _object) if path.exists() else {}


def _rows(path: Path, convert: Callable[[dict[str, str]], T]) -> list[T]:
    """The rows of a table, none if it is not there."""
    return _parsed(path, lambda file: [convert(row) for row in csv.DictReader(file)]) if path.exists() else []


def _numbers(row: Mapping[str, str]) -> dict[str, float]:
    return {name: float(value) for name, value in row.items() if value and name not in WORDS}


def _leader(row: Mapping[str, str]) -> Leader:
    isr = tuple(int(node) for node in row["isr"].split())
    return Leader(float(row["t_s"]), row["partition"], int(row["leader"]), isr, int(row["replicas"]))
