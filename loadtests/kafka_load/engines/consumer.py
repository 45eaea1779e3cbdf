"""The consumer engine: a member of a consumer group (classic or KIP-848) that accounts for all it is delivered."""

from __future__ import annotations

from collections import Counter
from typing import cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from kafka_load.clock import MILLISECOND, now_ns
from kafka_load.engines.base import Engine
from kafka_load.engines.client_log import log_once
from kafka_load.engines.messages import Delivered
from kafka_load.engines.reading import ReaderTotals, Reading
from kafka_load.engines.settings import ClientSettings, ReaderSettings
from kafka_load.ledger import findings
from kafka_load.ledger.journal import write_journal
from kafka_load.ledger.snapshot import ReaderSnapshot
from kafka_load.ownership import offset_metadata

BATCH = 4_000  # a call of numpy costs as much as some hundred records; and more records would not fit into the cache


class ConsumerEngine(Engine[ReaderTotals, ReaderSnapshot]):
    """Reads `settings.topics` with the group, commits what it has accounted for, and leaves for real when stopped."""

    def __init__(self, client: ClientSettings, settings: ReaderSettings) -> None:
        super().__init__(client)
        self.settings = settings
        self.totals = ReaderTotals()
        self._reading = Reading(settings, self.warm_up)
        self.snapshot = self._reading.snapshot(self.id, 0, closed=False)
        self._assigned: set[findings.TopicPartition] = set()
        self._answered: set[findings.TopicPartition] = set()
        self._committed: dict[findings.TopicPartition, int] = {}
        self._revoked: Counter[findings.TopicPartition] = Counter()
        self._rebalances = 0
        self._next_commit_ns = 0

    @property
    def ready(self) -> bool:
        """It has begun its work, and its group has told it its share, which may be nothing.

        Under KIP-848 a member that gets no partition is not told so.
        """
        return super().ready and (self._rebalances > 0 or self.settings.protocol != "classic")

    def _run(self) -> None:
        properties = self._listening(self.settings.properties(self.client))
        self._consumer = Consumer({**properties, "on_commit": self._on_commit})
        self._consumer.subscribe(
            list(self.settings.topics), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )
        try:
            while not self._stopping:
                self._step()
        except BaseException:
            self.kill()  # it leaves its group as if it had died, and commits nothing any more
            raise
        finally:
            if not self._killed:
                self._consumer.close()  # which takes the partitions back, and so commits
            del self._consumer  # a consumer that was not closed is missed only when its session runs out

    def _step(self) -> None:
        # consume(n, t) would wait all of t even when messages are there.
        first = self._consumer.poll(self._poll_s())
        if first is not None:
            self._take(first)
        self._work()
        if now_ns() >= self._next_commit_ns:
            self._commit(self._assigned, wait=False)
            self._next_commit_ns = now_ns() + self.settings.commit_ms * MILLISECOND
        self._publish()
        self._raise_fatal()

    def _poll_s(self) -> float:
        """How long to wait for a message."""
        return 0.05

    def _work(self) -> None:
        """What there is to do with what was taken, besides accounting for it; must not block."""

    def _next_offset(self, key: findings.TopicPartition) -> int | None:
        """Where the group goes on in a partition, as far as this member has dealt with it."""
        return self._reading.next_offset(key)

    def _take(self, first: Message) -> None:
        if messages := self._with_more(first, BATCH):
            self._reading.take(messages, now_ns())

    def _with_more(self, first: Message, room: int) -> list[Delivered]:
        """This message and those that are there already, about `room` together.

        A rebalance may take its partition away while the others are asked for. Then whoever has the partition next,
        perhaps this member, is given the message again, behind others that it must not overtake.
        """
        one = cast("Delivered", first)
        key = (one.topic(), one.partition())
        before = self._revoked[key]
        more = cast("list[Delivered]", self._consumer.consume(room - 1, 0) if room > 1 else [])
        return [one, *more] if self._revoked[key] == before else more

    def _begun(self) -> list[TopicPartition]:
        """Partitions of its own of which it was given something, be it their end.

        The others must be neither paused nor sought: librdkafka may still be looking up where to begin with one. It
        would do that once more, and go back there later, out of the midst of what it reads by then.
        """
        return [partition for partition in self._own() if self._has_begun((partition.topic, partition.partition))]

    def _own(self) -> list[TopicPartition]:
        """Its partitions.

        librdkafka has them too; until its main thread answers, confluent-kafka keeps Python's lock (see `_fetched`).
        """
        return [TopicPartition(*key) for key in sorted(self._assigned)]

    def _has_begun(self, key: findings.TopicPartition) -> bool:
        return self._reading.next_offset(key) is not None

    def _commit(self, keys: set[findings.TopicPartition], wait: bool) -> None:
        """Commit what is accounted for and not committed yet, after writing the account down."""
        offsets = {
            key: offset
            for key in keys
            if (offset := self._next_offset(key)) is not None and offset > self._committed.get(key, -1)
        }
        if not offsets:
            return
        if self.settings.journal_dir is not None:
            self._publish_snapshot(closed=False)
            write_journal(self.settings.journal_dir, self.snapshot)
        mark = offset_metadata(self.settings.run)
        partitions = [TopicPartition(*key, offset, metadata=mark) for key, offset in offsets.items()]
        try:
            if wait:
                self._on_commit(None, self._consumer.commit(offsets=partitions, asynchronous=False) or [])
            else:
                self._consumer.commit(offsets=partitions, asynchronous=True)
        except KafkaException as refusal:
            self._on_commit(refusal.args[0], partitions)

    def _on_commit(self, refusal: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """Take note of what is committed. What was refused is due again, here or with the partition's next member."""
        for partition in partitions:
            if error := refusal or partition.error:
                log_once(f"{self.settings.group}: commit refused: {error.str()}")
            else:
                key = (partition.topic, partition.partition)
                self._committed[key] = max(partition.offset, self._committed.get(key, -1))

    def _on_assign(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._rebalances += 1
        for partition in partitions:
            key = (partition.topic, partition.partition)
            self._assigned.add(key)
            self._answered.discard(key)
            self._committed.pop(key, None)
            self._reading.begin(key)

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        keys = {(partition.topic, partition.partition) for partition in partitions}
        if not self._killed:
            self._commit(keys, wait=True)
        self._assigned -= keys
        self._revoked.update(keys)

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._rebalances += 1
        keys = {(partition.topic, partition.partition) for partition in partitions}
        self._assigned -= keys
        self._revoked.update(keys)

    def _fetched(self) -> tuple[findings.TopicPartition, ...]:
        """Partitions that are its own and of which a fetch was answered: nothing written from now on escapes it.

        Each is asked for until it was. confluent-kafka keeps Python's lock while it asks, and librdkafka's threads can
        block each other for good while a broker goes (librdkafka#5476): all of the process would stand still.
        """
        for key in self._assigned - self._answered:
            known = self._consumer.get_watermark_offsets(TopicPartition(*key), cached=True)
            if known is not None and known[1] >= 0:
                self._answered.add(key)
        return tuple(sorted(self._assigned & self._answered))

    def _publish_totals(self, now: int) -> None:
        assigned = self._fetched() if self.alive and not self._stopping else ()
        self.totals = self._reading.totals(now, self._rebalances, assigned)

    def _publish_snapshot(self, closed: bool) -> None:
        self.snapshot = self._account(closed)

    def _account(self, closed: bool) -> ReaderSnapshot:
        return self._reading.snapshot(self.id, self.snapshot.version + 1, closed)
