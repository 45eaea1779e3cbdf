#!/usr/bin/env python3
"""Watches from outside, as any client could, how a rolling restart is done, and says what was wrong with it.

It asks nothing of the code that does the rolling: which replicas are missing from their ISR, as the brokers' own
metadata tells it ten times a second. It ends once each broker was away and is back, or with exit status 1.
"""

from __future__ import annotations

import argparse
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from itertools import groupby

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient as Watcher
from kafka import KafkaAdminClient
from kafka.errors import KafkaError


def away(watcher: Watcher) -> frozenset[int]:
    """Return the brokers that some partition of the cluster misses in its ISR."""
    topics = watcher.list_topics(timeout=5).topics.values()
    return frozenset(
        node for topic in topics for part in topic.partitions.values() for node in set(part.replicas) - set(part.isrs)
    )


def active_controller(bootstrap: str, watcher: Watcher) -> int:
    """Return the node id of the active controller, with or without ZooKeeper."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap.split(","))
    try:
        return int(admin.describe_metadata_quorum()["topics"][0]["partitions"][0]["leader_id"])
    except KafkaError:  # ZooKeeper mode: only there is the controller of the metadata the real one.
        return int(watcher.list_topics(timeout=5).controller_id)
    finally:
        admin.close()


def unresponsive_brokers(brokers: Mapping[int, tuple[str, int]]) -> frozenset[int]:
    """Return the brokers that accept no connection."""
    found = set()
    for node, address in brokers.items():
        try:
            socket.create_connection(address, timeout=1).close()
        except OSError:
            found.add(node)
    return frozenset(found)


def moments(watcher: Watcher, brokers: Mapping[int, tuple[str, int]], timeout_s: float) -> Iterator[frozenset[int]]:
    """Yield who is away each time this changes, until each of `brokers` was away and all have been back for 3 s."""
    deadline = time.monotonic() + timeout_s
    seen: set[int] = set()
    last: frozenset[int] = frozenset()
    since = time.monotonic()
    while time.monotonic() < deadline:
        try:
            now = away(watcher)
        except KafkaException as error:  # Whoever was asked did not answer within 5 s: who is there at all?
            print(f"No answer: {error}", flush=True)
            now = unresponsive_brokers(brokers)
        if now != last:
            print(f"{time.strftime('%T')} away: {sorted(now) or 'none'}", flush=True)
            last, since = now, time.monotonic()
            seen |= now
            yield now
        if seen == brokers.keys() and not now and time.monotonic() - since > 3:
            return
        time.sleep(0.1)  # The rate of sampling.


def faults(history: list[frozenset[int]], brokers: set[int], controller: int) -> list[str]:
    """Return what was wrong with a roll, as sentences; `history` is who was away, one entry a change.

    Whichever broker answers tells its own metadata, and one that is behind shows a broker as back for a moment: the
    same broker twice in a row is one turn.
    """
    found = [f"Brokers {sorted(both)} were away at the same time." for both in history if len(both) > 1]
    turns = [node for node, _ in groupby(node for entry in history for node in entry)]
    found += [f"Broker {node} was not restarted." for node in sorted(brokers - set(turns))]
    found += [f"Broker {node} went away {turns.count(node)} times." for node in brokers if turns.count(node) > 1]
    if history and history[-1]:
        found.append(f"Brokers {sorted(history[-1])} did not come back.")
    if turns and turns[-1] != controller:
        found.append(f"Broker {turns[-1]} was the last, not {controller}, the active controller.")
    return found


def main() -> int:
    """Watch one roll and print what was seen; return 1 if it was not done as promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bootstrap", help="host:port,… of the brokers")
    parser.add_argument("--timeout-s", type=float, default=1700, help="how long the roll may take")
    options = parser.parse_args()
    watcher = Watcher({"bootstrap.servers": options.bootstrap, "log_level": 0})
    brokers = {
        node: (str(broker.host), broker.port) for node, broker in watcher.list_topics(timeout=10).brokers.items()
    }
    controller = active_controller(options.bootstrap, watcher)
    print(f"Brokers {sorted(brokers)}, the active controller is {controller}.", flush=True)
    found = faults(list(moments(watcher, brokers, options.timeout_s)), set(brokers), controller)
    print("\n".join(found) or "One at a time, the active controller last.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
