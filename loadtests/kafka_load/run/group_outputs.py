"""What the run's groups did with their records, as far as the topics show it that they wrote.

The harness reads those back itself at the end: what a member says that it has sent proves nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from confluent_kafka import KafkaException

from kafka_load.cluster.read_back import read_back
from kafka_load.cluster.samples import Record
from kafka_load.config.plan import Plan
from kafka_load.config.processing import seed_of
from kafka_load.config.transform import SOURCE, read_source
from kafka_load.engines.dead_letters import ORIGINAL_GROUP, ORIGINAL_TOPIC
from kafka_load.ledger import GroupWork, TopicPartition, TransformWork
from kafka_load.ledger.snapshot import Stream
from kafka_load.ledger.spans import spans_of
from kafka_load.native_threads import native_call
from kafka_load.records import INTACT, decode
from kafka_load.records.stamp import of_origin

ANSWER_S = 10.0


class DeadLetterReader:
    """Collects the dead letters of one run, by the group that gave them up."""

    def __init__(self, run: int) -> None:
        self._run = run
        self.found: dict[str, dict[Stream, set[int]]] = defaultdict(lambda: defaultdict(set))
        self.count: Counter[str] = Counter()

    def take(self, records: Sequence[Record]) -> None:
        """Take records of dead-letter topics; what is not of this run, or was altered, is none."""
        stamps = decode([record.value() for record in records])
        for place in np.flatnonzero((stamps.state == INTACT) & (stamps.run == self._run)).tolist():
            headers = dict(records[place].headers() or ())
            group, topic = ((headers.get(name) or b"").decode() for name in (ORIGINAL_GROUP, ORIGINAL_TOPIC))
            producer, partition = of_origin(stamps.origin[place])
            self.found[group][topic, partition, producer].add(int(stamps.sequence[place]))
            self.count[group] += 1


class OutputReader:
    """Collects the output of one group that transforms its records."""

    def __init__(self, run: int) -> None:
        self._run = run
        self.work = TransformWork()

    def take(self, records: Sequence[Record]) -> None:
        """Take records of the output topic; what is not of this run, or was altered, is none."""
        stamps = decode([record.value() for record in records])
        ours = np.flatnonzero((stamps.state == INTACT) & (stamps.run == self._run))
        offsets: dict[TopicPartition, list[int]] = defaultdict(list)
        for place, origin, sequence in zip(
            ours.tolist(), stamps.origin[ours].tolist(), stamps.sequence[ours].tolist(), strict=True
        ):
            topic, partition, offset = read_source(dict(records[place].headers() or ()).get(SOURCE) or b"-0@0")
            offsets[topic, partition].append(offset)
            producer, claimed = of_origin(origin)
            self.work.streams[topic, claimed, producer].add(sequence, sequence + 1)
        for where, found in offsets.items():
            self.work.inputs[where].add(np.array(found, np.int64))


Work = GroupWork | TransformWork


def read_group_work(plan: Plan, begin: Mapping[TopicPartition, int]) -> tuple[dict[str, Work], list[str]]:
    """What each group was to do and what is in the topics that it wrote, by the group's name in the run.

    `begin` is where the logs ended before the run. The second value has a sentence for each topic that could not be
    read back.
    """
    found: dict[str, Work] = {}
    unread: list[str] = []
    planned = {group: GroupWork(chosen, seed_of(plan.run, group)) for group, chosen in plan.processing.items()}
    letters = DeadLetterReader(plan.run)
    topics = {work.processing.dead_letter_topic for work in planned.values()} - {""}
    why = _read_back(plan, begin, topics, letters.take)
    unread += [why] * bool(why)
    for group, work in planned.items():
        there = {s: spans_of(np.array(sorted(seen), np.int64)) for s, seen in letters.found[group].items()}
        found[group] = replace(work, dead_letters=None if why else there, dead_lettered=letters.count[group])
    for group, transform in plan.transforms.items():
        output = OutputReader(plan.run)
        why = _read_back(plan, begin, {transform.output}, output.take)
        unread += [why] * bool(why)
        output.work.known, output.work.topic = not why, transform.output
        found[group] = output.work
    return found, unread


def _read_back(
    plan: Plan, begin: Mapping[TopicPartition, int], topics: Collection[str], take: Callable[[list[Record]], None]
) -> str:
    """Read these topics; why that could not be done, in a sentence, empty if it could."""
    own = {tp: offset for tp, offset in begin.items() if tp[0] in topics}
    timeout_s = plan.options["drain_timeout"]
    try:
        native_call(read_back, plan.client, own, take, timeout_s, timeout_s=timeout_s + ANSWER_S)
    except (KafkaException, TimeoutError) as error:
        said = error.args[0].str() if isinstance(error, KafkaException) else error
        return f"{', '.join(sorted(topics))} could not be read back: {said}"
    return ""
