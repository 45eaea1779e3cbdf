"""Answers of the admin client under gevent: set by one native thread while others look for them."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from kafka_load.cluster.admin import NativeFuture, answer
from kafka_load.native_threads import native_call

ANSWERS = """
from gevent import monkey
monkey.patch_all()
from confluent_kafka.admin import AdminClient
from kafka_load.cluster import admin
from kafka_load.native_threads import start_thread, wait_until

futures = [AdminClient._create_future() for _ in range(20_000)]  # as each of its calls does
ended = []

def give():
    for number, future in enumerate(futures):
        future.set_result(number)
    ended.append("give")

def look():
    for future in futures:
        while not future.done():
            pass
    assert [admin.answer(future) for future in futures] == list(range(len(futures)))
    ended.append("look")

for work in (look, look, give):
    start_thread(work)
assert wait_until(lambda: len(ended) == 3, 20), f"ended: {ended}"
"""


def test_answers_that_are_looked_for_while_they_are_set_hold_up_nobody() -> None:
    # With the locks that gevent puts in place the threads wait for ever, and at times the whole process does.
    done = subprocess.run(
        [sys.executable, "-c", ANSWERS], cwd="loadtests", capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


class Client:
    """Stands for one that is to go with the last that has it: its destruction ends what it has asked."""


@pytest.fixture
def _no_collection() -> Iterator[None]:
    """Python's collector of circles comes when it likes, which may be minutes later."""
    gc.disable()
    yield
    gc.enable()


def _refused() -> Future[Any]:
    future = NativeFuture()
    future.set_exception(KafkaException(KafkaError(KafkaError.COORDINATOR_LOAD_IN_PROGRESS)))
    return future


def _unanswered() -> Future[Any]:
    return NativeFuture()


@pytest.mark.usefixtures("_no_collection")
@pytest.mark.parametrize("asked", [_refused, _unanswered])
@pytest.mark.parametrize("call", [lambda ask: ask(), lambda ask: native_call(ask, timeout_s=30)])
def test_a_client_does_not_outlive_a_call_that_was_refused(
    asked: Callable[[], Future[Any]], call: Callable[[Callable[[], None]], None]
) -> None:
    clients = []

    def ask() -> None:
        client = Client()
        clients.append(weakref.ref(client))
        answer(asked(), timeout_s=-1)

    with pytest.raises(KafkaException):
        call(ask)
    [client] = clients
    assert client() is None


COORDINATOR_AWAY = """
import gc
from confluent_kafka import KafkaException
from kafka_load.cluster import group_states
from kafka_load.engines.settings import ClientSettings
from mock_cluster import MockCluster

gc.freeze()  # As in a run, where nothing looks for what only circles keep.
groups = dict.fromkeys(("a", "b", "c", "d", "e", "f"), "queue")
with MockCluster() as cluster:
    cluster.topic("orders", 3)
    client = ClientSettings(cluster.bootstrap)
    for broker in (2, 3):
        cluster.down(broker)
    for _ in range(2):
        try:
            group_states(client, groups, ["orders"], timeout_s=0.1)
        except KafkaException as refusal:
            print(refusal.args[0].name())
    for broker in (2, 3):
        cluster.up(broker)
    for _ in range(20):
        group_states(client, groups, ["orders"], timeout_s=30)
print("still there")
"""


def test_a_coordinator_that_comes_back_ends_no_process_that_had_asked_it_in_vain() -> None:
    # librdkafka aborts (librdkafka#4605) where the client still lives that had asked.
    done = subprocess.run(
        [sys.executable, "-c", COORDINATOR_AWAY],
        cwd="loadtests",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout.splitlines()) == (0, ["_TIMED_OUT", "_TIMED_OUT", "still there"]), done.stderr
