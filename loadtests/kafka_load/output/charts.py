"""The report's pictures as Plotly figures: plain dictionaries, coloured to be read on light and on dark paper.

The page's script adds what depends on the colour scheme (text, grid); all else is decided here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Figure = dict[str, Any]
Row = Mapping[str, float]

GREY, BLUE, RED = "#8b93a1", "#3f7fd0", "#cf4a3f"
SERIES = ("#d58a2a", "#8f66c2", "#3d9a75", "#c2568f", "#5aa4b8", "#a08040")
BROKERS = ("#5b8def", "#e0a23c", "#4fae89", "#b678c9", "#d96f6f", "#7fa0ad")
MAX_POINTS = 1200
"""More points than a screen has pixels only make the file heavy."""
MAX_LABELS = 6
"""More names of faults than this would be written over each other."""


@dataclass(frozen=True)
class Leader:
    """From `t_s` on, `partition` was led by broker `leader` (-1: by none) with the in-sync replicas `isr`."""

    t_s: float
    partition: str
    leader: int
    isr: tuple[int, ...]
    replicas: int


@dataclass(frozen=True)
class Data:
    """What the pictures are drawn from."""

    rows: Sequence[Row]
    groups: Sequence[str]
    faults: Sequence[Mapping[str, Any]] = ()
    leaders: Sequence[Leader] = ()
    histograms: Mapping[str, Sequence[tuple[float, int]]] = field(default_factory=dict)
    curve: Sequence[Row] = ()
    round_trips: Sequence[Row] = ()
    warmup_s: float = 0.0


def rates(data: Data) -> Figure:
    """Records a second: due, sent, acknowledged, and delivered to each group."""
    rows = thin(data.rows, lambda values: sum(values) / len(values))
    x = column(rows, "t_s")
    traces = [
        _line(x, column(rows, "due"), "due", GREY, dash="dot"),
        _line(x, column(rows, "sent"), "sent", SERIES[4]),
        _line(x, column(rows, "acknowledged"), "acknowledged", BLUE, width=2.2),
        *(_line(x, column(rows, f"delivered.{g}"), g, SERIES[i % 4]) for i, g in enumerate(data.groups)),
    ]
    figure = _timeline(traces, data, "records/s")
    figure["layout"]["annotations"] = [_label(fault) for fault in data.faults] if len(data.faults) <= MAX_LABELS else []
    return figure


def latency(data: Data) -> Figure:
    """Milliseconds from due to acknowledged and to each group's delivery, on a logarithmic axis."""
    rows = thin(data.rows, max)
    x = column(rows, "t_s")
    traces = [
        _line(x, _ms(rows, "produce_p50_us"), "acknowledged p50", BLUE, dash="dot"),
        _line(x, _ms(rows, "produce_p99_us"), "acknowledged p99", BLUE, width=2.2),
        *(_line(x, _ms(rows, f"e2e_p99_us.{g}"), f"{g} p99", SERIES[i % 4]) for i, g in enumerate(data.groups)),
    ]
    return _timeline(traces, data, "ms", log=True)


def lag(data: Data) -> Figure:
    """Records that each group has not committed yet."""
    rows = thin(data.rows, max)
    x = column(rows, "t_s")
    traces = [_line(x, column(rows, f"lag.{g}"), g, SERIES[i % 4]) for i, g in enumerate(data.groups)]
    return _timeline(traces, data, "records")


def client(data: Data) -> Figure:
    """Records that wait in all clients together, and the longest time for which a broker throttled one of them."""
    rows = thin(data.rows, max)
    x = column(rows, "t_s")
    traces = [
        _line(x, column(rows, "client_queue_records"), "queued records", BLUE, width=2.2),
        _line(x, column(rows, "throttle_ms"), "throttled, ms", SERIES[0]) | {"yaxis": "y2"},
    ]
    figure = _timeline(traces, data, "records")
    figure["layout"]["yaxis2"] = _right_axis()
    return figure


def round_trips(data: Data) -> Figure:
    """Milliseconds until each broker answers a producer's request: the 99th percentile of the slowest client."""
    traces = []
    for broker in sorted({int(row["broker"]) for row in data.round_trips}):
        rows = thin([row for row in data.round_trips if row["broker"] == broker], max)
        color = BROKERS[broker % len(BROKERS)]
        traces.append(_line(column(rows, "t_s"), _ms(rows, "rtt_p99_us"), f"broker {broker}", color))
    return _timeline(traces, data, "ms", log=True)


def leaders(data: Data) -> Figure:
    """Who led each partition when; pale where replicas were missing from the ISR, a gap where nobody led."""
    end = data.rows[-1]["t_s"] if data.rows else 0.0
    partitions = sorted({change.partition for change in data.leaders}, key=_natural, reverse=True)
    spans = [span for partition in partitions for span in _spans(data.leaders, partition, end)]
    traces: list[Figure] = []
    for leader in sorted({change.leader for change, _ in spans if change.leader >= 0}):
        mine = [(change, until) for change, until in spans if change.leader == leader]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": f"broker {leader}",
                "y": [change.partition for change, _ in mine],
                "base": [change.t_s for change, _ in mine],
                "x": [until - change.t_s for change, until in mine],
                "customdata": [", ".join(map(str, change.isr)) for change, _ in mine],
                "hovertemplate": "%{y}: broker "
                + str(leader)
                + ", ISR %{customdata}<br>from %{base:.1f} s<extra></extra>",
                "marker": {
                    "color": BROKERS[leader % len(BROKERS)],
                    "opacity": [0.9 if len(change.isr) >= change.replicas else 0.4 for change, _ in mine],
                    "line": {"width": 0},
                },
            }
        )
    figure = _timeline(traces, data, "")
    figure["layout"] |= {"barmode": "overlay", "bargap": 0.25, "height": 110 + 20 * len(partitions)}
    figure["layout"]["yaxis"] |= {"type": "category", "categoryarray": partitions, "rangemode": "normal"}
    figure["layout"]["hovermode"] = "closest"
    return figure


def histogram(data: Data) -> Figure:
    """How the latencies are spread: share of records in bins that grow with the latency."""
    traces = []
    for i, (name, pairs) in enumerate(data.histograms.items()):
        x, y = _bins(pairs)
        color = BLUE if i == 0 else SERIES[(i - 1) % 4]
        traces.append(_line(x, y, name, color, width=1.8) | {"line": {"color": color, "width": 1.8, "shape": "hvh"}})
    layout = _layout("% of records")
    layout["xaxis"] |= {
        "type": "log",
        "title": {"text": "ms from due"},
        **_decades([x for t in traces for x in t["x"]]),
    }
    layout["hovermode"] = "closest"
    return {"data": traces, "layout": layout}


def curve(data: Data) -> Figure:
    """What a saturation run found: latency and achieved rate at each step."""
    curve = sorted(data.curve, key=lambda row: row["target_rate"])  # a search goes up and down
    x = column(curve, "target_rate")
    traces = [
        _line(x, _ms(curve, "produce_p99_us"), "acknowledged p99, ms", BLUE, width=2.2) | {"mode": "lines+markers"},
        _line(x, column(curve, "achieved"), "achieved, % of due", SERIES[2]) | {"yaxis": "y2", "mode": "lines+markers"},
    ]
    layout = _layout("ms")
    layout["yaxis"] |= {"type": "log", **_decades(traces[0]["y"])}
    layout["xaxis"] |= {"title": {"text": "records/s due"}}
    layout["yaxis2"] = _right_axis() | {"range": [0, 105]}
    return {"data": traces, "layout": layout}


def column(rows: Iterable[Row], name: str) -> list[float | None]:
    """One column of the timeline; None where it has no value, so that the line breaks instead of lying."""
    return [row.get(name) for row in rows]


def thin(rows: Sequence[Row], merge: Callable[[list[float]], float], most: int = MAX_POINTS) -> list[Row]:
    """At most `most` rows, each merged from equally many neighbours."""
    step = math.ceil(len(rows) / most) or 1
    if step == 1:
        return list(rows)
    chunks = [rows[i : i + step] for i in range(0, len(rows), step)]
    return [
        {name: merge([row[name] for row in chunk if name in row]) for row in chunk for name in row}
        | {"t_s": chunk[0]["t_s"]}
        for chunk in chunks
    ]


def _ms(rows: Iterable[Row], name: str) -> list[float | None]:
    return [value / 1000 if value else None for value in column(rows, name)]


def _line(
    x: Sequence[Any], y: Sequence[Any], name: str, color: str, *, dash: str = "solid", width: float = 1.5
) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(x),
        "y": list(y),
        "line": {"color": color, "width": width, "dash": dash},
    }


def _layout(y_title: str) -> Figure:
    return {
        "height": 300,
        "margin": {"l": 8, "r": 8, "t": 44, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hovermode": "x unified",
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "xaxis": {"automargin": True, "zeroline": False},
        "yaxis": {"automargin": True, "zeroline": False, "rangemode": "tozero", "title": {"text": y_title}},
    }


def _right_axis() -> Figure:
    return {"overlaying": "y", "side": "right", "rangemode": "tozero", "showgrid": False, "automargin": True}


def _timeline(traces: list[Figure], data: Data, y_title: str, *, log: bool = False) -> Figure:
    layout = _layout(y_title)
    layout["xaxis"] |= {"title": {"text": "s"}, "range": [0, max(1.0, data.rows[-1]["t_s"]) if data.rows else 1.0]}
    layout["shapes"] = [shape for fault in data.faults for shape in _mark(fault, layout["xaxis"]["range"][1])]
    if data.warmup_s:
        layout["shapes"].append(_ACROSS | {"type": "rect", "x0": 0, "x1": data.warmup_s, "fillcolor": GREY} | _PALE)
    layout["margin"] |= {"l": 72}
    layout["yaxis"] |= {"automargin": False}
    if log:
        layout["yaxis"] |= {"type": "log", **_decades([y for trace in traces for y in trace["y"]])}
    return {"data": traces, "layout": layout}


def _decades(values: Iterable[float | None]) -> Figure:
    """A logarithmic axis with a label at each power of ten, over whole decades."""
    logs = [math.log10(value) for value in values if value]
    low, high = (math.floor(min(logs)), math.ceil(max(logs))) if logs else (0, 1)
    return {"range": [low, max(high, low + 1)], "dtick": 1, "tickformat": "~g"}


_ACROSS = {"xref": "x", "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
_PALE = {"opacity": 0.08, "line": {"width": 0}}


def _mark(fault: Mapping[str, Any], end: float) -> list[Figure]:
    start = fault["injected_at_s"]
    if start is None:
        return []
    until = end if fault["healed_at_s"] is None else fault["healed_at_s"]
    recovered = start + (fault.get("recovered_after_s") or 0)
    return [
        _ACROSS | {"type": "rect", "x0": start, "x1": until, "fillcolor": RED} | _PALE,
        _ACROSS | {"type": "line", "x0": start, "x1": start, "line": {"color": RED, "width": 1.2, "dash": "dash"}},
        _ACROSS
        | {"type": "line", "x0": recovered, "x1": recovered, "line": {"color": SERIES[2], "width": 1.2, "dash": "dot"}},
    ][: 2 + (recovered > start)]


def _label(fault: Mapping[str, Any]) -> Figure:
    return {
        "x": fault["injected_at_s"] or 0,
        "y": 1,
        "xref": "x",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "top",
        "xshift": 4,
        "showarrow": False,
        "text": f"{fault['name']} {fault['target']}",
        "font": {"color": RED, "size": 11},
    }


def _spans(changes: Sequence[Leader], partition: str, end: float) -> list[tuple[Leader, float]]:
    mine = sorted((change for change in changes if change.partition == partition), key=lambda change: change.t_s)
    ends = [change.t_s for change in mine[1:]] + [max(end, mine[-1].t_s)]
    return [(change, until) for change, until in zip(mine, ends, strict=True) if change.leader >= 0]


def _natural(partition: str) -> tuple[str, int]:
    topic, _, number = partition.rpartition("-")
    return topic, int(number)


def _bins(pairs: Sequence[tuple[float, int]], per_decade: int = 12) -> tuple[list[float], list[float]]:
    total = sum(count for _, count in pairs) or 1
    shares: dict[int, float] = {}
    for us, count in pairs:
        slot = math.floor(math.log10(max(us, 1.0) / 1000) * per_decade)
        shares[slot] = shares.get(slot, 0.0) + 100 * count / total
    slots = range(min(shares), max(shares) + 1) if shares else range(0)
    return [10 ** ((slot + 0.5) / per_decade) for slot in slots], [shares.get(slot, 0.0) for slot in slots]
