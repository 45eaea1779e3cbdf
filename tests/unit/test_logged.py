"""Errors in a node's log: which are new, which are unexplained, and how many are told in a line."""

from logged import added, told, unexplained

OLD = "[2026-11-25 13:50:00,100] ERROR Error for partition clicks-1 at offset 0 (kafka.server.ReplicaFetcherThread)"
NEW = "[2026-11-25 13:51:29,923] ERROR Error for partition clicks-5 at offset 586 (kafka.server.ReplicaFetcherThread)"
NOT_YET = (
    "[2026-11-26 15:42:13,471] ERROR [ControllerApis nodeId=3] Unexpected error handling request RequestHeader("
    "apiKey=API_VERSIONS, apiVersion=4, clientId=raft-client-2) (kafka.server.ControllerApis): "
    'java.lang.NullPointerException: Cannot invoke "kafka.raft.KafkaRaftManager.client()" because the return value of '
    '"kafka.server.ControllerServer.raftManager()" is null'
)
NO_LONGER = (
    "[2026-11-26 20:15:53,427] ERROR [Kafka Request Handler 3 on Controller 2] Exception when handling request "
    "(kafka.server.KafkaRequestHandler): java.lang.NullPointerException: Cannot invoke "
    '"org.apache.kafka.network.metrics.RequestMetrics$ErrorMeter.getOrCreateMeter()" because the return value of '
    '"java.util.Map.get(Object)" is null'
)
ADDED = (
    "[2026-11-27 14:10:10,670] ERROR [Broker id=1] Expected partition control-02799838-3 with topic id "
    "Qx2ttrICSaGZ9OJILnXdDA to exist, but it was missing. Creating... (state.change.logger)"
)
REGISTRATION = (
    "[2026-11-27 15:38:30,019] ERROR [ControllerApis nodeId=3] Unexpected error handling request RequestHeader("
    "apiKey=CONTROLLER_REGISTRATION, apiVersion=0, clientId=2) (kafka.server.ControllerApis): java.util.concurrent."
    "CompletionException: org.apache.kafka.common.errors.NotControllerException: The active controller appears to be "
    "node 1."
)
NOBODY = REGISTRATION.replace("The active controller appears to be node 1.", "No controller appears to be active.")
BEHIND = (
    "[2026-11-28 04:49:01,780] ERROR [ReplicaManager broker=1] Error processing append operation on partition "
    "f_cFzxH_SC6L:late-commit-b3280d-enriched-0 (kafka.server.ReplicaManager): org.apache.kafka.common.errors."
    "OutOfOrderSequenceException: Out of order sequence number for producer 2010 at offset 135 in partition "
    "late-commit-b3280d-enriched-0: 26 (incoming seq. number), 20 (earliest seen sequence)"
)
OVER = BEHIND.partition(": org.apache")[0] + (
    ": org.apache.kafka.common.errors.InvalidTxnStateException: Record was not part of an ongoing transaction"
)
LATE = (
    "[2026-11-28 20:01:12,345] ERROR [QuorumController id=1] processExpiredBrokerHeartbeat: controller event queue "
    "overloaded. Timed out heartbeat from broker 2. (org.apache.kafka.controller.ReplicationControlManager)"
)
HEARTBEAT = "[2026-11-25 13:51:29,924] ERROR Not the active controller: apiKey=BROKER_HEARTBEAT"


COLD = (
    "[2026-11-29 20:50:26,428] ERROR [ShareCoordinator id=3] Received error while snapshotting cold partitions. "
    "(org.apache.kafka.coordinator.share.ShareCoordinatorService): java.util.concurrent.CompletionException: "
    "org.apache.kafka.common.errors.CoordinatorLoadInProgressException: The coordinator is loading and hence can't "
    "process requests."
)


def test_only_what_was_added_is_new_also_when_it_is_the_same_line_again() -> None:
    assert added([OLD], [OLD, NEW]) == [NEW]
    assert added([OLD], [OLD, OLD]) == [OLD]
    assert added([OLD], [NEW]) == [NEW]  # The old file was rotated away.


def test_an_error_is_explained_by_what_always_happens_or_by_what_was_said() -> None:
    assert unexplained([HEARTBEAT, LATE, NEW, NOT_YET, NO_LONGER, ADDED, REGISTRATION, NOBODY, BEHIND, OVER, COLD]) == [
        NEW
    ]
    for other in (
        LATE.replace("controller event queue overloaded", "another fault"),
        ADDED.replace("control-02799838", "orders"),
        REGISTRATION.replace("NotControllerException", "UnknownServerException"),
        BEHIND.replace("late-commit-b3280d-enriched", "orders"),
        BEHIND.replace("OutOfOrderSequenceException", "CorruptRecordException"),
        NOBODY.replace("CONTROLLER_REGISTRATION", "CREATE_TOPICS"),
        NOT_YET.replace("raftManager()", "controller()"),
        NO_LONGER.replace("getOrCreateMeter", "mark"),
        COLD.replace("CoordinatorLoadInProgressException", "UnknownServerException"),
    ):
        assert unexplained([other]) == [other]
    assert unexplained([HEARTBEAT, NEW, OLD], [r"clicks-\d at offset 586"]) == [OLD]


def test_what_differs_only_in_numbers_is_told_once() -> None:
    assert told([OLD, HEARTBEAT, NEW]) == [f"{OLD} (and 1 like it)", HEARTBEAT]
    assert told([]) == []
