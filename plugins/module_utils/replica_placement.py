"""Who should hold each partition, and who should lead it: equal shares for all brokers, for the fewest bytes.

The aims, each before the next, are those of `reassignment_plan`. For up to `PAIRS` pairs of a partition and a broker
the choice is one minimum-cost flow, so that there is none better. The time for that grows faster than the pairs, so
larger clusters are decided in groups of topics: each as the best one while all others stay where they are, the smallest
partitions first, until no group finds anything better. No broker's share then lacks what a single topic could give it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from .minimum_cost_flow import Edge, MinimumCostFlow

PAIRS = 1_000_000
"""How many pairs of a partition and a broker that may hold it are decided at once."""


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

    @property
    def takers(self) -> frozenset[int]:
        """The brokers that may get replicas."""
        return frozenset(self.racks) - self.cordoned


def replica_sets(
    present: Sequence[Placement], movable: Collection[Placement], targets: Targets, pairs: int = PAIRS
) -> list[set[int]]:
    """Decide who should hold each partition; those that are not `movable` stay."""
    units = sum(len(each.replicas) for each in present) + 1
    all_bytes = sum((each.size_bytes + 1) * len(each.replicas) for each in present) + 1
    # Sums of what a later aim costs stay below one step of an earlier one.
    all_balance = 2 * units * units
    balance, byte = (1, all_balance) if targets.drained else (all_bytes, 1)
    rack_step = all_balance * balance + all_bytes * byte if len(set(targets.racks.values())) > 1 else 0
    choices = []
    for each in present:
        moves = each in movable
        nodes = {*each.replicas} - (targets.drained if moves else frozenset()) | (targets.takers if moves else set())
        costs = {node: 0 if node in each.replicas else (each.size_bytes + 1) * byte for node in sorted(nodes)}
        choices.append(_Choice(each.topic, each.size_bytes, each.replicas, costs))
    return _Choosing(choices, targets, targets.racks, rack_step, balance).choose(pairs)


def leaders(
    present: Sequence[Placement],
    sets: Sequence[set[int]],
    movable: Collection[Placement],
    targets: Targets,
    pairs: int = PAIRS,
) -> list[int]:
    """Decide who of those that hold a partition should lead it; a change costs no bytes, but clients follow it."""
    all_balance = 2 * (len(present) + 1) ** 2
    balance, change = (1, all_balance) if targets.drained else (len(present) + 1, 1)
    choices = []
    for each, nodes in zip(present, sets, strict=True):
        first = each.replicas[0]
        costs = {node: 0 if node == first else change for node in sorted(nodes) if each in movable or node == first}
        choices.append(_Choice(each.topic, 0, (first,), costs))
    return [node for (node,) in _Choosing(choices, targets, {}, 0, balance).choose(pairs)]


def even_shares(factors: Mapping[int, int], racks: Mapping[int, str], kept: int = 0) -> dict[int, int]:
    """Return how many replicas each broker has for itself before one more is uneven; at least one.

    All brokers have equal shares, but for racks that cannot hold so much, or have to hold more: each partition has one
    replica in a rack before it has a second one in another.

    Args:
        factors: How many partitions there are of each replication factor.
        racks: The brokers that take replicas, with their racks.
        kept: How many of the replicas lie on brokers that take none.
    """
    brokers = Counter(racks.values())
    least = max(0, sum(partitions * (factor // len(brokers)) for factor, partitions in factors.items()) - kept)
    most = sum(partitions * -(-factor // len(brokers)) for factor, partitions in factors.items())
    remaining = sum(partitions * factor for factor, partitions in factors.items()) - kept
    shares: dict[str, int] = {}
    unbound = dict(brokers)
    while unbound:
        level = Fraction(max(0, remaining), sum(unbound.values()))
        amounts = {rack: level * count for rack, count in unbound.items()}
        above = {rack: amount - most for rack, amount in amounts.items() if amount > most}
        below = {rack: least - amount for rack, amount in amounts.items() if amount < least}
        if above or below:
            too_much = sum(above.values()) >= sum(below.values())
            amounts = dict.fromkeys(above, Fraction(most)) if too_much else dict.fromkeys(below, Fraction(least))
        for rack, amount in amounts.items():
            shares[rack] = int(amount / unbound.pop(rack))
            remaining -= int(amount)
    return {node: max(1, shares[rack]) for node, rack in racks.items()}


_ALL = "\0all topics"  # No topic has this name.


@dataclass(frozen=True)
class _Choice:
    """As many brokers as are `present` are chosen from those of `costs`, by what each costs."""

    topic: str
    size_bytes: int
    present: tuple[int, ...]
    costs: Mapping[int, int]


class _Choosing:
    """All choices of a plan, and how many units each broker has by what is chosen now, of each topic and in all.

    `rack_step` is what a second replica in a rack costs (a third one twice that, and so on), `balance` what the first
    one above a broker's share costs, of a topic or in all.
    """

    def __init__(
        self,
        choices: Sequence[_Choice],
        targets: Targets,
        racks: Mapping[int, str],
        rack_step: int,
        balance: int,
    ) -> None:
        self._choices, self._takers, self._racks = choices, targets.takers, racks
        self._rack_step, self._balance = rack_step, balance
        self._chosen = [set(choice.present) for choice in choices]
        self._totals: Counter[str] = Counter()
        self._units: Counter[tuple[str, int]] = Counter()
        kept: Counter[str] = Counter()
        factors: dict[str, Counter[int]] = {}
        for choice in choices:
            self._count(choice.topic, choice.present, 1)
            for key in (choice.topic, _ALL):
                self._totals[key] += len(choice.present)
                factors.setdefault(key, Counter())[len(choice.present)] += 1
                # A cordoned broker keeps what it has, which is no reason to move anything.
                kept[key] += len(targets.cordoned.intersection(choice.present))
        of_takers = {node: racks.get(node, "") for node in sorted(self._takers)}
        self._shares = {key: even_shares(of_key, of_takers, kept[key]) for key, of_key in factors.items()}
        self._spare = {
            key: max(0, self._totals[key] - kept[key] - sum(shares.values())) for key, shares in self._shares.items()
        }

    def choose(self, pairs: int) -> list[set[int]]:
        """Return what is chosen for each of the choices."""
        groups = list(self._groups(pairs))
        changes, seen = 0, dict[int, int]()
        going_on = True
        while going_on:
            before = changes
            for number, group in enumerate(groups):
                # What was the best is still that as long as no other group has changed.
                if seen.get(number) != changes and not self._is_even(group):
                    changes += self._decide(group)
                seen[number] = changes
            going_on = changes > before
        return self._chosen

    def _groups(self, pairs: int) -> Iterator[list[int]]:
        """The numbers of choices that are made together: of whole topics, or of a part of a large one."""
        numbers = range(len(self._choices))
        if sum(len(choice.costs) for choice in self._choices) <= pairs:
            yield list(numbers)
            return
        topics = [list(of_topic) for _, of_topic in groupby(numbers, lambda number: self._choices[number].topic)]
        group: list[int] = []
        filled = 0
        for topic in sorted(topics, key=self._mean_size):
            needs = sum(len(self._choices[number].costs) for number in topic)
            if group and filled + needs > pairs:
                yield group
                group, filled = [], 0
            for number in topic:
                if group and filled + len(self._choices[number].costs) > pairs:
                    yield group
                    group, filled = [], 0
                group.append(number)
                filled += len(self._choices[number].costs)
        yield group

    def _mean_size(self, numbers: Sequence[int]) -> float:
        return sum(self._choices[number].size_bytes for number in numbers) / len(numbers)

    def _is_even(self, group: Iterable[int]) -> bool:
        """Whether nothing can be better for the group: nothing has to move, and all shares are equal as they are."""
        topics = {_ALL}
        for number in group:
            choice, nodes = self._choices[number], self._chosen[number]
            topics.add(choice.topic)
            racks = {self._racks.get(node, "") for node in nodes}
            is_spread = not self._rack_step or len(racks) == len(nodes)
            if nodes != {*choice.present} or not nodes <= choice.costs.keys() or not is_spread:
                return False
        return all(self._is_at_best(key) for key in topics)

    def _is_at_best(self, key: str) -> bool:
        """Whether no more units are above shares than have to be, each on a broker of its own."""
        above = [max(0, self._units[key, node] - share) for node, share in self._shares[key].items()]
        return max(above, default=0) <= 1 and sum(above) <= self._spare[key]

    def _decide(self, group: Sequence[int]) -> bool:
        """Choose the best for the group while all else stays as it is; False where that is no better than now."""
        before = [self._chosen[number] for number in group]
        for number in group:
            self._count(self._choices[number].topic, self._chosen[number], -1)
        after = self._best(group)
        is_feasible = all(
            nodes <= self._choices[number].costs.keys() for number, nodes in zip(group, before, strict=True)
        )
        is_better = not is_feasible or self._cost(group, after) < self._cost(group, before)
        for number, nodes in zip(group, after if is_better else before, strict=True):
            self._chosen[number] = nodes
            self._count(self._choices[number].topic, nodes, 1)
        return is_better

    def _count(self, topic: str, nodes: Iterable[int], units: int) -> None:
        for node in nodes:
            self._units[topic, node] += units
            self._units[_ALL, node] += units

    def _cost(self, group: Sequence[int], chosen: Iterable[set[int]]) -> int:
        """What the group's choice costs on top of all else."""
        cost = 0
        units: Counter[tuple[str, int]] = Counter()
        for number, nodes in zip(group, chosen, strict=True):
            choice = self._choices[number]
            cost += sum(choice.costs[node] for node in nodes)
            for together in Counter(self._racks.get(node, "") for node in nodes).values():
                cost += self._rack_step * (together * (together - 1) // 2)
            for node in nodes & self._takers:
                units[choice.topic, node] += 1
                units[_ALL, node] += 1
        for (key, node), more in units.items():
            over = self._units[key, node] - self._shares[key][node]
            with_it, without = max(0, over + more), max(0, over)
            cost += self._balance * (with_it * (with_it + 1) - without * (without + 1)) // 2
        return cost

    def _best(self, group: Sequence[int]) -> list[set[int]]:
        """The cheapest choice, by a flow: source -> rack -> (topic, broker) -> broker -> sink, one of each choice."""
        flow = MinimumCostFlow()
        sink = flow.node()
        shares: dict[tuple[str, int], Edge] = {}

        def share(key: str, node: int, head: int) -> Edge:
            if (key, node) not in shares:
                total = self._totals[key]
                free = self._shares[key][node] - self._units[key, node] if node in self._takers else total
                shares[key, node] = flow.edge(flow.node(), head, total, 0, free, self._balance)
            return shares[key, node]

        taken: list[dict[int, Edge]] = []
        waiting: list[int] = []
        for number in group:
            choice, source = self._choices[number], flow.node()
            spreads: dict[str, Edge] = {}
            edges, ways = dict[int, Edge](), dict[int, list[Edge]]()
            for node, cost in choice.costs.items():
                rack = self._racks.get(node, "")
                if rack not in spreads:
                    spreads[rack] = flow.edge(source, flow.node(), len(choice.present), 0, 1, self._rack_step)
                in_all = share(_ALL, node, sink)
                of_topic = share(choice.topic, node, in_all.tail)
                edges[node] = flow.edge(spreads[rack].head, of_topic.tail, 1, cost)
                ways[node] = [spreads[rack], edges[node], of_topic, in_all]
            taken.append(edges)
            for node in choice.present:
                if node not in ways or not flow.send_free(ways[node]):
                    waiting.append(source)
        if waiting:
            flow.aim(sink)
        for source in waiting:
            flow.send(source, sink)
        return [{node for node, edge in edges.items() if edge.units} for edges in taken]
