"""The consumer that works: a group member that takes its time over each record, tries again what fails, and sends what
keeps failing to a dead-letter topic, before it commits.

The work is simulated: a batch's records are given the times at which each will be done, one after the other, and the
thread goes on polling until then. So a member answers the broker however long a record takes, and a slow one holds up
nobody but its own group.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition
from numpy.typing import NDArray

from kafka_load.clock import SECOND, now_ns
from kafka_load.config.processing import Processing, seed_of
from kafka_load.engines.completing_member import SettlingEngine
from kafka_load.engines.dead_letters import DeadLetters, Failed
from kafka_load.engines.messages import Delivered
from kafka_load.engines.settings import ClientSettings, ReaderSettings
from kafka_load.ledger import findings
from kafka_load.records import INTACT, Stamps, decode

# Records that a member holds at most; from then on its partitions are paused, one that it has not begun with as soon as
# it has its first record.
PENDING = 1_000
FLUSH_S = 10.0


@dataclass
class Batch:
    """Records that wait for their turn, in order; `ends_ns` says when each is done, all arrays are of one length."""

    messages: list[Failed]
    stamps: Stamps
    failed: NDArray[np.int64]  # attempts at each
    work_ns: NDArray[np.int64]
    ends_ns: NDArray[np.int64]

    def part(self, chosen: NDArray[np.int64]) -> Batch:
        """Those of these places."""
        return Batch(
            [self.messages[place] for place in chosen.tolist()],
            self.stamps.at(chosen),
            self.failed[chosen],
            self.work_ns[chosen],
            self.ends_ns[chosen],
        )


@dataclass
class Done:
    """Records that are done, but for `unacknowledged` of them, which the dead-letter topic has still to take."""

    batch: Batch
    unacknowledged: int = 0
    next_offsets: dict[findings.TopicPartition, int] = field(default_factory=dict)

    def acknowledged(self) -> None:
        """One more was taken."""
        self.unacknowledged -= 1


class ProcessingEngine(SettlingEngine):
    """Processes what it reads as `settings.processing` says, and commits what it has settled."""

    def __init__(self, client: ClientSettings, settings: ReaderSettings) -> None:
        if settings.processing is None:
            raise ValueError("the settings say nothing of processing")
        self.processing: Processing = settings.processing
        self._batches: deque[Batch] = deque()
        self._done: deque[Done] = deque()
        self._dead_letters: DeadLetters | None = None
        self._paused = False
        self._seed = seed_of(settings.run, settings.group)
        super().__init__(client, settings)
        self._random = np.random.default_rng(zlib.crc32(self.id.encode()))

    def _run(self) -> None:
        topic = self.processing.dead_letter_topic
        if topic:
            properties = self._listening(self.settings.dead_letter_properties(self.client))
            self._dead_letters = DeadLetters(properties, topic, self.settings.group)
        try:
            super()._run()
        finally:
            self._dead_letters = None  # here, not whenever and in whatever thread garbage is collected

    # -- taking records

    def _poll_s(self) -> float:
        wait_ns = int(self._batches[0].ends_ns[0]) - now_ns() if self._batches else SECOND
        return min(0.05, max(0.001, wait_ns / SECOND))

    def _pending(self) -> int:
        return sum(len(batch.messages) for batch in self._batches)

    def _take(self, first: Message) -> None:
        messages = self._with_more(first, PENDING - self._pending())
        now = now_ns()
        if messages:
            self._reading.take(messages, now)
        ends = KafkaError._PARTITION_EOF
        kept = [message for message in messages if (error := message.error()) is None or error.code() == ends]
        if kept:
            self._plan_work(kept, now)
        if self._pending() >= PENDING:
            self._consumer.pause(self._begun())
            self._paused = True

    def _plan_work(self, messages: Sequence[Delivered], now: int) -> None:
        """Append a batch, behind those that are there. What is no record of this run takes no time and cannot fail."""
        chosen = self.processing
        stamps = decode([message.value() if message.error() is None else None for message in messages])
        ours = (stamps.state == INTACT) & (stamps.run == self.settings.run)
        failed = np.where(ours, chosen.failed_attempts(self._seed, stamps.origin, stamps.sequence), 0)
        attempts = np.minimum(failed, chosen.retries) + 1
        attempts_s = chosen.time.draw_s(self._random, int(attempts.sum()))
        work_s = np.add.reduceat(attempts_s, np.concatenate([[0], np.cumsum(attempts)[:-1]]))
        work_s += (attempts - 1) * chosen.backoff_s
        work_ns = np.where(ours, work_s * SECOND, 0).astype(np.int64)
        begin = max(now, int(self._batches[-1].ends_ns[-1])) if self._batches else now
        batch = Batch(cast("list[Failed]", list(messages)), stamps, failed, work_ns, begin + np.cumsum(work_ns))
        self._batches.append(batch)

    # -- working

    def _work(self) -> None:
        now = now_ns()
        while self._batches and (done := int(np.searchsorted(self._batches[0].ends_ns, now, "right"))):
            batch = self._batches.popleft()
            places = np.arange(len(batch.messages))
            if done < len(places):
                self._batches.appendleft(batch.part(places[done:]))
                batch = batch.part(places[:done])
            self._done.append(self._finish(batch))
        if self._dead_letters is not None:
            self._dead_letters.poll()
        self._settle()
        if self._paused and self._pending() <= PENDING // 2:
            self._consumer.resume(self._own())
            self._paused = False

    def _finish(self, batch: Batch) -> Done:
        """All attempts at these records are made: send those that failed each to the dead-letter topic."""
        done = Done(batch)
        for message in batch.messages:
            behind = message.offset() + (message.error() is None)
            done.next_offsets[message.topic(), message.partition()] = behind
        dead = np.flatnonzero(batch.failed > self.processing.retries).tolist()
        done.unacknowledged = len(dead)
        for place in dead:
            self._send_dead_letter(batch.messages[place], done)
        return done

    def _send_dead_letter(self, message: Failed, done: Done) -> None:
        if self._dead_letters is None:
            raise RuntimeError("a record failed each attempt, and there is no dead-letter topic")
        self._dead_letters.send(message, self.processing.retries + 1, done.acknowledged)

    def _settle(self) -> None:
        """Account for what is done, in order, up to the first that the dead-letter topic has still to take."""
        while self._done and not self._done[0].unacknowledged:
            done = self._done.popleft()
            self._note(done.batch)
            self._settled.move(done.next_offsets)

    def _note(self, batch: Batch) -> None:
        self._settled.add(batch.messages, batch.stamps, self.warm_up.until_ns)
        ours = (batch.stamps.state == INTACT) & (batch.stamps.run == self.settings.run)
        dead = int((batch.failed > self.processing.retries).sum())
        count = {"processed": int(ours.sum()) - dead, "dead_lettered": dead}
        self._settled.count.update(count, retried=int(np.minimum(batch.failed, self.processing.retries).sum()))

    # -- coming and going

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._wait_for_dead_letters()
        super()._on_revoke(consumer, partitions)
        self._forget(partitions)

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        super()._on_lost(consumer, partitions)
        self._forget(partitions)

    def _wait_for_dead_letters(self) -> None:
        """Settle what is done, as the next member would do it again."""
        if self._dead_letters is not None and not self._killed:
            self._dead_letters.flush(FLUSH_S)
        self._settle()

    def _forget(self, partitions: list[TopicPartition]) -> None:
        """Leave to the next member what was not begun; go on with the rest at once."""
        gone = {(partition.topic, partition.partition) for partition in partitions}
        waiting, self._batches = self._batches, deque()
        begin = now_ns()
        for batch in waiting:
            stays = [(message.topic(), message.partition()) not in gone for message in batch.messages]
            if any(stays):
                rest = batch.part(np.flatnonzero(stays))
                rest.ends_ns = begin + np.cumsum(rest.work_ns)
                begin = int(rest.ends_ns[-1])
                self._batches.append(rest)
