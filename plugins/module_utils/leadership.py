"""How a broker that came back takes over again what it should lead, without standing still under it.

A broker that was just started has run none of its code for producers and consumers yet. Handed all its partitions at
once it lets every one of them wait for the first; handed one, then two, then four, it is warm when the many come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .cluster import Partition


def batches(partitions: Iterable[Partition], node_id: int) -> Iterator[list[Partition]]:
    """The partitions that the broker should lead, could lead and does not, in steps of doubling size.

    Kafka's own topics come last: their leader has a whole group or transaction log to load, which would make the
    first small steps large.
    """
    due = [
        partition
        for partition in partitions
        if partition.replicas[0] == node_id and node_id in partition.isr and partition.leader != node_id
    ]
    due.sort(key=lambda partition: (partition.topic.startswith("__"), partition.topic, partition.index))
    size = 1
    while due:
        yield due[:size]
        due, size = due[size:], size * 2
