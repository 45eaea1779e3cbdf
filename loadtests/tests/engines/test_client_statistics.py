"""What clients say of themselves: of the real library's statistics, no more is parsed than is used."""

from __future__ import annotations

import json

import pytest
from kafka_load.config.schedule import constant
from kafka_load.engines import client_statistics
from kafka_load.engines.client_log import ClientListener
from kafka_load.engines.client_statistics import ClientStatistics, RoundTrips
from kafka_load.native_threads import wait_until
from mock_cluster import MockCluster
from scenario import Scenario


def statistics(kind: str, topics: str = "{}", name: str = "n") -> str:
    """librdkafka's document, as short as it can be."""
    quiet = {
        "nodename": "",
        "nodeid": -1,
        "rtt": {"cnt": 4, "sum": 8, "p99": 2, "max": 2, "outofrange": 0},
        "throttle": {"max": 0},
    }
    times = {"cnt": 10, "sum": 5_000, "p99": 900, "max": 990, "outofrange": 0}
    busy = {"nodename": "kafka2:9092", "nodeid": 2, "rtt": times, "throttle": {"max": 30}}
    own = json.dumps({"name": name, "type": kind, "msg_cnt": 12, "msg_size": 1_200})
    return f'{own[:-1]}, "brokers":{json.dumps({"a": quiet, "b": busy})}, "topics":{topics}, "txmsgs":5 }}'


def test_queue_throttling_and_round_trips_are_taken() -> None:
    assert client_statistics.of(*client_statistics.split(statistics("producer"))) == ClientStatistics(
        12, 1_200, 30, {2: RoundTrips(10, 5_000, 900)}
    )


def test_a_consumers_round_trips_are_not_those_of_the_network() -> None:
    assert client_statistics.of(*client_statistics.split(statistics("consumer"))).round_trips == {}


def test_what_grows_with_the_partitions_is_not_parsed() -> None:
    assert client_statistics.split(statistics("producer", topics="{this is no JSON"))[0]["msg_cnt"] == 12


def test_an_engine_with_two_clients_keeps_what_each_said() -> None:
    listener = ClientListener()
    for name, kind in (("reads", "consumer"), ("dead letters", "producer"), ("reads", "consumer")):
        listener.statistics(statistics(kind, name=name))
    assert {name: len(said.round_trips) for name, said in listener.said_last.items()} == {"reads": 0, "dead letters": 1}


@pytest.mark.parametrize("ms", [80, 900])  # librdkafka's percentiles know nothing beyond 500 ms
def test_a_broker_that_answers_late_shows_in_its_round_trips(cluster: MockCluster, ms: int) -> None:
    for partition in range(3):
        cluster.leader("orders", partition, 2)
    cluster.rtt(2, ms)
    scenario = Scenario(cluster)
    producer = scenario.producer(constant(200.0))

    found: list[RoundTrips] = []

    def late() -> bool:
        clients = producer.statistics.values()
        found[:] = [times for said in clients for broker, times in said.round_trips.items() if broker == 2]
        return bool(found) and found[0].sum_us >= 1_000 * ms * found[0].count

    assert wait_until(late, 30)
    assert found[0].p99_us >= 990 * ms  # the histogram has two digits
    producer.stop()
    assert producer.join(30)
