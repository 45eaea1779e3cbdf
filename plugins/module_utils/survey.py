"""Asks a connected cluster for all that the pure cores decide on, and turns the answers into their plain data."""

from __future__ import annotations

import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from typing import Any

from .admin import AccessRefused, AdminError, Endpoint, describe_configs
from .broker_config import BrokerKey
from .cluster import CAUGHT_UP_WITHIN_MS, Broker, ClusterState, Feature, Partition, Quorum, QuorumReplica
from .health import BrokerReport, LogDir

MIN_ISR = "min.insync.replicas"
FETCH_TIMEOUT = "controller.quorum.fetch.timeout.ms"
PREFERRED = 0  # The protocol's number for this kind of election.
CLUSTER_AUTHORIZATION_FAILED = 31
APPLIED_WITHIN_S, APPLY_POLL_S = 5.0, 0.05
# The log's records for the quorum itself, such as that of a new leader, are not applied by brokers.
NOT_APPLIED = 100
LOG_DIR_ERRORS = {0: "", 56: "the disk fails"}  # Kafka's error codes; 56 is KAFKA_STORAGE_ERROR.


def survey(endpoint: Endpoint) -> ClusterState:
    """What the cluster says of itself now, over a connection of its own to the first broker that can tell.

    A broker tells of partitions what it has read of the metadata log: one that is behind tells what was.

    Raises:
        AccessRefused: None can, and one at least does not let the client in.
        AdminError: None can; the message says why not, of each that was asked.
    """
    refusals: list[AdminError] = []
    for server in endpoint.each():
        try:
            with server.connect() as admin:
                state = read_state(admin)
        except AdminError as refusal:
            refusals.append(refusal)
        else:
            told_by = [broker.node_id for broker in state.brokers if broker.address in server.bootstrap_servers]
            if not (outdated := [node_id for node_id in told_by if state.outdated(node_id)]):
                return state
            told = f"Broker {outdated[0]} has not followed the metadata log lately, and tells what was."
            refusals.append(AdminError(told))
    kind = AccessRefused if any(isinstance(refusal, AccessRefused) for refusal in refusals) else AdminError
    raise kind(" ".join(map(str, refusals)))


def unresponsive_brokers(endpoint: Endpoint, state: ClusterState) -> list[int]:
    """The brokers that the cluster believes in and that, each asked itself, do not answer: one that was just killed."""
    return [broker.node_id for broker in state.brokers if not broker.fenced and not endpoint.answers(broker)]


def read_state(admin: Any) -> ClusterState:
    """Ask a connected admin client for the whole state of its cluster.

    Raises:
        AdminError: The controllers have no leader, or the broker has not applied what they had decided by now.
    """
    features = admin.describe_features()
    # ZooKeeper mode has no feature levels, and refuses the question for a quorum.
    described = admin.describe_metadata_quorum() if features else None
    if described:
        features = _when_applied(admin, features, _metadata_partition(described)["high_watermark"])
    cluster = admin.describe_cluster()
    quorum = _quorum(described, _fetch_timeout_ms(admin, described, cluster)) if described else None
    brokers = (
        Broker(b["broker_id"], b["host"], b["port"], bool(b.get("is_fenced")), b.get("rack") or "")
        for b in cluster["brokers"]
    )
    return ClusterState(
        cluster_id=cluster["cluster_id"],
        # The library offers it for a named broker only, which costs one more connection, maybe to a dead broker.
        release=".".join(map(str, admin._manager.broker_version)),
        brokers=tuple(sorted(brokers, key=lambda broker: broker.node_id)),
        # KRaft clients are told a random broker; its active controller is the leader of the quorum.
        controller_id=quorum.leader_id if quorum else cluster["controller_id"],
        quorum=quorum,
        partitions=read_partitions(admin),
        features={
            name: Feature(levels["finalized"][1], *levels.get("supported", (0, 0)))
            for name, levels in sorted(features.items())
            if "finalized" in levels
        },
        controller_hosts={
            node["node_id"]: node["listeners"][0]["host"]
            for node in (described or {}).get("nodes") or ()
            if node["listeners"]
        },
    )


def read_partitions(admin: Any, topics: Iterable[str] | None = None) -> tuple[Partition, ...]:
    """The partitions of the topics (of all, if none are named), each with the min ISR in force for it."""
    named = None if topics is None else list(topics)
    described = [topic for topic in admin.describe_topics(named) if topic["error_code"] == 0]
    configs = describe_configs(admin, "topic", [topic["name"] for topic in described], [MIN_ISR])
    return tuple(
        Partition(
            topic=topic["name"],
            index=partition["partition_index"],
            leader=partition["leader_id"],
            replicas=tuple(partition["replica_nodes"]),
            isr=tuple(sorted(partition["isr_nodes"])),
            min_isr=int(configs[topic["name"]][MIN_ISR]["value"]),
        )
        for topic in sorted(described, key=lambda topic: str(topic["name"]))
        for partition in sorted(topic["partitions"], key=lambda partition: int(partition["partition_index"]))
        if topic["name"] in configs
    )


def elect_preferred(admin: Any, partitions: Iterable[Partition]) -> None:
    """Let each partition be led by its first replica, where that is in sync; returns when the broker asked knows it.

    Raises:
        AdminError: The client's user may not do that.
    """
    numbers: dict[str, list[int]] = {}
    for partition in partitions:
        numbers.setdefault(partition.topic, []).append(partition.index)
    # An election that is not needed, or not possible yet, is an error to the library.
    answer = admin.elect_leaders(PREFERRED, numbers, raise_errors=False)
    if answer.error_code == CLUSTER_AUTHORIZATION_FAILED:
        raise AdminError(
            "Kafka does not permit the election of preferred leaders (ClusterAuthorizationFailedError): the user of"
            " kafka_admin_client needs the operation Alter on the cluster."
        )


def ask_broker(admin: Any, broker_id: int) -> BrokerReport:
    """What one broker says of itself."""
    release = ".".join(map(str, admin.get_broker_version_data(broker_id).broker_version))
    return BrokerReport(release, read_log_dirs(admin, [broker_id])[broker_id])


def read_log_dirs(admin: Any, brokers: Iterable[int]) -> dict[int, list[LogDir]]:
    """The log directories of brokers that serve, without what lies in them."""
    return {
        answer["broker"]: [
            LogDir(
                path=log_dir["log_dir"],
                total_bytes=log_dir.get("total_bytes", -1),
                usable_bytes=log_dir.get("usable_bytes", -1),
                error=LOG_DIR_ERRORS.get(log_dir["error_code"], f"error {log_dir['error_code']}"),
                cordoned=bool(log_dir.get("is_cordoned")),
            )
            for log_dir in answer["log_dirs"]
        ]
        for answer in admin.describe_log_dirs(topic_partitions={}, brokers=list(brokers))
    }


def describe_broker(admin: Any, broker_id: int) -> dict[str, BrokerKey]:
    """The settings of a running broker by key.

    Raises:
        AdminError: The broker is not part of the cluster, or does not answer.
    """
    if all(broker["broker_id"] != broker_id for broker in admin.describe_cluster()["brokers"]):
        raise AdminError(f"Broker {broker_id} is not registered with the cluster.")
    described = describe_configs(admin, "broker", [str(broker_id)])[str(broker_id)]
    return {key: BrokerKey.from_kafka(key, told) for key, told in described.items()}


def _fetch_timeout_ms(admin: Any, described: dict[str, Any], cluster: dict[str, Any]) -> int:
    """`controller.quorum.fetch.timeout.ms` of the active controller, where it is a broker too, else of a broker."""
    brokers = [broker["broker_id"] for broker in cluster["brokers"] if not broker.get("is_fenced")]
    leader = described["topics"][0]["partitions"][0]["leader_id"]
    for node_id in [leader] if leader in brokers else brokers[:1]:
        configs = describe_configs(admin, "broker", [str(node_id)], [FETCH_TIMEOUT]).get(str(node_id), {})
        if FETCH_TIMEOUT in configs:
            return int(configs[FETCH_TIMEOUT]["value"])
    return CAUGHT_UP_WITHIN_MS


def _when_applied(admin: Any, features: dict[str, Any], high_watermark: int) -> dict[str, Any]:
    """The broker's features, when it tells of the cluster what its controllers had decided: it fetches, then applies.

    A broker that is given thousands of new partitions fetches on, while it has them all to make.
    """
    deadline = time.monotonic() + APPLIED_WITHIN_S
    while (behind := high_watermark - 1 - _applied(features, high_watermark)) > 0:
        if time.monotonic() >= deadline:
            if behind <= NOT_APPLIED:
                break
            broker = f"Broker {admin._manager.least_loaded_node()}"
            raise AdminError(f"{broker} has yet to apply {behind} records of the metadata log, and tells what was.")
        time.sleep(APPLY_POLL_S)
        features = admin.describe_features()
    return features


def _applied(features: dict[str, Any], otherwise: int) -> int:
    """The offset in the metadata log up to which a broker has applied it (`otherwise`: it does not tell)."""
    told = [each["finalized_epoch"] for each in features.values() if each.get("finalized_epoch") is not None]
    return max(told, default=otherwise)


def _metadata_partition(described: dict[str, Any]) -> dict[str, Any]:
    (partition,) = described["topics"][0]["partitions"]
    if partition["error"]:  # The rest of such an answer is made of defaults: it would name node 0 as the leader.
        raise AdminError(f"The controllers have no leader: {partition['error']}.")
    return dict(partition)


def _quorum(described: dict[str, Any], fetch_timeout_ms: int) -> Quorum:
    partition = _metadata_partition(described)
    voters, observers = partition["current_voters"], partition["observers"]
    nobody = {"log_end_offset": -1, "last_caught_up_timestamp": -1}
    leader = next((voter for voter in voters if voter["replica_id"] == partition["leader_id"]), nobody)

    def replica(data: dict[str, Any]) -> QuorumReplica:
        caught_up = data["last_caught_up_timestamp"]
        return QuorumReplica(
            node_id=data["replica_id"],
            directory_id=_directory_id(data.get("replica_directory_id")),
            lag=max(0, leader["log_end_offset"] - data["log_end_offset"]),
            # The leader stamps both times, so that no other clock is involved.
            caught_up_ms_ago=max(0, leader["last_caught_up_timestamp"] - caught_up) if caught_up >= 0 else None,
            caught_up_within_ms=fetch_timeout_ms,
        )

    return Quorum(
        partition["leader_id"],
        partition["high_watermark"],
        tuple(map(replica, voters)),
        tuple(map(replica, observers)),
        {node["node_id"]: tuple(each["name"] for each in node["listeners"]) for node in described.get("nodes") or []},
    ).without_stale_observers()


def _directory_id(identifier: str | None) -> str:
    """A directory id in the form that Kafka's tools print and take: 22 characters of URL-safe base64."""
    return urlsafe_b64encode(uuid.UUID(identifier).bytes).decode().rstrip("=") if identifier else ""
