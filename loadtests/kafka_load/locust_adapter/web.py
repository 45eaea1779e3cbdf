"""The web UI's "Kafka" tab, by Locust's own extension points: a tab, a table, CSV files.

Locust's page fetches `/stats/requests` every two seconds while a run is on; the tab's rows are added to that answer.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, jsonify, request, send_file
from locust.web import WebUI

from kafka_load.output.console_summary import milliseconds, plus_minus
from kafka_load.output.timeline import Bin
from kafka_load.run import run_annotations
from kafka_load.run.coordinator import RunCoordinator

if TYPE_CHECKING:
    from kafka_load.locust_adapter.adapter import LocustAdapter

KEY = "kafka"
COLUMNS = (("what", "What"), ("which", "Which"), ("now", "Now"), ("total", "Whole run"), ("trend", "Last minute"))
FILES = {"timeline.csv": "timeline", "anomalies.csv": "anomalies", "report.html": "report (once the run has ended)"}
MAX_EVENTS = 5
BARS = "▁▂▃▄▅▆▇█"

Cells = tuple[str, str, str, str, str]


def install(session: LocustAdapter, web_ui: WebUI, refusals: tuple[type[Exception], ...]) -> None:
    """Add the tab to Locust's web UI; a start that ends in one of `refusals` is refused in the form."""
    web_ui.template_args |= {
        "extended_tabs": [{"title": "Kafka", "key": KEY}],
        "extended_tables": [{"key": KEY, "structure": [{"key": key, "title": title} for key, title in COLUMNS]}],
        "extended_csv_files": [
            {"href": f"./kafka/{name}", "title": f"Download Kafka {title}"} for name, title in FILES.items()
        ],
    }
    app: Any = web_ui.app
    pages = Blueprint("kafka", __name__, url_prefix="/kafka")

    def file(name: str) -> Response:
        coordinator = session.coordinator
        if coordinator is None or name not in FILES or not (path := coordinator.plan.run_dir / name).exists():
            abort(404)
        return send_file(Path(path).resolve())

    def refuse() -> Response | None:
        if not request.path.endswith("/swarm"):
            return None
        given = argparse.Namespace(**{**vars(session.options), **_form()})
        try:
            session.planning.ready(given, request.form.get("profile") or session.environment.profile)
        except refusals as refusal:
            return jsonify({"success": False, "message": str(refusal)})
        return None

    def extend(response: Response) -> Response:
        if request.path.endswith("/stats/requests") and response.is_json:
            stats = {"key": KEY, "data": rows(session.coordinator)}
            response.set_data(json.dumps({**(response.get_json() or {}), "extended_stats": [stats]}))
        return response

    guarded: Any = web_ui.auth_required_if_enabled
    pages.add_url_rule("/<name>", view_func=guarded(file))
    app.register_blueprint(pages)
    app.before_request(refuse)
    app.after_request(extend)


def rows(coordinator: RunCoordinator | None) -> list[dict[str, Any]]:
    """The tab's table; `name` only keeps the order, since Locust's table sorts by it."""
    if coordinator is None:
        return []
    return [
        {"name": f"{i:04d}", **{key: cell for (key, _), cell in zip(COLUMNS, cells, strict=True)}}
        for i, cells in enumerate(_cells(coordinator))
    ]


def sparkline(values: Sequence[float], width: int = 30) -> str:
    """The last values as a line of bars, the highest of them full."""
    step = max(1, -(-len(values) // width))
    merged = [sum(values[i : i + step]) / len(values[i : i + step]) for i in range(0, len(values), step)]
    top = max(merged, default=0)
    return "".join(BARS[min(7, int(8 * value / top))] if top else BARS[0] for value in merged)


def _cells(run: RunCoordinator) -> Iterator[Cells]:
    last, whole = run.recent[-1] if run.recent else {}, run.total
    yield "Run", run.plan.run_id, run.phase, f"{run.elapsed_s:.0f} s of {run.plan.profile.duration_s:g} s", ""
    yield from _events(run)
    yield from _rates(run, whole, last)
    yield from _latencies(run, whole, last)
    yield from _ledger(run)
    yield from _lag(run)
    yield from _partitions(run)


def _events(run: RunCoordinator) -> Iterator[Cells]:
    for mark in reversed(run_annotations.read(run.plan.run_dir)):
        at_s = (mark.at_ns - (run.start_ns or mark.at_ns)) / run_annotations.NS
        yield "Fault", f"{mark.name} {mark.target}", "healed" if mark.healed else "injected", f"at {at_s:.1f} s", ""
    for at_s, text in list(reversed(run.events))[:MAX_EVENTS]:
        yield "Event", text, "", f"at {at_s:.1f} s", ""


def _rates(run: RunCoordinator, whole: Bin, last: dict[str, Any]) -> Iterator[Cells]:
    names = ["due", "sent", "acknowledged", "failed", *(f"delivered.{group.name}" for group in run.groups)]
    for name in names:
        total = whole.counts.get(name, 0)
        trend = sparkline([row[name] for row in run.recent])
        yield "Rate", name.replace(".", " to "), f"{last.get(name, 0):,}/s", f"{total:,}", trend


def _latencies(run: RunCoordinator, total: Bin, last: dict[str, Any]) -> Iterator[Cells]:
    kinds = [("acknowledged", "produce", "produce_{}_us")]
    kinds += [(f"delivered to {group.name}", f"e2e.{group.name}", f"e2e_{{}}_us.{group.name}") for group in run.groups]
    for title, key, column in kinds:
        p50, p99 = column.format("p50"), column.format("p99")
        now = _latency(last[p50], last[p99]) if last.get(p99) else ""
        latency = total.histograms.get(key)
        so_far = _latency(latency.percentile(50), latency.percentile(99)) if latency else ""
        if latency and key.startswith("e2e."):
            so_far += plus_minus(run.uncertainty_us(key.removeprefix("e2e.")))
        yield "Latency", title, now, so_far, sparkline([row[p99] or 0 for row in run.recent])


def _latency(p50: float, p99: float) -> str:
    return f"p50 {milliseconds(p50)}, p99 {milliseconds(p99)}"


def _ledger(run: RunCoordinator) -> Iterator[Cells]:
    if run.judgement is None:
        return
    produced = run.judgement.produced
    yield "Ledger", "acknowledged", "", f"{produced.acknowledged:,}", ""
    yield "Ledger", "failed, indeterminate", "", f"{produced.failed:,}, {produced.indeterminate:,}", ""
    for group in run.judgement.groups:
        counts = ("lost", "redelivered", "reordered", "duplicated_in_log", "phantom", "offset_regressions")
        found = ", ".join(f"{getattr(group, name):,} {name.replace('_', ' ')}" for name in counts)
        yield "Ledger", group.group, found, f"{group.consumed:,} consumed", ""


def _lag(run: RunCoordinator) -> Iterator[Cells]:
    for group in run.groups:
        trend = sparkline([row[f"lag.{group.name}"] for row in run.recent])
        yield "Lag", group.name, f"{run.lag(group):,}", "", trend


def _partitions(run: RunCoordinator) -> Iterator[Cells]:
    lags = {group.name: run.view.lags(group.name, group.topics) for group in run.groups}
    for where, now in sorted(run.view.partitions.items()):
        leader = f"led by {now.leader}" if now.leader >= 0 else "⚠ no leader"
        missing = sorted(set(now.replicas) - set(now.isr))
        warning = f" ⚠ without {_numbers(missing)}" if missing else ""
        lag = ", ".join(f"{name} {own[where]:,}" for name, own in lags.items() if where in own)
        yield (
            "Partition",
            f"{where[0]}-{where[1]}",
            f"{leader}, ISR {_numbers(now.isr)}{warning}",
            f"lag {lag}" * bool(lag),
            "",
        )


def _numbers(nodes: Iterable[int]) -> str:
    return ", ".join(map(str, nodes))


def _form() -> dict[str, Any]:
    """The form's own values for the options it shows; empty fields leave the option as it is."""
    return {name: value for name, value in request.form.items() if value and name not in ("user_classes", "profile")}
