"""What the cluster itself says, seen by a bystander: leaders, in-sync replicas, the logs' bounds, committed offsets.

The ledger needs an observer that is not a member of any group: for a commit that goes backwards, for records that
retention has removed, and for how far a group has to read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from confluent_kafka import Consumer, KafkaException, TopicPartition

from kafka_load.clock import MILLISECOND, SECOND, now_ns
from kafka_load.cluster.topic_states import TopicQueries
from kafka_load.engines.base import Engine
from kafka_load.engines.settings import ClientSettings
from kafka_load.ledger import findings
from kafka_load.ledger.findings import Anomaly
from kafka_load.native_threads import native_sleep, start_thread
from kafka_load.run.topic_changes import TopicState

ANSWER_S = 2.0


@dataclass(frozen=True)
class PartitionView:
    """Broker ids; `leader` is -1 if there is none."""

    leader: int
    replicas: tuple[int, ...]
    isr: tuple[int, ...]


@dataclass(frozen=True)
class ClusterView:
    """The cluster as of `at_ns`; what could not be asked for keeps its last value, and `error` says why."""

    at_ns: int = 0
    brokers: dict[int, str] = field(default_factory=dict)
    partitions: dict[findings.TopicPartition, PartitionView] = field(default_factory=dict)
    log_start: dict[findings.TopicPartition, int] = field(default_factory=dict)
    log_end: dict[findings.TopicPartition, int] = field(default_factory=dict)
    committed: Mapping[str, Mapping[findings.TopicPartition, int]] = field(default_factory=dict)
    regressions: tuple[Anomaly, ...] = ()
    topics: Mapping[str, TopicState | None] = field(default_factory=dict)
    topics_at_ns: int = 0
    error: str | None = None

    def lags(self, group: str, topics: Container[str]) -> dict[findings.TopicPartition, int]:
        """How many records the group has not committed yet of each partition of `topics` in which it has any."""
        committed = self.committed.get(group, {})
        return {
            where: max(0, end - committed[where])
            for where, end in self.log_end.items()
            if where in committed and where[0] in topics
        }


@dataclass(frozen=True)
class PartitionsSeen:
    """Leaders and in-sync replicas as the cluster told them at `at_ns`."""

    at_ns: int = 0
    brokers: dict[int, str] = field(default_factory=dict)
    partitions: dict[findings.TopicPartition, PartitionView] = field(default_factory=dict)
    error: str | None = None


class ClusterWatch(Engine[ClusterView, ClusterView]):
    """Asks the cluster every `every_ms` for leaders and in-sync replicas and for committed offsets of `groups`, once a
    second for everything else. Leaders and replicas are asked for in a thread of their own: what else is asked may wait
    for a broker that is down.
    """

    def __init__(
        self, client: ClientSettings, topics: tuple[str, ...], groups: tuple[str, ...], every_ms: int = 200
    ) -> None:
        super().__init__(client)
        self._known, self._seen = ClusterView(), PartitionsSeen()
        self.totals = self.snapshot = self._known
        self._topics, self._groups, self._every_ns = topics, groups, every_ms * MILLISECOND
        self._changes: deque[PartitionsSeen] = deque()
        self._surveying = False

    @property
    def view(self) -> ClusterView:
        """The cluster as it was last seen."""
        known, seen = self._known, self._seen
        return replace(
            known,
            at_ns=max(known.at_ns, seen.at_ns),
            brokers=seen.brokers,
            partitions=seen.partitions,
            error=seen.error or known.error,
        )

    def take_changes(self) -> list[PartitionsSeen]:
        """What the cluster told each time that a leader or an ISR was another one, since the last call."""
        return [self._changes.popleft() for _ in range(len(self._changes))]

    def _run(self) -> None:
        # One client for both threads: librdkafka asks for the end of a log whom the client's metadata names as its
        # leader, for minutes if nothing refreshes them, and the survey does so each time.
        client = self._offsets_client("kafka-load")
        self._surveying = True
        start_thread(lambda: self._survey_thread(client))
        try:
            self._ask_until_stopped(client)
        finally:
            self._stopping = True
            while self._surveying:
                native_sleep(0.02)
            client.close()

    def _ask_until_stopped(self, client: Consumer) -> None:
        bystanders = {group: self._offsets_client(group) for group in self._groups}
        queries = TopicQueries(self.client, self._topics)
        next_bounds = 0
        while not self._stopping:
            begun = now_ns()
            if begun >= next_bounds and self._seen.at_ns and self._answered(partial(self._read_bounds, client)):
                next_bounds = begun + SECOND
            for group, bystander in bystanders.items():
                self._answered(partial(self._ask_committed, group, bystander))
            if described := queries.poll(now_ns()):
                topics = {**self._known.topics, **described}
                self._known = replace(self._known, topics=topics, topics_at_ns=queries.asked_ns)
            client.poll(0)  # its log and its statistics
            self._rest(begun)
        for bystander in bystanders.values():
            bystander.close()

    def _answered(self, ask: Callable[[], None]) -> bool:
        """Whether the cluster has answered a question; one that it does not answer keeps no other from being asked."""
        try:
            ask()
        except KafkaException as refusal:
            self._known = replace(self._known, at_ns=now_ns(), error=refusal.args[0].str())
            return False
        return True

    def _survey_thread(self, client: Consumer) -> None:
        try:
            self._guarded(lambda: self._survey_until_stopped(client))
        finally:
            self._surveying = False

    def _survey_until_stopped(self, client: Consumer) -> None:
        while not self._stopping:
            begun = now_ns()
            try:
                self._survey(client)
            except KafkaException as refusal:
                self._seen = replace(self._seen, error=refusal.args[0].str())
            self._rest(begun)

    def _rest(self, begun_ns: int) -> None:
        while not self._stopping and now_ns() < begun_ns + self._every_ns:
            native_sleep(0.02)

    def _offsets_client(self, group: str) -> Consumer:
        """A client that may ask about a group and, as it never subscribes, is no member of it.

        Like `queries.metadata_client` it sees what lies behind an open transaction.
        """
        sees_all = self.client.properties(group_id=group, enable_auto_commit=False, isolation_level="read_uncommitted")
        return Consumer(self._listening(sees_all))

    def _survey(self, client: Consumer) -> None:
        metadata = client.list_topics(timeout=ANSWER_S)
        partitions = {
            (topic, number): PartitionView(partition.leader, tuple(partition.replicas), tuple(partition.isrs))
            for topic in self._topics
            if topic in metadata.topics
            for number, partition in metadata.topics[topic].partitions.items()
        }
        brokers = {broker.id: f"{broker.host}:{broker.port}" for broker in metadata.brokers.values()}
        seen = PartitionsSeen(now_ns(), brokers, partitions)
        if partitions != self._seen.partitions:
            self._changes.append(seen)
        self._seen = seen

    def _read_bounds(self, client: Consumer) -> None:
        seen = self._seen
        bounds = log_bounds(client, [tp for tp, view in seen.partitions.items() if view.leader in seen.brokers])
        self._known = replace(
            self._known,
            at_ns=now_ns(),
            log_start={**self._known.log_start, **{tp: low for tp, (low, _) in bounds.items()}},
            log_end={**self._known.log_end, **{tp: high for tp, (_, high) in bounds.items()}},
            error=None,
        )

    def _ask_committed(self, group: str, client: Consumer) -> None:
        wanted = [TopicPartition(*tp) for tp in self._seen.partitions]
        if not wanted:
            return
        before = self._known.committed.get(group, {})
        answers = client.committed(wanted, timeout=ANSWER_S)
        after = {(a.topic, a.partition): a.offset for a in answers if a.error is None and a.offset >= 0}
        back = tuple(
            Anomaly(
                kind="offset_regression",
                group=group,
                topic=tp[0],
                partition=tp[1],
                offset=offset,
                producer=None,
                sequence=None,
                count=before[tp] - offset,
                at_ns=now_ns(),
                note=f"committed {offset} after {before[tp]}",
            )
            for tp, offset in after.items()
            if offset < before.get(tp, 0)
        )
        committed = {**self._known.committed, group: {**before, **after}}
        self._known = replace(self._known, committed=committed, regressions=self._known.regressions + back)

    def _publish_totals(self, now: int) -> None:
        self.totals = self.view

    def _publish_snapshot(self, closed: bool) -> None:
        self.snapshot = self.view


def log_bounds(
    client: Consumer, partitions: list[findings.TopicPartition]
) -> dict[findings.TopicPartition, tuple[int, int]]:
    """First offset and offset after the last of each log. Raises KafkaException when a leader does not answer."""
    return {tp: client.get_watermark_offsets(TopicPartition(*tp), timeout=ANSWER_S, cached=False) for tp in partitions}
