"""Negative controls: each makes something bad happen, has an independent check, and the ledger must find just that.

The check reads the log (or the committed offsets) with a plain client and the standard library's JSON parser: it
shares no code with the ledger. A control whose check saw nothing has proved nothing, and fails.
"""

from __future__ import annotations

from collections import Counter
from ctypes import string_at

import numpy as np
from confluent_kafka import Consumer, Producer, TopicPartition
from kafka_load.clock import now_ns
from kafka_load.engines import ConsumerEngine, ProducerEngine, TransactionSettings
from kafka_load.engines.outgoing import Outgoing
from kafka_load.native_threads import wait_until
from kafka_load.records import Packed, fresh_run
from mock_cluster import PRODUCE, MockCluster
from scenario import TOPIC, Scenario, end, group, read_log

RECORDS = 600


class Meddler(ProducerEngine):
    """A producer whose records somebody meddles with on their way; `victim` is the sequence in partition 0."""

    victim = 50

    def _hand_over(self, records: Outgoing) -> None:
        [place] = np.nonzero((records.messages["partition"] == 0) & (records.sequences == self.victim))
        if not len(place):
            super()._hand_over(records)
            return
        at = int(place[0])
        super()._hand_over(records.part(slice(at)))
        self.meddle(records.part(slice(at, at + 1)))
        super()._hand_over(records.part(slice(at + 1, None)))

    def meddle(self, record: Outgoing) -> None:
        raise NotImplementedError


class Forgetful(Meddler):
    """Notes an acknowledgement for a record that it never sends."""

    def meddle(self, record: Outgoing) -> None:
        # Without an offset: another record lies at any that could be named, which is a finding of its own (diverged).
        self._acks.accounts[0].acknowledge(self.victim, self.victim + 1, None, now_ns())


class Confused(Meddler):
    """Hands over a record behind the one that follows it."""

    held: Outgoing | None = None

    def meddle(self, record: Outgoing) -> None:
        self.held = record

    def _hand_over(self, records: Outgoing) -> None:
        super()._hand_over(records)
        behind = (records.messages["partition"] == 0) & (records.sequences > self.victim)
        if self.held is not None and behind.any():
            held, self.held = self.held, None
            ProducerEngine._hand_over(self, held)


class Forger(Meddler):
    """Makes an expensive thing cheap."""

    def meddle(self, record: Outgoing) -> None:
        value = string_at(int(record.messages["payload"][0]), int(record.messages["len"][0]))
        forged = Packed.of([value.replace(b'"price": ', b'"price": 0', 1)])
        messages = record.messages.copy()
        messages["payload"], messages["len"] = forged.data.ctypes.data, forged.lengths
        ProducerEngine._hand_over(self, Outgoing(messages, record.sequences, record.due_ns, (*record.memory, forged)))


def sequences(cluster: MockCluster, partition: int = 0) -> list[int]:
    return [fields["sequence"] for _, fields in read_log(cluster)[partition] if "sequence" in fields]


def test_nothing_is_found_where_nothing_happened(cluster: MockCluster) -> None:
    scenario_run = Scenario(cluster)
    scenario_run.join("warehouse")
    scenario_run.send(RECORDS)
    judgement = scenario_run.finish()
    assert sum(map(len, read_log(cluster).values())) == RECORDS
    assert judgement.produced.acknowledged == group(judgement, "warehouse").consumed == RECORDS
    assert judgement.anomalies == []


def test_a_record_that_was_acknowledged_and_never_sent_is_lost(cluster: MockCluster) -> None:
    scenario_run = Scenario(cluster)
    scenario_run.join("warehouse")
    scenario_run.send(RECORDS, kind=Forgetful)
    judgement = scenario_run.finish()
    assert Meddler.victim not in sequences(cluster)
    assert group(judgement, "warehouse").lost == 1
    [anomaly] = judgement.anomalies
    assert (anomaly.kind, anomaly.topic, anomaly.partition, anomaly.sequence) == ("lost", TOPIC, 0, Meddler.victim)


def test_records_deleted_before_a_reader_came_are_lost_to_it_and_only_to_it(cluster: MockCluster) -> None:
    scenario_run = Scenario(cluster)
    early = scenario_run.join("early")
    scenario_run.send(RECORDS)
    before = read_log(cluster)
    assert wait_until(lambda: early.totals.delivered == RECORDS, 15)
    cluster.delete_records(TOPIC, 1, before[1][-1][0] + 1)
    scenario_run.join("late")
    scenario_run.send(RECORDS)
    deleted = len(before[1])
    assert deleted > 0
    assert read_log(cluster)[1][0][0] == before[1][-1][0] + 1
    judgement = scenario_run.finish()
    assert group(judgement, "early").lost == 0
    assert (group(judgement, "late").lost, group(judgement, "late").deleted) == (deleted, deleted)
    [anomaly] = judgement.anomalies
    assert (anomaly.kind, anomaly.partition, anomaly.sequence, anomaly.count) == ("deleted", 1, 0, deleted)
    assert "deleted by retention before the group read it" in anomaly.note


def test_a_producer_without_idempotence_retries_into_duplicates(cluster: MockCluster) -> None:
    scenario_run = Scenario(cluster)
    scenario_run.join("warehouse")
    for broker in (1, 2, 3):
        cluster.slow_answers(broker, PRODUCE, 4_000)
    scenario_run.send(RECORDS, idempotent=False, client={"socket.timeout.ms": 1_000, "request.timeout.ms": 900})
    judgement = scenario_run.finish()
    seen = Counter((p, f["sequence"]) for p, entries in read_log(cluster).items() for _, f in entries)
    twice = sum(times - 1 for times in seen.values())
    assert group(judgement, "warehouse").duplicated_in_log == twice > 0
    assert group(judgement, "warehouse").lost == 0


def test_two_records_written_in_the_wrong_order_are_reordered(cluster: MockCluster) -> None:
    scenario_run = Scenario(cluster)
    scenario_run.join("warehouse")
    scenario_run.send(RECORDS, kind=Confused)
    judgement = scenario_run.finish()
    order = sequences(cluster)
    assert order != sorted(order)
    late = sum(sequence < max(order[:place]) for place, sequence in enumerate(order) if place)
    assert group(judgement, "warehouse").reordered == late >= 1
    assert {anomaly.kind for anomaly in judgement.anomalies} == {"reordered"}
    assert judgement.anomalies[0].sequence == Meddler.victim


def test_records_of_others_and_of_other_runs_are_told_apart(cluster: MockCluster) -> None:
    stranger = Producer({"bootstrap.servers": cluster.bootstrap})
    for number in range(7):
        stranger.produce(TOPIC, b"not of this harness", partition=number % 3)
    assert stranger.flush(5) == 0
    scenario_run = Scenario(cluster)
    yesterday = Scenario(cluster, run=fresh_run())
    yesterday.send(30)
    end(yesterday.watch)
    scenario_run.join("warehouse")
    scenario_run.send(RECORDS)
    judgement = scenario_run.finish()
    assert sum(fields == {} for entries in read_log(cluster).values() for _, fields in entries) == 7
    verdict = group(judgement, "warehouse")
    assert (verdict.foreign, verdict.other_runs, verdict.consumed) == (7, 30, RECORDS)
    assert judgement.anomalies == []


def test_an_altered_payload_is_a_phantom_and_its_original_lost(cluster: MockCluster) -> None:
    scenario_run = Scenario(cluster)
    scenario_run.join("warehouse")
    scenario_run.send(RECORDS, kind=Forger)
    judgement = scenario_run.finish()
    # A leading zero is no JSON: the standard library's parser refuses what the checksum must refuse.
    [offset] = [offset for offset, fields in read_log(cluster)[0] if fields == {}]
    verdict = group(judgement, "warehouse")
    assert (verdict.phantom, verdict.lost, verdict.consumed) == (1, 1, RECORDS - 1)
    altered = next(anomaly for anomaly in judgement.anomalies if anomaly.kind == "altered")
    assert (altered.partition, altered.offset) == (0, offset)


def test_an_offset_committed_backwards_is_a_regression(cluster: MockCluster) -> None:
    scenario_run = Scenario(cluster, watched=("warehouse",))
    member = scenario_run.join("warehouse")
    assert isinstance(member, ConsumerEngine)
    scenario_run.send(RECORDS)
    bystander = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "warehouse", "log_level": 0})
    wanted = [TopicPartition(TOPIC, 0)]
    end_ = read_log(cluster)[0][-1][0] + 1
    assert wait_until(lambda: scenario_run.watch.view.committed.get("warehouse", {}).get((TOPIC, 0)) == end_, 10)
    before = bystander.committed(wanted, timeout=5)[0].offset
    member._consumer.commit(offsets=[TopicPartition(TOPIC, 0, 10)], asynchronous=False)
    after = bystander.committed(wanted, timeout=5)[0].offset
    assert (before, after) == (end_, 10)
    assert wait_until(lambda: bool(scenario_run.watch.view.regressions), 10)
    member.kill()
    heir = scenario_run.join("warehouse")
    assert wait_until(lambda: heir.totals.delivered == before - after, 10)
    judgement = scenario_run.finish()
    verdict = group(judgement, "warehouse")
    assert (verdict.offset_regressions, verdict.lost) == (1, 0)
    assert verdict.redelivered == before - after
    regression = next(anomaly for anomaly in judgement.anomalies if anomaly.kind == "offset_regression")
    assert (regression.partition, regression.offset, regression.count) == (0, 10, before - 10)


def test_what_a_member_committed_before_it_read_it_is_lost_when_it_dies(cluster: MockCluster) -> None:
    scenario_run = Scenario(cluster, watched=("warehouse",))
    scenario_run.send(RECORDS)
    unread = {partition: entries[-1][0] + 1 for partition, entries in read_log(cluster).items()}
    rash = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "warehouse", "log_level": 0})
    rash.commit(
        offsets=[TopicPartition(TOPIC, partition, end_) for partition, end_ in unread.items()], asynchronous=False
    )
    del rash
    scenario_run.join("warehouse")
    scenario_run.send(RECORDS)
    judgement = scenario_run.finish()
    assert sum(unread.values()) == RECORDS
    assert sum(map(len, read_log(cluster).values())) == 2 * RECORDS
    verdict = group(judgement, "warehouse")
    assert (verdict.lost, verdict.consumed) == (RECORDS, RECORDS)
    assert {anomaly.kind for anomaly in judgement.anomalies} == {"lost"}


def test_aborted_records_that_are_delivered_are_phantoms_to_those_who_asked_for_committed_ones(
    cluster: MockCluster,
) -> None:
    """The mock cluster does what no broker may: it hands records of aborted transactions to everybody."""
    scenario_run = Scenario(cluster)
    scenario_run.join("reads committed")
    scenario_run.join("reads uncommitted", read_committed=False)
    scenario_run.send(RECORDS, transaction=TransactionSettings("shop", records=100, ms=10_000, abort_every=3))
    judgement = scenario_run.finish()
    produced = judgement.produced
    delivered = sum(map(len, read_log(cluster).values()))
    assert delivered == RECORDS > produced.acknowledged > 0
    assert group(judgement, "reads committed").phantom == produced.aborted == delivered - produced.acknowledged
    assert group(judgement, "reads uncommitted").phantom == 0
    assert (group(judgement, "reads committed").lost, group(judgement, "reads uncommitted").lost) == (0, 0)
    assert {anomaly.kind for anomaly in judgement.anomalies} == {"aborted"}
