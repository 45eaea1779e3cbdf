"""Figures of clients: each second counts once, whoever is gone waits no more, and the run keeps what was worst."""

from __future__ import annotations

from pathlib import Path

from kafka_load.engines.client_statistics import ClientStatistics, RoundTrips
from kafka_load.output.timeline import Bin, merged
from kafka_load.run.client_figures import ClientFigures, ClientSummary

BUSY = ClientStatistics(5, 500, 30, {1: RoundTrips(4, 4_000, 2_000)})
CALM = ClientStatistics(1, 100, 0, {1: RoundTrips(6, 2_000, 400), 2: RoundTrips(1, 100, 100)})


def test_what_a_client_said_counts_once() -> None:
    clients = ClientFigures()
    assert clients.take("a", {}) == Bin(0)
    assert clients.take("a", {"reads": BUSY}).counts == {"rtt_count.1": 4, "rtt_sum_us.1": 4_000}
    assert clients.take("a", {"reads": BUSY}) == Bin(0)


def test_each_client_of_an_engine_counts() -> None:
    clients = ClientFigures()
    clients.take("a", {"reads": CALM})
    both = clients.take("a", {"reads": CALM, "dead letters": BUSY})
    assert both.counts == {"rtt_count.1": 4, "rtt_sum_us.1": 4_000}
    assert clients.queues() == {"client_queue_records": 6, "client_queue_bytes": 600}


def test_queues_add_up_until_an_engine_is_gone() -> None:
    clients = ClientFigures()
    for name, said in (("a", BUSY), ("b", CALM)):
        clients.take(name, {"client": said})
    assert clients.queues() == {"client_queue_records": 6, "client_queue_bytes": 600}
    clients.forget("a")
    assert clients.queues() == {"client_queue_records": 1, "client_queue_bytes": 100}


def test_the_run_keeps_the_worst_and_the_average_of_each_broker(tmp_path: Path) -> None:
    clients, summary = ClientFigures(), ClientSummary(tmp_path)
    first, second = (clients.take(name, {"client": said}) for name, said in (("a", BUSY), ("b", CALM)))
    second.levels = clients.queues()
    for number, one in enumerate((first, second, Bin(0))):
        summary.add(merged(number, [one]))
    assert summary.so_far() == {
        "queue_records_max": 6,
        "queue_bytes_max": 600,
        "throttle_ms_max": 30,
        "round_trip_us": {"1": {"avg": 600, "p99_max": 2_000}, "2": {"avg": 100, "p99_max": 100}},
    }
    assert (tmp_path / "round_trips.csv").read_text().splitlines() == [
        "t_s,broker,rtt_avg_us,rtt_p99_us",
        "0,1,1000,2000",
        "1,1,333,400",
        "1,2,100,100",
    ]
