"""The mock cluster's process: one order a line on standard input, one answer a line on standard output (0: done).

Ends when its input ends, so it cannot outlive whoever started it.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable

from kafka_load.librdkafka.handle import new_client
from kafka_load.librdkafka.library import INT, INT64, POINTER, PRODUCER, SIZE, TEXT, function

GROUP_SETTINGS = {  # quick rebalances, for tests; share groups start at the log's beginning (1: earliest)
    "group_initial_rebalance_delay_ms": 100,
    "set_group_consumer_session_timeout_ms": 2_000,
    "set_group_consumer_heartbeat_interval_ms": 200,
    "sharegroup_set_session_timeout": 2_000,
    "sharegroup_set_heartbeat_interval": 200,
    "sharegroup_set_auto_offset_reset": 1,
}


def main(brokers: int) -> None:
    """Start the cluster, print its bootstrap servers, carry out orders."""
    # Its own handle has no bootstrap servers, about which it would warn.
    handle = new_client(PRODUCER, {"log_level": 0}, events=0)
    cluster = function("mock_cluster_new", POINTER, POINTER, INT)(handle, brokers)
    if cluster is None:
        sys.exit(f"librdkafka made no mock cluster of {brokers} brokers")
    for name, value in GROUP_SETTINGS.items():
        function(f"mock_{name}", None, POINTER, INT)(cluster, value)
    bootstrap = function("mock_cluster_bootstraps", TEXT, POINTER)(cluster)
    orders: dict[str, tuple[Callable[..., int], tuple[type, ...]]] = {
        name: (function(f"mock_{symbol}", INT, POINTER, *types), types)
        for name, symbol, types in (
            ("topic", "topic_create", (TEXT, INT, INT)),
            ("down", "broker_set_down", (INT,)),
            ("up", "broker_set_up", (INT,)),
            ("rtt", "broker_set_rtt", (INT, INT)),
            ("leader", "partition_set_leader", (TEXT, INT, INT)),
            ("delete", "partition_delete_records", (TEXT, INT, INT64)),
            ("answer", "broker_push_request_error_rtts", (INT, ctypes.c_int16, SIZE, INT, INT)),
        )
    }
    answer = orders["answer"][0]

    def refuse(cluster: object, broker: int, api_key: int, error: int, times: int) -> int:
        return max(answer(cluster, broker, api_key, 1, error, 0) for _ in range(times))

    orders["refuse"] = (refuse, (INT, INT, INT, INT))
    print(bytes(bootstrap).decode(), flush=True)
    for line in sys.stdin:
        name, *words = line.split()
        call, types = orders[name]
        arguments = [word.encode() if kind is TEXT else int(word) for word, kind in zip(words, types, strict=True)]
        print(call(cluster, *arguments), flush=True)
    os._exit(0)  # librdkafka would wait for connections of clients that have gone


if __name__ == "__main__":
    main(int(sys.argv[1]))
