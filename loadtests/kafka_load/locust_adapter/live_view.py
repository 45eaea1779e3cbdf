"""What the web UI's Kafka tab shows of the run that is on, as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from kafka_load.histogram import Histogram
from kafka_load.ledger import GroupJudgement
from kafka_load.output import charts, console_summary
from kafka_load.output.console_summary import duration, milliseconds, plus_minus
from kafka_load.output.timeline import QUEUE_RECORDS
from kafka_load.run import run_annotations
from kafka_load.run.coordinator import RunCoordinator

MAX_EVENTS = 6
PROMISES = ("lost", "duplicated_in_log", "reordered", "phantom", "diverged", "offset_regressions")
"""Counts of a group that say what the verdict will be, as long as more than their limit were found."""
_CHARTS = (
    ("rate", "Rate", "records a second; shaded while a fault is in effect", charts.rates),
    ("lag", "Lag", "records not committed yet", charts.lag),
    ("latency", "Latency", "99th percentile, from the moment a record was due", charts.latency),
)
_LEFT_OUT = ("sent", "acknowledged p50")
"""Lines of the report's charts without which these are easier to read."""

Json = dict[str, Any]


def state(run: RunCoordinator | None) -> Json:
    """All that the page shows; texts are to be shown as they are."""
    if run is None:
        return {
            "outcome": "",
            "headline": "No run has been started here yet",
            "about": "",
            "tiles": [],
            "events": [],
            "figures": [],
            "tables": [],
        }
    outcome, headline = standing(run)
    elapsed = f"{duration(run.elapsed_s)} of {duration(run.plan.profile.duration_s)}"
    return {
        "outcome": outcome,
        "headline": headline,
        "about": f"{run.plan.profile.name} · {run.phase} · {elapsed} · run {run.plan.run_id}",
        "tiles": [{"name": name, "value": value, "bad": bad} for name, value, bad in _tiles(run)],
        "events": list(_events(run)),
        "figures": list(_figures(run)),
        "tables": [_groups(run), _partitions(run), _brokers(run)],
    }


def standing(run: RunCoordinator) -> tuple[str, str]:
    """The verdict, or what is known of it so far: `pass`, `fail`, `inconclusive` or nothing, and a sentence."""
    if run.verdict is not None:
        headline = console_summary.headline(run.verdict)
        return run.verdict["outcome"], f"{run.verdict['outcome'].upper()}: {headline}"
    if run.phase == "failed":
        return "inconclusive", "The run has ended without a verdict"
    if run.phase == "preparing":
        return "", "Members join their groups; the load has not begun"
    if run.judgement is None:
        return "", "Nothing is judged yet"
    found = [
        f"{getattr(group, name):,} {name.replace('_', ' ')} in {group.group}"
        for group in run.judgement.groups
        for name in _decided(group)
        if getattr(group, name) > run.plan.limits.get(name, math.inf)
    ]
    if found:
        return "fail", f"So far {', '.join(found)}"
    return "pass", "So far no record is lost, written twice or out of order"


def _decided(group: GroupJudgement) -> Sequence[str]:
    """A share group has no order: what it passed over for now is no loss before the end."""
    return PROMISES[1:] if group.mode == "share" else PROMISES


def _tiles(run: RunCoordinator) -> Iterator[tuple[str, str, bool]]:
    last, total, limits = run.last_second, run.total, run.plan.limits
    judged = run.judgement.groups if run.judgement is not None else []
    lost = max((group.lost for group in judged if "lost" in _decided(group)), default=0)
    failed = total.counts.get("failed", 0)
    yield "acknowledged", f"{total.counts.get('acknowledged', 0):,}", False
    yield "due/s", f"{last.get('due', 0):,}", False
    yield "acknowledged/s", f"{last.get('acknowledged', 0):,}", False
    yield "lost so far", f"{lost:,}", lost > limits.get("lost", math.inf)
    yield "failed", f"{failed:,}", failed > 0
    yield "redelivered", f"{max((group.redelivered for group in judged), default=0):,}", False
    yield "largest lag", f"{max((run.lag(group) for group in run.groups), default=0):,}", False
    produce = total.histograms.get("produce", Histogram())
    yield "p99 produce", _milliseconds(produce), _exceeds(produce, limits, "p99_produce_ms")
    slowest = max(
        (found for name, found in total.histograms.items() if name.startswith("e2e.")),
        key=lambda found: found.percentile(99),
        default=Histogram(),
    )
    yield "p99 end to end", _milliseconds(slowest), _exceeds(slowest, limits, "p99_end_to_end_ms")
    yield "client queue", f"{last.get(QUEUE_RECORDS, 0):,}", False


def _exceeds(latency: Histogram, limits: Mapping[str, float], name: str) -> bool:
    return latency.percentile(99) / 1_000 > limits.get(name, math.inf)


def _milliseconds(latency: Histogram) -> str:
    return milliseconds(latency.percentile(99)) if latency.count else "-"


def _events(run: RunCoordinator) -> Iterator[Json]:
    """Faults and what else has happened, the latest first."""
    happened = [(at_s, text, False) for at_s, text in run.events]
    for fault in _faults(run):
        what = f"{fault['name']} {fault['target']}"
        if fault["injected_at_s"] is not None:
            happened.append((fault["injected_at_s"], what, fault["healed_at_s"] is None))
        if fault["healed_at_s"] is not None:
            happened.append((fault["healed_at_s"], f"{what} healed", False))
    for at_s, text, bad in sorted(happened, key=lambda event: event[0], reverse=True)[:MAX_EVENTS]:
        yield {"at": f"{max(0.0, at_s):.1f} s", "text": text, "bad": bad}


def _faults(run: RunCoordinator) -> list[Json]:
    if run.start_ns is None:
        return []
    return [asdict(fault) for fault in run_annotations.faults(run_annotations.read(run.plan.run_dir), run.start_ns)]


def _figures(run: RunCoordinator) -> Iterator[Json]:
    rows = [{name: value for name, value in row.items() if value != "" and name != "marks"} for row in run.recent]
    if not rows:
        return
    data = charts.Data(rows=rows, groups=[group.name for group in run.groups], faults=_faults(run))
    for key, title, subtitle, draw in _CHARTS:
        figure = draw(data)
        lines = [line for line in figure["data"] if line["name"] not in _LEFT_OUT]
        layout = figure["layout"] | {"height": 240, "annotations": []}  # faults are named above the charts
        layout["xaxis"] |= {"range": [rows[0]["t_s"], max(rows[-1]["t_s"], rows[0]["t_s"] + 1)], "ticksuffix": " s"}
        del layout["xaxis"]["title"]
        yield {"id": key, "title": title, "subtitle": subtitle, "data": lines, "layout": layout}


def _groups(run: RunCoordinator) -> Json:
    judged = {group.group: group for group in run.judgement.groups} if run.judgement is not None else {}
    rows = []
    for group in run.groups:
        latency = run.total.histograms.get(f"e2e.{group.name}", Histogram())
        uncertain = plus_minus(run.uncertainty_us(group.name))
        found = judged.get(group.name, GroupJudgement(group.name, group.mode))
        counts = (found.consumed, *(getattr(found, name) for name in PROMISES), found.redelivered, run.lag(group))
        rows.append([group.name, *(f"{count:,}" for count in counts), _milliseconds(latency) + uncertain])
    head = ["group", "consumed", *(name.replace("_", " ") for name in PROMISES), "redelivered", "lag", "p99"]
    return _table("groups", "Groups", f"{len(rows)}", head, rows)


def _partitions(run: RunCoordinator) -> Json:
    lags = {group.name: run.view.lags(group.name, group.topics) for group in run.groups}
    rows, leaderless, behind = [], 0, 0
    for where, now in sorted(run.view.partitions.items()):
        missing = sorted(set(now.replicas) - set(now.isr))
        leaderless, behind = leaderless + (now.leader < 0), behind + bool(missing)
        leader = str(now.leader) if now.leader >= 0 else "none"
        own = (f"{lag[where]:,}" if where in lag else "" for lag in lags.values())
        rows.append([f"{where[0]}-{where[1]}", leader, _numbers(now.isr), _numbers(missing), *own])
    found = ((leaderless, "without a leader"), (behind, "with replicas out of sync"))
    wrong = [f"{count} {what}" for count, what in found if count]
    note = f"{len(rows)}, {' and '.join(wrong) or 'all in sync'}"
    head = ["partition", "leader", "in sync", "out of sync", *(f"lag {name}" for name in lags)]
    return _table("partitions", "Partitions", note, head, rows, bad=bool(wrong))


def _brokers(run: RunCoordinator) -> Json:
    trips = run.clients.round_trips()
    rows = [[broker, milliseconds(times["avg"]), milliseconds(times["p99_max"])] for broker, times in trips.items()]
    slowest = max(trips.items(), key=lambda trip: trip[1]["p99_max"], default=None)
    note = (
        f"broker {slowest[0]} is the slowest, {milliseconds(slowest[1]['p99_max'])} at p99" if slowest else "none yet"
    )
    return _table("brokers", "Round trips of producers", note, ["broker", "average", "p99 of the worst second"], rows)


def _table(
    key: str, title: str, note: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, bad: bool = False
) -> Json:
    return {
        "id": key,
        "title": title,
        "note": note,
        "bad": bad,
        "head": list(head),
        "rows": [list(row) for row in rows],
    }


def _numbers(nodes: Iterable[int]) -> str:
    return ", ".join(map(str, nodes))
