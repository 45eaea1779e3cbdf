"""The command line tools that an archive without `bin/` gets: the name without .sh, and the class that it starts.

Kafka has moved some of the classes from one minor release to the next.
"""

from __future__ import annotations

from .releases import LAST_WITH_ZOOKEEPER, Line, line

_TOOLS = {
    "kafka-acls": "org.apache.kafka.tools.AclCommand",
    "kafka-broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
    "kafka-cluster": "org.apache.kafka.tools.ClusterTool",
    "kafka-configs": "org.apache.kafka.tools.ConfigCommand",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-consumer-perf-test": "org.apache.kafka.tools.ConsumerPerformance",
    "kafka-delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "kafka-dump-log": "org.apache.kafka.tools.DumpLogSegments",
    "kafka-features": "org.apache.kafka.tools.FeatureCommand",
    "kafka-get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-groups": "org.apache.kafka.tools.GroupsCommand",
    "kafka-leader-election": "org.apache.kafka.tools.LeaderElectionCommand",
    "kafka-log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-metadata-quorum": "org.apache.kafka.tools.MetadataQuorumCommand",
    "kafka-producer-perf-test": "org.apache.kafka.tools.ProducerPerformance",
    "kafka-reassign-partitions": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
    "kafka-share-groups": "org.apache.kafka.tools.consumer.group.ShareGroupCommand",
    "kafka-storage": "kafka.tools.StorageTool",
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-transactions": "org.apache.kafka.tools.TransactionsCommand",
}

_UNTIL: dict[Line, dict[str, str]] = {
    (4, 3): {"kafka-configs": "kafka.admin.ConfigCommand"},
    (4, 2): {"kafka-dump-log": "kafka.tools.DumpLogSegments"},
    LAST_WITH_ZOOKEEPER: {
        "kafka-acls": "kafka.admin.AclCommand",
        "kafka-broker-api-versions": "kafka.admin.BrokerApiVersionsCommand",
        "kafka-console-producer": "kafka.tools.ConsoleProducer",
        "zookeeper-shell": "org.apache.zookeeper.ZooKeeperMainWithTlsSupportForKafka",
    },
}
"""What was another class up to a release, that one included."""

_SINCE_4 = ("kafka-groups", "kafka-share-groups")


def command_line_tools(version: str) -> dict[str, str]:
    """Return the tools of an exact release such as 4.4.0, one that is not known having those of the newest."""
    release = line(version)
    tools = dict(_TOOLS)
    for last, former in _UNTIL.items():
        if release and release <= last:
            tools |= former
    if release and release <= LAST_WITH_ZOOKEEPER:
        tools = {name: main for name, main in tools.items() if name not in _SINCE_4}
    return tools
