"""The two ends of the ledger: what a worker collects from its engines, and what the judge makes of all reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from kafka_load.ledger.divergence import diverged
from kafka_load.ledger.ended_producers import ClosedProducers, fold
from kafka_load.ledger.findings import (
    NAMED,
    Anomaly,
    Drain,
    Gap,
    Judgement,
    PlannedGroup,
    Produced,
    TopicPartition,
)
from kafka_load.ledger.group_judgement import Evidence, judge_group
from kafka_load.ledger.processing_judgement import GroupWork, judge_processing
from kafka_load.ledger.producer_account import StreamAccount, total
from kafka_load.ledger.snapshot import ProducerSnapshot, ReaderSnapshot, Stream, reached
from kafka_load.ledger.transform_judgement import TransformWork, judge_transform
from kafka_load.ledger.worker_snapshot import LedgerSnapshot
from kafka_load.run.topic_changes import TopicHistory


class Reporter(Protocol):
    """What the ledger needs to know of an engine."""

    @property
    def alive(self) -> bool:
        """False once its last snapshot is published."""

    @property
    def snapshot(self) -> ProducerSnapshot | ReaderSnapshot | None:
        """Its newest cumulative snapshot; None before the first."""


class Cluster(Protocol):
    """What the judge needs to know of the cluster (see `kafka_load.cluster.cluster_view.ClusterView`)."""

    @property
    def log_start(self) -> Mapping[TopicPartition, int]:
        """First offset still in each log."""

    @property
    def log_end(self) -> Mapping[TopicPartition, int]:
        """Offset after the last in each log."""

    @property
    def committed(self) -> Mapping[str, Mapping[TopicPartition, int]]:
        """Offsets committed by each group."""

    @property
    def regressions(self) -> tuple[Anomaly, ...]:
        """Commits that went backwards."""


class WorkerLedger:
    """Collects the engines of one process; those that have ended are folded, so that churn makes it grow little."""

    def __init__(self, worker: str) -> None:
        self.worker = worker
        self._version = 0
        self._engines: list[Reporter] = []
        self._closed_producers: dict[str, ClosedProducers] = {}  # by topic
        self._closed_readers: dict[str, ReaderSnapshot] = {}

    def add(self, engine: Reporter) -> None:
        """Take an engine's reports from now on."""
        self._engines.append(engine)

    def snapshot(self) -> LedgerSnapshot:
        """Everything known by now."""
        ended = [engine for engine in self._engines if not engine.alive]
        self._engines = [engine for engine in self._engines if engine not in ended]
        for engine in ended:
            match engine.snapshot:
                case ProducerSnapshot() as last:
                    self._closed_producers = fold(self._closed_producers, self.worker, [last])
                case ReaderSnapshot(group=group) as last:
                    left = replace(last, engine=f"{self.worker}/left/{group}")
                    before = self._closed_readers.get(group)
                    self._closed_readers[group] = before.folded(left) if before else left
        running = [snapshot for engine in self._engines if (snapshot := engine.snapshot)]
        self._version += 1
        return LedgerSnapshot(
            self.worker,
            self._version,
            [s for s in running if isinstance(s, ProducerSnapshot)],
            [*self._closed_readers.values(), *(s for s in running if isinstance(s, ReaderSnapshot))],
            list(self._closed_producers.values()),
        )


class Ledger:
    """Keeps the newest snapshot of each worker and judges them all."""

    def __init__(self) -> None:
        self._workers: dict[str, LedgerSnapshot] = {}
        self._journals: dict[str, ReaderSnapshot] = {}
        self._dead: dict[str, bool] = {}  # whether its journals can be read

    def receive(self, snapshot: LedgerSnapshot) -> None:
        """Take a worker's report; older and repeated ones change nothing."""
        known = self._workers.get(snapshot.worker)
        if known is None or snapshot.version > known.version:
            self._workers[snapshot.worker] = snapshot

    def receive_journal(self, snapshot: ReaderSnapshot) -> None:
        """Take what a reader had written before its last commit: evidence if it died before it could report."""
        known = self._journals.get(snapshot.engine)
        if known is None or snapshot.version > known.version:
            self._journals[snapshot.engine] = snapshot

    def mark_dead(self, worker: str, *, journals: bool = True) -> None:
        """A worker will report no more: it is judged from its last snapshot, if there was one, and from its `journals`,
        if they can be read here.
        """
        self._dead[worker] = journals

    @property
    def producers(self) -> list[ProducerSnapshot]:
        """All producers known."""
        return [producer for worker in self._workers.values() for producer in worker.producers]

    @property
    def readers(self) -> list[ReaderSnapshot]:
        """All readers known, each by its newest report or journal."""
        reported = {reader.engine: reader for worker in self._workers.values() for reader in worker.readers}
        for engine, journal in self._journals.items():
            known = reported.get(engine)
            if known is None or journal.version > known.version:
                reported[engine] = journal
        return list(reported.values())

    def _silent(self, group: str, mode: str, final: bool) -> list[dict[TopicPartition, int]]:
        """See `Evidence.silent`. Journals are there in the end only, and members of share groups write none."""
        silent = [worker for worker, journals in self._dead.items() if not (journals and final and mode != "share")]
        known = [self._workers[worker].readers if worker in self._workers else [] for worker in silent]
        return [reached(reader for reader in readers if reader.group == group) for readers in known]

    def _dead_readers(self, members: Sequence[ReaderSnapshot]) -> list[ReaderSnapshot]:
        """See `Evidence.dead_readers`. Whoever journals where it can be read has told all that it may have committed.

        For members of share groups, which write no journals, see `_silent`.
        """
        journaled = [self._workers[worker] for worker, here in self._dead.items() if here and worker in self._workers]
        told = {*self._journals, *(reader.engine for worker in journaled for reader in worker.readers)}
        return [reader for reader in members if not reader.closed and reader.engine not in told]

    def judge(
        self,
        cluster: Cluster | None,
        final: bool,
        planned: Sequence[PlannedGroup] = (),
        drains: Mapping[str, Drain] | None = None,
        topics: TopicHistory | None = None,
        work: Mapping[str, GroupWork | TransformWork] | None = None,
    ) -> Judgement:
        """The judgement as of now; `final` once producers are flushed and readers have had their time to drain.

        A group of `planned` is judged whether it has had a reader or not. `drains` says what each has not read,
        `topics` what happened to those of the run, `work` what groups were to do with their records.
        """
        topics = topics or TopicHistory()
        remade, compacted = topics.of("recreated", "deleted"), topics.of("compacted")
        plan = {group.name: group for group in planned}
        producers, readers = self.producers, self.readers
        accounts = accounts_of(producers)
        judgement = Judgement(
            Produced(*total(list(accounts.values()))),
            availability=longest_gaps(producer.gaps for producer in producers),
            dead_workers=sorted(self._dead),
        )
        regressions = cluster.regressions if cluster else ()
        for group in sorted({*(reader.group for reader in readers), *plan}):
            members = [reader for reader in readers if reader.group == group]
            mode = members[0].mode if members else plan[group].mode
            evidence = Evidence(
                mode=mode,
                topics=frozenset(topic for member in members for topic in member.topics)
                if members
                else frozenset(plan[group].topics),
                readers=members,
                dead_readers=self._dead_readers(members) if final else [],
                accounts=accounts,
                open_producers=frozenset(producer.producer for producer in producers if not producer.closed),
                all_producers_known=not self._dead,
                log_start=cluster.log_start if cluster else {},
                log_end=cluster.log_end if cluster else {},
                committed=cluster.committed.get(group, {}) if cluster else {},
                silent=self._silent(group, mode, final),
                final=final,
                drain=(drains or {}).get(group, Drain()),
                remade=remade,
                compacted=compacted,
            )
            verdict, collector = judge_group(group, evidence)
            backwards = [one for one in regressions if one.group == group and one.topic not in remade]
            verdict.offset_regressions = len(backwards)
            match work.get(group) if final and work else None:
                case GroupWork() as processing:
                    verdict.processing = judge_processing(evidence, processing, collector)
                case TransformWork() as output:
                    verdict.transform = judge_transform(evidence, output, collector)
            judgement.groups.append(verdict)
            judgement.anomalies += collector.named + backwards
            judgement.doubled[group] = list(dict.fromkeys(collector.doubled))
        if final:
            _add_diverged(judgement, readers, accounts, topics)
        return judgement


def _add_diverged(
    judgement: Judgement,
    readers: Sequence[ReaderSnapshot],
    accounts: Mapping[Stream, StreamAccount],
    topics: TopicHistory,
) -> None:
    """Hold the groups' logs against each other and against the acknowledgements."""
    groups = {one.group: [reader for reader in readers if reader.group == one.group] for one in judgement.groups}
    named: Counter[str] = Counter()
    found = diverged(groups, accounts, topics.of("recreated", "deleted"), topics.truncations)
    for one in judgement.groups:
        one.diverged += sum(anomaly.group == one.group for anomaly in found)
    for anomaly in found:
        named[anomaly.group] += 1
        if named[anomaly.group] <= NAMED:
            judgement.anomalies.append(anomaly)


def accounts_of(producers: Iterable[ProducerSnapshot]) -> dict[Stream, StreamAccount]:
    """The account of each stream."""
    return {
        (producer.topic, partition, producer.producer): account
        for producer in producers
        for partition, account in producer.streams.items()
    }


def longest_gaps(gaps: Iterable[Mapping[TopicPartition, Gap]]) -> dict[TopicPartition, Gap]:
    """Of each partition the longest gap that any producer met."""
    longest: dict[TopicPartition, Gap] = {}
    for of_one in gaps:
        for tp, gap in of_one.items():
            if gap.longest_ns >= longest.get(tp, Gap()).longest_ns:
                longest[tp] = gap
    return longest
