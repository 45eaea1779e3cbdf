"""The search for the sustainable rate, against a simulated cluster whose capacity is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka_load.histogram import Histogram
from kafka_load.output.measurements import Requirements
from kafka_load.output.timeline import Bin
from kafka_load.run.backlog_growth import growth
from kafka_load.run.saturation import Saturation

STEPS, STEP_S, TOLERANCE = [float(rate) for rate in range(1_000, 11_000, 1_000)], 8.0, 0.05


@dataclass
class Cluster:
    """Acknowledges and delivers at most so many records a second; `stalls` are seconds in which it does nothing."""

    capacity: float
    readers: float = 1e9
    stalls: Callable[[int], bool] = lambda second: False
    backlog: float = 0.0
    lag: float = 0.0
    tried: list[float] = field(default_factory=list)

    def second(self, number: int, due: float) -> Bin:
        room = 0.0 if self.stalls(number) else self.capacity
        acknowledged = min(self.backlog + due, room)
        self.backlog += due - acknowledged
        self.lag += acknowledged
        delivered = min(self.lag, self.readers)
        self.lag -= delivered
        latency = Histogram()
        latency.add(np.full(100, 5_000))
        counts = {"due": round(due), "acknowledged": round(acknowledged), "acknowledged.clicks": round(acknowledged)}
        counts |= {"acknowledged.orders": 5_000, "delivered.group": round(delivered)}
        return Bin(number, counts, {}, {"produce": latency})

    def search(self, until_s: int = 10_000, tolerance: float = TOLERANCE) -> Saturation:
        """A whole run; what is wanted holds from half a second later on."""
        limits = {"p99_produce_ms": 100.0}
        saturation = Saturation(STEPS, STEP_S, limits, Requirements(), tolerance, {"group": ["clicks"]})
        ordered: float | None = None
        for number in range(until_s):
            steady = STEPS[min(int(number / STEP_S), len(STEPS) - 1)]
            saturation.add(self.second(number, steady if ordered is None else ordered))
            if saturation.done:
                break
            wanted = saturation.next_rate(round(self.backlog), {"group": round(self.lag)})
            if wanted is not None:
                ordered = wanted
                saturation.begin(wanted, number + 1.5)
                self.tried.append(wanted)
        return saturation


@given(st.floats(1_100, 9_700))
def test_the_sustainable_rate_is_found_within_the_tolerance(capacity: float) -> None:
    cluster = Cluster(capacity)
    found = cluster.search()
    assert found.best is not None
    assert found.broken is not None
    assert found.done
    assert found.unfinished() == []
    assert found.best.target_rate <= capacity / (1 - TOLERANCE / 2) + 1
    assert found.broken.target_rate > capacity
    assert found.broken.target_rate <= found.best.target_rate * (1 + TOLERANCE)
    assert "the backlog grew by" in found.broken.why
    assert all(step.why == "" or step.backlog_growth > 0 for step in found.steps)


def test_the_load_pauses_before_each_step_of_the_search() -> None:
    cluster = Cluster(4_400)
    found = cluster.search()
    assert cluster.tried[::2] == [0.0] * len(cluster.tried[::2])
    assert cluster.tried[1::2] == [step.target_rate for step in found.steps[5:]]
    assert [step.target_rate for step in found.steps[:5]] == STEPS[:5]
    assert found.as_dict()["sustained_rate"] == found.best.target_rate  # type: ignore[union-attr]  # found above


def test_readers_that_cannot_keep_up_are_the_limit_too() -> None:
    found = Cluster(capacity=9_500, readers=3_000).search()
    assert found.best is not None
    assert found.broken is not None
    assert "a group's lag grew by" in found.broken.why
    assert 3_000 * (1 - TOLERANCE) <= found.best.target_rate <= 3_000 / (1 - TOLERANCE / 2)


def test_a_cluster_that_is_held_up_for_a_second_is_not_taken_for_one_that_carries_no_more() -> None:
    found = Cluster(20_000, stalls=lambda second: second % 8 == 4).search()
    assert found.broken is None
    assert found.done
    assert found.sentence().endswith("the last step: the cluster may carry more")


def test_a_cluster_that_never_catches_up_leaves_the_rate_open() -> None:
    found = Cluster(4_400, stalls=lambda second: second >= 40).search(until_s=300)
    assert not found.done
    assert found.unfinished() == [
        "the sustainable rate lies between 4,000 and 5,000 records/s, which is not known to 0.05 of it:"
        " let the run last longer (--run-time)"
    ]


def test_a_cluster_that_carries_less_than_the_first_step_ends_the_search() -> None:
    found = Cluster(500).search()
    assert found.done
    assert found.best is None
    assert found.as_dict()["sustained_rate"] is None
    assert found.unfinished()[0].startswith("no rate was sustained, not even 1,000 records/s: the backlog grew by 500")


def test_without_a_tolerance_the_first_step_that_is_not_sustained_ends_it() -> None:
    cluster = Cluster(4_400)
    found = cluster.search(tolerance=0.0)
    assert (found.done, cluster.tried, found.unfinished()) == (True, [], [])


@pytest.mark.parametrize(
    ("backlogs", "found"),
    [
        ([0, 0, 0, 0], 0.0),
        ([100, 200, 300, 400], 100.0),
        ([400, 300, 200, 100], 0.0),
        ([0, 900, 0, 0, 800, 0], 0.0),
        ([0, 100, 200, 300, 400], 100.0),
        ([0, 1_000, 2_000], 0.0),
        ([], 0.0),
    ],
    ids=["none", "even", "shrinks", "moments", "odd", "too short", "nothing"],
)
def test_a_backlog_grows_if_its_lowest_values_rise(backlogs: list[int], found: float) -> None:
    assert growth(backlogs) == found


def test_rates_that_contradict_each_other_leave_the_rate_open() -> None:
    found = Cluster(4_400).search()
    found.steps.append(replace(found.steps[0], target_rate=6_000.0))
    assert found.done
    assert found.unfinished() == [
        f"6,000 records/s were sustained and {found.broken.target_rate:,.0f} were not:"  # type: ignore[union-attr]
        " the cluster did not carry the same all along"
    ]
