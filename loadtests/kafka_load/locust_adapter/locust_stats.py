"""Puts whole histograms into Locust's statistics: one entry at a time, whatever number of records it stands for.

Firing Locust's request event for every record would cap a process at what one greenlet can fire; adding a prepared
entry costs the same for one record and for a hundred thousand.
"""

from __future__ import annotations

from locust.stats import RequestStats, StatsEntry, StatsError, bucket_response_time

from kafka_load.clock import SECOND, now_ns
from kafka_load.histogram import MIDDLES_US
from kafka_load.run.worker import Delta

NOT_WRITTEN = "not written"


def feed(stats: RequestStats, delta: Delta) -> None:
    """Add what an engine did since the last time; latencies become Locust's rounded milliseconds."""
    kind, name, latency, size, failures = delta
    used = latency.counts.nonzero()[0]
    count = int(latency.counts.sum())
    if not count and not failures:
        return
    now_s = now_ns() / SECOND  # by the one clock of the run: Locust adds up the seconds of all workers
    second = int(now_s)
    entry = StatsEntry(stats, name, kind)
    entry.num_requests = count + failures
    entry.num_none_requests = entry.num_failures = failures
    entry.total_content_length = size
    entry.last_request_timestamp = now_s
    entry.num_reqs_per_sec[second] = count + failures
    for us, number in zip(MIDDLES_US[used].tolist(), latency.counts[used].tolist(), strict=True):
        entry.response_times[bucket_response_time(us / 1000)] += number
        entry.total_response_time += number * us / 1000
    if count:
        entry.min_response_time = round(float(MIDDLES_US[used[0]]) / 1000)
        entry.max_response_time = round(float(MIDDLES_US[used[-1]]) / 1000)
    if failures:
        entry.num_fail_per_sec[second] = failures
        error = stats.errors.setdefault(
            StatsError.create_key(kind, name, NOT_WRITTEN), StatsError(kind, name, NOT_WRITTEN)
        )
        error.occurrences += failures
    stats.entries[name, kind].extend(entry)
    stats.total.extend(entry)
