"""What a run leaves in its folder: the facts from ledger and timeline, and the files made of them."""

from __future__ import annotations

import csv
import itertools
import json
import math
import platform
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import confluent_kafka

from kafka_load.clock import SECOND
from kafka_load.cluster import PartitionView
from kafka_load.config.plan import Plan
from kafka_load.histogram import MIDDLES_US, Histogram, merged, percentile_without
from kafka_load.ledger import (
    Anomaly,
    Judgement,
    LedgerSnapshot,
    ProducerSnapshot,
    ReaderSnapshot,
    TopicPartition,
    accounts_of,
)
from kafka_load.output import junit, recovery
from kafka_load.output.charts import Leader
from kafka_load.output.console_summary import milliseconds
from kafka_load.output.measurements import Facts, Gap, Percentiles, TopicFacts
from kafka_load.output.plan_check import Asked, Done, shortfalls
from kafka_load.output.timeline import OF_TOPIC, WARM_UP, Bin
from kafka_load.output.verdict import judge
from kafka_load.output.windows import END_TO_END, PRODUCE, WorstWindows
from kafka_load.run import run_annotations
from kafka_load.run.clock_offset import ClockError, uncertainty_us
from kafka_load.run.readiness import Group
from kafka_load.run.saturation import PER_STEP, Saturation
from kafka_load.run.worker import by_name

BLOCKED = "blocked_ns."
_SECRET = ("password", "secret", "key", "jaas")

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Ended:
    """A run that has ended, as it is judged.

    Attributes:
        plan: What was to be done.
        asked: The same with the users that were spawned.
        done: What of it happened.
        groups: Who was to read.
        started: When it was begun, by the calendar.
        start_ns: When its time started; its end if it never did.
        end_ns: When the last producer had flushed.
        total: All that was counted since, in all processes.
        saturation: The search for the highest rate, if it was one.
        windows: The slowest windows of the run.
        notes: What a reader of the verdict should know.
        doubts: What keeps it from proving anything.
        lag_unknown: Why it is not known how far a group had committed at the end, by the names of such groups.
        unreported: Records that were due in workers that died, of which nobody knows what became of them.
        clocks: How far each worker's clock was off.
        client: What librdkafka's clients said of themselves (see `run.client_figures`).
    """

    plan: Plan
    asked: Asked
    done: Done
    groups: Sequence[Group]
    started: datetime
    start_ns: int
    end_ns: int
    total: Bin
    saturation: Saturation | None
    windows: WorstWindows
    notes: Sequence[str]
    inconclusive_reasons: Sequence[str]
    lag_unknown: Mapping[str, str] = field(default_factory=dict)
    unreported: int = 0
    clocks: Mapping[str, ClockError | None] = field(default_factory=dict)
    client: Mapping[str, Any] = field(default_factory=dict)


def open_run(plan: Plan) -> Plan:
    """Make the run's folder, write its settings, and let `latest` point to it.

    Returns the plan, with another run id if a run that began in the same second has that folder already.
    """
    ids = itertools.chain([plan.run_id], (f"{plan.run_id}-{number}" for number in itertools.count(2)))
    plan = next(named for named in (replace(plan, run_id=run_id) for run_id in ids) if _made(named.run_dir))
    (plan.run_dir / "settings.json").write_text(settings(plan), encoding="utf-8")
    fresh = plan.run_dir.with_name(f".{plan.run_id}")
    fresh.symlink_to(plan.run_id, target_is_directory=True)
    fresh.replace(plan.run_dir.with_name(run_annotations.LATEST))
    return plan


def _made(folder: Path) -> bool:
    """Make a folder; whether it was not there."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return False
    return True


def write(run: Ended, judgement: Judgement, snapshots: Sequence[LedgerSnapshot]) -> dict[str, Any]:
    """Judge the run and write all its files; returns the verdict."""
    latencies = {"acknowledged": merged(measured(producer) for s in snapshots for producer in s.producers)} | {
        group.name: merged(measured(reader) for s in snapshots for reader in s.readers if reader.group == group.name)
        for group in run.groups
    }
    found = facts(run, judgement, latencies, snapshots)
    if run.saturation is None:
        verdict = judge(found, run.plan.limits, run.plan.requirements, limits_of=run.plan.limits_of)
    else:
        whole = {name: limit for name, limit in run.plan.limits.items() if name not in PER_STEP}
        patient = replace(run.plan.requirements, max_late_ms=math.inf)
        verdict = judge(found, whole, patient, run.saturation.slo(), limits_of=run.plan.limits_of)
    _json(run.plan.run_dir / "histograms.json", {name: pairs(h) for name, h in latencies.items() if h.count})
    _csv(run.plan.run_dir / "anomalies.csv", (_anomaly(a, run.start_ns) for a in judgement.anomalies))
    _csv(run.plan.run_dir / "acknowledged.csv", acknowledged(producer for s in snapshots for producer in s.producers))
    if run.saturation is not None:
        _csv(run.plan.run_dir / "curve.csv", run.saturation.rows())
    _json(run.plan.run_dir / "verdict.json", verdict)
    for path in (run.plan.run_dir / junit.FILE, *filter(None, [run.plan.junit])):
        junit.write(path, junit.of_verdict(verdict))
    shutil.rmtree(run.plan.run_dir / "journal", ignore_errors=True)
    return verdict


def facts(
    run: Ended, judgement: Judgement, latencies: Mapping[str, Histogram], snapshots: Sequence[LedgerSnapshot] = ()
) -> Facts:
    """All that was measured in one run."""
    start_ns = run.start_ns
    duration_s = max(0.001, (run.end_ns - start_ns) / SECOND)
    total = run.total
    due, sent = total.counts.get("due", 0), total.counts.get("sent", 0)
    load_s = min(run.done.load_s, run.plan.profile.duration_s)
    began = bool(run.asked.users)
    redelivered = Counter({group.group: group.redelivered for group in judgement.groups})
    deleted = {group.group: group.deleted for group in judgement.groups if group.deleted}
    faults, recoveries = recovery.with_recoveries(
        run_annotations.faults(run_annotations.read(run.plan.run_dir), start_ns),
        recovery.joined(producer.delays for snapshot in snapshots for producer in snapshot.producers),
        start_ns,
        recovery.Observed(
            load_s=run.done.load_s,
            end_s=duration_s,
            uncertainty_s=max((clock.worst_ns for clock in run.clocks.values() if clock), default=0) / SECOND,
            gone=run.done.gone,
            unreported=run.unreported,
        ),
        sorted({made.topic for made in run.asked.producers.values()}),
    )
    warmup = _warm_up(run, load_s) if began and run.plan.warmup_s else {}
    return Facts(
        run_id=run.plan.run_id,
        profile=run.plan.profile.name,
        started=run.started.isoformat(timespec="seconds"),
        duration_s=duration_s,
        due=due,
        sent=sent,
        planned=run.asked.least(load_s) if began else 0.0,
        planned_s=run.plan.profile.duration_s,
        load_s=run.done.load_s,
        ended_by=run.done.ended_by,
        users=run.asked.latest,
        shortfalls=shortfalls(run.asked, run.done),
        acknowledged=judgement.produced.acknowledged,
        failed=judgement.produced.failed,
        indeterminate=judgement.produced.indeterminate,
        aborted=(aborted := judgement.produced.aborted),
        groups=judgement.groups,
        gaps={
            f"{topic}-{number}": Gap(round(gap.longest_ns / SECOND, 3), round(max(0, gap.at_ns - start_ns) / SECOND, 3))
            for (topic, number), gap in judgement.availability.items()
        },
        produce=percentiles(latencies["acknowledged"]),
        end_to_end={name: percentiles(h) for name, h in latencies.items() if name != "acknowledged" and h.count},
        processing={group: percentiles(h) for group, h in processing_latencies(snapshots).items() if h.count},
        uncertainty_us={group.name: uncertainty_us(group.name, snapshots, run.clocks) for group in run.groups},
        clocks={worker: clock for worker, clock in run.clocks.items() if clock is not None},
        client=run.client,
        target_rate=run.asked.records(load_s) / load_s if began and load_s else 0.0,
        sent_rate=sent / max(0.001, run.done.load_s),
        late=percentiles(total.histograms.get("late", Histogram())),
        late_own=percentiles(own := total.histograms.get("late_own", Histogram())),
        blocked_s={
            name.removeprefix(BLOCKED): ns / SECOND for name, ns in total.counts.items() if name.startswith(BLOCKED)
        },
        p99_without_own={
            "produce" if name == "acknowledged" else name: percentile_without(latency, own, 99, redelivered[name])
            for name, latency in latencies.items()
            if latency.count
        },
        faults=faults,
        recovery=recoveries,
        notes=[
            *run.notes,
            *run_annotations.mistakes(run.plan.run_dir),
            *_excluded(warmup, run.plan.warmup_s),
            *_other_than_planned(run),
            *_early(run.groups, snapshots),
            *(
                f"{count:,} of the records lost to {group} were deleted before it read them"
                for group, count in deleted.items()
            ),
            *([f"{aborted:,} records were aborted on purpose; nobody was to read them"] if aborted else []),
            *([run.saturation.sentence()] if run.saturation else []),
        ],
        inconclusive_reasons=[*run.inconclusive_reasons, *(run.saturation.unfinished() if run.saturation else [])],
        window_s=run.windows.length_s,
        windows={
            PRODUCE if name == "acknowledged" else name: slowest
            for name, latency in latencies.items()
            if (slowest := run.windows.slowest(PRODUCE if name == "acknowledged" else f"{END_TO_END}{name}", latency))
        },
        topic_windows={
            topic: slowest
            for topic in run.plan.window_topics
            if (slowest := run.windows.slowest(f"{OF_TOPIC}{topic}", _latency(topic, snapshots)))
        },
        saturation=run.saturation.as_dict() if run.saturation else None,
        lag_unknown=run.lag_unknown,
        unreported=run.unreported,
        topics=_topics(run, snapshots, load_s) if began else {},
        gone={topic: run.done.not_acknowledged(topic) for topic in run.done.gone},
        warmup_s=run.plan.warmup_s,
        delivered={name: latency.count for name, latency in latencies.items() if name != "acknowledged"},
        warmup=warmup,
    )


def processing_latencies(snapshots: Sequence[LedgerSnapshot]) -> dict[str, Histogram]:
    """How long each group that processes its records took over them, from when they were due."""
    members = [(r.group, r.processing) for snapshot in snapshots for r in snapshot.readers if r.processing]
    return {
        group: merged(work.latency for name, work in members if name == group)
        for group in {name for name, _ in members}
    }


def _topics(run: Ended, snapshots: Sequence[LedgerSnapshot], load_s: float) -> dict[str, TopicFacts]:
    """What was measured of each topic that the run wrote into."""

    def count(counts: Mapping[TopicPartition, int], topic: str) -> int:
        return sum(number for where, number in counts.items() if where[0] == topic)

    return {
        topic: TopicFacts(
            planned=run.asked.least(load_s, topic),
            due=run.done.due_by_topic.get(topic, 0),
            sent=count(run.done.sent, topic),
            acknowledged=count(run.done.acknowledged, topic),
            produce=percentiles(_latency(topic, snapshots)),
        )
        for topic in {made.topic for made in run.asked.producers.values()}
    }


def _latency(topic: str, snapshots: Sequence[LedgerSnapshot]) -> Histogram:
    """How long the topic's records took to their acknowledgement."""
    return merged(measured(p) for snapshot in snapshots for p in snapshot.producers if p.topic == topic)


def measured(one: ProducerSnapshot | ReaderSnapshot) -> Histogram:
    """The latencies that limits are held against: those of records that were due after the warm-up."""
    return one.latency.minus(one.latency_in_warm_up)


def _warm_up(run: Ended, load_s: float) -> dict[str, TopicFacts]:
    """What was due in the warm-up, of all topics by the name "" and of each."""
    until_s = min(run.plan.warmup_s, load_s)
    due, sent, taken = (by_name(run.total.counts, f"{WARM_UP}{name}.") for name in ("due", "sent", "acknowledged"))
    topics = {made.topic for made in run.asked.producers.values()}
    found = {
        topic: TopicFacts(run.asked.records(until_s, topic), due[topic], sent[topic], taken[topic]) for topic in topics
    }
    return found | {"": TopicFacts(run.asked.records(until_s), due.total(), sent.total(), taken.total())}


def _excluded(warmup: Mapping[str, TopicFacts], warmup_s: float) -> Iterator[str]:
    """What the warm-up takes out of the limits, in a sentence."""
    if warmup:
        yield (
            f"{warmup[''].due:,} records were due in the first {warmup_s:g} s, the warm-up: they count in no limit of"
            " latency, rate or gaps"
        )


def _early(groups: Sequence[Group], snapshots: Sequence[LedgerSnapshot]) -> Iterator[str]:
    """Records that were delivered before they were due, in sentences."""
    for group in groups:
        readers = [reader for snapshot in snapshots for reader in snapshot.readers if reader.group == group.name]
        if count := sum(reader.early for reader in readers):
            most = max(reader.earliest_us for reader in readers)
            yield (
                f"{count:,} records were delivered to {group.name} up to {milliseconds(most)} before they were due,"
                " by the clocks of two workers; their latency counts as 0"
            )


def _other_than_planned(run: Ended) -> Iterator[str]:
    """What the user asked for otherwise than the profile does, in sentences."""
    if run.done.ended_by == "user":
        yield (
            f"the user ended the run after {run.done.load_s:.1f} s of {run.plan.profile.duration_s:g} s;"
            " it is held to the plan until then"
        )
    profile = run.plan.profile.users
    others = {user: n for user, n in run.asked.latest.items() if user in profile and n != profile[user].count}
    if others:
        counts = ", ".join(f"{user} {n} for {profile[user].count}" for user, n in others.items())
        rate = "share the rate that was given" if run.plan.rate_is_total else "produce in proportion"
        yield f"other users were asked for than the profile has, and {rate}: {counts}"


def acknowledged(producers: Iterable[ProducerSnapshot]) -> Iterator[dict[str, Any]]:
    """Every record that was acknowledged, as stretches of a producer's numbers in a partition, `last` included.

    With it any other reader can be held against the harness record by record.
    """
    for (topic, partition, producer), account in sorted(accounts_of(producers).items()):
        for first, end in account.acknowledged.tolist():
            yield {"topic": topic, "partition": partition, "producer": producer, "first": first, "last": end - 1}


def percentiles(histogram: Histogram) -> Percentiles:
    """The verdict's percentiles, µs."""
    return Percentiles(*(histogram.percentile(percent) for percent in (50, 95, 99, 99.9, 100)))


def pairs(histogram: Histogram) -> list[tuple[int, int]]:
    """A histogram as (µs, count) of the buckets in use."""
    used = histogram.counts.nonzero()[0]
    return list(zip(MIDDLES_US[used].tolist(), histogram.counts[used].tolist(), strict=True))


def changed_leaders(
    partitions: Mapping[TopicPartition, PartitionView], before: Mapping[str, Leader], t_s: float
) -> list[Leader]:
    """The partitions whose leader or ISR is another one than `before` (by the partition's name)."""
    return [
        Leader(round(t_s, 3), name, now.leader, tuple(now.isr), len(now.replicas))
        for (topic, number), now in sorted(partitions.items())
        if (last := before.get(name := f"{topic}-{number}")) is None
        or (last.leader, last.isr) != (now.leader, tuple(now.isr))
    ]


def note_leaders(run_dir: Path, changes: Sequence[Leader]) -> None:
    """Append to leaders.csv, which can be read while the run is on."""
    path = run_dir / "leaders.csv"
    fresh = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Leader)])
        if fresh:
            writer.writeheader()
        writer.writerows(asdict(change) | {"isr": " ".join(map(str, change.isr))} for change in changes)


def settings(plan: Plan) -> str:
    """settings.json: everything needed to run the same again; what may be secret is left out."""
    client = {name: "***" if any(word in name for word in _SECRET) else value for name, value in plan.given.items()}
    value = {
        "profile": plan.profile.to_wire(),
        "bootstrap_servers": plan.bootstrap,
        "client": client,
        "client_config_sets": sorted(plan.secured),  # the names only: any value may come from a secret
        "options": {name: value for name, value in plan.options.items() if name != "client" and value is not None},
        "limits": plan.limits,
        "limits_of": plan.limits_of,
        "versions": {
            "python": platform.python_version(),
            "librdkafka": confluent_kafka.libversion()[0],
            **{package: version(package) for package in ("locust", "confluent-kafka", "numpy", "gevent")},
        },
        "machine": platform.platform(),
    }
    return json.dumps(value, indent=1, default=str) + "\n"


def _anomaly(anomaly: Anomaly, start_ns: int) -> dict[str, Any]:
    row = asdict(anomaly)
    at_ns = row.pop("at_ns")
    return row | {"at_s": round((at_ns - start_ns) / SECOND, 3) if at_ns else ""}


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, default=str) + "\n", encoding="utf-8")


def _csv(path: Path, rows: Rows) -> None:
    rows = list(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else ["kind"])
        writer.writeheader()
        writer.writerows(rows)
