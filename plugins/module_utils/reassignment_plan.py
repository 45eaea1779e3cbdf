"""Which replicas to move so that all brokers do their share, or so that one holds none: the fewest bytes that do.

Three aims, each before the next. Replicas of a partition lie in as many racks as can be. Brokers hold equal numbers of
replicas, in all and of each topic (whose partitions are about equal in size, so that bytes follow). As few bytes as
possible are moved. For a drain the last two change places: nothing moves but what has to. Preferred leaders, the first
replicas, are then balanced the same way, which moves no bytes. Both are minimum-cost flows, so that the plan is the
best one and not just a good one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .cluster import listed
from .minimum_cost_flow import Edge, MinimumCostFlow

MB = 1_000_000


@dataclass(frozen=True)
class Placement:
    """A partition and the brokers that hold it, the preferred leader first."""

    topic: str
    index: int
    replicas: tuple[int, ...]
    size_bytes: int = 0

    @property
    def name(self) -> str:
        """The partition as Kafka's logs write it: `orders-0`."""
        return f"{self.topic}-{self.index}"


@dataclass(frozen=True)
class Targets:
    """The brokers by id with their racks ("" for none) that may hold replicas.

    Those of `cordoned` keep what they have and take no more. A drain (`drained`, not in `racks`) moves only partitions
    that have a replica there.
    """

    racks: Mapping[int, str]
    cordoned: frozenset[int] = frozenset()
    drained: frozenset[int] = frozenset()


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
    sets = _replica_sets(present, movable, targets)
    firsts = _leaders(sets, movable, targets)
    moves = []
    for each in present:
        kept = [node for node in each.replicas if node in sets[each]]
        first = firsts[each]
        nodes = [first, *(node for node in [*kept, *sorted(sets[each] - set(kept))] if node != first)]
        if tuple(nodes) != each.replicas:
            moves.append(Move(each.topic, each.index, each.replicas, tuple(nodes), each.size_bytes))
    return ReassignmentPlan(moves)


def problems(placements: Iterable[Placement], targets: Targets) -> Iterator[str]:
    """Why no plan can be made, in sentences that name topics."""
    takers = len(set(targets.racks) - targets.cordoned)
    too_many = {each.topic: len(each.replicas) for each in placements if len(each.replicas) > takers}
    if too_many:
        yield (
            f"The replication factor {max(too_many.values())} of {listed(sorted(too_many))} does not fit the {takers}"
            f" brokers that would hold replicas ({listed(sorted(set(targets.racks) - targets.cordoned)) or 'none'})."
        )


class _Shares:
    """The part of the network by which topics and brokers get equal shares: (topic, broker) -> broker -> sink."""

    def __init__(self, flow: MinimumCostFlow, held: Iterable[tuple[str, Sequence[int]]], targets: Targets, step: int):
        self.sink = flow.node()
        self._flow, self._step = flow, step
        self._takers = set(targets.racks) - targets.cordoned
        self._totals: Counter[str] = Counter()
        self._kept: Counter[str] = Counter()
        for topic, nodes in held:
            for key in (topic, _ALL):
                self._totals[key] += len(nodes)
                self._kept[key] += len(targets.cordoned.intersection(nodes))
        self._edges: dict[tuple[str, int], Edge] = {}

    def path(self, topic: str, node_id: int) -> list[Edge]:
        """The edges by which a replica of the topic on that broker comes to the sink."""
        last = self._edge(_ALL, node_id, self.sink)
        return [self._edge(topic, node_id, last.tail), last]

    def _edge(self, key: str, node_id: int, head: int) -> Edge:
        if (key, node_id) not in self._edges:
            total = self._totals[key]
            # A cordoned broker keeps what it has, which is no reason to move anything.
            share = (total - self._kept[key]) // len(self._takers) if node_id in self._takers else total
            self._edges[key, node_id] = self._flow.edge(self._flow.node(), head, total, 0, share, self._step)
        return self._edges[key, node_id]


def _replica_sets(
    present: Sequence[Placement], movable: Collection[Placement], targets: Targets
) -> dict[Placement, set[int]]:
    """Who should hold each partition."""
    units = sum(len(each.replicas) for each in present) + 1
    all_bytes = sum((each.size_bytes + 1) * len(each.replicas) for each in present) + 1
    # Sums of what a later aim costs stay below one step of an earlier one.
    all_balance = 2 * units * units
    balance, byte = (1, all_balance) if targets.drained else (all_bytes, 1)
    rack_step = all_balance * balance + all_bytes * byte if len(set(targets.racks.values())) > 1 else 0
    flow = MinimumCostFlow()
    shares = _Shares(flow, ((each.topic, each.replicas) for each in present), targets, balance)
    chosen: dict[Placement, dict[int, Edge]] = {}
    waiting: list[int] = []
    for each in present:
        source = flow.node()
        may_hold = [
            node_id
            for node_id in sorted({*targets.racks, *each.replicas})
            if node_id in each.replicas or (each in movable and node_id not in targets.cordoned)
        ]
        spreads: dict[str, Edge] = {}
        chosen[each], ways = {}, dict[int, list[Edge]]()
        for node_id in may_hold:
            if node_id in targets.drained and each in movable:
                continue
            rack = targets.racks.get(node_id, "")
            if rack not in spreads:
                spreads[rack] = flow.edge(source, flow.node(), len(each.replicas), 0, 1, rack_step)
            way = shares.path(each.topic, node_id)
            cost = 0 if node_id in each.replicas else (each.size_bytes + 1) * byte
            chosen[each][node_id] = flow.edge(spreads[rack].head, way[0].tail, 1, cost)
            ways[node_id] = [spreads[rack], chosen[each][node_id], *way]
        for node_id in each.replicas:
            if node_id not in ways or not flow.send_free(ways[node_id]):
                waiting.append(source)
    for source in waiting:
        flow.send(source, shares.sink)
    return {each: {node_id for node_id, edge in edges.items() if edge.units} for each, edges in chosen.items()}


def _leaders(
    sets: Mapping[Placement, set[int]], movable: Collection[Placement], targets: Targets
) -> dict[Placement, int]:
    """Who of those that hold a partition should lead it; a change costs no bytes, but clients have to follow."""
    all_balance = 2 * (len(sets) + 1) ** 2
    balance, change = (1, all_balance) if targets.drained else (len(sets) + 1, 1)
    flow = MinimumCostFlow()
    shares = _Shares(flow, ((each.topic, each.replicas[:1]) for each in sets), targets, balance)
    chosen: dict[Placement, dict[int, Edge]] = {}
    waiting = []
    for each, nodes in sets.items():
        source, present = flow.node(), each.replicas[0]
        chosen[each] = {
            node_id: flow.edge(source, shares.path(each.topic, node_id)[0].tail, 1, 0 if node_id == present else change)
            for node_id in sorted(nodes)
            if each in movable or node_id == present
        }
        stays = chosen[each].get(present)
        if not stays or not flow.send_free([stays, *shares.path(each.topic, present)]):
            waiting.append(source)
    for source in waiting:
        flow.send(source, shares.sink)
    return {each: next(node_id for node_id, edge in edges.items() if edge.units) for each, edges in chosen.items()}


_ALL = "\0all topics"  # No topic has this name.
