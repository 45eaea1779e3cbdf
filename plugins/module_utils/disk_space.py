"""Whether brokers have the disk space for what a plan of reassignments gives them: a broker whose disk is full stops.

The limit is the one above which check_health calls a disk too full, so that no plan leads to an unhealthy cluster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from .cluster import listed
from .health import LogDir
from .reassignment_plan import MB, Move


def received_bytes(moves: Iterable[Move]) -> Counter[int]:
    """What each broker gets by all of the moves together, of those that get bytes at all.

    What a broker loses by them is not taken off. Kafka deletes a replica that was moved away only after the whole
    reassignment and `file.delete.delay.ms`, and nothing orders a plan such that a broker loses before it gets. So the
    sum is more than there can ever be at a time, and what passes by it passes in whichever order the moves end.
    """
    received: Counter[int] = Counter()
    for move in moves:
        for node_id in move.added:
            received[node_id] += move.size_bytes
    return +received


def refusals(moves: Iterable[Move], log_dirs: Mapping[int, Sequence[LogDir]], max_used_percent: float) -> Iterator[str]:
    """Tell, in a sentence for each, which brokers would be fuller than they may be.

    Args:
        moves: All moves of the plan.
        log_dirs: The directories of each broker that gets bytes; a broker that does not report bytes is not judged.
        max_used_percent: How full a broker may be, of all its directories together. Kafka puts a new replica into the
            directory with the fewest partitions, so that a single one may become fuller than that.
    """
    for node_id, gets in sorted(received_bytes(moves).items()):
        disks = _together(log_dirs.get(node_id, ()))
        if disks is None:
            continue
        used = replace(disks, usable_bytes=disks.usable_bytes - gets).used_percent
        if used is not None and used > max_used_percent:
            reserve = disks.total_bytes * (100 - max_used_percent) / 100
            yield (
                f"Broker {node_id} would get {gets / MB:.1f} MB, but of its {disks.total_bytes / MB:.1f} MB of disk"
                f" {disks.usable_bytes / MB:.1f} MB are usable, and {reserve / MB:.1f} MB are to stay free"
                f" (check_health fails above {max_used_percent:g} % used): give it a larger disk or a further one"
                " (kafka_data_dirs), add a broker that takes a share (site.yml), or let topics keep less (retention.ms"
                " of a topic, log.retention.hours in kafka_config)."
            )


def unjudged(moves: Iterable[Move], log_dirs: Mapping[int, Sequence[LogDir]]) -> list[str]:
    """Tell in one sentence which brokers get bytes and do not report those of their disks; nothing if all do."""
    brokers = [node_id for node_id in sorted(received_bytes(moves)) if _together(log_dirs.get(node_id, ())) is None]
    if not brokers:
        return []
    which, report, their = (
        (f"broker {brokers[0]}", "it does", "its")
        if len(brokers) == 1
        else (f"brokers {listed(brokers)}", "they do", "their")
    )
    return [
        f"The free space of {which} is not judged, because {report} not report bytes (Kafka before 3.3 does not). Look"
        f" at {their} disks with df first."
    ]


def _together(log_dirs: Iterable[LogDir]) -> LogDir | None:
    """The directories that take replicas as one; None where the broker does not report the bytes of each."""
    taking = [each for each in log_dirs if not each.error and not each.cordoned]
    if not taking or any(each.used_percent is None for each in taking):
        return None
    return LogDir("", sum(each.total_bytes for each in taking), sum(each.usable_bytes for each in taking))
