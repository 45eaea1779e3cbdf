"""A record that is in the log twice: whose fault it is, by the identities under which it lies there."""

from __future__ import annotations

import numpy as np
import pytest
from confluent_kafka import Producer
from kafka_load.cluster.log_batches import LogUnreadableError, kafka_python
from kafka_load.engines import ClientSettings, ProducerSettings
from kafka_load.ledger import Judgement
from kafka_load.ledger.copies import Doubled, Identity
from kafka_load.native_threads import wait_until
from kafka_load.output.duplicate_causes import name_writers
from kafka_load.records import encoder, fresh_run
from mock_cluster import PRODUCE, MockCluster
from scenario import TOPIC, Scenario, group, read_log

NOT_LEADER, OUT_OF_ORDER = 6, 45  # error codes of the wire protocol
TWICE = Doubled(TOPIC, 0, 7, 118, ((10, 10), (20, 20)))


def test_a_log_that_cannot_be_read_leaves_the_question_open() -> None:
    def refuse(*_: object) -> list[list[Identity]]:
        raise LogUnreadableError("it is locked")

    judgement = Judgement(doubled={"warehouse": [TWICE]})
    [sentence] = name_writers(judgement, ClientSettings("nowhere:1"), 1, refuse)
    assert sentence.endswith("is not known: it is locked")


def test_a_property_without_counterpart_is_named() -> None:
    given = {"bootstrap.servers": "kafka1:9092", "ssl.ca.location": "ca.pem", "socket.timeout.ms": 1}
    assert kafka_python(given) == {"bootstrap_servers": "kafka1:9092", "ssl_cafile": "ca.pem"}
    with pytest.raises(LogUnreadableError, match=r"ssl\.keystore\.location"):
        kafka_python({**given, "ssl.keystore.location": "x.p12"})


def write_over_a_lost_answer(cluster: MockCluster, run: int, in_flight: int) -> None:
    """Write one record to partition 0 and some to partition 1.

    Partition 0's leader has the record in its log, but its answer comes too late, so that it is sent again. Meanwhile
    partition 1's leader refuses a request, and, if a second one is under way, that as well, as a broker does.
    """
    cluster.leader(TOPIC, 0, 1)
    cluster.leader(TOPIC, 1, 2)
    settings = ProducerSettings(TOPIC, run, 7, linger_ms=0, requests_in_flight=in_flight)
    client = ClientSettings(cluster.bootstrap, {"socket.timeout.ms": 2_000, "log_level": 0})
    producer = Producer(settings.properties(client))
    encode = encoder("json", "order", 0, run, 7)
    sent = [0, 0]

    def send(partition: int) -> None:
        keys = np.array([b"c-1"], object)
        [value] = encode(np.array([partition], np.int16), np.array([sent[partition]]), np.array([1]), keys).tolist()
        producer.produce(TOPIC, value, b"c-1", partition)
        sent[partition] += 1
        producer.poll(0.2)

    send(0)
    send(1)
    assert producer.flush(10) == 0
    cluster.slow_answers(1, PRODUCE, 4_000)
    send(0)
    cluster.rtt(2, 600)
    cluster.refuse(2, PRODUCE, NOT_LEADER)
    if in_flight > 1:
        cluster.refuse(2, PRODUCE, OUT_OF_ORDER)
    send(1)
    send(1)
    producer.poll(1.0)
    cluster.rtt(2, 0)
    assert producer.flush(20) == 0


@pytest.mark.parametrize("in_flight", [5, 1])
def test_the_log_says_whether_the_client_or_the_broker_wrote_a_record_twice(
    cluster: MockCluster, in_flight: int
) -> None:
    """The mock cluster is a broker that breaks its promise: it writes what an idempotent producer sends again.

    With one request in flight the copy has the identity of the first, which a real broker drops; with five the client
    has raised its epoch.
    """
    scenario_run = Scenario(cluster)
    write_over_a_lost_answer(cluster, scenario_run.run, in_flight)
    member = scenario_run.join("warehouse")
    assert wait_until(lambda: member.totals.delivered == 6, 20)
    judgement = scenario_run.finish()
    in_log = [fields["sequence"] for _, fields in read_log(cluster)[0]]
    assert in_log == [0, 1, 1]  # there is a copy, and of the record whose answer was lost
    verdict = group(judgement, "warehouse")
    assert verdict.duplicated_in_log == 1
    [sentence] = name_writers(judgement, scenario_run.client, scenario_run.run)
    by_client = in_flight > 1
    assert (verdict.duplicated_by_broker, verdict.duplicated_by_client) == (int(not by_client), int(by_client))
    assert ("librdkafka issue 4953" if by_client else "KIP-98") in sentence


def test_the_shops_producers_have_one_request_in_flight_to_a_broker() -> None:
    assert ProducerSettings(TOPIC, fresh_run(), 7).properties(ClientSettings("x"))["max.in.flight"] == 1
