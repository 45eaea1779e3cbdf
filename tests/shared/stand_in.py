"""A stand-in for a running cluster, for tests of modules that ask one: what each server tells, and who is silent."""

from __future__ import annotations

import importlib
import socket
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from module_runner import MODULES

from ansible_collections.crucible.kafka.plugins.module_utils import survey
from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import Broker, ClusterState

SERVERS = ["kafka1:9092", "kafka2:9092", "kafka3:9092"]
NOTHING_ANSWERS = AdminError("No broker answers: kafka1:9092 (Connection refused).")


@dataclass(frozen=True)
class Server:
    """One server, as a connected client too: what it tells is the state of the cluster, or an AdminError."""

    bootstrap_servers: Sequence[str]
    told: ClusterState | AdminError

    @contextmanager
    def connect(self) -> Iterator[Server]:
        if isinstance(self.told, AdminError):
            raise self.told
        yield self


@dataclass
class StandIn:
    """Stands for `Endpoint`: a cluster whose servers tell this, the first server first; the last one tells it again."""

    told: Sequence[ClusterState | AdminError]
    silent: Collection[int] = ()
    asked_each: list[int] = field(default_factory=list)

    def each(self) -> list[Server]:
        told = [(server, self.told[min(index, len(self.told) - 1)]) for index, server in enumerate(SERVERS)]
        accepting = [Server([server], what) for server, what in told if what is not NOTHING_ANSWERS]
        if not accepting:
            raise NOTHING_ANSWERS
        return accepting

    @contextmanager
    def connect(self) -> Iterator[Server]:
        with self.each()[0].connect() as server:
            yield server

    def at(self, broker: Broker) -> Server:
        return Server([broker.address], self.told[-1] if self.answers(broker) else NOTHING_ANSWERS)

    def answers(self, broker: Broker) -> bool:
        self.asked_each.append(broker.node_id)
        return broker.node_id not in self.silent


def stand_in(
    monkeypatch: pytest.MonkeyPatch, name: str, *told: ClusterState | AdminError, silent: Collection[int] = ()
) -> StandIn:
    """Let the module `name` ask a stand-in."""
    module = importlib.import_module(f"{MODULES}.{name}")
    cluster = StandIn(told, silent)
    for asks in ("endpoint", "answer_endpoint"):
        if hasattr(module, asks):
            monkeypatch.setattr(module, asks, lambda _: cluster)
    monkeypatch.setattr(survey, "read_state", lambda server: server.told)
    return cluster


def closed_port() -> str:
    """An address on loopback where nothing listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{bound.getsockname()[1]}"
