"""Whom a fault hits, and whether the cluster can bear it: decided on what the cluster says, before it is hurt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from .cluster import ClusterState, Partition, listed

BROKER, REPLICATION, CONTROLLER, ZOOKEEPER = "broker", "replication", "controller", "zookeeper"
ENSEMBLE = "zookeeper_"
SELECTORS = ("leader", "follower", "controller", "controller_follower", f"{ENSEMBLE}leader", f"{ENSEMBLE}follower")


def choose(
    state: ClusterState,
    targets: Sequence[str],
    nodes: Mapping[str, int],
    partition: str = "",
    zookeeper: Mapping[str, str] | None = None,
) -> list[str]:
    """The hosts that the targets stand for, one each, no host twice.

    Args:
        state: The cluster.
        targets: Names of hosts, or selectors: `leader` (of the partition; else the broker that leads the most),
            `follower` (of the partition; else the broker that leads the least), `controller` (the active one),
            `controller_follower` (another voter of the quorum), `zookeeper_leader`, `zookeeper_follower`. Where there
            is a choice it falls on a broker that is not the active controller, so that a broker's death is not an
            election of controllers too.
        nodes: The node id of each host.
        partition: The partition that leader and follower refer to, such as `orders-0`; empty for none in particular.
        zookeeper: What each member of the ensemble is, `leader` or `follower`.

    Raises:
        ValueError: A target stands for no host.
    """
    names = {node: host for host, node in nodes.items()}
    hosts: list[str] = []
    for target in targets:
        if target in nodes:
            candidates = [target]
        elif target.startswith(ENSEMBLE):
            candidates = [host for host, mode in (zookeeper or {}).items() if mode == target.removeprefix(ENSEMBLE)]
        else:
            candidates = [names[node] for node in _candidates(state, target, partition) if node in names]
        free = [host for host in candidates if host not in hosts]
        if not free:
            what = f"{target} of {partition}" if partition else target
            raise ValueError(f"No host is {what} (hosts: {', '.join(nodes)}; selectors: {', '.join(SELECTORS)}).")
        hosts.append(free[0])
    return hosts


def unhealthy(state: ClusterState, brokers: Collection[int], unresponsive_brokers: Collection[int] = ()) -> list[str]:
    """Reasons not to call it healthy: a broker that does not serve, a replica out of sync, an incomplete quorum.

    Args:
        state: The cluster.
        brokers: The node ids of its brokers.
        unresponsive_brokers: Those that do not answer on their own port: right after a kill the cluster still believes
            in them.
    """
    reasons = []
    if absent := sorted(node for node in brokers if not state.serves(node) or node in unresponsive_brokers):
        reasons.append(f"brokers that do not serve: {listed(absent)}")
    if behind := [partition for partition in state.partitions if partition.under_replicated or partition.offline]:
        reasons.append(f"partitions with a replica out of sync: {listed(behind)}")
    if state.quorum and state.quorum.leader_id < 0:
        reasons.append("the controllers have no leader")
    if state.quorum and (late := [voter.node_id for voter in state.quorum.voters if not voter.caught_up]):
        reasons.append(f"controllers that are behind: {listed(late)}")
    return reasons


def exceeds(state: ClusterState, nodes: Collection[int], breaks: Collection[str], members: int = 0) -> list[str]:
    """What a healthy cluster could not go on doing with these nodes broken at once; empty if it bears the fault.

    Args:
        state: The cluster.
        nodes: The node ids that are hit.
        breaks: What stops working on them: `broker`, `replication` (of what they lead), `controller`, `zookeeper`.
        members: How many members the ZooKeeper ensemble has.
    """
    return [sentence for what in breaks for sentence in _CONSEQUENCES[what](state, set(nodes), members)]


def _candidates(state: ClusterState, selector: str, partition: str) -> list[int]:
    if selector == "controller":
        return [] if state.controller_id is None else [state.controller_id]
    found = [broker.node_id for broker in state.brokers] if selector in SELECTORS else []
    if selector == "controller_follower":
        voters = [voter.node_id for voter in state.quorum.voters] if state.quorum else []
        found = [node for node in voters if node != state.controller_id]
    elif partition:
        named = [each for each in state.partitions if each.name == partition]
        leading = [each.leader for each in named]
        following = [node for each in named for node in each.replicas if node != each.leader]
        found = leading if selector == "leader" else following
    leads = Counter(each.leader for each in state.partitions)
    most_first = -1 if selector == "leader" else 1
    return sorted(found, key=lambda node: (node == state.controller_id, most_first * leads[node], node))


def _without_brokers(state: ClusterState, nodes: set[int], _: int) -> Iterator[str]:
    yield from _refusing(each for each in state.partitions if len(set(each.isr) - nodes) < each.min_isr)


def _without_replication(state: ClusterState, nodes: set[int], _: int) -> Iterator[str]:
    yield from _refusing(each for each in state.partitions if each.leader in nodes and each.min_isr > 1)


def _refusing(partitions: Iterable[Partition]) -> Iterator[str]:
    if names := [each.name for each in partitions]:
        yield f"acks=all would be refused by {listed(names)}"


def _without_controllers(state: ClusterState, nodes: set[int], _: int) -> Iterator[str]:
    voters = {voter.node_id for voter in state.quorum.voters} if state.quorum else set()
    if state.quorum and voters & nodes and len(voters - nodes) < state.quorum.majority:
        yield f"{len(voters - nodes)} of {len(voters)} controllers would be left, {state.quorum.majority} are needed"


def _without_members(_: ClusterState, nodes: set[int], members: int) -> Iterator[str]:
    left, majority = members - len(nodes), members // 2 + 1
    if left < majority:
        yield f"{left} of {members} members of the ZooKeeper ensemble would be left, {majority} are needed"


_CONSEQUENCES = {
    BROKER: _without_brokers,
    REPLICATION: _without_replication,
    CONTROLLER: _without_controllers,
    ZOOKEEPER: _without_members,
}
