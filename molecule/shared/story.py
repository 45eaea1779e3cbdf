"""What tests share that tell of one cluster: playbooks run one after the other under load, and what was seen then."""

from __future__ import annotations

import csv
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient
from live import BOOTSTRAP, MOUNT, Run, active_voters, host, play
from locust_run import Run as Load
from story_run import end, killed, load

TRANSACTIONS = ("--rate=10", "--transaction-records=5")
MOVED = re.compile(r"(\d+) partitions change .*? ([\d.]+ [kMG]?B),")
JUDGED = ("lost", "reordered", "duplicated_in_log", "phantom", "drained")


@dataclass(frozen=True)
class Step:
    """A run of a playbook, and when it was, in seconds of the epoch."""

    run: Run
    began_s: float
    ended_s: float

    @property
    def moved(self) -> str:
        """How many bytes were moved between brokers, as the plan says; empty for none."""
        found = MOVED.search(self.run.sentences)
        return found[2] if found else ""


@dataclass
class Story:
    """What was seen on the way: runs by the name of their step, and what the cluster said when it was looked at.

    Attributes:
        loads: The runs of the load harness, of which some go on all the while, by name.
        nodes: The hosts whose processes are looked at.
        releases: The release of each node's process.
        features: The feature levels in force.
        supported: The highest ones that the brokers support.
        replicas: How many replicas each broker holds.
        registered: The brokers that the cluster knows.
        voters: The controllers that vote.
        formatted: The metadata.version that a host's storage was formatted with.
    """

    loads: dict[str, Load]
    nodes: Sequence[str]
    steps: dict[str, Step] = field(default_factory=dict)
    releases: dict[str, dict[str, str]] = field(default_factory=dict)
    features: dict[str, dict[str, int]] = field(default_factory=dict)
    supported: dict[str, dict[str, int]] = field(default_factory=dict)
    replicas: dict[str, dict[int, int]] = field(default_factory=dict)
    registered: dict[str, list[int]] = field(default_factory=dict)
    voters: dict[str, list[int]] = field(default_factory=dict)
    formatted: dict[str, int] = field(default_factory=dict)
    untouched: bool = False

    def replace_loads(self, loads: Mapping[str, Load]) -> None:
        """Let other runs of the load harness, which have begun, take over from those so far, which end."""
        self.end_loads()
        self.loads |= loads

    def end_loads(self) -> None:
        """End the loads that are on."""
        for each in self.loads.values():
            if each.process.stdout and not each.process.stdout.closed:  # Not waited for yet.
                end(each)

    def do(self, name: str, *args: str, **extra: Any) -> Run:
        """Run a playbook as a step of the story."""
        began = time.time()
        run = play(*args, **extra)
        self.steps[name] = Step(run, began, time.time())
        return run

    def kill(self, name: str, at: tuple[str, int], *args: str, **extra: Any) -> None:
        """Run a playbook as a step that ends by SIGKILL when it has printed a text so many times."""
        began = time.time()
        printed = killed(*at, *args, **extra)
        self.steps[name] = Step(Run(False, printed), began, time.time())

    def has_to(self, name: str, *args: str, **extra: Any) -> None:
        """The same where the story ends unless it works."""
        run = self.do(name, *args, **extra)
        assert run.ok, run.why

    def look(self, name: str) -> None:
        """Write down what processes run, what features are in force and could be, who holds what and who votes."""
        self.releases[name] = {each: process_release(each) for each in self.nodes}
        admin = KafkaAdminClient(bootstrap_servers=BOOTSTRAP)
        features = admin.describe_features()
        self.registered[name] = sorted(broker["broker_id"] for broker in admin.describe_cluster()["brokers"])
        held = Counter(
            node
            for topic in admin.describe_topics()
            for partition in topic["partitions"]
            for node in partition["replica_nodes"]
        )
        admin.close()
        self.replicas[name] = dict(held)
        self.voters[name] = sorted(active_voters())
        # What is not in force has no level.
        self.features[name] = {
            feature: levels["finalized"][1] for feature, levels in features.items() if "finalized" in levels
        }
        self.supported[name] = {feature: levels["supported"][1] for feature, levels in features.items()}

    def table(self) -> Iterator[str]:
        """A line a step: how long it took, and what its loads saw meanwhile.

        `lost` and `redelivered` are what they have counted in it. `wait` is the longest 99th percentile of a
        second, in seconds from due to acknowledged: of each load that was on, in the order of `loads`.
        """
        seen = {name: timeline(each.results / "latest") for name, each in self.loads.items()}
        yield f"{'step':28} {'s':>5} {'acknowledged':>12} {'lost':>4} {'redelivered':>11} {'wait':>11}  moved"
        for name, step in self.steps.items():
            each = [during(rows, step.began_s, step.ended_s) for rows in seen.values()]
            acknowledged, lost, redelivered = (
                sum(row[key] for row in each) for key in ("acknowledged", "lost", "redelivered")
            )
            wait = " ".join(f"{row['wait_s']:5.1f}" for row in each if row["seconds"])
            took_s = step.ended_s - step.began_s
            yield f"{name:28} {took_s:5.0f} {acknowledged:12.0f} {lost:4.0f} {redelivered:11.0f} {wait}  {step.moved}"
        for name, run in self.loads.items():
            yield judged(name, run.verdict)


def timeline(folder: Path) -> list[dict[str, float]]:
    """What a load saw in each second: `at_s` of the epoch, acknowledged, and lost and redelivered until then."""
    start_s = int((folder / "start_ns").read_text(encoding="ascii")) / 1e9
    with (folder / "timeline.csv").open(encoding="utf-8", newline="") as file:
        return [
            {
                "at_s": start_s + float(row["t_s"]),
                "acknowledged": int(row["acknowledged"]),
                "lost": int(row["lost_so_far"] or 0),
                "redelivered": int(row["redelivered"] or 0),
                "wait_s": int(row["produce_p99_us"] or 0) / 1e6,
            }
            for row in csv.DictReader(file)
        ]


def during(rows: Sequence[dict[str, float]], began_s: float, ended_s: float) -> dict[str, float]:
    """The sum of a part of a timeline. What was due in a step may be acknowledged after it, and is the next one's."""
    until = [row for row in rows if row["at_s"] < ended_s]
    part = [row for row in until if row["at_s"] >= began_s]

    def more(key: str) -> float:
        before = until[: len(until) - len(part)]
        return max((row[key] for row in until), default=0) - max((row[key] for row in before), default=0)

    return {
        "seconds": len(part),
        "acknowledged": sum(row["acknowledged"] for row in part),
        "lost": more("lost"),
        "redelivered": more("redelivered"),
        "wait_s": max((row["wait_s"] for row in part), default=0),
    }


def judged(name: str, verdict: Any) -> str:
    """The verdict of a load in a line."""
    produced = verdict["produced"]
    sums = {key: sum(group[key] for group in verdict["groups"]) for key in ("lost", "redelivered", "reordered")}
    return (
        f"{name}: {produced['acknowledged']} acknowledged, {produced['failed']} failed, "
        + ", ".join(f"{count} {key}" for key, count in sums.items())
        + f", longest gap {verdict['availability']['longest_gap_s']} s"
    )


def metadata_version_at_first(name: str) -> int:
    """The metadata.version that a host's storage was formatted with: the highest one that the tool's release knew."""
    written = host(name).file(f"{MOUNT}/data/bootstrap.checkpoint").content
    (level,) = re.findall(rb"metadata\.version(..)", written, re.DOTALL)
    return int.from_bytes(level, "big")


def process_release(name: str) -> str:
    """The release whose classes a node's process has open."""
    pid = "$(systemctl show --value --property=MainPID kafka)"
    jar = "grep --only-matching 'kafka-server-[0-9.]*[0-9]' | sort --unique"
    found: str = host(name).check_output(f"ls -l /proc/{pid}/fd | {jar}")
    return found.removeprefix("kafka-server-")


@contextmanager
def under_load(folder: Path, nodes: Sequence[str], config: pytest.Config, *options: str) -> Iterator[Story]:
    """A story with one load that produces with transactions and one that does not; its table is printed at the end."""
    story = Story({}, nodes)
    try:
        story.loads["steady"] = load(folder / "steady", BOOTSTRAP, *options)
        story.loads["transactional"] = load(folder / "transactional", BOOTSTRAP, *TRANSACTIONS, "--group-prefix=tx-")
        yield story
        story.end_loads()
        capture = config.pluginmanager.getplugin("capturemanager")
        assert capture is not None
        with capture.global_and_fixture_disabled():
            print("", *story.table(), sep="\n")
    finally:
        for each in story.loads.values():
            if each.process.poll() is None:
                each.process.kill()


def nothing_went_wrong(verdict: Any) -> None:
    """Fail if anything acknowledged was lost, came in another order or twice, or was not read by one of the groups."""
    assert (verdict["produced"]["acknowledged"] > 0, verdict["produced"]["failed"]) == (True, 0)
    assert len(verdict["groups"]) == 3
    for group in verdict["groups"]:
        assert [group[each] for each in JUDGED] == [0, 0, 0, 0, True]
