"""The way of a running cluster from ZooKeeper to KRaft on Kafka 3.9, in phases of one run each.

Controllers on hosts of their own come first, then the brokers register with them, then they become KRaft brokers, and
at last the controllers leave ZooKeeper, from where there is no way back. What runs tells how far the cluster is, so
that any run goes on from there.
Source: https://kafka.apache.org/39/documentation.html#kraft_zk_migration
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .cluster import listed
from .host_state import CONTROLLER

ZOOKEEPER, CONTROLLERS, DUAL_WRITE, KRAFT_BROKERS, FINISHED = PHASES = (
    "zookeeper",
    "controllers",
    "dual_write",
    "kraft_brokers",
    "finished",
)
ENABLE = "zookeeper.metadata.migration.enable"
RELEASE = re.compile(r"3\.9\.\d+")
# Of the settings that Kafka's documentation wants away or at a value before a migration.
NOT_TRIED = {
    "inter.broker.protocol.version": "brokers of 3.9 take their own version without it",
    "log.message.format.version": "it has no meaning since Kafka 3.0",
    "control.plane.listener.name": "KRaft has no such listener",
    "authorizer.class.name": "a migration with ACLs was not tried",
    "zookeeper.set.acl": "an ensemble that asks for logins was not tried",
    "zookeeper.ssl.client.enable": "an ensemble with TLS was not tried",
    "broker.id.generation.enable": "each broker has kafka_node_id",
}
# What the log of a controller tells (KRaftMigrationDriver, FeatureControlManager).
DRIVER = re.compile(r"transitioning from (\w+) to (\w+) state")
REPLAYED = re.compile(r"Replayed a ZkMigrationStateRecord changing the migration state from (\w+) to (\w+)", re.I)
COPIED = re.compile(r"Completed migration of metadata from ZooKeeper to KRaft\. (.*)", re.I)
# Before a line of the journal: the seconds since the host has booted.
SINCE_BOOT = re.compile(r"\[ *(\d+\.\d+)\] ")
# A process whose first line in the journal is younger than that has lost the beginning of its log.
FIRST_LINE_WITHIN_S = 60


@dataclass(frozen=True)
class Node:
    """A host of the cluster's group, and what was found on it.

    `process` has the properties that its process was started with, None if none runs; `written` has those that the last
    run wrote. `formatted` tells whether each of its data directories has a meta.properties.
    """

    name: str
    node_id: int
    roles: Collection[str]
    process: Mapping[str, str] | None = None
    written: Mapping[str, str] = field(default_factory=dict)
    formatted: bool = False

    @property
    def is_controller(self) -> bool:
        """Whether it is one of the new controllers."""
        return list(self.roles) == [CONTROLLER]

    @property
    def phase(self) -> str:
        """In which phase its process was started; of one that is down, in which it is to be. "" if it was never up."""
        properties = self.written if self.process is None else self.process
        if not properties:
            return ""
        migrates = properties.get(ENABLE, "").lower() == "true"
        if self.is_controller:
            return CONTROLLERS if migrates else FINISHED
        if "process.roles" in properties:
            return KRAFT_BROKERS
        return DUAL_WRITE if migrates else ZOOKEEPER


@dataclass(frozen=True)
class Declared:
    """What the inventory says of the cluster as far as a migration depends on it.

    `keeps_ensemble` tells whether finished leaves the ZooKeeper servers as they are. `config` has the keys of all
    hosts' kafka_config, `absent` the hosts of the cluster that the run leaves out.
    """

    mode: str
    phase: str
    version: str
    security: str
    log_level: str
    confirmed: bool = False
    keeps_ensemble: bool = False
    config: Collection[str] = ()
    absent: Sequence[str] = ()


def node_mode(mode: str, phase: str, roles: Collection[str]) -> str:
    """Which mode a node is in: the declared one of the cluster but in the phases in which nodes differ."""
    if mode != "zookeeper" or phase in ("", ZOOKEEPER):
        return mode
    return "kraft" if list(roles) == [CONTROLLER] or phase in (KRAFT_BROKERS, FINISHED) else mode


def connects_both(mode: str, phase: str, roles: Collection[str]) -> bool:
    """Whether the node needs both the controllers and ZooKeeper."""
    if mode != "zookeeper":
        return False
    if list(roles) == [CONTROLLER]:
        return phase in (CONTROLLERS, DUAL_WRITE, KRAFT_BROKERS)
    return phase == DUAL_WRITE


def inventory_refusals(declared: Declared, nodes: Sequence[Node]) -> Iterator[str]:
    """Yield why the cluster as it is declared cannot be migrated, in sentences that name the variable."""
    if declared.phase not in PHASES:
        yield f"kafka_migration_phase: declare the phase that is wanted, one of {', '.join(PHASES)}."
        return
    if declared.mode != "zookeeper" and declared.phase != FINISHED:
        yield (
            f"kafka_mode: it is {declared.mode}; until kafka_migration_phase finished has been reached the cluster is"
            " declared as kafka_mode zookeeper."
        )
    if not RELEASE.fullmatch(declared.version) and declared.phase != FINISHED:
        yield (
            f"kafka_version: {declared.version} cannot be migrated. Only 3.9 has both sides: upgrade to 3.9 before the"
            " migration, and to a later release after it."
        )
    if declared.security != "plaintext":
        yield (
            f"kafka_security: a migration with {declared.security} was not tried. Migrate in plaintext, and secure the"
            " cluster then."
        )
    for key in sorted(NOT_TRIED.keys() & set(declared.config)):
        yield f"kafka_config: take {key} away for the migration; {NOT_TRIED[key]}."
    if declared.log_level not in ("INFO", "DEBUG", "TRACE", "ALL"):
        yield (
            f"kafka_log_levels: root is {declared.log_level}; how far controllers are is read in their log, which needs"
            " INFO."
        )
    if declared.absent:
        yield f"--limit: a migration is for the whole cluster; this run leaves out {listed(declared.absent)}."
    yield from _role_refusals(nodes)


def _role_refusals(nodes: Sequence[Node]) -> Iterator[str]:
    if both := [node.name for node in nodes if len(set(node.roles)) != 1]:
        yield (
            f"kafka_process_roles: {_all(both, 'is', 'are')} broker and controller. After a"
            " migration the controllers are hosts of their own: declare [broker] for the brokers and [controller] for"
            " the new hosts."
        )
        return
    controllers = [node for node in nodes if node.is_controller]
    if len(controllers) < 3 or len(controllers) % 2 == 0:
        yield (
            f"kafka_process_roles: there are {len(controllers)} hosts with [controller]; a migration needs an odd"
            " number of them, three or more."
        )


def _all(names: Sequence[str], one: str, many: str) -> str:
    """The names, and what is said of one or of many."""
    return f"{listed(names)} {one if len(names) == 1 else many}"


def refusals(declared: Declared, nodes: Sequence[Node]) -> Iterator[str]:
    """Yield why the cluster cannot come from what runs to the declared phase by one run, in sentences."""
    phase = declared.phase
    brokers = [node for node in nodes if not node.is_controller]
    controllers = [node for node in nodes if node.is_controller]
    down = [node.name for node in brokers if node.process is None]
    if down and phase != ZOOKEEPER:
        yield f"kafka_migration_phase: {_all(down, 'does not run', 'do not run')}. Start it, or go back with zookeeper."
    at = {name: [node.name for node in brokers if node.phase == name] for name in PHASES}
    finished = [node.name for node in controllers if node.phase == FINISHED]
    if finished and phase != FINISHED:
        yield (
            f"kafka_migration_phase: {_all(finished, 'has left', 'have left')} ZooKeeper, from where no way leads"
            " back. Declare finished."
        )
        return
    reached = _reached(at, controllers)
    if sentence := _skips(phase, reached, at):
        yield sentence
        return
    blank = [node.name for node in controllers if not node.formatted]
    silent = [node.name for node in controllers if node.process is None and node.formatted]
    if silent and phase not in (ZOOKEEPER, CONTROLLERS):
        yield (
            f"kafka_migration_phase: {_all(silent, 'does not run', 'do not run')}, and {phase} needs each"
            " controller. Start it (systemctl start kafka), or go back with zookeeper."
        )
    if blank and phase not in (ZOOKEEPER, CONTROLLERS):
        yield (
            f"kafka_migration_phase: {_all(blank, 'has no', 'have no')} metadata log, so that the controllers are not"
            " those that the migration began with. Declare zookeeper, which goes back, and begin again."
        )
        return
    if phase == FINISHED and not declared.confirmed and reached != FINISHED:
        taken_down = "" if declared.keeps_ensemble else ", and the ensemble is taken down"
        yield (
            "kafka_migration_finish: finished is the point of no return: from then on ZooKeeper knows nothing of what"
            f" happens{taken_down}. Confirm with -e kafka_migration_finish=yes."
        )


def _reached(at: Mapping[str, Sequence[str]], controllers: Sequence[Node]) -> str:
    """The phase that is reached, of two the later one."""
    if any(node.phase == FINISHED for node in controllers):
        return FINISHED
    for phase in (KRAFT_BROKERS, DUAL_WRITE):
        if at[phase]:
            return phase
    return CONTROLLERS if any(node.phase == CONTROLLERS for node in controllers) else ZOOKEEPER


def _skips(phase: str, reached: str, at: Mapping[str, Sequence[str]]) -> str:
    """Why the phase cannot be reached by one run, "" if it can."""
    told = f"the cluster is in {reached}"
    mixed = [name for name in (ZOOKEEPER, DUAL_WRITE, KRAFT_BROKERS) if at[name]]
    if len(mixed) > 1:
        told = "; ".join(f"{listed(at[name])}: {name}" for name in mixed)
    there, here = PHASES.index(phase), PHASES.index(reached)
    following = ""
    if phase == CONTROLLERS and here > there:
        following = DUAL_WRITE if reached == KRAFT_BROKERS else ZOOKEEPER
    elif phase == ZOOKEEPER and at[KRAFT_BROKERS]:
        following = DUAL_WRITE
    elif there > here + 1:
        following = PHASES[here + 1]
    elif phase == KRAFT_BROKERS and at[ZOOKEEPER]:
        following = DUAL_WRITE
    elif phase == FINISHED and (at[DUAL_WRITE] or at[ZOOKEEPER]):
        following = KRAFT_BROKERS
    if not following:
        return ""
    return f"kafka_migration_phase: {phase} cannot be reached by one run ({told}). Declare {following} next."


def undeclared(mode: str, phase: str, nodes: Iterable[Node], migrates: bool) -> Iterator[str]:
    """Yield why site.yml may not be run so, in sentences: a phase is reached by the playbook of the migration alone.

    Args:
        mode: The declared one.
        phase: The declared one, "" for none.
        nodes: The hosts of the cluster's group.
        migrates: Whether that playbook is what runs.
    """
    known = list(nodes)
    started = [node for node in known if node.phase]
    if mode == "kraft":
        former = [node.name for node in started if not node.is_controller and node.phase != KRAFT_BROKERS]
        former += [node.name for node in started if node.is_controller and node.phase != FINISHED]
        if former and phase != FINISHED:
            yield (
                f"kafka_mode: {_all(former, 'still needs', 'still need')} ZooKeeper. playbooks/migrate_to_kraft.yml"
                " leads to KRaft (docs/operations.md)."
            )
        return
    if phase in ("", ZOOKEEPER):
        ahead = [node.name for node in started if not node.is_controller and node.phase != ZOOKEEPER]
        if ahead and not migrates:
            yield (
                f"kafka_migration_phase: {_all(ahead, 'is on the way', 'are on the way')} to KRaft. Declare the"
                " phase that playbooks/migrate_to_kraft.yml was last run with."
            )
        elif controllers := [node.name for node in known if list(node.roles) == [CONTROLLER]]:
            yield (
                f"kafka_process_roles: {_all(controllers, 'is to be a controller', 'are to be controllers')} alone,"
                " which ZooKeeper mode does not have. playbooks/migrate_to_kraft.yml brings it up (docs/operations.md)."
            )
        return
    behind = [node.name for node in known if node.phase != expected_phase(phase, node)]
    if behind and not migrates:
        yield (
            f"kafka_migration_phase: {_all(behind, 'has not', 'have not')} reached {phase}, and only"
            " playbooks/migrate_to_kraft.yml changes a phase."
        )


def expected_phase(phase: str, node: Node) -> str:
    """What `Node.phase` is when the cluster has reached this phase."""
    if node.is_controller:
        return FINISHED if phase == FINISHED else CONTROLLERS
    return {CONTROLLERS: ZOOKEEPER, FINISHED: KRAFT_BROKERS}.get(phase, phase)


@dataclass(frozen=True)
class Replica:
    """A row of `kafka-metadata-quorum describe --replication`; `behind_ms` is since when it has not been caught up."""

    node_id: int
    behind_ms: int
    status: str


def parse_replication(text: str) -> list[Replica]:
    """Return the replicas in what `kafka-metadata-quorum describe --replication` prints."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    header = next((line for line in lines if line[:1] == ["NodeId"]), None)
    if header is None:
        return []
    node_id, caught_up, status = (header.index(name) for name in ("NodeId", "LastCaughtUpTimestamp", "Status"))
    rows = [line for line in lines if len(line) == len(header) and line[node_id].isdigit()]
    # The leader stamps all of them, so that no other clock is involved.
    now = max((int(row[caught_up]) for row in rows), default=0)
    return [Replica(int(row[node_id]), now - int(row[caught_up]), row[status]) for row in rows]


@dataclass(frozen=True)
class ControllerLog:
    """What a controller's process has logged of the migration: the states it was in last, and what was copied.

    `cut` tells whether the beginning of its log is gone, and with it, perhaps, the states: it logs each once, when it
    has started or when the state changes (Kafka 3.9, `FeatureControlManager.replay`,
    `KRaftMigrationDriver.transitionTo`).
    """

    driver: str = ""
    state: str = ""
    copied: str = ""
    cut: bool = False


def read_log(lines: Iterable[str], started_s: float) -> ControllerLog:
    """Return what the lines of a controller's log tell.

    Args:
        lines: As `journalctl --output=short-monotonic` prints them.
        started_s: When the process was started, in seconds since the host had booted.
    """
    driver = state = copied = ""
    first_s = None
    for line in lines:
        if first_s is None and (stamp := SINCE_BOOT.match(line)):
            first_s = float(stamp[1])
        if match := DRIVER.search(line):
            driver = match[2]
        elif match := REPLAYED.search(line):
            state = match[2]
        elif match := COPIED.search(line):
            copied = match[1].strip()
    cut = first_s is None or first_s > started_s + FIRST_LINE_WITHIN_S
    return ControllerLog(driver, state, copied, cut)


# What the driver of the active controller goes through once it waits for brokers; the last lasts.
WAITING = (
    "WAIT_FOR_BROKERS",
    "BECOME_CONTROLLER",
    "ZK_MIGRATION",
    "SYNC_KRAFT_TO_ZK",
    "KRAFT_CONTROLLER_TO_BROKER_COMM",
    "DUAL_WRITE",
)
# A record every half second is new, so that no voter is at the end of the log for long.
BEHIND_MS = 5000
# By phase: the state that each controller has replayed, and that of the active controller's driver. A phase that was
# interrupted may have gone on to the next state by itself.
AWAITED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    CONTROLLERS: (("PRE_MIGRATION", "MIGRATION"), WAITING),
    DUAL_WRITE: (("MIGRATION",), ("DUAL_WRITE",)),
    KRAFT_BROKERS: (("MIGRATION", "POST_MIGRATION"), ("DUAL_WRITE",)),
    FINISHED: (("POST_MIGRATION",), ()),
}


def unreached(
    phase: str, node_id: int, voters: Collection[int], replicas: Sequence[Replica], log: ControllerLog
) -> list[str]:
    """Reasons why a controller, asked by itself, has not reached the phase.

    Kafka's own check that all controllers are ready knows none where the quorum is dynamic, and passes.

    Args:
        phase: The one waited for.
        node_id: The controller that was asked.
        voters: The ids of all controllers.
        replicas: What it says of the quorum.
        log: What its process has logged.
    """
    states, drivers = AWAITED[phase]
    leader = [replica.node_id for replica in replicas if replica.status == "Leader"]
    voting = {replica.node_id for replica in replicas if replica.status in ("Leader", "Follower")}
    if not leader:
        return [f"controller {node_id} knows no leader"]
    reasons = []
    if missing := sorted(set(voters) - voting):
        reasons.append(f"controller {node_id} does not know {listed(missing)} as a voter")
    if behind := [
        replica.node_id for replica in replicas if replica.node_id in voting and replica.behind_ms > BEHIND_MS
    ]:
        reasons.append(f"controller {listed(behind)} is behind in the metadata log")
    is_driven = leader == [node_id] and bool(drivers) and log.state != "POST_MIGRATION"
    if log.cut and (not log.state or (is_driven and not log.driver)):
        reasons.append(
            f"controller {node_id} logged its state so long ago that its journal no longer has it. Restart the"
            " controller (systemctl restart kafka), which then logs its state again. If others say the same, restart"
            " them one at a time, each once the one before follows again (docs/operations.md). Then repeat this run"
        )
        return reasons
    if log.state not in states:
        reasons.append(f"controller {node_id} is in {log.state or 'no state of a migration'}, not {listed(states)}")
    if is_driven and log.driver not in drivers:
        reasons.append(f"the active controller {node_id} is in {log.driver or 'no state'}, not {listed(drivers)}")
    return reasons


_NEXT_STEP = {
    ZOOKEEPER: "The cluster is in ZooKeeper mode; the controllers and what they had stored are gone. A new attempt"
    " begins with controllers.",
    CONTROLLERS: "The controllers wait for the brokers; no broker was touched. Next: dual_write. (zookeeper goes"
    " back.)",
    DUAL_WRITE: "The controllers have copied the metadata, lead the cluster and write to ZooKeeper too. Next:"
    " kraft_brokers. (zookeeper goes back.)",
    KRAFT_BROKERS: "All brokers are KRaft brokers; the controllers still write to ZooKeeper. Next: finished, the"
    " point of no return. (dual_write, then zookeeper, goes back.)",
    FINISHED: "The cluster is a KRaft cluster. Set kafka_mode to kraft in the inventory, and take"
    " kafka_migration_phase away; site.yml then finds nothing to change.",
}


def next_step(phase: str, kept: Sequence[str] = (), shared: Sequence[str] = ()) -> str:
    """What to do after a run that reached the phase.

    Args:
        phase: The one that was reached.
        kept: The hosts whose ZooKeeper servers the run has left as they were, although it could have taken them down.
        shared: Those of them that are nodes of the cluster too.
    """
    told = [_NEXT_STEP[phase]]
    if kept:
        told.append(
            f"The ZooKeeper {'servers' if len(kept) > 1 else 'server'} on {listed(kept)}, the firewall rules for"
            " ZooKeeper and its data are as they were (migration_keep_ensemble)."
        )
    if shared:
        told.append(
            f"The next run of site.yml closes ZooKeeper's ports on {listed(shared)}: declare them in"
            " firewall_extra_rules before."
        )
    return " ".join(told)
