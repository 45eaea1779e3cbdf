"""The timeline: every second once, whatever is lost, doubled or late on the way."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka_load.histogram import Histogram
from kafka_load.output.timeline import PATIENCE_S, Bin, Row, Timeline, columns

GROUPS = ["warehouse-group"]


def latency(*us: int) -> Histogram:
    histogram = Histogram()
    histogram.add(np.array(us, np.int64))
    return histogram


def second(number: int, acknowledged: int) -> Bin:
    return Bin(number, {"acknowledged": acknowledged}, {"indeterminate": 1}, {"produce": latency(1000, 3000)})


class Sink:
    def __init__(self, tmp_path: Path) -> None:
        self.path = tmp_path / "timeline.csv"
        self.rows: list[Row] = []
        self.timeline = Timeline(self.path, GROUPS, lambda merged, row: self.rows.append(row))

    def read(self) -> list[dict[str, Any]]:
        with self.path.open(newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def sink(tmp_path: Path) -> Sink:
    return Sink(tmp_path)


def test_the_columns_are_those_agreed(sink: Sink) -> None:
    sink.timeline.add("a", [second(0, 5)])
    sink.timeline.close(1.0, {0: "kill_broker kafka2"})
    (row,) = sink.read()
    assert list(row) == columns(GROUPS)
    assert row["acknowledged"] == "5"
    assert row["marks"] == "kill_broker kafka2"
    assert row["e2e_p99_us.warehouse-group"] == ""
    assert int(row["produce_p99_us"]) == pytest.approx(3000, rel=0.01)


def test_a_second_waits_for_every_process_but_not_forever(sink: Sink) -> None:
    sink.timeline.add("a", [second(0, 1)])
    sink.timeline.write(3.0, {"a", "b"}, {})
    assert sink.rows == []
    sink.timeline.add("b", [second(0, 2)])
    sink.timeline.write(3.0, {"a", "b"}, {})
    assert [row["acknowledged"] for row in sink.rows] == [3]
    sink.timeline.add("a", [second(1, 7)])
    sink.timeline.write(2.0 + PATIENCE_S, {"a", "b"}, {})
    assert [row["acknowledged"] for row in sink.rows] == [3, 7]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_reports_may_repeat_and_come_in_any_order(tmp_path_factory: pytest.TempPathFactory, order: list[int]) -> None:
    sink = Sink(tmp_path_factory.mktemp("timeline"))
    for number in order:
        sink.timeline.add("a", [Bin.from_wire(second(number, 10 + number).to_wire())])
    sink.timeline.close(10.0, {})
    assert [row["acknowledged"] for row in sink.rows] == [10 + n if n in order else 0 for n in range(10)]


def test_of_peaks_the_highest_counts_and_round_trips_are_averaged_over_all_clients(sink: Sink) -> None:
    slow = Bin(0, {"rtt_count.1": 1, "rtt_sum_us.1": 9_000}, {"client_queue_records": 5}, peaks={"throttle_ms": 70})
    slow.peaks["rtt_p99_us.1"] = 9_000
    fast = Bin(0, {"rtt_count.2": 9, "rtt_sum_us.2": 9_000}, {"client_queue_records": 3}, peaks={"throttle_ms": 0})
    fast.peaks["rtt_p99_us.2"] = 1_500
    for process, one in (("a", slow), ("b", fast)):
        sink.timeline.add(process, [Bin.from_wire(one.to_wire())])
    sink.timeline.close(1.0, {})
    (row,) = sink.rows
    assert row["client_queue_records"] == 8
    assert (row["throttle_ms"], row["rtt_avg_us"], row["rtt_p99_us"]) == (70, 1_800, 9_000)


def test_a_written_second_does_not_change_any_more(sink: Sink) -> None:
    sink.timeline.add("a", [second(0, 1)])
    sink.timeline.write(1.0, {"a"}, {})
    sink.timeline.add("a", [second(0, 99)])
    sink.timeline.close(1.0, {})
    assert [row["acknowledged"] for row in sink.read()] == ["1"]
