"""Topics and groups that a profile declares: compared with the cluster's before the run, made, and removed after it.

The run removes what the harness made, and nothing else. A topic carries no mark, so when the harness creates one it
commits an offset with the topic's id as its metadata, in a group of its own (`MARK_GROUP`). A topic whose id stands
there was made by this run or by one that was interrupted; one that somebody made again has another id. Groups are known
by the metadata of all their offsets (`kafka_load.ownership`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from confluent_kafka import KafkaException, TopicPartition

from kafka_load.cluster import end_offsets, group_states, sample_records
from kafka_load.cluster.topics import (
    FoundTopic,
    await_leaders,
    create_topics,
    delete_groups,
    delete_topics,
    find_topics,
    ids_of_new,
    offset_metadata_of,
    topic_ids,
)
from kafka_load.config.plan import Plan
from kafka_load.config.profile_types import DeclaredTopic
from kafka_load.native_threads import native_call
from kafka_load.ownership import group_refusals, mark_group, topic_refusals
from kafka_load.run.readiness import TIMEOUT_S, UnreadyError, commit_offsets

MARK_GROUP = "kafka-load.topics"
MADE = "kafka-load made "
CREATE_S, DELETE_S = 30.0, 30.0


def differences(declared: DeclaredTopic, found: FoundTopic) -> Iterator[str]:
    """In what a topic that exists is otherwise than the profile declares it, each as a sentence."""
    way_out = "change the profile, or give the topic another name"
    for what, wanted, has in (
        ("partitions", declared.partitions, found.partitions),
        ("replicas", declared.replication_factor, found.replication_factor),
    ):
        if wanted is not None and wanted != has:
            yield f"topic {declared.name} exists with {has} {what}, and the profile declares {wanted}: {way_out}"
    for name, value in declared.config.items():
        if (has_value := found.config.get(name)) is None:
            yield f"topic {declared.name} has no config {name}, which the profile declares: {way_out}"
        elif has_value != value:
            yield f"topic {declared.name} exists with {name} {has_value}, and the profile declares {value}: {way_out}"


def made_by_harness(marks: Mapping[str, str], ids: Mapping[str, str]) -> list[str]:
    """The topics that still have the id that they had when the harness made them."""
    return sorted(topic for topic, mark in marks.items() if topic in ids and mark == MADE + ids[topic])


class DeclaredObjects:
    """The topics and groups that the profile of one run declares."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._topics = tuple(plan.profile.own_topics.values())
        self._mark_group = plan.group(MARK_GROUP)
        self.missing: tuple[DeclaredTopic, ...] = ()

    def check(self) -> None:
        """See which of the topics exist, and that those are as declared; nothing is changed.

        Raises:
            UnreadyError: if one is not.
        """
        if not self._topics:
            return
        try:
            found = native_call(find_topics, self._plan.client, self._topics, TIMEOUT_S, timeout_s=4 * TIMEOUT_S)
        except (KafkaException, TimeoutError) as error:
            raise UnreadyError(f"the cluster does not tell of the profile's topics: {_said(error)}") from None
        self.missing = tuple(topic for topic in self._topics if topic.name not in found)
        there = [topic for topic in self._topics if topic.name in found]
        if differing := [sentence for topic in there for sentence in differences(topic, found[topic.name])]:
            raise UnreadyError("\n".join(differing))

    def make(self) -> None:
        """Create the topics that are missing, and mark them as made by the harness.

        Raises:
            UnreadyError: if one cannot be made; then none is left.
        """
        if not self.missing:
            return
        client = self._plan.client
        try:
            refused = native_call(create_topics, client, self.missing, CREATE_S, timeout_s=2 * CREATE_S)
        except (KafkaException, TimeoutError) as error:
            raise UnreadyError(f"the profile's topics could not be created: {_said(error)}") from None
        created = [topic.name for topic in self.missing if topic.name not in refused]
        why_not = [f"topic {name} does not exist and could not be created: {why}" for name, why in refused.items()]
        if not why_not:
            why_not = self._await_and_mark(created)
        if why_not:
            native_call(delete_topics, client, created, DELETE_S, timeout_s=3 * DELETE_S)
            raise UnreadyError("\n".join(why_not))

    def _await_and_mark(self, created: Sequence[str]) -> list[str]:
        """Make new topics ready for the run; why that could not be, in a sentence."""
        try:
            native_call(await_leaders, self._plan.client, created, CREATE_S, timeout_s=2 * CREATE_S)
            self._mark(created)
        except (KafkaException, TimeoutError) as error:
            return [f"the topics {', '.join(created)} could not be created: {_said(error)}"]
        except UnreadyError as error:
            return [str(error)]
        return []

    def _mark(self, created: Sequence[str]) -> None:
        """Note, for this run and later ones, that the harness made these topics."""
        client = self._plan.client
        ids = native_call(ids_of_new, client, created, CREATE_S, timeout_s=2 * CREATE_S)
        marks = [TopicPartition(name, 0, 0, metadata=MADE + ids[name]) for name in created]
        if why := native_call(commit_offsets, client, self._mark_group, marks, timeout_s=4 * TIMEOUT_S):
            raise UnreadyError(f"the topics that the run made could not be marked in group {self._mark_group}: {why}")

    def remove(self, *, only_new: bool = False, shared: Collection[str] = ()) -> list[str]:
        """Remove what the harness made of these topics and groups; what it could not, each as a sentence.

        `only_new`: only the topics that were created for this run; `shared`: topics in which the run's groups may have
        read records of others, which stay.
        """
        try:
            if only_new:
                return list(self._remove_topics(self.missing, shared))
            return [*self._remove_groups(), *self._remove_topics(self._topics, shared)]
        except (KafkaException, TimeoutError) as error:
            return [f"the profile's topics and groups could not be removed: {_said(error)}"]

    def _remove_groups(self) -> Iterator[str]:
        """Remove the groups that have no other offsets than the harness's own.

        With --reset-offsets those of others may have been overwritten, so that nothing tells any more. Brokers that do
        not list groups (the mock cluster's) delete none either, and librdkafka 2.16 aborts the process if it asks them.
        """
        if self._plan.options["reset_offsets"] or not self._plan.profile.groups:
            return
        client = self._plan.client
        modes = {self._plan.group(group.name): group.mode for group in self._plan.profile.groups.values()}
        read = tuple(sorted({topic for group in self._plan.profile.groups.values() for topic in group.topics}))
        states = native_call(group_states, client, modes, read, 2 * TIMEOUT_S, timeout_s=6 * TIMEOUT_S)
        own = [state for state in states if not group_refusals([state], reset=False)]
        listed = [state for state in own if state.exists]
        names = [name for state in listed for name in (state.name, *[mark_group(state.name)] * (state.mode == "share"))]
        yield from (f"group {state.name} stays: others use it too" for state in states if state not in own)
        yield from _sentences("group", native_call(delete_groups, client, names, DELETE_S, timeout_s=2 * DELETE_S))

    def _remove_topics(self, topics: Sequence[DeclaredTopic], shared: Collection[str]) -> Iterator[str]:
        """Remove the topics that the harness made, and into which nobody else has written."""
        client, names = self._plan.client, [topic.name for topic in topics]
        if not names:
            return
        marks = native_call(offset_metadata_of, client, self._mark_group, names, TIMEOUT_S, timeout_s=4 * TIMEOUT_S)
        if not marks:
            return
        ids = native_call(topic_ids, client, names, TIMEOUT_S, timeout_s=4 * TIMEOUT_S)
        made = made_by_harness(marks, ids)
        stays = {*shared, *self._written_by_others(made)}
        yield from (f"topic {name} stays: others have written into it" for name in made if name in stays)
        unused = [name for name in made if name not in stays]
        yield from _sentences("topic", native_call(delete_topics, client, unused, DELETE_S, timeout_s=3 * DELETE_S))

    def _written_by_others(self, topics: Sequence[str]) -> Collection[str]:
        client = self._plan.client
        bounds = native_call(end_offsets, client, tuple(topics), TIMEOUT_S, timeout_s=4 * TIMEOUT_S)
        samples = native_call(sample_records, client, bounds, 2 * TIMEOUT_S, timeout_s=4 * TIMEOUT_S)
        tops = {where: high for where, (_, high) in bounds.items()}
        return {topic for topic in topics if topic_refusals([topic], tops, samples)}


def _sentences(kind: str, refused: Mapping[str, str]) -> Iterator[str]:
    return (f"{kind} {name} could not be removed: {why}" for name, why in refused.items())


def _said(error: KafkaException | TimeoutError) -> str:
    return str(error.args[0].str() if isinstance(error, KafkaException) else error)
