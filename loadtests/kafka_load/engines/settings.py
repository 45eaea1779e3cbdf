"""What a caller may choose of a client, and the librdkafka properties that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from kafka_load.config.processing import Processing
from kafka_load.config.transform import Transform
from kafka_load.ownership import CLIENT_ID
from kafka_load.records.keys import DEFAULT, Popularity

Property = str | int | float | bool

# librdkafka waits up to 10 s before it tries a lost broker again, 60 s for an answer and 1 s before it looks for a new
# leader again, so that it would be the client whose outage is measured (source: librdkafka's CONFIGURATION.md).
_PATIENCE: dict[str, Property] = {
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 500,
    "retry.backoff.ms": 50,
    "retry.backoff.max.ms": 250,
    "socket.timeout.ms": 5_000,
    "socket.connection.setup.timeout.ms": 3_000,
    "log.connection.close": False,
    "statistics.interval.ms": 1_000,
}


@dataclass(frozen=True)
class ClientSettings:
    """How to reach the cluster; `extra` are librdkafka properties that override all others (security, time-outs)."""

    bootstrap: str
    extra: Mapping[str, Property] = field(default_factory=lambda: MappingProxyType({}), repr=False)  # has passwords

    def properties(self, **more: Property) -> dict[str, Property]:
        """Properties of a client; names in `more` have underscores for dots."""
        given = {name.replace("_", "."): value for name, value in more.items()}
        return {"bootstrap.servers": self.bootstrap, "client.id": CLIENT_ID, **_PATIENCE, **given, **self.extra}


@dataclass(frozen=True)
class TransactionSettings:
    """Commit after so many records or ms, whichever comes first; each `abort_every`-th is aborted on purpose (0:
    none).
    """

    transactional_id: str
    records: int = 1_000
    ms: int = 500
    abort_every: int = 0


@dataclass(frozen=True)
class ProducerSettings:
    """What a producer sends, as `run` and `producer` (see `records.fresh_run`, `fresh_id`), and how safely.

    `size` (bytes) is that of binary records, `entropy` the share of it that no compression can make less of; with
    `sizes` or `payload_file` they have those instead (see `records.encoder`). Each record has the `headers`. At most
    `in_flight_max` records, and about `in_flight_bytes` of values, wait for their acknowledgement; what is due beyond
    that is sent late.

    With `requests_in_flight` above 1 librdkafka may write a record twice, although it is idempotent: while a request
    of one partition is under way, the answer OUT_OF_ORDER_SEQUENCE_NUMBER to a second request of another one, whose
    first has failed, makes it raise the producer's epoch and send again, as something new, what is in the log already
    (https://github.com/confluentinc/librdkafka/issues/4953). With 1 no second request is there to get that answer;
    after a change of leaders librdkafka waits for the old one's answer anyway.
    """

    topic: str
    run: int
    producer: int
    format: str = "json"
    event: str = "order"
    size: int = 100
    entropy: float = 1.0
    popularity: Popularity = DEFAULT
    sizes: tuple[tuple[int, float], ...] = ()
    payload_file: str = ""
    headers: tuple[tuple[str, bytes], ...] = ()
    acks: str = "all"
    idempotent: bool = True
    linger_ms: float = 5
    compression: str = "none"
    batch_bytes: int = 1_000_000
    transaction: TransactionSettings | None = None
    in_flight_max: int = 200_000
    in_flight_bytes: int = 64 << 20
    message_timeout_ms: int = 120_000
    requests_in_flight: int = 1

    def properties(self, client: ClientSettings) -> dict[str, Property]:
        """librdkafka properties of the producer."""
        transactional: dict[str, Property] = {}
        if self.transaction:
            transactional["transactional_id"] = self.transaction.transactional_id
            transactional["transaction_timeout_ms"] = self.message_timeout_ms
        return client.properties(
            acks=self.acks,
            enable_idempotence=self.idempotent or self.transaction is not None,
            linger_ms=self.linger_ms,
            compression_type=self.compression,
            batch_size=self.batch_bytes,
            message_timeout_ms=self.message_timeout_ms,
            request_timeout_ms=3_000,
            max_in_flight=self.requests_in_flight,
            # Twice what the engine has in flight, so that its queue is full only if the records' sizes differ much.
            queue_buffering_max_messages=2 * self.in_flight_max,
            queue_buffering_max_kbytes=max(1, 2 * self.in_flight_bytes >> 10),
            **transactional,
        )


@dataclass(frozen=True)
class ReaderSettings:
    """A member of a group: who it reads with (`queue`, `pubsub`: a group of one, `share`), and how.

    With `journal_dir` it writes its ledger there before each commit, so that a SIGKILL takes no evidence with it.
    `release` and `reject` are the shares of first deliveries that a share-group member hands back or refuses.
    `processing` is what a member does with each record before it commits it; None: it only reads.
    With `transform` it makes an output record of each in transactions of `transactional_id`.
    """

    group: str
    topics: tuple[str, ...]
    run: int
    mode: str = "queue"
    protocol: str = "classic"
    assignor: str = "cooperative-sticky"
    instance_id: str | None = None
    read_committed: bool = True
    from_start: bool = True
    commit_ms: int = 1_000
    session_timeout_ms: int = 10_000
    journal_dir: Path | None = None
    release: float = 0.0
    reject: float = 0.0
    processing: Processing | None = None
    transform: Transform | None = None
    transactional_id: str = ""

    def properties(self, client: ClientSettings) -> dict[str, Property]:
        """librdkafka properties of a member of a consumer group."""
        more: dict[str, Property] = {"group_instance_id": self.instance_id} if self.instance_id else {}
        if self.protocol == "classic":  # under KIP-848 the broker decides on both
            more["session_timeout_ms"] = self.session_timeout_ms
            more["heartbeat_interval_ms"] = max(self.session_timeout_ms // 6, 100)
            more["partition_assignment_strategy"] = self.assignor
        return client.properties(
            group_id=self.group,
            group_protocol=self.protocol,
            # An offset that an open transaction is about to commit is waited for by those that read committed records.
            isolation_level="read_committed" if self.read_committed or self.transform else "read_uncommitted",
            auto_offset_reset="earliest" if self.from_start else "latest",
            enable_auto_commit=False,
            enable_auto_offset_store=False,
            # Without it nobody learns that what is left of a log are transaction markers and deleted records.
            enable_partition_eof=True,
            queued_min_messages=50_000,
            # When that many wait, librdkafka by default fetches nothing for a second, and a reader that could take them
            # in a fraction of it gets no more; 5 ms are less than it takes.
            fetch_queue_backoff_ms=5,
            **more,
        )

    def dead_letter_properties(self, client: ClientSettings) -> dict[str, Property]:
        """librdkafka properties of the producer to the dead-letter topic."""
        return client.properties(
            acks="all",
            enable_idempotence=True,
            max_in_flight=1,
            linger_ms=5,
            message_timeout_ms=120_000,
            request_timeout_ms=3_000,
        )

    def transform_properties(self, client: ClientSettings) -> dict[str, Property]:
        """librdkafka properties of the producer of a member that transforms.

        A transaction that its member left open holds up all who read committed records, and the next member: the
        broker aborts it after 10 s, not after 60.
        """
        return client.properties(
            transactional_id=self.transactional_id,
            transaction_timeout_ms=10_000,
            message_timeout_ms=10_000,
            max_in_flight=1,
            linger_ms=5,
            request_timeout_ms=3_000,
        )

    def share_properties(self, client: ClientSettings) -> dict[str, Property]:
        """librdkafka properties of a member of a share group (KIP-932)."""
        return client.properties(group_id=self.group, share_acknowledgement_mode="explicit")
