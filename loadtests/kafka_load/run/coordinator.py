"""Conducts one run: makes ready, gives the start, watches, ends it in the right order, and judges.

The end is what a verdict stands on: producers flush, then the ends of the logs are read, then readers go on up to those
ends, and only then is anything called lost. The coordinator speaks to the workers through `send` and hears of them
through `receive`; whether they are in this process or on other machines it does not know.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from confluent_kafka import KafkaException

from kafka_load.clock import SECOND, now_ns
from kafka_load.cluster import ClusterView, ClusterWatch, committed_offsets, readable_ends
from kafka_load.ledger import Drain, Judgement, Ledger, TopicPartition, read_journals
from kafka_load.native_threads import native_call, wait_until
from kafka_load.output import console_summary, run_folder
from kafka_load.output.charts import Leader
from kafka_load.output.duplicate_causes import name_writers
from kafka_load.output.plan_check import Asked, Done, EndedBy, HoleFinder
from kafka_load.output.timeline import Bin, Row, Timeline, merged
from kafka_load.output.windows import WorstWindows
from kafka_load.run import run_annotations, topic_changes
from kafka_load.run.client_figures import ClientSummary
from kafka_load.run.clock_offset import ClockError, uncertainty_us
from kafka_load.run.drain import LogEnds, Silence, drains, settled_groups, worth_waiting_for
from kafka_load.run.group_outputs import Work, read_group_work
from kafka_load.run.producer_counts import by_partition, unreported
from kafka_load.run.readiness import Group, check, ends, prepare, settled
from kafka_load.run.saturation import Saturation, planned
from kafka_load.run.worker import DUE, FLUSH_S, LEAVE_S, LEFT, STARTED, Report, by_name

Order = Literal["go", "rate", "flush", "stop"]
JOIN_S = 30.0
LEAD_S = 0.5
ENDS_S = 30.0
ANSWER_S = 10.0
RECENT_S = 300  # how far back those who watch a run can see
COORDINATOR = "coordinator"


class RunCoordinator:
    """One run from its preparation to its verdict; `workers` tells which processes take part at the moment."""

    def __init__(
        self,
        asked: Asked,
        groups: Sequence[Group],
        topics: tuple[str, ...],
        send: Callable[[Order, int], None],
        workers: Callable[[], set[str]],
        print_status: Callable[[str], None],
    ) -> None:
        self.asked = asked
        self.plan = plan = asked.plan
        self.groups = groups
        self.topics = topics
        self.started = datetime.now(UTC)
        self.start_ns: int | None = None
        self.position: float | None = None
        """Which rate the search for the sustainable one wants (see `rate_steps.step_rate`)."""
        self.phase = "preparing"
        self.verdict: dict[str, Any] | None = None
        self.judgement: Judgement | None = None
        self.notes: list[str] = []
        self.inconclusive_reasons: list[str] = []
        self.lag_unknown: dict[str, str] = {}
        self.recent: list[Row] = []
        self.leaders: dict[str, Leader] = {}
        self.events: deque[tuple[float, str]] = deque(maxlen=20)
        self._send, self._workers, self._print_status = send, workers, print_status
        self._ledger = Ledger()
        self._reports: dict[str, Report] = {}
        self._seen: set[str] = set()
        self._dead: set[str] = set()
        self._judge_after = 0.0
        self._begin: dict[TopicPartition, int] = {}
        self._locks_s: dict[str, float] = {}
        self.history = topic_changes.TopicHistory()
        self._busy = False
        self._drain_skipped = False
        self._ended_by_user = False
        self._load_s: float | None = None
        self._holes: HoleFinder | None = None
        self._timeline = Timeline(plan.run_dir / "timeline.csv", [group.name for group in groups], self._written)
        names = tuple(group.name for group in groups if group.mode != "share")
        self._watch = ClusterWatch(plan.client, topics, names)
        self.saturation = planned(plan, {group.name: group.topics for group in groups})
        self._windows = WorstWindows(int(plan.window_s), max(1, plan.requirements.min_records))
        self.clients = ClientSummary(plan.run_dir)

    @property
    def view(self) -> ClusterView:
        """The cluster as it was last seen."""
        return self._watch.view

    @property
    def total(self) -> Bin:
        """All that was counted since the start, in all processes."""
        return merged(0, (report.total for report in self._reports.values()))

    @property
    def clocks(self) -> dict[str, ClockError | None]:
        """How far the clock of each worker is off; None for a process whose clock is the coordinator's."""
        return {worker: report.clock for worker, report in self._reports.items()}

    def uncertainty_us(self, group: str) -> int:
        """By how much a latency to a group may be wrong because two workers have two clocks, in µs."""
        return uncertainty_us(group, [report.snapshot for report in self._reports.values()], self.clocks)

    @property
    def topics_with_foreign_records(self) -> set[str]:
        """The topics of groups that were delivered records that no harness wrote."""
        judged = self.judgement.groups if self.judgement is not None else ()
        foreign = {group.group for group in judged if group.foreign}
        return {topic for group in self.groups if group.name in foreign for topic in group.topics}

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run's time started, 0 before."""
        return 0.0 if self.start_ns is None else max(0.0, (now_ns() - self.start_ns) / SECOND)

    @property
    def over(self) -> bool:
        """The load has lasted as long as it was meant to, or a saturation run found what it looked for."""
        return self.start_ns is not None and (
            self.elapsed_s >= self.plan.profile.duration_s or (self.saturation is not None and self.saturation.done)
        )

    def prepare(self) -> None:
        """Look whether the cluster will do and put the groups where the run begins.

        Raises:
            UnreadyError: if it will not.
        """
        check(self.plan.client, self.topics)
        self._begin = ends(self.plan.client, self.topics)
        committed = not self.plan.options["read_uncommitted"]
        self._locks_s = prepare(self.plan.client, self.groups, self._begin, self.plan.run, read_committed=committed)
        self._watch.start()

    def go(self, members: Mapping[str, int], users: Mapping[str, int]) -> None:
        """Once so many members of each group have their partitions (or took too long), start the time on all nodes.

        `users` is how many users of each class there are; told again during the run, it is how many there are from now.
        """
        if self.phase == "running" and users != self.asked.latest:
            self.asked = replace(self.asked, users=[*self.asked.users, (self.elapsed_s, users)])
        began = time.monotonic()
        joined = wait_until(lambda: self._joined(members), JOIN_S, 0.2)
        if self.phase != "preparing":
            return
        waited_s = time.monotonic() - began
        self._print_status(f"{'Every' if joined else 'Not every'} member has its partitions after {waited_s:.1f} s; go")
        self.plan = replace(self.plan, users=users)
        partitions = Counter(topic for topic, _ in self._begin)
        self.asked = replace(self.asked, plan=self.plan, users=[(0.0, users)], partitions=partitions)
        self._holes = HoleFinder(self.asked)
        self.start_ns = self._lead_ns()
        run_annotations.begin(self.plan.run_dir, self.start_ns)
        self.phase = "running"
        self._send("go", self.start_ns)

    def receive(self, report: Report) -> None:
        """Take a node's report; one that comes late or twice, or from an earlier run, does no harm."""
        if report.run_id != self.plan.run_id:
            return
        before = self._reports.get(report.worker)
        if before is None or report.snapshot.version >= before.snapshot.version:
            self._reports[report.worker] = report
        self._timeline.add(report.worker, report.bins)

    def happened(self, text: str) -> None:
        """Remember something that the people who watch may want to know."""
        self.events.append((round(self.elapsed_s, 1), text))

    def ended_by_user(self) -> None:
        """The user ends the run: what was asked for is the time until now."""
        self._ended_by_user = True

    def abandon(self) -> None:
        """End a run that cannot take place; it has no verdict."""
        self.phase = "failed"
        self._watch.stop()

    def skip_drain(self) -> None:
        """Do not wait for anybody any more."""
        self._drain_skipped = True

    def tick(self) -> None:
        """Bring everything up to date; call it about once a second. A call during a call does nothing."""
        if self._busy:
            return
        self._busy = True
        try:
            self._update()
        finally:
            self._busy = False

    def _update(self) -> None:
        self._mark_dead_workers()
        view = self._watch.view
        self._look_at_topics(view)
        for seen in self._watch.take_changes():
            at_s = 0.0 if self.start_ns is None else max(0.0, (seen.at_ns - self.start_ns) / SECOND)
            changes = run_folder.changed_leaders(seen.partitions, self.leaders, at_s)
            run_folder.note_leaders(self.plan.run_dir, changes)
            self.leaders.update((change.partition, change) for change in changes)
        if time.monotonic() >= self._judge_after:
            self._judge(self._watch.view)
        if self.start_ns is None:
            return
        levels = {f"lag.{group.name}": self.lag(group) for group in self.groups}
        if self.judgement is not None:
            # A share group has no order: what it passed over for now is no loss before the end.
            ordered = (group.lost for group in self.judgement.groups if group.mode != "share")
            levels["lost"] = max(ordered, default=0)
            levels["redelivered"] = max((group.redelivered for group in self.judgement.groups), default=0)
        self._timeline.add(COORDINATOR, [Bin(int(self.elapsed_s), levels=levels)])
        self._timeline.write(self.elapsed_s, {COORDINATOR, *self._taking_part()}, self._marks())
        if self.saturation is not None and self.phase == "running":
            self._search(self.saturation)

    def _search(self, saturation: Saturation) -> None:
        """Let all producers have the rate that the search for the sustainable one wants next."""
        counts = self.total.counts
        backlog = counts.get("due", 0) - counts.get("acknowledged", 0) - counts.get("failed", 0)
        rate = saturation.next_rate(backlog, {group.name: self.lag(group) for group in self.groups})
        if rate is None or self.start_ns is None:
            return
        at_ns = self._lead_ns()
        at_s = (at_ns - self.start_ns) / SECOND
        self.position = saturation.position(rate)
        self.asked = replace(self.asked, positions=[*self.asked.positions, (at_s, self.position)])
        if self._holes is not None:
            self._holes.asked = self.asked
        saturation.begin(rate, at_s)
        self.happened(f"trying {rate:,.0f} records/s" if rate else "pausing until all have caught up")
        self._send("rate", at_ns)

    def _lead_ns(self) -> int:
        """A time by which an order is there: it takes at most twice as long as the slowest clock is uncertain."""
        slowest_ns = max((clock.uncertainty_ns for clock in self.clocks.values() if clock), default=0)
        return now_ns() + int(LEAD_S * SECOND) + 2 * slowest_ns

    def finish(self) -> dict[str, Any]:
        """End the run in order and judge it: flush, read the ends, drain, stop, judge, write."""
        self.phase = "flushing"
        ended_by, counted = self._ended_by(), self.total.counts
        self._load_s = self.elapsed_s
        there = self._users_there()
        self._order("flush", FLUSH_S + 10)
        end_ns = now_ns()
        self.phase = "draining"
        log_ends = self._read_ends()
        drained = self._drain(log_ends)
        self._order("stop", LEAVE_S + 5)
        self.tick()
        looked_ns = now_ns()  # what the cluster says of the topics must be newer than their logs, if it says anything
        seen = wait_until(
            lambda: not self.view.topics or self.view.topics_at_ns >= looked_ns or self._drain_skipped, ENDS_S
        )
        self.inconclusive_reasons += topic_changes.unwatched(self._watch.error, described_last=seen)
        self.notes += topic_changes.untold(self.view.topics)
        self._watch.stop()
        wait_until(lambda: not self._busy, 600)
        at_end = self._view_at_end(log_ends)
        self._look_at_topics(replace(at_end, log_end={}))
        for change in self.history.changes:
            decides = change.kind in topic_changes.INCONCLUSIVE
            (self.inconclusive_reasons if decides else self.notes).append(change.sentence)
        work, unread = read_group_work(self.plan, self._begin)
        self.inconclusive_reasons += unread
        judgement = self._judge(at_end, drained, work)
        self.notes += name_writers(judgement, self.plan.client, self.plan.run)
        self._timeline.close(self.elapsed_s, self._marks())
        ended = run_folder.Ended(
            plan=self.plan,
            groups=self.groups,
            started=self.started,
            start_ns=self.start_ns or end_ns,
            end_ns=end_ns,
            total=self.total,
            saturation=self.saturation,
            windows=self._windows,
            notes=self.notes,
            inconclusive_reasons=self.inconclusive_reasons,
            lag_unknown=self.lag_unknown,
            unreported=sum(unreported(self._reports[worker]) for worker in self._dead & self._reports.keys()),
            clocks=self.clocks,
            client=self.clients.so_far(),
            asked=self.asked,
            done=Done(
                load_s=self._load_s,
                ended_by="user" if self._ended_by_user and not ended_by else ended_by,
                due=self.total.counts.get("due", 0),
                due_by_topic=by_name(self.total.counts, DUE),
                started=by_name(counted, STARTED),
                left=by_name(counted, LEFT),
                present=there,
                hole_s=self._holes.longest_s if self._holes else 0,
                hole_records=self._holes.records if self._holes else 0.0,
                **by_partition(self._reports, self._dead),
                faults=frozenset(mark.name for mark in run_annotations.read(self.plan.run_dir)),
                gone=self.history.of("deleted", "recreated"),
            ),
        )
        self.verdict = run_folder.write(ended, judgement, [report.snapshot for report in self._reports.values()])
        self.phase = "judged"
        return self.verdict

    @property
    def last_second(self) -> Row:
        """The last complete second of the timeline; empty before the first."""
        return self.recent[-1] if self.recent else {}

    def progress(self) -> console_summary.Progress | None:
        """The last complete second, for the terminal."""
        if not (row := self.last_second):
            return None
        lag = {group.name: row[f"lag.{group.name}"] for group in self.groups}
        return console_summary.Progress(row["t_s"] + 1, row["due"], row["acknowledged"], lag, row["lost_so_far"])

    def _joined(self, members: Mapping[str, int]) -> bool:
        self.tick()
        known, reports = set(self._watch.view.partitions), self._reports.values()

        def joined(group: Group) -> bool:
            assigned = [some for report in reports for some in report.assigned.get(group.name, ())]
            own = {where for where in known if where[0] in group.topics and group.mode != "share"}
            return len(assigned) >= members[group.name] and settled(own, assigned)

        present = (group for group in self.groups if members.get(group.name))
        return self.phase != "preparing" or (
            bool(known) and all(report.ready for report in reports) and all(map(joined, present))
        )

    def _order(self, order: Order, timeout_s: float) -> None:
        """Give an order to all nodes and wait until each that lives has reported that it is done."""
        self._send(order, 0)

        def all_done() -> bool:
            self.tick()
            return self._taking_part() <= self._done(order) or self._drain_skipped

        if not wait_until(all_done, timeout_s, 0.2):
            late = ", ".join(sorted(self._taking_part() - self._done(order)))
            self.inconclusive_reasons.append(f"{late} did not {order} within {timeout_s:.0f} s")

    def _read_ends(self) -> LogEnds:
        """The ends of the logs, now that everything is acknowledged that will be."""
        patience_s = min(ENDS_S, self.plan.options["drain_timeout"])
        try:
            now, why = native_call(
                readable_ends, self.plan.client, self._begin.keys(), patience_s, timeout_s=2 * patience_s + ANSWER_S
            )
        except TimeoutError as error:
            now, why = {}, str(error)
        log_ends = LogEnds.since(self._begin, now, why)
        if why:
            self.inconclusive_reasons.append(f"the ends of the logs could not be read, of {log_ends.unreadable}: {why}")
        return log_ends

    def _drain(self, log_ends: LogEnds) -> dict[str, Drain]:
        """Let every group read up to `log_ends`; returns how far each has still to read when the time is up."""
        found: dict[str, Drain] = {}
        silence = Silence()

        def drained() -> bool:
            self.tick()
            known = [report.snapshot for report in self._reports.values()]
            settled = settled_groups(self.groups, known, silence, self._locks_s, time.monotonic())
            found.update(drains(self.groups, known, log_ends, cut_short=self._drain_skipped, settled=settled))
            return not any(map(worth_waiting_for, found.values())) or not self._taking_part() or self._drain_skipped

        wait_until(drained, self.plan.options["drain_timeout"], 0.2)
        return found

    def _look_at_topics(self, view: ClusterView) -> None:
        """Say once what has happened to a topic of the run."""
        for change in self.history.look(view.topics, view.log_end, round(self.elapsed_s, 1), now_ns()):
            self._print_status(change.sentence)
            self.happened(change.sentence)

    def _view_at_end(self, log_ends: LogEnds) -> ClusterView:
        """The cluster as it was last seen, with the logs' ends and the committed offsets of now."""
        view = self._watch.view
        log_end = {**view.log_end, **log_ends.known}
        committed = dict(view.committed)
        for group in self.groups:
            if group.mode == "share":
                continue
            own = [where for where in log_end if where[0] in group.topics]
            try:
                committed[group.name] = native_call(
                    committed_offsets, self.plan.client, group.name, own, ANSWER_S, timeout_s=3 * ANSWER_S
                )
            except (KafkaException, TimeoutError) as error:
                self.lag_unknown[group.name] = f"its committed offsets could not be read at the end: {error}"
            if any(where[0] in group.topics for where, end in log_ends.ends.items() if end is None):
                self.lag_unknown[group.name] = "the ends of its logs could not be read"
        return replace(view, log_end=log_end, committed=committed)

    def _judge(
        self,
        view: ClusterView,
        drained: Mapping[str, Drain] | None = None,
        work: Mapping[str, Work] | None = None,
    ) -> Judgement:
        """Bring the ledger up to date and judge, for good once it is known how far each group has `drained`.

        In a native thread: it may take a while, and greenlets go on.
        """
        final = drained is not None
        for report in self._reports.values():
            self._ledger.receive(report.snapshot)
        if final:
            for worker in self._dead:
                for journal in read_journals(self.plan.journal_dir(worker)):
                    self._ledger.receive_journal(journal)
        began = time.monotonic()
        self.judgement = native_call(
            self._ledger.judge, view, final, self.groups, drained, self.history, work, timeout_s=600
        )
        self._judge_after = time.monotonic() + max(1.0, 20 * (time.monotonic() - began))
        return self.judgement

    def _mark_dead_workers(self) -> None:
        """Find the workers that took part and are no more there, also those that died before their first report.

        A worker makes the folder of its journals before anything else. Where it is not here, the worker has another
        disk, or none of its members ever began.
        """
        self._seen |= self._workers() | self._reports.keys()
        for worker in sorted(self._seen - self._workers() - self._dead - self._done("stop")):
            self._dead.add(worker)
            journals = self.plan.journal_dir(worker).is_dir()
            self._ledger.mark_dead(worker, journals=journals)
            since = "after its last report" if worker in self._reports else "at all, as it had not reported yet,"
            known = (
                "it is judged by its last snapshot and journals"
                if journals
                else f"its journals are not on this host: what its readers were given {since} is unverifiable"
            )
            self.notes.append(f"worker {worker} was lost at {self.elapsed_s:.1f} s; {known}")
            self._print_status(self.notes[-1])
            self.happened(self.notes[-1])

    def _ended_by(self) -> EndedBy:
        if self.saturation is not None and self.saturation.done:
            return "saturation"
        return "duration" if self.over else ""

    def _users_there(self) -> Counter[str]:
        """How many engines there are for each class of users, in the processes that live."""
        there: Counter[str] = Counter()
        for worker in self._taking_part():
            counts = self._reports[worker].total.counts
            there.update(by_name(counts, STARTED))
            there.subtract(by_name(counts, LEFT))
        return there

    def _taking_part(self) -> set[str]:
        return self._workers() & self._reports.keys()

    def _done(self, order: Order) -> set[str]:
        return {worker for worker, report in self._reports.items() if order in report.done}

    def lag(self, group: Group) -> int:
        """Records that the group has not committed yet.

        A share group commits no offsets; there it is what was acknowledged and not delivered when last judged.
        """
        if group.mode != "share":
            return sum(self.view.lags(group.name, group.topics).values())
        judged = self.judgement.groups if self.judgement else ()
        return next((found.lost for found in judged if found.group == group.name), 0)

    def _marks(self) -> dict[int, str]:
        return run_annotations.by_second(run_annotations.read(self.plan.run_dir), self.start_ns or 0)

    def _written(self, second: Bin, row: Row) -> None:
        self.recent = [*self.recent[1 - RECENT_S :], row]
        self._windows.add(second)
        self.clients.add(second)
        if self._holes is not None and (self._load_s is None or second.second < self._load_s):
            self._holes.add(second.second, second.counts.get("due", 0))
        if self.saturation is not None:
            self.saturation.uncertainty_us = max((self.uncertainty_us(group.name) for group in self.groups), default=0)
            self.saturation.add(second)
