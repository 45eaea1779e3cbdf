"""A minimum-cost flow with convex costs: units that go from many places to one sink, as cheaply as can be.

Successive shortest paths with potentials (Edmonds and Karp 1972), which is exact. What a unit costs on an edge may grow
with what the edge carries already, which is how a plan asks for balance: two units on one edge then cost more than one
unit on each of two.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass
class Edge:
    """Carries up to `capacity` units; each costs `cost`, and the k-th one above `free` costs k times `step` more."""

    tail: int
    head: int
    capacity: int
    cost: int = 0
    free: int = 0
    step: int = 0
    units: int = 0

    def one_more(self) -> int:
        """What a further unit costs."""
        return self.cost + self.step * max(0, self.units + 1 - self.free)

    def one_less(self) -> int:
        """What is saved without the last unit."""
        return self.cost + self.step * max(0, self.units - self.free)


class MinimumCostFlow:
    """A network that is built edge by edge; nodes are numbers from 0 on, made by `node`."""

    def __init__(self) -> None:
        self._edges: list[list[Edge]] = []
        self._potential: list[int] = []

    def node(self) -> int:
        """Make a node."""
        self._edges.append([])
        self._potential.append(0)
        return len(self._edges) - 1

    def edge(self, tail: int, head: int, capacity: int, cost: int = 0, free: int = 0, step: int = 0) -> Edge:
        """Make an edge; neither `cost` nor `step` is negative."""
        made = Edge(tail, head, capacity, cost, free, step)
        self._edges[tail].append(made)
        self._edges[head].append(made)
        return made

    def send_free(self, path: Iterable[Edge]) -> bool:
        """Send a unit along a path if nothing on it costs anything; to be called before the first `send`."""
        edges = list(path)
        if any(edge.units >= edge.capacity or edge.one_more() for edge in edges):
            return False
        for edge in edges:
            edge.units += 1
        return True

    def aim(self, sink: int) -> None:
        """Learn from every node the way to the sink, so that `send` does not look for it everywhere.

        To be called once, between the last `send_free` and the first `send`.
        """
        distance = {sink: 0}
        queue, settled = [(0, sink)], set[int]()
        while queue:
            so_far, node = heapq.heappop(queue)
            if node in settled:
                continue
            settled.add(node)
            for edge in self._edges[node]:
                forward = edge.head == node
                if edge.units >= edge.capacity if forward else edge.units == 0:
                    continue
                there = edge.tail if forward else edge.head
                total = so_far + (edge.one_more() if forward else -edge.one_less())
                if there not in settled and total < distance.get(there, total + 1):
                    distance[there] = total
                    heapq.heappush(queue, (total, there))
        farthest = max(distance.values())
        self._potential = [-distance.get(node, farthest) for node in range(len(self._edges))]

    def send(self, source: int, sink: int) -> bool:
        """Send one more unit, and send others another way where that makes all together cheaper; False if none fits."""
        distance, arrived_by = {source: 0}, dict[int, Edge]()
        queue, settled = [(0, source)], set[int]()
        while queue:
            so_far, node = heapq.heappop(queue)
            if node in settled:
                continue
            settled.add(node)
            if node == sink:
                break
            for edge in self._edges[node]:
                forward = edge.tail == node
                if edge.units >= edge.capacity if forward else edge.units == 0:
                    continue
                there = edge.head if forward else edge.tail
                cost = edge.one_more() if forward else -edge.one_less()
                total = so_far + cost + self._potential[node] - self._potential[there]
                if there not in settled and total < distance.get(there, total + 1):
                    distance[there], arrived_by[there] = total, edge
                    heapq.heappush(queue, (total, there))
        if sink not in settled:
            return False
        for node in settled:
            self._potential[node] += distance[node] - distance[sink]
        node = sink
        while node != source:
            edge = arrived_by[node]
            forward = edge.head == node
            edge.units += 1 if forward else -1
            node = edge.tail if forward else edge.head
        return True
