"""What hosts and clients show while a fault is active; none of it comes from the fault's own script."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import testinfra
from confluent_kafka.admin import AdminClient
from live import BOOTSTRAP, BROKERS, MOUNT, host
from rolling_restart_check import away, unresponsive_brokers
from testinfra.host import Host

from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError, Endpoint
from ansible_collections.crucible.kafka.plugins.module_utils.survey import survey

from . import audit
from .load import Load

PARTITION = ("orders", 0)
CLUSTER = Endpoint(BOOTSTRAP, {}, 3.0)


@dataclass(frozen=True)
class Scope:
    """What an observation may look at: one host, when it was hit (seconds since the epoch), and the load."""

    name: str
    host: Host
    load: Load
    hit_at_s: float

    @property
    def node(self) -> int:
        """The host's node id."""
        return list(BROKERS).index(self.name) + 1


def process(scope: Scope) -> str:
    """What the broker's process does: `running`, `stopped` or `gone`."""
    states = [each.stat for each in scope.host.process.filter(user="kafka", comm="java")]
    return "gone" if not states else "stopped" if states[0].startswith("T") else "running"


def in_sync(scope: Scope) -> bool:
    """Whether the broker is in every ISR that it belongs to, as clients are told."""
    watcher = AdminClient({"bootstrap.servers": ",".join(BOOTSTRAP), "log_level": 0, "socket.timeout.ms": 2000})
    return scope.node not in away(watcher)


def peers_reach_it(scope: Scope) -> bool:
    """Whether another host can connect to the broker."""
    address = BROKERS[scope.name]
    peer = next(name for name in BROKERS if name != scope.name)
    return bool(host(peer).addr(address).port(9092).is_reachable)


def clients_reach_it(scope: Scope) -> bool:
    """Whether this machine, a client, can connect to the broker."""
    return bool(testinfra.get_host("local://").addr(BROKERS[scope.name]).port(9092).is_reachable)


def dropped(scope: Scope) -> list[str]:
    """In which of the firewall's hooks packets were dropped by the fault's chains."""
    tables = scope.host.check_output(
        "iptables -nvxL | awk '/^Chain/ {chain=$2} $3 == \"DROP\" && $1 > 0 {print chain}'"
    )
    return sorted({chain.removeprefix("CRUCIBLE-FAULT-") for chain in tables.split() if chain.startswith("CRUCIBLE-")})


def shaped(scope: Scope) -> bool:
    """Whether packets of the host's network card had to wait for a rate."""
    queues = scope.host.check_output("tc -s qdisc show")
    return "qdisc htb" in queues and " overlimits 0" not in queues.split("qdisc htb")[1].split("qdisc")[0]


def disk_full(scope: Scope) -> bool:
    """Whether less than a megabyte is left under the log directory."""
    return int(scope.host.check_output(f"df --output=avail --block-size=1 {MOUNT} | tail -n 1")) < 1 << 20


def mounted(scope: Scope) -> bool:
    """Whether the data disk is mounted."""
    return bool(scope.host.mount_point(MOUNT).exists)


def bare(scope: Scope) -> bool:
    """Whether nobody wrote anything on the mount point without the disk."""
    return bool(scope.host.check_output(f"find {MOUNT} -mindepth 1") == "")


def rebooted(scope: Scope) -> bool:
    """Whether the host's first process is younger than the fault."""
    return int(scope.host.check_output("ps -o etimes= -p 1")) < time.time() - scope.hit_at_s


def acknowledging(scope: Scope) -> bool:
    """Whether producers are being answered."""
    return scope.load.acknowledged() > 0


def readable(_: Scope) -> bool:
    """Whether an independent reader gets the first record of a partition whose leader is still there."""
    known = AdminClient({"bootstrap.servers": ",".join(BOOTSTRAP), "log_level": 0}).list_topics(timeout=10)
    gone = unresponsive_brokers({node: (str(broker.host), broker.port) for node, broker in known.brokers.items()})
    led = (
        (topic, number)
        for topic in audit.TOPICS
        for number, partition in known.topics[topic].partitions.items()
        if partition.leader in known.brokers.keys() - gone
    )
    return audit.readable(BOOTSTRAP, next(led, PARTITION))


def checksum(_: Scope) -> str:
    """What an independent reader meets that reads a partition from its beginning."""
    return audit.checksum(BOOTSTRAP, PARTITION)


def quorum(_: Scope) -> bool:
    """Whether the controllers have a leader."""
    try:
        found = survey(CLUSTER).quorum
    except AdminError:
        return False
    return found is not None and found.leader_id >= 0


def leads_its_own(scope: Scope) -> bool:
    """Whether the broker leads every partition whose first replica it is."""
    partitions = survey(CLUSTER).partitions
    return all(partition.leader == scope.node for partition in partitions if partition.replicas[0] == scope.node)


OBSERVATIONS: Mapping[str, Callable[[Scope], Any]] = {
    look.__name__: look
    for look in (
        process, in_sync, peers_reach_it, clients_reach_it, dropped, shaped, disk_full, mounted, bare, rebooted,
        acknowledging, readable, checksum, quorum, leads_its_own,
    )
}  # fmt: skip
