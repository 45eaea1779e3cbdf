"""A member that transforms, and what all members have in common when partitions are taken away or a thread dies."""

from __future__ import annotations

from typing import Any

from confluent_kafka import TopicPartition
from kafka_load.config.transform import Transform
from kafka_load.engines import ClientSettings, ConsumerEngine, ReaderSettings, reader
from kafka_load.native_threads import wait_until
from mock_cluster import MockCluster
from scenario import TOPIC, Scenario, group
from shop import RUN, Entry, FakeMessage

TXN_OFFSET_COMMIT, ILLEGAL_GENERATION = 28, 22


def test_a_transaction_that_is_refused_is_aborted_and_its_records_are_read_again(cluster: MockCluster) -> None:
    cluster.topic("enriched", 2)
    scenario_run = Scenario(cluster)
    member: Any = scenario_run.join("enricher", transform=Transform("enriched", 50), transactional_id="one")
    # The first transactions hold no records: they commit where the group begins in each of the three partitions.
    assert wait_until(lambda: bool(work := member.snapshot.processing) and len(work.positions) == 3, 20)
    for broker in (1, 2, 3):
        cluster.refuse(broker, TXN_OFFSET_COMMIT, ILLEGAL_GENERATION)
    scenario_run.send(300)
    assert wait_until(lambda: bool(member.snapshot.processing) and member.snapshot.processing.processed == 300, 20)
    judgement = scenario_run.finish()
    work = member.snapshot.processing
    assert (member.error, work.aborted, work.processed) == (None, 1, 300)
    assert sum(int((end - start).sum()) for start, end in (spans.T for spans in work.settled.values())) == 300
    assert sum(work.positions.values()) == 300
    verdict = group(judgement, "enricher")
    assert (verdict.lost, verdict.reordered) == (0, 0)
    assert verdict.redelivered > 0


class Dying(ConsumerEngine):
    """A member whose thread ends by an error of its own."""

    def _work(self) -> None:
        if self._reading.delivered:
            raise ArithmeticError("a fault of the harness")


def test_a_member_whose_thread_dies_does_not_stay_in_its_group(cluster: MockCluster) -> None:
    scenario_run = Scenario(cluster)
    settings = ReaderSettings("warehouse", (TOPIC,), scenario_run.run, session_timeout_ms=2_000, commit_ms=60_000)
    dying = Dying(scenario_run.client, settings)
    dying.start()
    assert wait_until(lambda: dying.totals.rebalances == 1, 15)
    scenario_run.send(300)
    assert wait_until(lambda: not dying.alive, 15)
    assert dying.error == "Dying: ArithmeticError: a fault of the harness"
    scenario_run.join("warehouse")
    assert group(scenario_run.finish(), "warehouse").lost == 0
    assert scenario_run.drained


class Taken:
    """A consumer that loses a partition while it is asked for more messages."""

    def __init__(self, engine: ConsumerEngine, lost: int) -> None:
        self._engine, self._lost = engine, lost

    def consume(self, *_: object) -> list[FakeMessage]:
        self._engine._on_revoke(None, [TopicPartition(TOPIC, self._lost)])  # type: ignore[arg-type]  # no consumer
        return []

    def commit(self, **_: object) -> None:
        return None


def test_a_message_whose_partition_was_just_taken_away_is_left_to_the_next_member() -> None:
    for lost, expected in ((0, None), (1, 8)):
        engine = ConsumerEngine(ClientSettings("127.0.0.1:9"), ReaderSettings("group", (TOPIC,), RUN))
        engine._consumer = Taken(engine, lost)  # type: ignore[assignment]  # see above
        engine._take(FakeMessage(Entry(7, 1, 0)))  # type: ignore[arg-type]  # as much as is asked of a message
        assert engine._next_offset((TOPIC, 0)) == expected


class Watched(Taken):
    """A consumer of two partitions that tells where it is sent back to."""

    def __init__(self, engine: ConsumerEngine) -> None:
        super().__init__(engine, 9)
        self.sought: list[tuple[int, int]] = []

    def committed(self, partitions: list[TopicPartition], **_: object) -> list[TopicPartition]:
        return [TopicPartition(partitions[0].topic, partitions[0].partition, 5)]

    def seek(self, place: TopicPartition) -> None:
        self.sought.append((place.partition, place.offset))


def test_only_partitions_of_which_something_came_are_read_again() -> None:
    settings = ReaderSettings("group", (TOPIC,), RUN, transform=Transform("enriched", 50), transactional_id="one")
    for skipped, expected in ((False, []), (True, [(0, 5)])):
        engine: Any = reader(ClientSettings("127.0.0.1:9"), settings)
        engine._consumer = Watched(engine)
        engine._assigned = {(TOPIC, 0), (TOPIC, 1)}
        engine._rewind = True
        if skipped:  # A rebalance has aborted the transaction while this message was asked for.
            engine._take(FakeMessage(Entry(7, 1, 0)))
        engine._read_again()
        assert engine._consumer.sought == expected
