"""How long a fault was felt: until no record of any partition is acknowledged late any more."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from kafka_load.clock import SECOND
from kafka_load.config.slo import Measured
from kafka_load.ledger.delays import NEVER, SETTLED_NS, Delays
from kafka_load.ledger.spans import EMPTY, Spans, span
from kafka_load.output.measurements import Facts, Fault
from kafka_load.output.recovery import Observed, joined, with_recoveries
from kafka_load.output.verdict import judge

START = 1_000 * SECOND
KILL = Fault("kill_broker", "kafka2", 20.0, 40.0)
RUN = Observed(load_s=60.0, end_s=61.0)


def late(begin_s: float, end_s: float) -> Spans:
    """The span of records that were late from then until then; `math.inf`: for ever."""
    end = NEVER if math.isinf(end_s) else START + int(end_s * SECOND) + SETTLED_NS
    return span(START + int(begin_s * SECOND), end)


def delays(begin_s: float, end_s: float) -> Delays:
    return Delays(late(begin_s, end_s), late(begin_s, end_s))


def measured(
    of: dict[tuple[str, int], Delays], *faults: Fault, observed: Observed = RUN
) -> tuple[list[float | None], Measured]:
    told, longest = with_recoveries(faults or (KILL,), of, START, observed)
    return [fault.recovered_after_s for fault in told], longest[""]


@pytest.mark.parametrize(
    ("begin_s", "end_s", "found"),
    [
        (20.1, 28.5, Measured(8.5, best=8.5, worst=8.5)),
        (19.8, 28.5, Measured(8.5, best=8.5, worst=8.5)),
        (29.9, 33.0, Measured(13.0, best=13.0, worst=13.0)),
        (30.1, 33.0, Measured(0.0, best=0.0, worst=0.0)),
        (15.0, 19.0, Measured(0.0, best=0.0, worst=0.0)),
        (5.0, 28.5, Measured(8.5, best=0.0, worst=8.5)),
        (20.1, 50.5, Measured(30.5, best=30.5, worst=math.inf)),
        (20.1, math.inf, Measured(41.0, best=41.0, worst=math.inf)),
        (5.0, math.inf, Measured(41.0, best=0.0, worst=math.inf)),
        (30.0, 33.0, Measured(13.0, best=13.0, worst=13.0)),
        (10.0, 28.5, Measured(8.5, best=8.5, worst=8.5)),
        (20.1, 50.0, Measured(30.0, best=30.0, worst=30.0)),
        (20.1, 28.50049, Measured(8.5, best=8.5, worst=8.5)),
    ],
    ids=[
        *("felt", "seen later", "felt later", "another reason", "before", "late before", "load over", "never"),
        *("always", "ten seconds later", "late ten seconds before", "ten seconds left", "in milliseconds"),
    ],
)
def test_the_time_until_recovery_and_how_certain_it_is(begin_s: float, end_s: float, found: Measured) -> None:
    told, longest = measured({("orders", 0): delays(begin_s, end_s)})
    assert replace(longest, why="") == found
    assert told == [None if math.isinf(end_s) else found.value]


LATE_BEFORE = "records were late before the fault already"
NOT_OVER = "the cluster had not recovered when the run ended"


@pytest.mark.parametrize(
    ("of", "observed", "reasons"),
    [
        (delays(20.1, 28.5), RUN, []),
        (Delays(), RUN, []),
        (delays(5.0, 10.0), RUN, []),
        (delays(5.0, 28.5), RUN, [LATE_BEFORE]),
        (delays(20.1, math.inf), RUN, [NOT_OVER]),
        (delays(5.0, math.inf), RUN, [LATE_BEFORE, NOT_OVER]),
        (delays(20.1, 50.5), RUN, ["the load ended less than 10 s after it"]),
        (Delays(late(20.1, 28.5), EMPTY), RUN, ["the harness itself was late"]),
        (
            delays(20.1, 28.5),
            replace(RUN, gone=frozenset({"orders", "clicks"})),
            ["deleted during the run: clicks, orders"],
        ),
        (delays(20.1, 28.5), replace(RUN, uncertainty_s=1.25), ["the workers' clocks are known to ±1,250 ms only"]),
        (
            delays(20.1, 28.5),
            replace(RUN, unreported=5_000),
            ["of 5,000 records of workers that died nobody knows what became of them"],
        ),
    ],
)
def test_it_is_told_why_the_time_is_not_certain(of: Delays, observed: Observed, reasons: list[str]) -> None:
    found = measured({("orders", 0): of}, observed=observed)[1]
    assert found.why == f"after kill_broker kafka2 at 20.0 s: {'; '.join(reasons)}"


def test_a_fault_shortly_before_the_end_has_lasted_no_longer_than_the_run() -> None:
    last = replace(KILL, injected_at_s=60.5, healed_at_s=None)
    assert measured({("orders", 0): delays(60.6, math.inf)}, last)[1].value == 0.5


def test_one_partition_that_stays_behind_counts_whatever_its_share_is() -> None:
    told, longest = measured({("clicks", 5): delays(20.2, 45.0), ("clicks", 0): delays(20.2, 21.5)})
    assert (told, longest.value, longest.best) == ([25.0], 25.0, 25.0)


def test_partitions_that_are_late_one_after_the_other_are_one_recovery() -> None:
    assert measured({("o", 0): delays(20.2, 25), ("o", 1): delays(33, 36), ("o", 2): delays(48, 49)})[0] == [16.0]


def test_a_topic_has_a_time_of_its_own() -> None:
    of = {("clicks", 5): delays(20.2, 45.0), ("orders", 0): delays(20.2, 21.5)}
    _, longest = with_recoveries([KILL], of, START, RUN, ["clicks", "orders", "quiet"])
    assert {topic: found.value for topic, found in longest.items()} == {
        **{"": 25.0, "clicks": 25.0, "orders": 1.5, "quiet": 0.0}
    }


def test_another_fault_leaves_open_whose_the_rest_is() -> None:
    """The first has certainly lasted until the second; the second may have added nothing."""
    second = Fault("pause_broker", "kafka1", 35.0, None)
    told, longest = measured({("orders", 0): delays(20.1, 41.0)}, KILL, second)
    assert (told, longest.value, longest.best, longest.worst) == ([21.0, 6.0], 21.0, 15.0, 21.0)


def test_a_fault_after_the_recovery_leaves_nothing_open() -> None:
    second = Fault("pause_broker", "kafka1", 35.0, None)
    _, longest = measured({("orders", 0): delays(20.1, 35.0)}, KILL, second)
    assert (longest.value, longest.best, longest.worst) == (15.0, 15.0, 15.0)
    assert "another fault" not in longest.why


@pytest.mark.parametrize(
    ("certain", "doubtful"),
    [
        (late(20.1, 29.0), Delays(late(40.1, 44.0), late(40.1, 42.0))),
        (late(20.1, 22.0), Delays(late(40.1, 47.0), late(40.1, 44.0))),
        (late(20.1, 29.0), Delays(late(40.1, 40.5), EMPTY)),
        (EMPTY, Delays(late(40.1, 40.5), late(40.1, 40.2))),
        (late(20.1, 29.0), delays(40.1, 50.5)),
    ],
    ids=["shorter", "longer", "perhaps not felt", "the other not felt", "load over"],
)
def test_of_several_faults_the_least_certain_one_is_told_of(certain: Spans, doubtful: Delays) -> None:
    last = Fault("pause_broker", "kafka1", 40.0, None)
    for faults in ([KILL, last], [last, KILL]):
        _, longest = measured({("orders", 0): Delays(certain, certain), ("orders", 1): doubtful}, *faults)
        assert longest.why.startswith("after pause_broker kafka1 at 40.0 s: ")


def test_no_fault_is_no_time() -> None:
    assert with_recoveries([Fault("disk_full", "kafka3", None, 9.0)], {}, START, RUN)[1] == {}


def test_what_the_harness_made_late_is_not_the_clusters_for_certain() -> None:
    _, longest = measured({("orders", 0): Delays(late(20.1, 28.5), late(20.1, 24.0))})
    assert (longest.value, longest.best, longest.worst) == (8.5, 4.0, 8.5)
    assert "the harness itself was late" in longest.why
    assert measured({("orders", 0): Delays(late(20.1, 28.5), EMPTY)})[1].best == 0


def test_what_nobody_can_know_leaves_the_worst_open() -> None:
    known = {("orders", 0): delays(20.1, 28.5)}
    assert measured(known, observed=replace(RUN, unreported=5))[1].worst == math.inf
    unsure = measured(known, observed=replace(RUN, uncertainty_s=0.25))[1]
    assert (unsure.best, unsure.worst) == (8.25, 8.75)
    assert measured(known, observed=replace(RUN, gone=frozenset({"orders"})))[1].best == 0


def test_the_delays_of_several_producers_are_those_of_the_partition() -> None:
    of = joined([{("o", 0): delays(20, 22)}, {("o", 0): delays(40, 43), ("o", 1): delays(1, 3)}])
    assert len(of["o", 0].total) == 2
    assert measured(of)[0] == [2.0]


@pytest.mark.parametrize(
    ("found", "limit", "outcome"),
    [
        (Measured(3.5, best=3.0, worst=4.5, why="so"), 4.5, "pass"),
        (Measured(3.5, best=3.0, worst=4.5, why="so"), 2.9, "fail"),
        (Measured(3.5, best=3.0, worst=4.5, why="so"), 3.4, "inconclusive"),
        (Measured(3.5, best=3.0, worst=4.5, why="so"), 4.0, "inconclusive"),
        (Measured(41.0, best=41.0, worst=math.inf, why="so"), 50.0, "inconclusive"),
        (Measured(41.0, best=41.0, worst=math.inf, why="so"), 40.0, "fail"),
        (None, 9.0, "inconclusive"),
    ],
)
def test_the_limit_is_judged_as_far_as_it_is_known(found: Measured | None, limit: float, outcome: str) -> None:
    facts = Facts("r", "p", "2025-01-02T03:04:05+00:00", 60.0, due=6_000, acknowledged=6_000, planned=6_000)
    recovery = {} if found is None else {"": found, "orders": found}
    for given, of in (({"recovery_s": limit}, {}), ({}, {"topic orders": {"recovery_s": limit}})):
        verdict = judge(replace(facts, recovery=recovery), given, limits_of=of)
        broken = [result for result in verdict["slo"] if not result["ok"] and "undecided" not in result]
        doubted = any("recovery_s" in reason for reason in verdict["reasons"])
        assert (bool(broken), doubted) == (outcome == "fail", outcome == "inconclusive")
