"""What cannot work is refused before anything is touched: all of it at once, each with the variable to change."""

from pathlib import Path
from typing import Any

import live
import pytest
import yaml
from live import SITE, Run, nothing_changes, play

# What the inventory alone shows: kafka1 takes kafka2's id, kafka3 has none.
INVENTORY: dict[str, dict[str, Any]] = {"kafka1": {"kafka_node_id": 2}, "kafka3": {"kafka_node_id": ""}}
DECLARED = {
    "kafka_config": {"default.replication.factor": 5, "min.insync.replicas": 6, "log.dirs": "/srv/kafka"},
    "kafka_topics": [{"name": "orders", "partitions": 3, "replication_factor": 4}],
    "kafka_verison": "4.4.0",
}
DECLARED_SENTENCES = (
    "kafka_node_id: kafka3 has none",
    "kafka_node_id: 2 is given to kafka1 and kafka2",
    "kafka_config: log.dirs is not set here; change kafka_data_dirs",
    "kafka_config: default.replication.factor is 5, but there are 3 brokers",
    "kafka_config: min.insync.replicas 6 is above default.replication.factor 5",
    "kafka_topics: orders has replication factor 4, but there are 3 brokers",
    "kafka_verison: no role has this variable; did you mean kafka_version?",
)

# What only the hosts show: kafka2's clock is an hour ahead, and kafka3 has no known name.
LATER = "/run/later"
HOSTS = {
    "kafka2": {"ansible_python_interpreter": f"/usr/bin/env PYTHONPATH={LATER} /usr/bin/python3"},
    "kafka3": {"kafka_advertised_host": "nowhere.invalid"},
}
FOUND = {
    "java_major_version": 11,
    "kafka_data_dirs": [{"path": "/var/lib/kafka/data", "mount": ""}, {"path": "/srv/more", "mount": ""}],
    "kafka_heap_mb": 1_000_000,
    "preflight_min_disk_mb": 1_000_000_000,
    # A session that is long enough, but the active controller would be the last to have it.
    "kafka_config": {"broker.session.timeout.ms": 18000, "broker.heartbeat.interval.ms": 9000},
}
FOUND_SENTENCES = (
    "java_major_version: Kafka 4.4.0 needs Java 17 or later, not 11",
    "for /srv/more, less than preflight_min_disk_mb",
    "MB of memory for a heap of 1000000 MB",
    "s ahead of this machine's; have an NTP service set it",
    "kafka_advertised_host: kafka1 cannot resolve nowhere.invalid",
    "kafka_config: broker.heartbeat.interval.ms is 9000, but the controller that runs on",
)


def refused(folder: Path, hosts: dict[str, dict[str, Any]], extra: dict[str, Any]) -> Run:
    """Run site.yml with these host variables and extra variables; it changes nothing."""
    inventory = folder / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"kafka": {"hosts": hosts}}), encoding="utf-8")
    with nothing_changes():
        run = play(SITE, inventory=inventory, **extra)
    assert not run.ok
    assert run.changed == 0
    return run


@pytest.fixture(scope="module")
def by_inventory(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run in which everything is wrong at the same time that the inventory alone shows."""
    return refused(tmp_path_factory.mktemp("inventory"), INVENTORY, DECLARED)


@pytest.fixture(scope="module")
def by_hosts(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run in which everything is wrong at the same time that only the hosts show."""
    return refused(tmp_path_factory.mktemp("hosts"), HOSTS, FOUND)


@pytest.fixture(scope="module", autouse=True)
def _later() -> None:
    """Let Python on kafka2 believe in another time, where HOSTS says so; a container has no clock of its own."""
    host = live.host("kafka2")
    shift = "import time; now = time.time_ns; time.time_ns = lambda: now() + 3600 * 10**9"
    host.check_output(f"mkdir -p {LATER} && echo '{shift}' > {LATER}/sitecustomize.py")


@pytest.mark.parametrize("sentence", DECLARED_SENTENCES)
def test_what_the_inventory_shows_is_told_before_a_host_is_asked(by_inventory: Run, sentence: str) -> None:
    assert sentence in by_inventory.sentences
    assert "Look at each host" not in by_inventory.sentences


@pytest.mark.parametrize("sentence", FOUND_SENTENCES)
def test_what_the_hosts_show_is_told_before_anything_changes(by_hosts: Run, sentence: str) -> None:
    assert sentence in by_hosts.sentences


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        ({"kafka_mode": "zookeeper"}, "Kafka 4.4.0 has no ZooKeeper mode, 3.9 was the last release with it; use KRaft"),
        (
            {"kafka_version": "4.2.1", "kafka_archive_checksum": "0" * 128},
            "kafka_version: 4.2.1 is older than the cluster's metadata.version 33",
        ),
    ],
)
def test_a_mode_or_release_that_the_cluster_cannot_have_is_refused(extra: dict[str, Any], sentence: str) -> None:
    with nothing_changes():
        run = play(SITE, **extra)
    assert not run.ok
    assert sentence in run.sentences
