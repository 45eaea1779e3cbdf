"""One row, from a healthy cluster to a healthy cluster: load, fault, evidence, healing, verdict, audit."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from live import BOOTSTRAP, BROKERS, SITE, Run, host, play, replicas_in_sync
from logged import added, errors

from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError, Endpoint, wait_until
from ansible_collections.crucible.kafka.plugins.module_utils.fault_plan import unhealthy
from ansible_collections.crucible.kafka.plugins.module_utils.survey import (
    elect_preferred,
    read_partitions,
    survey,
    unresponsive_brokers,
)

from . import members
from .audit import TOPICS, Audit, audit
from .epochs import written_twice_by_brokers
from .evidence import OBSERVATIONS, Scope
from .identities import Claimed, claimed
from .load import Load
from .rows import Row

FAULT = "playbooks/fault.yml"
STATE = "/var/lib/crucible-fault"
HEALTH_S, SEEN_S, LINGER_S = 240.0, 120.0, 3.0
NODES = {name: number for number, name in enumerate(BROKERS, start=1)}


class ScenarioError(RuntimeError):
    """A step could not be done; the message is what Ansible or the cluster said."""


@dataclass
class Outcome:
    """What came of a row; `error` says why it proves nothing, if so."""

    row: Row
    verdict: dict[str, Any] = field(default_factory=dict)
    hosts: list[str] = field(default_factory=list)
    seen: dict[str, Any] = field(default_factory=dict)
    logged: dict[str, list[str]] = field(default_factory=dict)
    audit: Audit | None = None
    claimed: Claimed | None = None
    twice_by_brokers: int | None = None
    taken: int | None = None
    recovered_s: float | None = None
    report: str = ""
    error: str = ""

    def value(self, name: str) -> float:
        """A figure of the verdict by the name of its limit: over all groups the highest."""
        if name == "longest_gap_s":
            return float(self.verdict["availability"][name])
        if name in self.verdict["produced"]:
            return float(self.verdict["produced"][name])
        return float(max(group[name] for group in self.verdict["groups"]))

    @property
    def finding(self) -> str:
        """What a client did that Kafka does not promise to prevent; empty if nothing."""
        if self.audit is None or self.row.kind != "promise":
            return ""
        copies = self.audit.copies - (self.twice_by_brokers or 0)
        return f"{copies} written twice by the client (librdkafka issue 4953)" if copies else ""

    def as_dict(self) -> dict[str, Any]:
        """The outcome as JSON has it."""
        facts = asdict(replace(self, audit=None, claimed=None))
        facts["audit"] = self.audit.as_dict() if self.audit else None
        del facts["claimed"]
        return facts


class Scenario:
    """The stage on which the steps of a row are done; each verb of a step is a method."""

    def __init__(self, row: Row, load: Load, extra: Mapping[str, Any]) -> None:
        self.row, self.load = row, load
        self.outcome_hosts: list[str] = []
        self.seen: dict[str, Any] = {}
        self.moved_s: float | None = None
        self.taken: int | None = None
        self._extra = extra
        self._member: int | None = None
        self._active: dict[str, list[str]] = {}
        self._since = time.time()

    # -- the verbs

    def inject(self, fault: str, **said: Any) -> None:
        """Break something, and look at what hosts and clients show."""
        if said.get("target") == "hit":
            said["target"] = self.outcome_hosts[0]
        self._fault(fault, "inject", **said)
        hit = self._hit(fault)
        if not hit:
            raise ScenarioError(f"{fault} is active on no host")
        self._active[fault], self._since = list(hit), min(hit.values())
        self.outcome_hosts = sorted({*self.outcome_hosts, *hit})
        for name, at in hit.items():
            self._mark(fault, name, at)
        self._observe(hit)

    def hold(self, seconds: float) -> None:
        """Leave it broken until so many seconds after it was injected or partly healed."""
        time.sleep(max(0.0, self._since + seconds - time.time()))

    def heal(self, fault: str, first: bool = False) -> None:
        """Heal all hosts, or only the first."""
        hosts = self._active[fault][:1] if first else self._active.pop(fault)
        self._fault(fault, "heal", *(["--limit", ",".join(hosts)] if first else []))
        for name in hosts:
            self._since = float(host(name).file(f"{STATE}/{fault}/healed").content_string)
            self.load.mark(fault, name, self._since, healed=True)

    def roll(self, playbook: str) -> None:
        """Restart all brokers by the gate of the kafka role."""
        began = time.time()
        self.load.mark("rolling_restart", "all", began)
        self._play(playbook)
        self.load.mark("rolling_restart", "all", time.time(), healed=True)
        self._observe(dict.fromkeys(BROKERS, began))

    def signal_member(self, name: str) -> None:
        """Send a signal to a member of the warehouse's group; for KILL and STOP wait until the group gives it up."""

        def found() -> bool:
            self._member = self._member or members.victim(self.load.folder / "journal")
            return self._member is not None

        self.load.wait(found, SEEN_S, "no member of the group committed anything")
        pid, before = self._member or 0, members.count()
        self._since = time.time()
        os.kill(pid, getattr(signal, f"SIG{name}"))
        self.load.mark(
            "kill_consumer" if name == "KILL" else "pause_consumer", str(pid), self._since, healed=name == "CONT"
        )
        if name != "CONT":
            self.load.wait(lambda: members.count() == before - 1, SEEN_S * 3, "the group did not give the member up")
            self.moved_s = time.time() - self._since

    def commit_before_process(self, records: int) -> None:
        """Let a member take records with it that it has committed and not processed."""
        self.taken = members.commit_before_process(records)
        self.load.mark("commit_before_process", f"{self.taken} records", time.time())

    def repeat(self, fault: str, every_s: float, times: int, down_s: int, seed: int) -> None:
        """Hit the leader of a random partition again and again; it is the host's own timer that heals."""
        chance = random.Random(seed)  # It need not be unpredictable, it must be repeatable.
        for _ in range(times):
            began = time.time()
            partition = f"{(topic := chance.choice(TOPICS))}-{chance.randrange(3 if topic == 'orders' else 12)}"
            self._fault(fault, "inject", partition=partition, target="leader", duration_s=down_s, grace_s=0)
            for name, at in self._hit(fault).items():
                self._mark(fault, name, at)
                self.outcome_hosts = sorted({*self.outcome_hosts, name})
            wait_healthy(every_s * 3)
            time.sleep(max(0.0, began + every_s - time.time()))

    # -- what they need

    def rescue(self) -> None:
        """Heal whatever a step that failed left behind."""
        for fault in list(self._active):
            self.heal(fault)

    def _fault(self, fault: str, phase: str, *args: str, **said: Any) -> None:
        self._play(
            FAULT, *args, fault=fault, fault_phase=phase, **{f"fault_{name}": value for name, value in said.items()}
        )

    def _play(self, *args: str, **extra: Any) -> None:
        run = play(*args, **{**self._extra, "kafka_timing": self.row.timing, **extra})
        if not run.ok:
            raise ScenarioError(_why(run))

    def _hit(self, fault: str) -> dict[str, float]:
        active = {name: host(name).file(f"{STATE}/{fault}/active") for name in BROKERS}
        return {name: float(file.content_string) for name, file in active.items() if file.exists}

    def _mark(self, fault: str, name: str, ordered_s: float) -> None:
        """Mark a fault when its check on the host first saw it; when it was ordered if the host went away with it."""
        seen = host(name).file(f"{STATE}/{fault}/seen")
        at_s = float(seen.content_string) if seen.exists else ordered_s
        self.load.mark(fault, name, at_s, ordered_s=ordered_s)

    def _observe(self, hosts: Mapping[str, float]) -> None:
        for scope in (Scope(name, host(name), self.load, at) for name, at in hosts.items()):
            deadline = time.monotonic() + SEEN_S
            for name, expected in self.row.seen.items():
                while (found := OBSERVATIONS[name](scope)) != expected and time.monotonic() < deadline:
                    time.sleep(0.2)
                if self.seen.get(name, expected) == expected:
                    self.seen[name] = found


def _why(run: Run) -> str:
    """The errors out of all that a playbook printed."""
    return run.sentences.partition("[ERROR]: ")[2][:1500] or run.sentences[-1500:]


def wait_healthy(timeout_s: float = HEALTH_S) -> None:
    """Wait until every broker serves and every replica is in sync.

    Raises:
        ScenarioError: They were not in time.
    """
    cluster = Endpoint(BOOTSTRAP, {}, 3.0)

    def reasons() -> list[str]:
        state = survey(cluster)
        return unhealthy(state, NODES.values(), unresponsive_brokers(cluster, state))

    if sick := wait_until(reasons, timeout_s):
        raise ScenarioError(f"The cluster is not healthy after {timeout_s:.0f} s: {'; '.join(sick)}")


def give_leadership_back() -> None:
    """Let every partition be led by its first replica again, as before the row before."""
    with Endpoint(BOOTSTRAP, {}, 30.0).connect() as admin:
        elect_preferred(admin, read_partitions(admin))


def configure(settings: Mapping[str, Any], operation: AlterConfigOpType = AlterConfigOpType.SET) -> None:
    """Set, or with another operation reset, configuration of the shop's topics."""
    entries = [ConfigEntry(key, str(value), incremental_operation=operation) for key, value in settings.items()]
    admin = AdminClient({"bootstrap.servers": ",".join(BOOTSTRAP), "log_level": 0})
    resources = [ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries) for topic in TOPICS]
    for done in admin.incremental_alter_configs(resources).values() if entries else ():
        done.result(10)


def perform(row: Row, results: Path, extra: Mapping[str, Any]) -> Outcome:
    """Do a row; never raises for what the cluster or the load did, so that the next row has its turn."""
    outcome = Outcome(row)
    try:
        _perform(outcome, results / row.name, extra)
    except (RuntimeError, AdminError, AssertionError, OSError, subprocess.SubprocessError) as error:
        outcome.error = f"{type(error).__name__}: {error}"
    return outcome


def _perform(outcome: Outcome, results: Path, extra: Mapping[str, Any]) -> None:
    row = outcome.row
    wait_healthy()
    before = _errors()
    give_leadership_back()
    configure(row.topics)
    since_ns = time.time_ns()
    load = Load(row, results)
    try:
        with load:
            _act(Scenario(row, load, extra), outcome)
    finally:
        configure(row.topics, AlterConfigOpType.DELETE)
        if load.verdict:
            outcome.verdict, outcome.report = load.verdict, str(load.folder / "report.html")
            outcome.claimed = claimed(load.folder)
    outcome.recovered_s = outcome.recovered_s or load.recovered_s()
    outcome.logged = {name: added(before[name], lines) for name, lines in _errors().items()}
    outcome.audit = audit(BOOTSTRAP, since_ns)
    outcome.twice_by_brokers = written_twice_by_brokers(outcome.audit.places)


def _errors() -> dict[str, list[str]]:
    return {name: errors(host(name)) for name in BROKERS}


def _act(scenario: Scenario, outcome: Outcome) -> None:
    try:
        for step in scenario.row.steps:
            (verb, what), *said = step.items()
            getattr(scenario, verb)(what, **dict(said))
    finally:
        scenario.rescue()
        outcome.hosts, outcome.seen = scenario.outcome_hosts, scenario.seen
        outcome.taken, outcome.recovered_s = scenario.taken, scenario.moved_s
    replicas_in_sync(HEALTH_S)
    time.sleep(LINGER_S)


def deploy(timing: str, extra: Mapping[str, Any]) -> None:
    """Bring the cluster to a timing.

    Raises:
        ScenarioError: The playbook failed.
    """
    # Heartbeats become rarer last: a controller that still waits as briefly as before would fence every healthy broker.
    steps: dict[str, list[dict[str, Any]]] = {
        "fast": [{}],
        "default": [{"kafka_config": {"broker.heartbeat.interval.ms": 250}}, {}],
    }
    for step in steps[timing]:
        run = play(SITE, **{**extra, "kafka_timing": timing, **step})
        if not run.ok:
            raise ScenarioError(_why(run))
