"""What one process contributes to a run: its engines, its ledger and what they did in each second.

A worker does what the coordinator says (start producing, flush, stop reading) and reports cumulative snapshots that may
be lost or come twice. It knows nothing of Locust.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kafka_load.clock import SECOND, now_ns
from kafka_load.config.plan import Plan
from kafka_load.config.rate_steps import step_rate
from kafka_load.config.schedule import constant
from kafka_load.engines import Engine, ProducerEngine, ProducerTotals, ReaderTotals
from kafka_load.histogram import Histogram
from kafka_load.ledger import LedgerSnapshot, TopicPartition, WorkerLedger, remove_journal
from kafka_load.native_threads import wait_until
from kafka_load.output.timeline import OF_TOPIC, WARM_UP, Bin
from kafka_load.run.client_figures import ClientFigures
from kafka_load.run.clock_comparison import ClockComparison
from kafka_load.run.clock_offset import ClockError

REPEATED_BINS = 10
STARTED, LEFT = "started.", "left."
"""Counts of engines that began and ended, by the class of users whose work they did."""
DUE, ACKNOWLEDGED = "due.", "acknowledged."
"""Counts of records that were due and acknowledged, by topic."""
NEVER_NS = 2**62
FLUSH_S = 30.0
LEAVE_S = 15.0

Totals = ProducerTotals | ReaderTotals
AnyEngine = Engine[Any, Any]
Delta = tuple[str, str, Histogram, int, int]
"""What an engine did since the last tick: kind (PRODUCE, DELIVER), topic or group, latencies, bytes, failures."""


@dataclass(frozen=True)
class Report:
    """What one process knows: its ledger, its sums, its last seconds, which partitions each of a group's readers has.

    `ready`: all its engines are, and its clock was compared with the coordinator's; `done`: the orders that it has
    carried out; `clock`: how far its clock is off, None for the coordinator's own process.
    """

    run_id: str
    worker: str
    snapshot: LedgerSnapshot
    total: Bin
    bins: list[Bin]
    assigned: dict[str, list[set[TopicPartition]]]
    ready: bool
    done: tuple[str, ...] = ()
    clock: ClockError | None = None

    def to_wire(self) -> dict[str, Any]:
        """Plain data for a message."""
        return {
            "run_id": self.run_id,
            "worker": self.worker,
            "snapshot": self.snapshot.to_wire(),
            "total": self.total.to_wire(),
            "bins": [one.to_wire() for one in self.bins],
            "assigned": {group: [[*map(list, some)] for some in each] for group, each in self.assigned.items()},
            "ready": self.ready,
            "done": list(self.done),
            "clock": self.clock and self.clock.to_wire(),
        }

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Report:
        """The inverse of `to_wire`."""
        return cls(
            wire["run_id"],
            wire["worker"],
            LedgerSnapshot.from_wire(wire["snapshot"]),
            Bin.from_wire(wire["total"]),
            [Bin.from_wire(one) for one in wire["bins"]],
            {group: [{(topic, n) for topic, n in some} for some in each] for group, each in wire["assigned"].items()},
            wire["ready"],
            tuple(wire["done"]),
            wire["clock"] and ClockError.from_wire(wire["clock"]),
        )


def by_name(counts: Mapping[str, int], prefix: str) -> Counter[str]:
    """Of the counts of a process those with this prefix: `STARTED`, `LEFT` by the class of users, `DUE` by topic."""
    return Counter({name.removeprefix(prefix): n for name, n in counts.items() if name.startswith(prefix)})


class WorkerRuntime:
    """One process of one run; `worker` names it, `clock` compares its clock with that of another coordinator."""

    def __init__(self, worker: str, plan: Plan, clock: ClockComparison | None = None) -> None:
        self.worker = worker
        self.measures = False
        self._clock = clock
        self.plan = plan
        self.start_ns: int | None = None
        self.producing = True
        self.reading = True
        self._ledger = WorkerLedger(worker)
        self._engines: dict[str, tuple[AnyEngine, str]] = {}  # by their ids
        self._users: dict[str, str] = {}  # the class of users whose work an engine does, by its id
        self._last: dict[str, Totals] = {}
        self._done: list[str] = []
        self._left: list[str] = []
        self._told: list[str] = []
        self._total = Bin(0)
        self._current = Bin(0)
        self._clients = ClientFigures()
        self._bins: deque[Bin] = deque(maxlen=REPEATED_BINS)

    def started(self, engine: AnyEngine, name: str, user: str = "") -> None:
        """Take on an engine; `name` is its topic or its group, `user` the class of users whose work it does."""
        self.measures = True
        self._tell_warm_up(engine, self.start_ns)
        self._ledger.add(engine)
        self._engines[engine.id] = (engine, name)
        self._users[engine.id] = user
        self._happened(Bin(0, {f"{STARTED}{user}": 1}))

    @property
    def clock_known(self) -> bool:
        """Times of this process can be compared with the coordinator's; before, no engine may be started."""
        return self._clock is None or self._clock.error is not None

    def go(self, start_ns: int, users: Mapping[str, int]) -> None:
        """The run's time starts at `start_ns`, with so many users of each class; schedules count from there."""
        self.plan = replace(self.plan, users=users)
        for engine, _ in list(self._engines.values()):
            self._tell_warm_up(engine, start_ns)
        self.start_ns = start_ns

    def _tell_warm_up(self, engine: AnyEngine, start_ns: int | None) -> None:
        """Say until when the warm-up lasts; nobody knows before the run has its start."""
        if warmup_s := self.plan.warmup_s:
            engine.warm_up.until_ns = NEVER_NS if start_ns is None else start_ns + int(warmup_s * SECOND)

    def set_position(self, position: float | None, at_ns: int) -> None:
        """From `at_ns` on all who produce in steps have the rate at this position (see `rate_steps.step_rate`)."""
        for engine_id, (engine, _) in list(self._engines.items()) if self.producing else ():
            user = self._users[engine_id]
            rate = self.plan.rate(user)
            if isinstance(engine, ProducerEngine) and rate is not None and rate.shape == "steps":
                share = self.plan.share(user, self.plan.users.get(user, 0))
                engine.set_schedule(constant(step_rate(rate, position) * share), at_ns)

    def flush(self) -> None:
        """End all producing: what was due is sent; what is in flight is acknowledged, failed, or indeterminate."""
        self.producing = False
        producers = [engine for engine, _ in self._engines.values() if isinstance(engine, ProducerEngine)]
        for producer in producers:
            producer.set_rate(0.0)
        asked_ns = now_ns()
        wait_until(lambda: all(_sent_all(producer, asked_ns) for producer in producers), FLUSH_S)
        self._end(lambda engine: isinstance(engine, ProducerEngine), FLUSH_S + 5)
        self._done.append("flush")

    def stop(self) -> None:
        """End all reading: readers commit and leave their groups."""
        self.producing = self.reading = False
        self._end(lambda engine: True, LEAVE_S)
        self._done.append("stop")

    def tick(self) -> Iterator[Delta]:
        """Bring the current second up to date; call it some times a second. Yields what is new, for statistics."""
        second = self._second()
        if second > self._current.second:
            self._bins.append(self._current)
            self._current = Bin(second)
        in_flight = 0
        for engine_id in list(self._engines):
            if engine_id not in self._engines:
                continue  # whoever is given what is yielded may have ended the run meanwhile
            engine, name = self._engines[engine_id]
            alive, totals = engine.alive, engine.totals
            yield from self._count(engine_id, name, totals)
            self._current.add(self._clients.take(engine_id, engine.statistics))
            if isinstance(totals, ProducerTotals):
                in_flight += totals.indeterminate
            if not alive and engine_id in self._engines:
                del self._engines[engine_id], self._last[engine_id]
                self._happened(Bin(0, {f"{LEFT}{self._users.pop(engine_id)}": 1}))
                self._left.append(engine_id)
                self._clients.forget(engine_id)
        self._current.levels |= {"indeterminate": in_flight, **self._clients.queues()}

    def report(self) -> Report:
        """All that the coordinator needs to know of this process; cumulative, so one more or less changes nothing."""
        for engine_id in self._told:  # the report before this one told all of it
            remove_journal(self.plan.journal_dir(self.worker), engine_id)
        self._told, self._left = self._left, []
        assigned: dict[str, list[set[TopicPartition]]] = {}
        for engine, name in self._engines.values():
            if isinstance(engine.totals, ReaderTotals):
                assigned.setdefault(name, []).append(set(engine.totals.assigned))
        ready = self.clock_known and all(engine.ready for engine, _ in self._engines.values())
        snapshot, done = self._ledger.snapshot(), tuple(self._done)
        clock = self._clock.error if self._clock is not None else None
        # The second that is still open counts once nothing can be added to it.
        bins = [*self._bins, *([] if self.reading else [self._current])]
        return Report(self.plan.run_id, self.worker, snapshot, self._total, bins, assigned, ready, done, clock)

    def _happened(self, what: Bin) -> None:
        self._current.add(what)
        self._total.add(what)

    def _second(self) -> int:
        return 0 if self.start_ns is None else max(0, (now_ns() - self.start_ns) // SECOND)

    def _end(self, chosen: Callable[[AnyEngine], bool], timeout_s: float) -> None:
        engines = [engine for engine, _ in self._engines.values() if chosen(engine)]
        for engine in engines:
            engine.stop()
        wait_until(lambda: not any(engine.alive for engine in engines), timeout_s)

    def _count(self, engine_id: str, name: str, now: Totals) -> Iterator[Delta]:
        before, self._last[engine_id] = self._last.get(engine_id), now
        if before is now:
            return
        latency = now.latency.minus(before.latency) if before else now.latency
        if isinstance(now, ProducerTotals):
            earlier = before if isinstance(before, ProducerTotals) else None
            counts = {
                field: getattr(now, field) - (getattr(earlier, field) if earlier else 0)
                for field in ("due", "sent", "acknowledged", "failed")
            }
            counts |= {f"{DUE}{name}": counts["due"], f"{ACKNOWLEDGED}{name}": counts["acknowledged"]}
            counts |= _in_warm_up(now, earlier, name)
            waited = {f"blocked_ns.{cause}": ns for cause, ns in now.blocked_ns.items()}
            for cause, ns in (earlier.blocked_ns if earlier else {}).items():
                waited[f"blocked_ns.{cause}"] -= ns
            late = now.lateness.minus(earlier.lateness) if earlier else now.lateness
            own = now.lateness_own.minus(earlier.lateness_own) if earlier else now.lateness_own
            histograms = {"late": late, "late_own": own}
            for seen in ("produce", *([f"{OF_TOPIC}{name}"] if name in self.plan.window_topics else [])):
                histograms |= {seen: latency} | _warm_part(seen, now, earlier)
            self._happened(Bin(0, counts | waited, {}, histograms))
            size = now.bytes_acknowledged - (earlier.bytes_acknowledged if earlier else 0)
            yield "PRODUCE", name, latency, size, counts["failed"]
        else:
            former = before if isinstance(before, ReaderTotals) else None
            delivered = now.delivered - (former.delivered if former else 0)
            self._happened(
                Bin(
                    0,
                    {f"delivered.{name}": delivered},
                    {},
                    {f"e2e.{name}": latency} | _warm_part(f"e2e.{name}", now, former),
                )
            )
            yield "DELIVER", name, latency, now.bytes_delivered - (former.bytes_delivered if former else 0), 0


def _in_warm_up(now: ProducerTotals, earlier: ProducerTotals | None, topic: str) -> dict[str, int]:
    """What a producer did, since `earlier`, with records that were due in the warm-up."""
    counts = {}
    for field in ("due", "sent", "acknowledged"):
        name = f"{field}_in_warm_up"
        if count := getattr(now, name) - (getattr(earlier, name) if earlier else 0):
            counts[f"{WARM_UP}{field}.{topic}"] = count
    return counts


def _warm_part(name: str, now: Totals, earlier: Totals | None) -> dict[str, Histogram]:
    """The part of a latency that is of records due in the warm-up, if there is any."""
    part = now.latency_in_warm_up.minus(earlier.latency_in_warm_up) if earlier else now.latency_in_warm_up
    return {f"{WARM_UP}{name}": part} if part.count else {}


def _sent_all(producer: ProducerEngine, asked_ns: int) -> bool:
    totals = producer.totals
    return not producer.alive or (totals.at_ns > asked_ns and totals.sent >= totals.due)
