"""How long after each fault the cluster took records again as fast as they were due, in every partition: pure.

A record is late if it is acknowledged more than a second after it was due, or never. The cluster has recovered from a
fault when the last late record of any partition was acknowledged and none followed for ten seconds (see
`ledger.delays`). What first becomes late more than ten seconds after a fault does not belong to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from kafka_load.clock import SECOND
from kafka_load.config.slo import Measured
from kafka_load.ledger import TopicPartition
from kafka_load.ledger.delays import NEVER, SETTLED_NS, Delays
from kafka_load.ledger.spans import Spans
from kafka_load.output.console_summary import milliseconds
from kafka_load.output.measurements import Fault

_SETTLED_S = SETTLED_NS / SECOND


@dataclass(frozen=True)
class Observed:
    """What decides how certain a recovery is, in s from the start: load and run ended, clocks may be wrong by so much.

    `gone` are topics that somebody deleted; `unreported` are records of which nobody knows what became of them.
    """

    load_s: float
    end_s: float
    uncertainty_s: float = 0.0
    gone: frozenset[str] = frozenset()
    unreported: int = 0


def with_recoveries(
    faults: Sequence[Fault],
    delays: Mapping[TopicPartition, Delays],
    start_ns: int,
    observed: Observed,
    topics: Iterable[str] = (),
) -> tuple[list[Fault], dict[str, Measured]]:
    """The faults, each with the time until recovery, and the longest such time as a limit sees it.

    The longest time is that of all partitions (by the name ""), and that of the partitions of each of `topics`. There
    is none if no fault was seen.
    """
    recoveries = [_recovery(fault, faults, delays, start_ns, observed) for fault in faults]
    told = [
        replace(fault, recovered_after_s=None if found is None or found[1] else found[0].value)
        for fault, found in zip(faults, recoveries, strict=True)
    ]
    longest = {}
    for topic in ("", *topics):
        own = {where: one for where, one in delays.items() if topic in ("", where[0])}
        found = [_recovery(fault, faults, own, start_ns, observed) for fault in faults]
        if values := [one[0] for one in found if one is not None]:
            longest[topic] = _longest(values)
    return told, longest


def joined(delays: Iterable[Mapping[TopicPartition, Delays]]) -> dict[TopicPartition, Delays]:
    """The delays of several producers, by partition."""
    found: dict[TopicPartition, Delays] = {}
    for of_one in delays:
        for where, one in of_one.items():
            found[where] = found[where].joined(one) if where in found else one
    return found


def _recovery(
    fault: Fault,
    faults: Sequence[Fault],
    delays: Mapping[TopicPartition, Delays],
    start_ns: int,
    observed: Observed,
) -> tuple[Measured, bool] | None:
    """The time until recovery, and whether the run ended before it; None if nobody saw when the fault happened."""
    at_s = fault.injected_at_s
    if at_s is None:
        return None
    at_ns = start_ns + round(at_s * SECOND)
    whole = reduce(Delays.joined, delays.values(), Delays())
    left = reduce(Delays.joined, (one for (topic, _), one in delays.items() if topic not in observed.gone), Delays())
    value, open_, _ = _after(whole.total, at_ns, start_ns, observed)
    best, _, before = _after(left.cluster, at_ns, start_ns, observed)
    worst, reasons = value + observed.uncertainty_s, list[str]()
    if best < value and not observed.gone:
        reasons.append("the harness itself was late")
    next_s = min((o.injected_at_s for o in faults if o.injected_at_s is not None and o.injected_at_s > at_s), default=0)
    if next_s and at_s + best > next_s:
        best = next_s - at_s
        reasons.append(f"another fault followed after {best:.1f} s")
    if before:
        best = 0.0
        reasons.append("records were late before the fault already")
    if observed.gone:
        reasons.append(f"deleted during the run: {', '.join(sorted(observed.gone))}")
    if open_:
        worst = math.inf
        reasons.append("the cluster had not recovered when the run ended")
    elif observed.load_s - at_s - value < _SETTLED_S:
        worst = math.inf
        reasons.append(f"the load ended less than {_SETTLED_S:g} s after it")
    if observed.unreported:
        worst = math.inf
        reasons.append(f"of {observed.unreported:,} records of workers that died nobody knows what became of them")
    if observed.uncertainty_s:
        reasons.append(f"the workers' clocks are known to ±{milliseconds(observed.uncertainty_s * 1e6)} only")
    found = Measured(
        round(value, 3),
        best=round(max(0.0, best - observed.uncertainty_s), 3),
        worst=round(worst, 3),
        why=f"after {fault.name} {fault.target} at {at_s:.1f} s: {'; '.join(reasons)}",
    )
    return found, open_


def _after(spans: Spans, at_ns: int, start_ns: int, observed: Observed) -> tuple[float, bool, bool]:
    """Seconds from the fault until the last late record of its span was acknowledged; 0 if there is no such span.

    With it, whether that never happened (then it is the time until the run's end), and whether records were late long
    before the fault.
    """
    for begin, end in reversed(spans.tolist()):
        if begin - SETTLED_NS <= at_ns < end:
            before = begin < at_ns - SETTLED_NS
            if end >= NEVER:
                return max(0.0, observed.end_s - (at_ns - start_ns) / SECOND), True, before
            return max(0.0, (end - SETTLED_NS - at_ns) / SECOND), False, before
    return 0.0, False, False


def _longest(found: Sequence[Measured]) -> Measured:
    """The longest of several times, at best and at worst too; why they differ is said of the least certain one."""
    bests = [one.best or 0.0 for one in found]
    worsts = [one.value if one.worst is None else one.worst for one in found]
    doubtful = max(found, key=lambda one: (one.worst or 0.0) - (one.best or 0.0))
    return Measured(max(one.value for one in found), best=max(bests), worst=max(worsts), why=doubtful.why)
