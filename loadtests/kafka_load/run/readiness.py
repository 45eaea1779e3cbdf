"""Before a run: is the cluster there, has it the topics, and where do the groups start?

Groups start at the end of the log as it was before the run. A run must judge its own records only: reading through
the leftovers of earlier runs first would cost time, and starting "at the latest" would miss what is sent before a
member has joined; so the position is committed before anybody joins.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from kafka_load.cluster import (
    check_cluster,
    end_offsets,
    group_states,
    prepare_share_group,
    sample_records,
)
from kafka_load.config.profile_types import Mode
from kafka_load.engines.settings import ClientSettings
from kafka_load.native_threads import native_call, native_sleep
from kafka_load.ownership import (
    Refusal,
    group_refusals,
    mark_group,
    offset_metadata,
    topic_refusals,
)

TIMEOUT_S = 5.0


class UnreadyError(RuntimeError):
    """The cluster cannot be used for this run; the message is one sentence."""


@dataclass(frozen=True)
class Group:
    """A group that reads in this run."""

    name: str
    mode: Mode
    topics: tuple[str, ...]


def united(groups: Iterable[Group]) -> list[Group]:
    """Each group once; the one of several classes of users reads the topics of all of them.

    Raises:
        UnreadyError: Classes of one group have different modes.
    """
    found: dict[str, Group] = {}
    for each in groups:
        before = found.setdefault(each.name, each)
        if before.mode != each.mode:
            raise UnreadyError(f"group {each.name}: its users have the modes {before.mode} and {each.mode}; give one")
        found[each.name] = replace(before, topics=tuple(dict.fromkeys((*before.topics, *each.topics))))
    return list(found.values())


def check(client: ClientSettings, topics: Iterable[str]) -> None:
    """See that the cluster answers and has the topics.

    Raises:
        UnreadyError: with the first problem, if not.
    """
    try:
        problems = native_call(check_cluster, client, tuple(topics), TIMEOUT_S, timeout_s=TIMEOUT_S + 1)
    except TimeoutError:
        problems = [f"no broker of {client.bootstrap} answered within {TIMEOUT_S:.0f} s"]
    if problems:
        raise UnreadyError(problems[0])


def check_ownership(
    client: ClientSettings,
    groups: Sequence[Group],
    written: Sequence[str],
    *,
    reset_offsets: bool,
    write_topics: Sequence[str],
    leave_s: float,
) -> list[Refusal]:
    """Why the run may not use these groups or write into the topics `written`; nothing is changed.

    For members of a harness that was killed it waits up to `leave_s`, until their sessions have ended.

    Raises:
        UnreadyError: if the cluster does not tell.
    """
    modes = {group.name: group.mode for group in groups}
    topics = tuple(sorted({topic for group in groups for topic in group.topics}))
    deadline = time.monotonic() + leave_s
    asked = tuple(topic for topic in written if topic not in write_topics)
    try:
        bounds = native_call(end_offsets, client, asked, TIMEOUT_S, timeout_s=4 * TIMEOUT_S)
        samples = native_call(sample_records, client, bounds, 2 * TIMEOUT_S, timeout_s=4 * TIMEOUT_S)
        while True:
            states = native_call(group_states, client, modes, topics, 2 * TIMEOUT_S, timeout_s=6 * TIMEOUT_S)
            if not any(state.leaving for state in states) or time.monotonic() >= deadline:
                break
            time.sleep(0.5)
    except (KafkaException, TimeoutError) as error:
        said = error.args[0].str() if isinstance(error, KafkaException) else error
        raise UnreadyError(f"the cluster does not tell who uses its groups and topics: {said}") from None
    tops = {where: high for where, (_, high) in bounds.items()}
    return [*topic_refusals(asked, tops, samples), *group_refusals(states, reset_offsets)]


def ends(client: ClientSettings, topics: Iterable[str], patience_s: float = TIMEOUT_S) -> dict[tuple[str, int], int]:
    """The offset after the last record of every partition, asked for again for so many seconds where one is silent.

    Raises:
        KafkaException: Some partition's leader did not answer by then.
        TimeoutError: Nobody did.
    """
    found = native_call(end_offsets, client, tuple(topics), patience_s, timeout_s=2 * patience_s + TIMEOUT_S)
    return {where: high for where, (_, high) in found.items()}


def prepare(
    client: ClientSettings,
    groups: Sequence[Group],
    start: Mapping[tuple[str, int], int],
    run: int,
    *,
    read_committed: bool,
) -> dict[str, float]:
    """Put each group at `start`, and mark its offsets as those of `run`; let share groups read as all others do.

    Returns how long, in seconds, a member of each share group may keep a record.

    Raises:
        UnreadyError: with the first group that cannot be put there.
    """
    locks_s = {}
    for group in groups:
        own = [where for where in start if where[0] in group.topics]
        if group.mode == "share":
            locks_s[group.name] = _prepare_share_group(client, group.name, read_committed)
            name, offsets = mark_group(group.name), dict.fromkeys(own[:1], 0)
        else:
            name, offsets = group.name, {where: start[where] for where in own}
        marked = [TopicPartition(*where, offset, metadata=offset_metadata(run)) for where, offset in offsets.items()]
        if problem := native_call(commit_offsets, client, name, marked, timeout_s=4 * TIMEOUT_S):
            raise UnreadyError(f"the offsets of group {name} could not be set: {problem}")
    return locks_s


def _prepare_share_group(client: ClientSettings, group: str, read_committed: bool) -> float:
    try:
        return native_call(prepare_share_group, client, group, TIMEOUT_S, read_committed, timeout_s=3 * TIMEOUT_S)
    except (KafkaException, TimeoutError) as error:
        said = error.args[0].str() if isinstance(error, KafkaException) else str(error)
        raise UnreadyError(
            f"share group {group} could not be set up: {said} (it needs brokers of Kafka 4.1 or later, and a user who"
            " may alter the configs of groups)"
        ) from None


def settled(partitions: Set[tuple[str, int]], assigned: Sequence[Set[tuple[str, int]]]) -> bool:
    """Whether the members of a group, each with its `assigned` partitions, need no further rebalance.

    Each of the `partitions` has one reader; and if a member has none, there is none for it: nobody has two of a topic.
    """
    held = [where for some in assigned for where in some]
    single = (len({topic for topic, _ in some}) == len(some) for some in assigned)
    return partitions <= set(held) and len(held) == len(set(held)) and (all(assigned) or all(single))


def commit_offsets(client: ClientSettings, group: str, offsets: list[TopicPartition]) -> str:
    """Commit for a group that has no members; why it could not be done, empty if it was.

    On a fresh cluster the group's coordinator is still being made, so it is asked again for a while.
    """
    consumer = Consumer({**client.properties(group_id=group), "log_level": 0})
    deadline = time.monotonic() + 2 * TIMEOUT_S
    try:
        while True:
            try:
                consumer.commit(offsets=offsets, asynchronous=False)
            except KafkaException as error:
                joined = error.args[0].code() == KafkaError.UNKNOWN_MEMBER_ID  # by now it has a member: no retry
                if joined or time.monotonic() >= deadline:
                    return str(error.args[0].str())
                native_sleep(0.2)
            else:
                return ""
    finally:
        consumer.close()
