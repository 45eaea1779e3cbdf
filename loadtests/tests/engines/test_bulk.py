"""librdkafka by arrays: what is handed over is what arrives, and a report says whose it is."""

from __future__ import annotations

import ctypes
import json

import numpy as np
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition
from hypothesis import given
from hypothesis import strategies as st
from kafka_load.engines.client_log import ClientListener
from kafka_load.engines.outgoing import InFlight, Outgoing
from kafka_load.librdkafka import MESSAGE, BulkProducer, Messages
from kafka_load.librdkafka.library import INT, POINTER, TEXT, function
from kafka_load.librdkafka.memory import FEW, copies
from kafka_load.native_threads import wait_until
from kafka_load.records import Packed
from mock_cluster import MockCluster
from scenario import TOPIC, read_log

QUEUE = 10


def outgoing(count: int, partition: int = 0) -> Outgoing:
    values = Packed.of([b'{"sequence": %d}' % number for number in range(count)])
    keys, numbers = Packed.of([b"even", b"odd"]), np.arange(count)
    return Outgoing.of(values, keys, numbers % 2, np.full(count, partition, np.int16), numbers, numbers)


def reported(producer: BulkProducer, count: int) -> Messages:
    parts: list[Messages] = []
    while sum(map(len, parts)) < count:
        parts.append(producer.poll(5.0))
        assert len(parts[-1]), "no report came within 5 s"
    return np.concatenate(parts)


def test_the_structure_is_as_long_as_librdkafkas() -> None:
    fields = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int32, *[ctypes.c_void_p] * 6]
    names = [(f"f{number}", kind) for number, kind in enumerate(fields)]
    assert ctypes.sizeof(type("Message", (ctypes.Structure,), {"_fields_": names})) == MESSAGE.itemsize


@pytest.mark.parametrize("count", [0, 1, FEW, FEW + 1, 3 * FEW])
def test_memory_is_read_wherever_it_lies(count: int) -> None:
    block = np.arange(64, dtype=np.uint8)
    places = [(3, 32, 0, 50)[number % 4] for number in range(count)]
    addresses = np.array([block.ctypes.data + at for at in places], np.uint64)
    found = copies(addresses, np.dtype((np.void, 5)))
    assert [bytes(piece) for piece in found] == [block[at : at + 5].tobytes() for at in places]


def test_a_report_says_which_record_it_is_of_and_where_that_is(cluster: MockCluster) -> None:
    producer = BulkProducer({"bootstrap.servers": cluster.bootstrap}, TOPIC, ClientListener())
    assert producer.partitions(10) == 3
    records = outgoing(5, partition=2)
    records.messages["opaque"] = np.arange(5) + 100
    assert producer.produce(records.messages) == 5
    reports = reported(producer, 5)
    producer.close()
    assert reports["err"].tolist() == [0] * 5
    assert reports["partition"].tolist() == [2] * 5
    assert reports["opaque"].tolist() == [100, 101, 102, 103, 104]
    log = {offset: fields["sequence"] for offset, fields in read_log(cluster)[2]}
    assert [log[offset] for offset in reports["offset"].tolist()] == [0, 1, 2, 3, 4]
    assert reports["len"].tolist() == [len(b'{"sequence": 0}')] * 5


def test_records_carry_their_headers_and_are_reported_as_any_others(cluster: MockCluster) -> None:
    headers = (("source", b"web"), ("empty", b""), ("bytes", b"\x00\xff"))
    producer = BulkProducer({"bootstrap.servers": cluster.bootstrap}, TOPIC, ClientListener(), headers)
    records = outgoing(5, partition=2)
    records.messages["opaque"] = np.arange(5) + 100
    assert producer.produce(records.messages) == 5
    reports = reported(producer, 5)
    producer.close()
    assert reports["opaque"].tolist() == [100, 101, 102, 103, 104]
    assert reports["err"].tolist() == [0] * 5
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "plain"})
    consumer.assign([KafkaPartition(TOPIC, 2, OFFSET_BEGINNING)])
    found = [message for _ in range(5) if (message := consumer.poll(10)) is not None]
    consumer.close()
    assert [message.value() for message in found] == [b'{"sequence": %d}' % number for number in range(5)]
    assert [message.key() for message in found] == [b"even", b"odd", b"even", b"odd", b"even"]
    assert all(tuple(message.headers() or ()) == headers for message in found)


@pytest.mark.parametrize("headers", [(), (("source", b"web"),)], ids=["plain", "headers"])
def test_a_full_queue_refuses_all_that_follow_and_takes_them_later(
    cluster: MockCluster, headers: tuple[tuple[str, bytes], ...]
) -> None:
    properties = {"bootstrap.servers": cluster.bootstrap, "queue.buffering.max.messages": QUEUE, "linger.ms": 0}
    producer = BulkProducer(properties, TOPIC, ClientListener(), headers)
    records = outgoing(QUEUE + 5)
    assert producer.produce(records.messages) == QUEUE
    refused = records.messages["err"] == KafkaError._QUEUE_FULL
    assert np.flatnonzero(refused).tolist() == list(range(QUEUE, QUEUE + 5))
    reported(producer, QUEUE)
    rest = records.part(refused)
    assert producer.produce(rest.messages) == 5
    assert rest.messages["err"].tolist() == [0] * 5
    reported(producer, 5)
    producer.close()
    assert [fields["sequence"] for _, fields in read_log(cluster)[0]] == list(range(QUEUE + 5))


def test_a_property_that_librdkafka_refuses_is_named() -> None:
    with pytest.raises(KafkaException, match=r"statistics\.interval\.ms"):
        BulkProducer({"statistics.interval.ms": "soon"}, TOPIC, ClientListener())


def test_a_cluster_that_does_not_answer_is_an_error() -> None:
    producer = BulkProducer({"bootstrap.servers": "127.0.0.1:1"}, TOPIC, ClientListener())
    with pytest.raises(KafkaException) as failure:
        producer.partitions(0.2)
    producer.close()
    assert failure.value.args[0].code() in (KafkaError._TRANSPORT, KafkaError._TIMED_OUT)


def test_an_error_that_ends_a_producer_is_heard(cluster: MockCluster) -> None:
    listener = ClientListener()
    producer = BulkProducer({"bootstrap.servers": cluster.bootstrap, "enable.idempotence": True}, TOPIC, listener)
    code, reason = KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, b"made up"
    function("test_fatal_error", INT, POINTER, INT, TEXT)(producer._rk, code, reason)
    assert wait_until(lambda: len(producer.poll(0.1)) == 0 and listener.fatal is not None, 5)
    producer.close()
    assert listener.fatal is not None
    assert (listener.fatal.code(), listener.fatal.fatal()) == (code, True)
    assert "made up" in listener.fatal.str()


def test_a_producers_log_and_statistics_are_heard(cluster: MockCluster) -> None:
    facilities: set[str] = set()
    states: set[str] = set()

    class Ear(ClientListener):
        def said(self, facility: str, text: str) -> None:
            facilities.add(facility)

        def statistics(self, text: str) -> None:
            states.update(broker["state"] for broker in json.loads(text)["brokers"].values())

    properties = {"bootstrap.servers": cluster.bootstrap, "statistics.interval.ms": 50, "reconnect.backoff.ms": 50}
    producer = BulkProducer(properties, TOPIC, Ear())
    assert wait_until(lambda: len(producer.poll(0.1)) == 0 and "UP" in states, 5)
    for broker in (1, 2, 3):
        cluster.down(broker)
    assert wait_until(lambda: len(producer.poll(0.1)) == 0 and "FAIL" in facilities, 5)
    producer.close()


@given(st.lists(st.integers(0, 8), max_size=30), st.randoms())
def test_rows_come_back_as_they_went_whatever_the_order(steps: list[int], random: object) -> None:
    table, sent = InFlight(20), 0
    under_way: list[tuple[int, int]] = []
    for count in steps:
        if len(under_way) + count > 20:
            random.shuffle(under_way)  # type: ignore[attr-defined]  # hypothesis types it as an object
            back, under_way = under_way[:count], under_way[count:]
            sequences, due_ns = table.leave(np.array([row for row, _ in back], np.int64), count)
            assert sequences.tolist() == due_ns.tolist() == [number for _, number in back]
        else:
            numbers = np.arange(sent, sent + count)
            messages = np.zeros(count, MESSAGE)
            messages["len"] = 1
            rows = table.enter(Outgoing(messages, numbers, numbers, ()))
            under_way += zip(rows.tolist(), numbers.tolist(), strict=True)
            sent += count
        assert len(table) == table.bytes == len(under_way)
        assert len({row for row, _ in under_way}) == len(under_way)


def test_more_records_than_rows_are_refused() -> None:
    table = InFlight(3)
    with pytest.raises(ValueError, match="3 records are in flight"):
        table.enter(Outgoing(np.zeros(4, MESSAGE), np.arange(4), np.arange(4), ()))
