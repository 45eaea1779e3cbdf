"""What KRaft controllers have written into ZooKeeper, and what has to be done about it on the way back to ZooKeeper.

At the end of the way to KRaft: what ZooKeeper holds for others than this cluster.

Three znodes say who led the cluster:

- `/controller` is whoever leads it; a KRaft controller says there by which epoch of the quorum.
- `/migration` says how far the controllers had come, and by which epoch.
- `/controller_epoch` counts the controllers. A broker that becomes the controller takes the next number.

Controllers write the epoch of their quorum into the state of each partition (Kafka 3.9,
`ZkTopicMigrationClient.updateTopicPartitions`), and leave `/controller_epoch` to ZooKeeper's own count. The two have
nothing to do with each other. A broker whose number is lower than what stands in a partition's state takes itself for
a former controller, and elects no leader for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from .cluster import listed

CONTROLLER, MIGRATION, EPOCH = "/controller", "/migration", "/controller_epoch"
_NUMBER = re.compile(r"(?:\[.*\] )?(\d+)")
_EPOCHS = ("kraftControllerEpoch", "kraft_controller_epoch")  # in CONTROLLER and in MIGRATION
# What ZooKeeper has for itself at the root, and what a cluster has right below its chroot (Kafka 3.9, `ZkData`).
ZOOKEEPERS_OWN = frozenset({"zookeeper"})
KAFKAS_OWN = frozenset(
    {
        "admin",
        "brokers",
        "cluster",
        "config",
        "consumers",
        "controller",
        "controller_epoch",
        "delegation_token",
        "feature",
        "isr_change_notification",
        "kafka-acl",
        "kafka-acl-changes",
        "kafka-acl-extended",
        "kafka-acl-extended-changes",
        "latest_producer_id_block",
        "log_dir_event_notification",
        "migration",
    }
)
_CHILDREN = re.compile(r"(?:\[zk: .*\) \d+\] )?\[([^\[\]]*)\]")
_MISSING = "Node does not exist: "


@dataclass(frozen=True)
class Znodes:
    """What ZooKeeper holds.

    Attributes:
        left: What a KRaft controller has written into CONTROLLER and MIGRATION, as JSON, by path.
        epoch: How many controllers there have been; None: it cannot be read.
    """

    left: dict[str, str]
    epoch: int | None

    @property
    def epoch_to_set(self) -> int | None:
        """What EPOCH has to be, so that the next controller's is higher than all that was written; None: it is."""
        written = [int(json.loads(value).get(key, 0)) for value in self.left.values() for key in _EPOCHS]
        highest = max(written, default=0)
        return highest if self.epoch is not None and highest > self.epoch else None


def parse(text: str, controllers: Collection[int]) -> Znodes:
    """Return what ZooKeeper's shell prints for a `get` of each of the three.

    CONTROLLER may be a broker's, which leads the cluster: no KRaft controller has left it.
    """
    left: dict[str, str] = {}
    epoch = None
    for line in text.splitlines():
        value = _value(line)
        if isinstance(value, int):
            epoch = value
        elif value.get("brokerid") in controllers:
            left[CONTROLLER] = json.dumps(value)
        elif "kraft_controller_id" in value or "kraft_metadata_offset" in value:
            left[MIGRATION] = json.dumps(value)
    return Znodes(left, epoch)


def _value(line: str) -> dict[str, Any] | int:
    """The value in a line, which may have the shell's prompt before it; empty where there is none."""
    if number := _NUMBER.fullmatch(line.strip()):
        return int(number[1])
    try:
        found: dict[str, Any] = json.loads(line[line.index("{") :])
    except ValueError:
        return {}
    return found


def chroot_levels(connect: str) -> list[str]:
    """Return the root and each path on the way to the chroot of a connect string, such as /, /kafka, /kafka/orders."""
    parts = _chroot(connect)
    return [f"/{'/'.join(parts[:depth])}" for depth in range(len(parts) + 1)]


def _chroot(connect: str) -> list[str]:
    return [part for part in connect.partition("/")[2].split("/") if part]


def parse_children(text: str, levels: int) -> list[list[str]] | None:
    """Return what ZooKeeper's shell prints for an `ls` of each level; a level that does not exist has nothing.

    None: it does not tell all of them.
    """
    lines = [line.strip() for line in text.splitlines()]
    found = [match[1].split(", ") for line in lines if (match := _CHILDREN.fullmatch(line))]
    missing = [line for line in lines if _MISSING in line]
    # What is missing comes last: nothing is below a znode that does not exist.
    return found if len(found) + len(missing) == levels else None


def of_others(connect: str, children: Sequence[Collection[str]]) -> list[str]:
    """Return the znodes that belong to another system than the cluster that connects so, by their paths.

    Args:
        connect: The cluster's connect string, whose chroot is what it has of ZooKeeper.
        children: The names of what is right below each of `chroot_levels`.
    """
    chroot = _chroot(connect)
    found = []
    for depth, names in enumerate(children):
        own = set(chroot[depth : depth + 1]) or KAFKAS_OWN
        others = set(names) - own - {""} - (frozenset() if depth else ZOOKEEPERS_OWN)
        found += [f"/{'/'.join([*chroot[:depth], name])}" for name in sorted(others)]
    return found


def ensemble_refusal(servers: Sequence[str], others: Sequence[str], unanswered: str) -> str:
    """Return why the servers of ZooKeeper may not be taken down, in a sentence; "" if they may.

    Args:
        servers: The names of their hosts.
        others: The znodes of other systems.
        unanswered: Why ZooKeeper does not tell them, "" if it does.
    """
    keep = "give -e migration_keep_ensemble=yes, with which the servers stay as they are"
    if unanswered:
        return (
            "Nothing was changed. ZooKeeper does not tell what else it holds, and kafka_migration_phase finished would"
            f" take {listed(servers)} down: start the servers (systemctl start zookeeper), or {keep} ({unanswered})."
        )
    if others:
        return (
            f"Nothing was changed. Other systems than this cluster have {listed(others)} in ZooKeeper, and"
            f" kafka_migration_phase finished would take {listed(servers)} down: {keep}, or remove from ZooKeeper what"
            " nobody needs."
        )
    return ""
