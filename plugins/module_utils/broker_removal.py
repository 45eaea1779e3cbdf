"""Whether a broker may be taken out of a cluster for good, and whether it has been emptied.

Kafka checks nothing when a broker is unregistered: one that still holds replicas is forgotten with them. So the cluster
is asked beforehand, after the drain, and once more before the broker is unregistered. No reason is what lets it pass.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from .cluster import NO_DIRECTORY, ClusterState, Partition, listed
from .gate import quorum_at_risk
from .reassignment_plan import problems
from .releases import METADATA_VERSION
from .replica_placement import Placement, Targets

CORDON_LEVEL = 30  # 4.3-IV0 (KIP-1066)
FORGETS_CONTROLLERS_LEVEL = 33  # 4.4-IV2 (KIP-1312)
"""The levels of metadata.version from which on brokers can be cordoned, and controllers be unregistered."""

BEARABLE_CONTROLLERS = 3
"""With fewer voters none may fail, and none can be restarted without a pause."""


def known(state: ClusterState, node_id: int) -> bool:
    """Whether the cluster knows the node: as a broker, as a voter, or by replicas."""
    return state.broker(node_id) is not None or votes(state, node_id) or any(state.partitions_on(node_id))


def votes(state: ClusterState, node_id: int) -> bool:
    """Whether the node is a voter."""
    return bool(directory_id(state, node_id))


def directory_id(state: ClusterState, node_id: int) -> str:
    """The directory id under which the node votes, "" for none."""
    voters = state.quorum.voters if state.quorum else ()
    return next((voter.directory_id or NO_DIRECTORY[1] for voter in voters if voter.node_id == node_id), "")


def cordons(state: ClusterState, node_id: int) -> bool:
    """Whether the broker can be cordoned: only one that serves takes its own settings."""
    return _has_level(state, CORDON_LEVEL) and state.serves(node_id)


def forgets_controllers(state: ClusterState) -> bool:
    """Whether a controller can be unregistered."""
    return _has_level(state, FORGETS_CONTROLLERS_LEVEL)


def targets(state: ClusterState, node_id: int | None, cordoned: Collection[int]) -> Targets:
    """The brokers that are to hold replicas: all that serve, but the one that goes."""
    racks = {broker.node_id: broker.rack for broker in state.brokers if not broker.fenced and broker.node_id != node_id}
    return Targets(
        racks,
        frozenset(cordoned) & racks.keys(),
        frozenset() if node_id is None else frozenset({node_id}),
    )


def unhealthy(
    partitions: Iterable[Partition], underway: Collection[tuple[str, int]], going: int | None
) -> Iterator[str]:
    """Tell which partitions lack a replica for another reason than that they are moved, or that the broker is down."""
    those = [each for each in partitions if (each.topic, each.index) not in underway]
    if offline := [each.name for each in those if each.offline]:
        yield f"{len(offline)} partitions have no leader ({listed(offline)})"
    lacking = [each.name for each in those if not each.offline and set(each.replicas) - set(each.isr) - {going}]
    if lacking:
        yield f"{len(lacking)} partitions lack a replica in sync ({listed(lacking)})"


def refusals(
    state: ClusterState,
    node_id: int,
    placements: Collection[Placement],
    where: Targets,
    underway: Collection[tuple[str, int]] = (),
    releases: Mapping[int, str] | None = None,
    fewer_racks: bool = False,
    fewer_controllers: bool = False,
    declared: bool = True,
) -> list[str]:
    """Why the broker may not be removed, in sentences; nothing has been touched yet.

    Args:
        state: The cluster now.
        node_id: The broker that is to go.
        placements: All partitions, those that are being reassigned as they will be.
        where: The brokers that stay.
        underway: The partitions that are being reassigned, as (topic, index).
        releases: The exact release that each node's process runs, "" where it is not known.
        fewer_racks: Whether replicas may lie in fewer racks than now.
        fewer_controllers: Whether so few controllers may be left that none of them may fail.
        declared: Whether a host of the inventory has the node's id, on which its process can be stopped.
    """
    if state.quorum is None:
        return ["The cluster keeps its metadata in ZooKeeper, and only one of KRaft can forget a broker."]
    reasons = [*_not_declared(state, node_id, declared), *_quorum(state, node_id, fewer_controllers)]
    if state.broker(node_id) or any(state.partitions_on(node_id)):
        if not where.racks:
            return [f"Broker {node_id} is the last broker that serves.", *reasons]
        held = [each for each in placements if node_id in each.replicas]
        reasons += problems(held, where)
        if not fewer_racks:
            reasons += _racks(state, held, where)
    reasons += _older(node_id, releases or {}, votes(state, node_id))
    if bad := list(unhealthy(state.partitions, underway, node_id)):
        reasons.append(f"The cluster is not healthy: {' and '.join(bad)}. playbooks/check_health.yml tells more.")
    return reasons


def not_drained(state: ClusterState, node_id: int, underway: Mapping[tuple[str, int], Collection[int]]) -> list[str]:
    """Reasons why the broker may not be stopped for good: the gate after the drain."""
    held = [each.name for each in state.partitions_on(node_id)]
    coming = [f"{topic}-{index}" for (topic, index), nodes in underway.items() if node_id in nodes]
    reasons = [
        *([f"broker {node_id} holds {len(held)} replicas ({listed(held)})"] if held else []),
        *([f"replicas are being moved to broker {node_id} ({listed(coming)})"] if coming else []),
    ]
    if lacking := [each.name for each in state.partitions if each.under_replicated or each.offline]:
        reasons.append(f"{len(lacking)} partitions lack a replica in sync ({listed(lacking)})")
    if votes(state, node_id):
        reasons += quorum_at_risk(state.quorum, node_id, loses_vote=True)
    return reasons


def still_member(state: ClusterState, node_id: int, underway: Mapping[tuple[str, int], Collection[int]]) -> list[str]:
    """Reasons why the broker may not be unregistered: it is to be empty, without a vote, and down."""
    reasons = not_drained(state, node_id, underway)
    if votes(state, node_id):
        reasons.append(f"node {node_id} has a vote in the quorum")
    if state.serves(node_id):
        reasons.append(f"broker {node_id} still serves")
    return reasons


def notes(state: ClusterState, node_id: int, release: str) -> list[str]:
    """Tell what the removal leaves behind, in sentences; `release` is what the node runs, "" if that is not known."""
    if not votes(state, node_id) or forgets_controllers(state):
        return []
    supported = f"Kafka {release} supports" if release else "it supported when it ran last"
    return [
        f"Kafka goes on counting controller {node_id} with what {supported} (KAFKA-20295): before features of a later"
        " release can be finalized, a node with that id has to join once with that release, and to be removed again."
    ]


def _has_level(state: ClusterState, needed: int) -> bool:
    level = state.features.get(METADATA_VERSION)
    return level is not None and level.finalized >= needed


def _not_declared(state: ClusterState, node_id: int, declared: bool) -> Iterator[str]:
    if not declared and state.serves(node_id):
        yield (
            f"Broker {node_id} serves, and no host of the inventory has kafka_node_id {node_id}, so that it cannot be"
            " stopped. Put its host back into the inventory, or stop its kafka.service first."
        )


def _quorum(state: ClusterState, node_id: int, fewer_controllers: bool) -> Iterator[str]:
    quorum = state.quorum
    if quorum is None or not votes(state, node_id):
        return
    if len(quorum.voters) == 1:
        yield f"Node {node_id} is the only controller."
    elif directory_id(state, node_id) in NO_DIRECTORY:
        yield (
            f"Node {node_id} votes in a quorum whose voters are fixed (kraft.version 0), so that its vote cannot be"
            " removed."
        )
    else:
        for reason in quorum_at_risk(quorum, node_id, loses_vote=True):
            yield f"The controllers need node {node_id}: {reason}."
        staying = sorted(voter.node_id for voter in quorum.voters if voter.node_id != node_id)
        if len(staying) < BEARABLE_CONTROLLERS and not fewer_controllers:
            yield (
                f"Of the controllers only {listed(staying)} would be left, and none of them could fail or be restarted."
                " Let another host be a controller first (kafka_process_roles, site.yml), or accept it with"
                " remove_broker_fewer_controllers=yes."
            )


def _racks(state: ClusterState, held: Iterable[Placement], where: Targets) -> Iterator[str]:
    racks = {broker.node_id: broker.rack for broker in state.brokers}
    remaining = len({where.racks[node] for node in where.racks.keys() - where.cordoned})
    narrower = [
        each.name
        for each in held
        if len({racks.get(node, "") for node in each.replicas}) > min(len(each.replicas), remaining)
    ]
    if narrower:
        yield (
            f"{len(narrower)} partitions would lie in fewer racks than now ({listed(narrower)}): the brokers that"
            f" remain are in {remaining}. Add a broker in that rack first, or accept it with"
            " remove_broker_fewer_racks=yes."
        )


def _older(node_id: int, releases: Mapping[int, str], voter: bool) -> Iterator[str]:
    own, newest = releases.get(node_id, ""), max(releases.values(), key=_numbers, default="")
    if voter and own and _numbers(own) < _numbers(newest):
        yield (
            f"Node {node_id} runs Kafka {own} and others {newest}: a controller that is removed on an older release"
            " blocks the finalizing of features later (KAFKA-20295). Finish the upgrade first."
        )


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(number) for number in release.split(".") if number.isdigit())
