"""The member that consumes, transforms and produces, exactly once: each input record becomes one output record, in
transactions that commit the offsets of the input as well.

What a transaction that is aborted took is read again. Before a partition goes to another member the transaction that
holds records of it is committed. A member that dies leaves an open transaction, which the broker aborts after
`transaction.timeout.ms`; until then the partition's next member waits. A member that has lost its partitions cannot
commit any more, because it sends the group's generation with the offsets (KIP-447).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, Message, Producer
from confluent_kafka import TopicPartition as Place

from kafka_load.clock import SECOND, now_ns
from kafka_load.config.transform import SOURCE, source_of
from kafka_load.engines.client_log import log_once
from kafka_load.engines.completing_member import SettlingEngine
from kafka_load.engines.messages import Delivered
from kafka_load.engines.settings import ClientSettings, ReaderSettings
from kafka_load.ledger.findings import TopicPartition
from kafka_load.ledger.journal import write_journal
from kafka_load.ownership import offset_metadata
from kafka_load.records import decode

ATTEMPT_S, ANSWER_S = 1.0, 60.0


class TransformEngine(SettlingEngine):
    """Transforms what it reads as `settings.transform` says."""

    def __init__(self, client: ClientSettings, settings: ReaderSettings) -> None:
        if settings.transform is None:
            raise ValueError("the settings say nothing of a transform")
        self.transform = settings.transform
        self._taken: list[Delivered] = []
        self._offsets: dict[TopicPartition, int] = {}  # of the transaction that is open
        self._ends_ns = 0
        self._rewind = False
        self._skipped: set[TopicPartition] = set()  # of which records came that are read again
        super().__init__(client, settings)

    def _run(self) -> None:
        self._producer = Producer(self._listening(self.settings.transform_properties(self.client)))
        try:
            self._until_answered(self._producer.init_transactions)
            topic = self.transform.output
            self._partitions = len(self._producer.list_topics(topic, timeout=ANSWER_S).topics[topic].partitions)
            super()._run()
        finally:
            del self._producer  # here, not whenever and in whatever thread garbage is collected

    # -- a transaction

    def _poll_s(self) -> float:
        return min(0.05, max(0.001, (self._ends_ns - now_ns()) / SECOND)) if self._offsets else 0.05

    def _take(self, first: Message) -> None:
        messages = self._with_more(first, self.transform.records - len(self._taken))
        if self._rewind:  # what lies behind what was aborted is read again after it
            self._skipped.update((message.topic(), message.partition()) for message in messages)
            return
        if not messages:
            return
        self._reading.take(messages, now_ns())
        for message in messages:
            key = (message.topic(), message.partition())
            error = message.error()
            if error is None:
                self._add(key, message.offset() + 1)
                self._taken.append(message)
                self._produce(cast("Message", message))
            elif error.code() == KafkaError._PARTITION_EOF and message.offset() != self._next_offset(key):
                self._add(key, message.offset())

    def _add(self, key: TopicPartition, offset: int) -> None:
        """Let the transaction commit an offset; the first begins one."""
        if not self._offsets:
            self._producer.begin_transaction()
            self._ends_ns = now_ns() + int(self.transform.interval_s * SECOND)
        self._offsets[key] = offset

    def _produce(self, message: Message) -> None:
        topic, partition, offset = cast("Delivered", message).topic(), message.partition() or 0, message.offset() or 0
        headers = [*(message.headers() or ()), (SOURCE, source_of(topic, partition, offset))]
        output = partition % self._partitions  # so that the records of one input partition stay in order
        while True:
            try:
                self._producer.produce(self.transform.output, message.value(), message.key(), output, headers=headers)
            except BufferError:
                self._producer.poll(0.1)
            else:
                return

    def _work(self) -> None:
        if self._offsets and (len(self._taken) >= self.transform.records or now_ns() >= self._ends_ns):
            self._end_transaction()
        if self._rewind:
            self._read_again()
        self._producer.poll(0)

    def _end_transaction(self) -> None:
        """Commit the output with the input's offsets; if that cannot be, abort both."""
        if self._commit_transaction():
            stamps = decode([message.value() for message in self._taken])
            self._settled.add(self._taken, stamps, self.warm_up.until_ns)
            self._settled.count["processed"] += len(self._taken)
            self._settled.move(self._offsets)
            self._taken, self._offsets = [], {}
        else:
            self._abort_transaction()

    def _commit_transaction(self) -> bool:
        if self.settings.journal_dir is not None:
            self._publish_snapshot(closed=False)
            write_journal(self.settings.journal_dir, self.snapshot)
        mark = offset_metadata(self.settings.run)
        offsets = [Place(*key, offset, metadata=mark) for key, offset in self._offsets.items()]

        def send_offsets(timeout_s: float) -> None:
            metadata = self._consumer.consumer_group_metadata()
            self._producer.send_offsets_to_transaction(offsets, metadata, timeout_s)

        return self._until_answered(send_offsets) and self._until_answered(self._producer.commit_transaction)

    def _abort_transaction(self) -> None:
        self._until_answered(self._producer.abort_transaction)
        self._settled.count["aborted"] += 1
        self._taken, self._offsets, self._rewind = [], {}, True

    def _until_answered(self, call: Callable[[float], object]) -> bool:
        """Call until it succeeds (True) or the transaction can only be aborted (False). Raises what ends the
        producer.
        """
        end = time.monotonic() + ANSWER_S
        while True:
            try:
                call(ATTEMPT_S)
            except KafkaException as failure:
                error = failure.args[0]
                if error.txn_requires_abort():
                    log_once(f"{self.settings.group}: transaction aborted: {error.str()}")
                    return False
                if not error.retriable() or time.monotonic() > end:
                    raise
            else:
                return True

    def _read_again(self) -> None:
        """Go back to where the group is committed."""
        self._rewind = False
        for place in self._begun():
            key = (place.topic, place.partition)
            offset = self._next_offset(key)
            if offset is None:
                [found] = self._consumer.committed([Place(*key)], timeout=ANSWER_S)
                begin = OFFSET_BEGINNING if self.settings.from_start else OFFSET_END
                offset = found.offset if found.offset >= 0 else begin
            self._consumer.seek(Place(*key, offset))
        self._skipped.clear()

    def _has_begun(self, key: TopicPartition) -> bool:
        return key in self._skipped or super()._has_begun(key)

    # -- coming and going

    def _commit(self, keys: set[TopicPartition], wait: bool) -> None:
        """Offsets are committed in transactions only."""

    def _on_assign(self, consumer: Consumer, partitions: list[Place]) -> None:
        super()._on_assign(consumer, partitions)
        self._skipped.difference_update((partition.topic, partition.partition) for partition in partitions)

    def _on_revoke(self, consumer: Consumer, partitions: list[Place]) -> None:
        if self._offsets and not self._killed:
            self._end_transaction()
        super()._on_revoke(consumer, partitions)

    def _on_lost(self, consumer: Consumer, partitions: list[Place]) -> None:
        if self._offsets and not self._killed:
            self._abort_transaction()
        super()._on_lost(consumer, partitions)
