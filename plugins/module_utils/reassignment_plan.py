"""Which replicas to move so that all brokers do their share, or so that one holds none: the fewest bytes that do.

Three aims, each before the next. Replicas of a partition lie in as many racks as can be. Brokers hold equal numbers of
replicas, in all and of each topic (whose partitions are about equal in size, so that bytes follow). As few bytes as
possible are moved. For a drain the last two change places: nothing moves but what has to. Preferred leaders, the first
replicas, are then balanced the same way, which moves no bytes. `replica_placement` chooses; this makes moves of it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from .cluster import listed
from .replica_placement import Placement, Targets, leaders, replica_sets

MB = 1_000_000


@dataclass(frozen=True)
class Move:
    """A partition's present and future replicas."""

    topic: str
    index: int
    before: tuple[int, ...]
    after: tuple[int, ...]
    size_bytes: int

    @property
    def name(self) -> str:
        """The partition as Kafka's logs write it."""
        return f"{self.topic}-{self.index}"

    @property
    def added(self) -> tuple[int, ...]:
        """The brokers that get a replica."""
        return tuple(node for node in self.after if node not in self.before)

    @property
    def moved_bytes(self) -> int:
        """What is copied to other brokers."""
        return self.size_bytes * len(self.added)

    def __str__(self) -> str:
        before, after = ("[" + ",".join(map(str, nodes)) + "]" for nodes in (self.before, self.after))
        what = f"{self.moved_bytes / MB:.1f} MB" if self.added else "leader only"
        return f"{self.name} {before} -> {after}, {what}"


@dataclass(frozen=True)
class Batch:
    """Moves that are made at the same time, and how far the whole has come when they are done."""

    moves: Sequence[Move]
    done_partitions: int
    done_bytes: int
    of_partitions: int
    of_bytes: int

    @property
    def progress(self) -> str:
        """The line that the run prints when the batch is done."""
        return (
            f"{self.done_partitions} of {self.of_partitions} partitions,"
            f" {self.done_bytes / MB:.1f} of {self.of_bytes / MB:.1f} MB"
        )


@dataclass(frozen=True)
class ReassignmentPlan:
    """The moves that lead from the present placements to the best ones."""

    moves: Sequence[Move] = field(default_factory=tuple)

    @property
    def moved_bytes(self) -> int:
        """What is copied in all."""
        return sum(move.moved_bytes for move in self.moves)

    def batches(self, partitions: int) -> Iterator[Batch]:
        """The moves in batches of so many partitions; Kafka's own topics come last."""
        ordered = sorted(self.moves, key=lambda move: (move.topic.startswith("__"), move.topic, move.index))
        for start in range(0, len(ordered), partitions):
            done = ordered[: start + partitions]
            yield Batch(done[start:], len(done), sum(move.moved_bytes for move in done), len(ordered), self.moved_bytes)

    def apply(self, placements: Iterable[Placement]) -> list[Placement]:
        """The placements as they are after the moves."""
        after = {(move.topic, move.index): move.after for move in self.moves}
        return [replace(each, replicas=after.get((each.topic, each.index), each.replicas)) for each in placements]


def estimated_s(batches: Iterable[Batch], bytes_per_second: int) -> float:
    """How long the batches take if each broker sends and receives at the throttle: the busiest one decides."""
    return sum(_busiest_bytes(batch.moves) for batch in batches) / bytes_per_second


def _busiest_bytes(moves: Iterable[Move]) -> int:
    """What the broker sends or receives that has the most to do when the moves are made at the same time."""
    busy: Counter[tuple[str, int]] = Counter()
    for move in moves:
        for node in move.added:
            busy["receives", node] += move.size_bytes
        busy["sends", move.before[0]] += move.moved_bytes
    return max(busy.values())


def too_slow(batches: Sequence[Batch], bytes_per_second: int, timeout_s: float) -> Iterator[str]:
    """Tell in a sentence that batches cannot end in time by the throttle; without one (0) nothing is known.

    Such a batch would be cancelled at its timeout with all that it has copied, and begun again by the next run.
    """
    limit = bytes_per_second * timeout_s
    late = [batch for batch in batches if bytes_per_second and _busiest_bytes(batch.moves) > limit]
    if not late:
        return
    largest = max(late, key=lambda batch: _busiest_bytes(batch.moves))
    busiest, copied = _busiest_bytes(largest.moves), sum(move.moved_bytes for move in largest.moves)
    needs_s, needs_rate = math.ceil(busiest / bytes_per_second), math.ceil(busiest / max(timeout_s, 1))
    each_alone = all(_busiest_bytes([move]) <= limit for batch in late for move in batch.moves)
    yield (
        f"{len(late)} of {len(batches)} batches cannot end in time and would be cancelled: the largest one copies"
        f" {copied / MB:.1f} MB of {len(largest.moves)} partitions ({listed(move.name for move in largest.moves)}),"
        f" which takes at least {needs_s} s by the throttle, and rebalance_batch_timeout_s is {timeout_s:g}. Set"
        f" rebalance_batch_timeout_s well above {needs_s}, or rebalance_throttle_bytes_per_second"
        f" ({bytes_per_second}) well above {needs_rate}"
        + (f", or rebalance_batch_partitions below {len(largest.moves)}." if each_alone else ".")
    )


def plan(placements: Iterable[Placement], targets: Targets) -> ReassignmentPlan:
    """Decide where all replicas should be.

    Args:
        placements: All partitions, since all of them count for the balance.
        targets: The brokers that may hold them; at least as many as the largest replication factor.
    """
    present = sorted(placements, key=lambda each: (each.topic, each.index))
    movable = {each for each in present if not targets.drained or not targets.drained.isdisjoint(each.replicas)}
    sets = replica_sets(present, movable, targets)
    firsts = leaders(present, sets, movable, targets)
    moves = []
    for each, nodes, first in zip(present, sets, firsts, strict=True):
        kept = [node for node in each.replicas if node in nodes]
        after = (first, *(node for node in [*kept, *sorted(nodes - set(kept))] if node != first))
        if after != each.replicas:
            moves.append(Move(each.topic, each.index, each.replicas, after, each.size_bytes))
    return ReassignmentPlan(moves)


def problems(placements: Iterable[Placement], targets: Targets) -> Iterator[str]:
    """Why no plan can be made, in sentences that name topics."""
    takers = len(targets.takers)
    too_many = {each.topic: len(each.replicas) for each in placements if len(each.replicas) > takers}
    if too_many:
        yield (
            f"The replication factor {max(too_many.values())} of {listed(sorted(too_many))} does not fit the {takers}"
            f" brokers that would hold replicas ({listed(sorted(targets.takers)) or 'none'})."
        )
