"""Which nodes are registered with the cluster and not declared, and what a new host must not be added without.

A broker that leaves the inventory goes on holding replicas, and a controller goes on voting: nothing tells the cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .cluster import ClusterState, listed
from .host_state import Host


@dataclass(frozen=True)
class Undeclared:
    """A node that the cluster knows and the inventory does not.

    `addresses` are the hosts by which the cluster knows it; `directory_id` is "" for one that does not vote, `replicas`
    counts the partitions that it holds, `registered` says whether it is a registered broker, `kraft` whether the
    cluster has KRaft controllers, and so can be told to forget it, `serves` whether it is a broker that serves.
    """

    node_id: int
    addresses: tuple[str, ...]
    registered: bool
    votes: bool
    directory_id: str
    replicas: int
    kraft: bool = True
    serves: bool = False

    def __str__(self) -> str:
        what = [
            *(["is registered as a broker"] if self.registered else []),
            *([f"holds {self.replicas} replicas"] if self.replicas else []),
            *(["votes as a controller"] if self.votes else []),
        ]
        where = f" at {', '.join(self.addresses)}" if self.addresses else ""
        return (
            f"Node {self.node_id}{where} {listed(what)}, but no host of the inventory has kafka_node_id {self.node_id}."
            f" Put its host back into the inventory{self._way_out()}."
        )

    def _way_out(self) -> str:
        if not self.kraft:
            return (
                "; to take it out of the cluster, move its replicas away (kafka-reassign-partitions.sh), and stop it"
                " first"
            )
        # One that serves is to be stopped in the end, on a host that Ansible knows.
        if self.serves:
            return ", and run playbooks/remove_broker.yml with it if it is to leave the cluster"
        return f"; to take it out of the cluster, run playbooks/remove_broker.yml -e broker={self.node_id} first"


def undeclared(state: ClusterState, declared: Iterable[int]) -> list[Undeclared]:
    """Return the nodes that are registered, vote or hold replicas, and have none of the declared node ids."""
    voters = {voter.node_id: voter.directory_id for voter in state.quorum.voters} if state.quorum else {}
    replicas: dict[int, int] = {}
    for partition in state.partitions:
        for node_id in partition.replicas:
            replicas[node_id] = replicas.get(node_id, 0) + 1
    registered = {broker.node_id: broker.host for broker in state.brokers}
    return [
        Undeclared(
            node_id,
            tuple(dict.fromkeys(filter(None, (registered.get(node_id, ""), state.controller_hosts.get(node_id, ""))))),
            node_id in registered,
            node_id in voters,
            voters.get(node_id, ""),
            replicas.get(node_id, 0),
            state.quorum is not None,
            state.serves(node_id),
        )
        for node_id in sorted({*voters, *replicas, *registered} - set(declared))
    ]


def addresses(state: ClusterState) -> list[str]:
    """Return the hosts by which the cluster knows its brokers and voters: each that is registered stays admitted."""
    return sorted({*(broker.host for broker in state.brokers), *state.controller_hosts.values()})


def problems(state: ClusterState | None, hosts: Sequence[Host]) -> Iterator[str]:
    """Tell which undeclared nodes the cluster still needs, and which new hosts the others would not admit."""
    if state is None:
        return
    for node in undeclared(state, [host.node_id for host in hosts]):
        if node.replicas or node.votes:
            yield str(node)
    observers = state.quorum.observers if state.quorum else ()
    known = {
        *(broker.node_id for broker in state.brokers),
        *(replica.node_id for replica in (*(state.quorum.voters if state.quorum else ()), *observers)),
    }
    absent = [host.name for host in hosts if not host.in_run]
    new = [host.name for host in hosts if host.in_run and host.node_id not in known and not host.bootstrapped]
    if new and absent:
        yield (
            f"--limit: {listed(new)} {'is' if len(new) == 1 else 'are'} new to the cluster, and the firewalls of"
            f" {listed(absent)}, which the run leaves out, do not admit {'it' if len(new) == 1 else 'them'}."
            " Run it without --limit."
        )


def notes(state: ClusterState | None, hosts: Sequence[Host]) -> Iterator[str]:
    """Tell which undeclared nodes are registered and not needed: they hold nothing and do not vote."""
    if state is not None:
        for node in undeclared(state, [host.node_id for host in hosts]):
            if not (node.replicas or node.votes):
                yield str(node)
