"""What the run's groups did with their records, as far as the topics show it that they wrote.

The harness reads those back itself at the end: what a member says that it has sent proves nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from confluent_kafka import KafkaException

from kafka_load.cluster.read_back import read_back
from kafka_load.cluster.samples import Record
from kafka_load.config.plan import Plan
from kafka_load.config.processing import seed_of
from kafka_load.engines.dead_letters import ORIGINAL_GROUP, ORIGINAL_TOPIC
from kafka_load.ledger import GroupWork, TopicPartition
from kafka_load.ledger.snapshot import Stream
from kafka_load.ledger.spans import spans_of
from kafka_load.native_threads import native_call
from kafka_load.records import INTACT, decode

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
            producer, partition = divmod(int(stamps.origin[place]), 1 << 32)
            self.found[group][topic, partition, producer].add(int(stamps.sequence[place]))
            self.count[group] += 1


def read_group_work(plan: Plan, begin: Mapping[TopicPartition, int]) -> tuple[dict[str, GroupWork], str]:
    """What each group was to do and what is in its dead-letter topic, by the group's name in the run.

    `begin` is where the logs ended before the run. The second value says why dead letters could not be read, if so.
    """
    planned = {group: GroupWork(chosen, seed_of(plan.run, group)) for group, chosen in plan.processing.items()}
    topics = {work.processing.dead_letter_topic for work in planned.values()} - {""}
    if not topics:
        return planned, ""
    reader = DeadLetterReader(plan.run)
    own = {tp: offset for tp, offset in begin.items() if tp[0] in topics}
    timeout_s = plan.options["drain_timeout"]
    try:
        native_call(read_back, plan.client, own, reader.take, timeout_s, timeout_s=timeout_s + ANSWER_S)
    except (KafkaException, TimeoutError) as error:
        said = error.args[0].str() if isinstance(error, KafkaException) else error
        unknown = {group: replace(work, dead_letters=None) for group, work in planned.items()}
        return unknown, f"the dead-letter topics {', '.join(sorted(topics))} could not be read back: {said}"
    return {
        group: replace(
            work,
            dead_letters={s: spans_of(np.array(sorted(seen), np.int64)) for s, seen in reader.found[group].items()},
            dead_lettered=reader.count[group],
        )
        for group, work in planned.items()
    }, ""
