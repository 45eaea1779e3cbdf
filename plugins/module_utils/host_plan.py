"""What each host needs, and why: the one place where a start, a restart, a rejoin and a format are decided.

A host without metadata is formatted as one of the first controllers only while the cluster has never served; afterwards
it is a new host, or one that lost its disk, and joins those that serve (KIP-853). A running broker or controller is
changed in its turn of the rolling restart. What cannot be done safely is refused for all hosts at once, before anything
is touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from . import identity, membership, upgrade_plan
from .cluster import NO_DIRECTORY, ClusterState, QuorumReplica, listed
from .host_state import BROKER, CONTROLLER, Host
from .restart_needed import restart_reasons
from .rolling_restart_order import newcomers, without_a_spare

NONE, START, RESTART, REJOIN = "none", "start", "restart", "rejoin"
AUTHORIZER = "authorizer.class.name"


@dataclass(frozen=True)
class Found:
    """What was found: every host of the inventory, also those that this run may not change, and the cluster.

    `cluster` is None when none answers; `serving` are the brokers that each answer themselves, `behind` the nodes with
    something to catch up with. `restart_keys` and `dynamic_keys` have, by node id, the changed keys of a running broker
    that it takes only by a restart, or while it runs; a node that could not be asked is in neither. `topic_settings`
    has, by topic, those of `upgrade_plan.TOPIC_SETTINGS` that it has of its own, where a process runs another release.
    `reason` is why no cluster answers, `refusal` what to change where brokers do not let the admin client in, "" else.
    """

    hosts: Sequence[Host]
    cluster: ClusterState | None = None
    serving: Sequence[int] = ()
    behind: Sequence[int] = ()
    restart_keys: Mapping[int, Sequence[str]] = field(default_factory=dict)
    dynamic_keys: Mapping[int, Sequence[str]] = field(default_factory=dict)
    topic_settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    reason: str = ""
    refusal: str = ""

    @property
    def bootstrapped(self) -> bool:
        """Whether there is or was a cluster."""
        return identity.bootstrapped(self.hosts, self.cluster is not None)

    @property
    def runs(self) -> bool:
        """Whether a process runs on any host, whatever it answers."""
        return any(host.process for host in self.hosts)

    @property
    def unanswered(self) -> bool:
        """Whether there is a cluster that does not answer, so that nothing is known of its members and partitions."""
        return self.cluster is None and (self.bootstrapped or self.runs)

    def voter(self, node_id: int) -> QuorumReplica | None:
        """The voter with that id, if any."""
        quorum = self.cluster.quorum if self.cluster else None
        return next((voter for voter in quorum.voters if voter.node_id == node_id), None) if quorum else None

    @property
    def static_quorum(self) -> bool:
        """Whether the set of voters is fixed, so that no node can join or leave it."""
        quorum = self.cluster.quorum if self.cluster else None
        return quorum is not None and any(voter.directory_id in NO_DIRECTORY for voter in quorum.voters)


@dataclass(frozen=True)
class Declared:
    """What the inventory says of the cluster as a whole; `cluster_id` is "" for none.

    `preview` says that nothing is going to be changed (check mode), so that a bare host's disk is not mounted yet.
    `before_mounts` says that disks are mounted later in the run: what is not mounted is not judged, and the plan for it
    is not final. `release` is the one that each process is to run, such as 4.3.1; "" leaves it out of the plan.
    """

    mode: str
    cluster_id: str = ""
    preview: bool = False
    before_mounts: bool = False
    release: str = ""


@dataclass(frozen=True)
class Steps:
    """What a host needs, and why.

    Attributes:
        action: none, start, restart or rejoin.
        reasons: Why, in words that follow "because".
        in_turn: Whether the action waits for the host's turn of the rolling restart.
        format: "" (nothing), "initial" (as one of the first controllers) or "join" (blank directories only).
        format_dirs: The directories that the format is for.
        starts_process: Whether the action starts the process, or starts it anew.
        remove_voter: Directory id under which the node votes and no longer shall, "" for none.
        add_voter: Whether it has to be made a voter once it follows the metadata log.
        dynamic_keys: The changed keys that the running broker takes without a restart.
        wait: Why the host is waited for although nothing is done to it, "" if it is not.
    """

    action: str = NONE
    reasons: Sequence[str] = ()
    in_turn: bool = False
    format: str = ""
    format_dirs: Sequence[str] = ()
    starts_process: bool = False
    remove_voter: str = ""
    add_voter: bool = False
    dynamic_keys: Sequence[str] = ()
    wait: str = ""

    def __str__(self) -> str:
        parts = []
        if self.action != NONE:
            parts.append(f"{self.action}, because {' and '.join(self.reasons)}")
        if self.format_dirs:
            parts.append(f"format {', '.join(self.format_dirs)}")
        if self.dynamic_keys:
            parts.append(f"set {listed(self.dynamic_keys)} without a restart")
        if self.wait:
            parts.append(f"wait for it, because {self.wait}")
        return "; ".join(parts) or "nothing to do"


@dataclass(frozen=True)
class Plan:
    """The cluster's id, its first controllers as kafka-storage takes them, and the steps of each host in the run.

    `notes` are worth knowing and change nothing; `final` is False as long as a disk is yet to be mounted;
    `unanswered` says that there is a cluster and it could not be asked;
    `drops_requests` says that the declared release no longer serves requests that one of those that run does;
    `format_release` is the one by which blank directories of a cluster that is already bootstrapped are formatted, and
    `format_source` a host that runs it, "" where it is the declared one.
    """

    cluster_id: str
    initial_controllers: str
    steps: Mapping[str, Steps]
    notes: Sequence[str] = ()
    final: bool = True
    drops_requests: bool = False
    format_release: str = ""
    format_source: str = ""
    unanswered: bool = False

    @property
    def lines(self) -> list[str]:
        """The plan as the run prints it: a line for each host, and what is to be known besides."""
        return [*(f"{name}: {steps}" for name, steps in self.steps.items()), *self.notes]


def plan(found: Found, declared: Declared) -> Plan:
    """Decide for the whole cluster at once.

    Raises:
        identity.Refusal: Nothing may be changed on any host.
    """
    steps = {host.name: _steps(host, found, declared.mode) for host in found.hosts if host.in_run}
    change = _release_change(found, declared, steps)
    kraft = any(_is_kraft(host, declared.mode) for host in found.hosts)
    if problems := [*_problems(found, declared, steps), *upgrade_plan.problems(change)]:
        raise identity.Refusal(*problems)
    cluster_id = identity.known_id(found.hosts, declared.cluster_id)
    if kraft:
        cluster_id = cluster_id or identity.new_id()
    return Plan(
        cluster_id,
        identity.initial_controllers(cluster_id, found.hosts) if kraft else "",
        steps,
        [*_unasked(found), *upgrade_plan.notes(change), *membership.notes(found.cluster, found.hosts)],
        all(host.mounted for host in found.hosts if host.in_run),
        upgrade_plan.drops_requests(change),
        upgrade_plan.format_release(change),
        upgrade_plan.format_source(change),
        found.unanswered,
    )


def _unasked(found: Found) -> Iterator[str]:
    if found.unanswered:
        yield f"the cluster was not asked, and nothing was compared with it: {found.reason}"


def _release_change(found: Found, declared: Declared, steps: Mapping[str, Steps]) -> upgrade_plan.ReleaseChange:
    running = {host.name: host.process.release for host in found.hosts if host.process and host.process.release}
    properties = {key: value for host in found.hosts for key, value in host.properties.items()}
    segment_bytes = properties.get("log.segment.bytes", "")
    return upgrade_plan.ReleaseChange(
        declared.release,
        running if declared.release else {},
        properties,
        int(segment_bytes) if segment_bytes.isdigit() else None,
        found.topic_settings,
        [name for name, each in steps.items() if each.format == "join"],
    )


def _steps(host: Host, found: Found, mode: str) -> Steps:
    has_served = host.bootstrapped or found.cluster is not None
    kraft = _is_kraft(host, mode)
    dynamic_keys = found.dynamic_keys.get(host.node_id, ())
    if kraft and host.unformatted_dirs and not found.bootstrapped:
        return Steps(START, ["the cluster is new"], False, "initial", host.unformatted_dirs, True)
    if kraft and host.unformatted_dirs and _forms_quorum(host, found, mode):
        return Steps(START, ["the controllers are new"], False, "initial", host.unformatted_dirs, True)
    reasons = list(restart_reasons(host, found.restart_keys.get(host.node_id))) if host.process else []
    unseen = [_NOT_LET_IN_YET] if _is_refused(host, found) else []
    if host.process:
        reasons += unseen
    format_as = "join" if kraft and host.unformatted_dirs else ""
    remove, add = _vote(host, found) if kraft else ("", False)
    if kraft and (host.lost_metadata or add):
        return Steps(
            REJOIN,
            [*_rejoin_reasons(host, found), *reasons],
            True,
            format_as,
            host.unformatted_dirs,
            host.lost_metadata or host.process is None or bool(reasons),
            remove,
            add,
        )
    if remove:
        reasons.insert(0, "it is no longer to be a controller")
    if not host.process:
        why = ["it does not run", *([f"{listed(host.unformatted_dirs)} is blank"] if format_as else []), *unseen]
        in_turn = has_served and bool(format_as or remove or unseen)
        return Steps(START, why, in_turn, format_as, _formatted(host, format_as), True, remove)
    if reasons:
        action = RESTART if has_served else START
        return Steps(
            action, reasons, has_served, format_as, _formatted(host, format_as), True, remove, False, dynamic_keys
        )
    return Steps(dynamic_keys=dynamic_keys, wait=_waited_for(host, found))


def _is_kraft(host: Host, mode: str) -> bool:
    return (host.mode or mode) == "kraft"


def _forms_quorum(host: Host, found: Found, mode: str) -> bool:
    """Whether the host is one of the first controllers of a cluster that ZooKeeper still leads."""
    led = found.cluster is not None and found.cluster.quorum is None
    return mode == "zookeeper" and led and CONTROLLER in host.roles and not host.bootstrapped


def _formatted(host: Host, format_as: str) -> Sequence[str]:
    return host.unformatted_dirs if format_as else ()


def _vote(host: Host, found: Found) -> tuple[str, bool]:
    """The directory id whose vote is to be removed ("" for none), and whether the node has to be made a voter."""
    if found.cluster is None or found.cluster.quorum is None or found.static_quorum:
        return "", False
    voter = found.voter(host.node_id)
    if CONTROLLER not in host.roles:
        return (voter.directory_id if voter else ""), False
    if voter is None:
        return "", True
    if voter.directory_id == host.metadata_dir.meta.get("directory.id"):
        return "", False
    return voter.directory_id, True


def _rejoin_reasons(host: Host, found: Found) -> Iterator[str]:
    if host.lost_metadata:
        known = found.voter(host.node_id) or (found.cluster and found.cluster.broker(host.node_id))
        yield f"{host.metadata_path} is blank" + ("" if known else " and the cluster does not know it yet")
    elif found.voter(host.node_id) is None:
        yield "it is to be a controller and has no vote"
    else:
        yield "it has the vote of a directory that it lost"


_NOT_LET_IN_YET = "it is new, and where an authorizer runs the others let it in once they have been restarted"


def _is_refused(host: Host, found: Found) -> bool:
    """Whether the host is new and the nodes that run, whose super.users do not name it yet, do not let it in."""
    if found.cluster is None or host.bootstrapped or AUTHORIZER not in host.properties:
        return False
    return host.node_id in newcomers(found.cluster, [host.node_id])


def _waited_for(host: Host, found: Found) -> str:
    """Why a host that was started by others (a reboot, systemd) is not yet all there."""
    if BROKER in host.roles and host.node_id not in found.serving:
        return "its broker does not serve yet"
    if host.node_id in found.behind:
        return "it is behind"
    return "" if host.bootstrapped else "it is not known to have served"


def _problems(found: Found, declared: Declared, steps: Mapping[str, Steps]) -> Iterator[str]:
    judged = [host for host in found.hosts if host.mounted or not declared.before_mounts]
    yield from identity.damage(declared.mode, judged, declared.preview)
    yield from identity.disagreement(found.hosts, declared.cluster_id if declared.mode == "kraft" else "")
    yield from membership.problems(found.cluster, found.hosts)
    if found.refusal and found.runs:
        yield found.refusal
    in_run = [host for host in judged if host.in_run]
    yield from _other_service_problems(in_run, found)
    kraft = [host for host in in_run if _is_kraft(host, declared.mode)]
    yield from _unformable(found, kraft)
    for host in kraft:
        yield from _directory_problems(host, found)
    for host in found.hosts:
        if host.in_run and _is_kraft(host, declared.mode):
            yield from _role_problems(host, found)
    yield from _restart_problems(kraft, found, steps)
    if len(found.hosts) > 1 and found.cluster is not None:
        yield from _login_problems(in_run)
    for host in in_run:
        yield from _dropped_dir_problems(host, found)


def _other_service_problems(in_run: Iterable[Host], found: Found) -> Iterator[str]:
    """Which nodes run by what another tool has set up: to a start in parallel they would be nodes that are down."""
    nodes = []
    for host in in_run:
        broker = found.cluster.broker(host.node_id) if found.cluster and host.node_id in found.serving else None
        if host.process is None and (broker or host.other_service):
            where = f"broker {host.node_id} serves at {broker.address}" if broker else "kafka.service runs"
            nodes.append(f"{host.name} ({where})")
    if nodes:
        yield (
            f"{listed(nodes)}: Kafka runs there, and not by the kafka.service of this role, which would start it anew"
            " on all of these hosts at once. Take over one host after the other: stop Kafka on it, disable what starts"
            " it, and run this with --limit for that host."
        )


def _dropped_dir_problems(host: Host, found: Found) -> Iterator[str]:
    """Which directories are no longer declared, and hold what may be nowhere else."""
    for former in host.former_dirs:
        dropped = f"{former.path} on {host.name} is no longer in kafka_data_dirs, but it"
        if found.cluster is None and former.partitions:
            yield (
                f"{dropped} holds {listed(former.partitions)}, and a cluster that does not answer cannot tell whether"
                " other brokers have them. Put it back, bring the cluster up, and take it out then."
            )
        elif only := _only_replicas(host, found) & set(former.partitions):
            yield (
                f"{dropped} has the only replica of {listed(sorted(only))} that is in sync. Put it back, and move them"
                " first (kafka-reassign-partitions.sh)."
            )


def _only_replicas(host: Host, found: Found) -> set[str]:
    """The partitions of which no other broker has a replica, or, where no gate waits for the others, one in sync."""
    node = {host.node_id}
    held = found.cluster.partitions_on(host.node_id) if found.cluster else ()
    return {
        partition.name
        for partition in held
        if set(partition.replicas) == node or (host.process is None and set(partition.isr) <= node)
    }


def _login_problems(in_run: Sequence[Host]) -> Iterator[str]:
    keys = {
        key: [host.name for host in in_run if key in host.unacceptable_logins]
        for host in in_run
        for key in host.unacceptable_logins
    }
    for key, names in keys.items():
        yield (
            f"kafka_config: {key} changes how nodes log in to each other, and until the last of {listed(names)} has"
            " been restarted they would refuse each other. Add the new user (user_NAME) in a first run, change username"
            " and password to it in a second one, and remove the old user in a third."
        )


def _directory_problems(host: Host, found: Found) -> Iterator[str]:
    """Why the metadata log's directory may not be formatted, or may not be another one than before."""
    former = host.directory(host.former_metadata_path)
    if former and former.meta and former.path != host.metadata_path:
        yield (
            f"The metadata log of {host.name} is in {former.path}, and {host.metadata_path} is now the first of"
            f" kafka_data_dirs. Keep {former.path} first: a further directory goes behind it."
        )
    elif host.lost_metadata and host.process and _is_there(host, found):
        yield (
            f"{host.metadata_path} on {host.name} holds no metadata, but its process runs and the cluster hears of it."
            " Only a host that is down is replaced: look whether the disk is mounted, or stop the process"
            " (systemctl stop kafka) and run this again."
        )
    elif host.process and (voter := found.voter(host.node_id)) and voter.caught_up and _vote(host, found)[1]:
        # As a broker alone it is to have no vote, and loses it in its turn.
        yield (
            f"Controller {host.node_id} votes and follows from directory {voter.directory_id}, but"
            f" {host.metadata_path} on {host.name} is directory {host.metadata_dir.meta.get('directory.id')}."
            " A controller that is well is never replaced: see kafka_data_dirs."
        )


def _is_there(host: Host, found: Found) -> bool:
    voter = found.voter(host.node_id)
    return host.node_id in found.serving or bool(voter and voter.caught_up)


def _role_problems(host: Host, found: Found) -> Iterator[str]:
    """Which changes of kafka_process_roles are refused; the others are steps."""
    if found.cluster is None:
        return
    if BROKER not in host.roles and found.cluster.broker(host.node_id):
        held = sum(1 for _ in found.cluster.partitions_on(host.node_id))
        yield (
            f"kafka_process_roles: {host.name} is to be a controller only, but broker {host.node_id} is registered and"
            f" holds {held} replicas. Let it be a broker too; or move its replicas away, stop it, run"
            f" kafka-cluster.sh unregister --id {host.node_id}, and give the controller a node id of its own."
        )
    voter = found.voter(host.node_id)
    if found.cluster.quorum and found.static_quorum and (voter is not None) != (CONTROLLER in host.roles):
        yield (
            f"kafka_process_roles: {host.name} {'votes' if voter else 'does not vote'} in a quorum whose voters are"
            " fixed (kraft.version 0), so it cannot change that. Undo it, or finalize kraft.version 1 first."
        )
    elif (
        voter and CONTROLLER not in host.roles and len(found.cluster.quorum.voters if found.cluster.quorum else ()) < 2
    ):
        yield f"kafka_process_roles: {host.name} is the only controller. Let another host be one first."


def _restart_problems(in_run: Sequence[Host], found: Found, steps: Mapping[str, Steps]) -> Iterator[str]:
    """Why controllers cannot be restarted one at a time."""
    waiting = {host.node_id: tuple(host.roles) for host in in_run if steps[host.name].in_turn}
    newcomers_last = any(AUTHORIZER in host.properties for host in in_run)
    if found.cluster and (sentence := without_a_spare(found.cluster, waiting, newcomers_last)):
        yield sentence


def _unformable(found: Found, in_run: Iterable[Host]) -> Iterator[str]:
    blank = [host.name for host in in_run if host.lost_metadata]
    if not blank or found.cluster is not None:
        return
    if found.bootstrapped:
        yield (
            f"{', '.join(blank)}: no metadata, but the cluster has been there before and does not answer."
            " A host that lost its disk joins a cluster that serves: start the other hosts first (--limit)."
        )
    elif absent := [host.name for host in found.hosts if CONTROLLER in host.roles and not host.in_run]:
        yield f"The cluster has never formed, which takes every controller: {', '.join(absent)} too (--limit)."
