"""What a run may touch: decided from what the cluster says of its groups and topics, before anything is written.

A group of a real application has the same right to the name `warehouse-group` as the shop. So each offset that the
harness commits carries `offset_metadata`, and a run uses a group only if it has no live member and no offset without
that mark. Records carry the harness's stamp (`kafka_load.records`), and a run writes into a topic only if that is empty
or begins and ends with the harness's own records in every partition.

A share group's offsets carry no metadata. The harness commits its mark in a consumer group beside it, `mark_group`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from kafka_load.config.profile_types import Mode

TopicPartition = tuple[str, int]

CLIENT_ID = "kafka-load"
SHOP_HEADER = "shop-run"
"""A header of records that the first shop (`first_shop.py`) writes, which are the project's own too."""

_MARK = "kafka-load run "


def offset_metadata(run: int) -> str:
    """The metadata of each offset that is committed in a run."""
    return f"{_MARK}{run:x}"


def is_own_offset(metadata: str | None) -> bool:
    """Whether a committed offset with this metadata was written by the harness."""
    return (metadata or "").startswith(_MARK)


def mark_group(share_group: str) -> str:
    """The consumer group whose offsets say that the harness made a share group."""
    return f"{share_group}.kafka-load"


@dataclass(frozen=True)
class GroupState:
    """What the cluster says of a group before the run.

    Attributes:
        name: The group.
        mode: How the run would use it.
        members: The client ids of its live members; None if the cluster does not tell.
        offsets: The metadata of each committed offset; of a share group those of its `mark_group`.
        exists: Whether the cluster knows a share group of this name; a consumer group is known by its offsets.
    """

    name: str
    mode: Mode
    members: tuple[str, ...] | None
    offsets: Mapping[TopicPartition, str | None]
    exists: bool = False

    @property
    def leaving(self) -> bool:
        """All its members are the harness's own: of a run that was killed, they leave when their sessions end."""
        return bool(self.members) and all(member == CLIENT_ID for member in self.members or ())


@dataclass(frozen=True)
class Sample:
    """A record of a topic, the first or the last one that is left in its partition."""

    topic: str
    partition: int
    offset: int
    own: bool


@dataclass(frozen=True)
class Refusal:
    """Why a run must not begin, and what its user can do; as text one sentence."""

    why: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.why}: {self.way_out}."


_OTHER_NAMES = "give the run's groups other names with --group-prefix"


def group_refusals(groups: Iterable[GroupState], reset: bool) -> list[Refusal]:
    """What keeps a run from using these groups. `reset`: its user allows it to overwrite offsets that others wrote."""
    refusals = []
    for group in groups:
        foreign = sorted({topic for (topic, _), said in group.offsets.items() if not is_own_offset(said)})
        if group.members:
            count, ids = len(group.members), ", ".join(sorted(set(group.members)))
            members = "a live member" if count == 1 else f"{count} live members"
            refusals.append(
                Refusal(f"group {group.name} has {members} (client.id {ids})", f"stop it or {_OTHER_NAMES}")
            )
        elif reset:
            continue
        elif group.mode == "share" and group.exists and not (group.offsets and not foreign):
            why = f"share group {group.name} exists and was not made by this harness"
            refusals.append(Refusal(why, f"{_OTHER_NAMES}, or let the run use it with --reset-offsets"))
        elif foreign:
            why = f"group {group.name} has offsets in {', '.join(foreign)} that this harness did not commit"
            refusals.append(Refusal(why, f"{_OTHER_NAMES}, or let the run overwrite them with --reset-offsets"))
    return refusals


def topic_refusals(
    topics: Iterable[str], ends: Mapping[TopicPartition, int], samples: Collection[Sample]
) -> list[Refusal]:
    """What keeps a run from writing into topics.

    Args:
        topics: The topics that the run would write into without having been told so by --write-topics.
        ends: The offset after the last record of each of their partitions.
        samples: The first and the last record of each partition that has any.
    """
    refusals = []
    for topic in sorted(topics):
        own = [sample for sample in samples if sample.topic == topic]
        foreign = next((sample for sample in own if not sample.own), None)
        if foreign is not None:
            place = f"{topic}-{foreign.partition} at offset {foreign.offset}"
            why = f"topic {topic} holds records that this harness did not write ({place})"
        elif not own and any(end for (name, _), end in ends.items() if name == topic):
            why = f"topic {topic} was written to before, and no record is left that tells by whom"
        else:
            continue
        refusals.append(Refusal(why, f"use another topic, or let the run write into it with --write-topics {topic}"))
    return refusals
